"""Companies that changed their plays: what was planted is planted exactly, and nothing else differs from the null twin."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.crm.synthetic import USE_CASES, software_company
from winworth.crm.synthetic.plays import lift_chances, new_business, shorten
from winworth.crm.synthetic.visits import ELASTICITY, GIVING
from winworth.tables import TABLES

AS_OF = date(2026, 6, 30)
SPLIT = pd.Timestamp("2025-01-01")


@pytest.fixture(scope="module", params=list(USE_CASES))
def case(request):
    return request.param


@pytest.fixture(scope="module")
def pair(case):
    """The company and its null twin."""
    return tuple(USE_CASES[case].draw(as_of=AS_OF, seed=3, n_deals=1500, has_effect=effect) for effect in (True, False))


@pytest.fixture(scope="module")
def industry():
    return USE_CASES["industry"].draw(as_of=AS_OF, seed=3, n_deals=1500)


def test_every_world_has_every_table_and_nothing_dated_later(pair):
    for world in pair:
        assert list(world.tables) == [
            name for name in TABLES if name in software_company(n_deals=100, as_of=AS_OF, seed=1).tables
        ]
        for frame in world.tables.values():
            assert len(frame)
            for column in frame.select_dtypes("datetime"):
                assert frame[column].max() <= pd.Timestamp(AS_OF)


def test_what_a_comparison_reads_is_the_same_as_in_the_whole_world(case, pair):
    lean = USE_CASES[case].draw(as_of=AS_OF, seed=3, n_deals=1500, is_whole=False)
    assert list(lean.tables) == ["deals", "accounts", "invoices", "costs"]
    for name, frame in lean.tables.items():
        pd.testing.assert_frame_equal(frame, pair[0].tables[name])


def test_the_null_twin_is_the_same_company_until_the_day_of_the_change(pair):
    one, twin = (world.tables for world in pair)
    pd.testing.assert_frame_equal(one["accounts"].drop(columns="health_score"), twin["accounts"].drop(columns="health_score"))
    before = [tables["deals"].query("opened_on < @SPLIT and deal_id.str[0] == 'D'")["deal_id"] for tables in (one, twin)]
    assert before[0].tolist() == before[1].tolist()
    assert set(pair[1].planted.values()) == {0.0}


def test_segments_are_known_when_an_account_is_created_and_each_is_large_enough(case, pair):
    segment = pair[0].tables["accounts"]["market_segment"]
    assert set(USE_CASES[case].treated) <= set(segment)
    assert segment.value_counts(normalize=True).min() > 0.04
    assert 1 - segment.isin(USE_CASES[case].treated).mean() > 0.4


def test_costs_are_told_by_segment_and_fall_where_it_was_planted():
    one, twin = (
        USE_CASES["software"].draw(as_of=AS_OF, seed=3, n_deals=1500, has_effect=effect, is_whole=False).tables["costs"]
        for effect in (True, False)
    )
    after = one["month"] >= SPLIT
    ratio = (
        one["amount"].groupby([one["market_segment"], after]).sum()
        / twin["amount"].groupby([twin["market_segment"], after]).sum()
    )
    assert ratio["PME connectées", True] == pytest.approx(0.88, abs=0.02)  # a day of the month cannot be half paid
    assert ratio["PME connectées", False] == pytest.approx(1.0)
    assert ratio["Autres non connectées"].to_numpy() == pytest.approx([1.0, 1.0])


def test_the_mean_chance_to_win_is_lifted_by_what_was_planted():
    chance = np.random.default_rng(0).beta(1.2, 2, 500)
    lifted = lift_chances(chance, np.where(np.arange(500) < 300, 1.18, 1.0))
    assert lifted[:300].mean() == pytest.approx(1.18 * chance[:300].mean())
    assert lifted.max() <= 1
    assert (lifted[300:] == chance[300:]).all()


def test_mean_days_within_the_horizon_shrink_by_what_was_planted():
    """Against 400,000 draws: what is planted is the mean, so that each company has noise of its own."""
    rng, centre = np.random.default_rng(0), np.tile([4.0, 4.2], 200_000)
    noise = rng.normal(0, 0.85, len(centre))
    was, now = (
        np.minimum(np.exp(at + noise), 180).mean()
        for at in (centre, shorten(centre, np.full(len(centre), 0.79), spread=0.85, within=180))
    )
    assert now / was == pytest.approx(0.79, abs=0.001)


def test_an_attempt_is_new_business_whatever_comes_of_it():
    attempts = pd.DataFrame({"account": [0, 0, 0, 1], "opened": [0, 50, 200, 10], "days": [100, 20, 10, 5]})
    won = pd.Series([True, False, False, False])
    assert new_business(attempts.assign(won=won)).tolist() == [True, True, False, True]
    assert new_business(attempts.assign(won=won | pd.Series([False, False, True, False]))).tolist() == [True, True, False, True]


def test_upsells_are_offered_to_customers_only_and_more_often_where_it_was_planted():
    """Ten companies of 3,000 deals: 1.15 times as many after the day, within what their number warrants."""
    counts = {True: 0, False: 0}
    for seed in range(10):
        for effect in counts:
            world = USE_CASES["services"].draw(as_of=AS_OF, seed=seed, n_deals=3000, has_effect=effect, is_whole=False)
            deals = world.tables["deals"].merge(world.tables["accounts"][["account_id", "market_segment"]], on="account_id")
            first = deals[deals["status"] == "won"].groupby("account_id")["closed_on"].min()
            own = deals[deals["kind"] == "upsell"]
            assert (own["opened_on"].to_numpy() >= first[own["account_id"]].to_numpy()).all()
            counts[effect] += (own["market_segment"].eq("Régulé, à cadrer") & (own["opened_on"] >= SPLIT)).sum()
    assert counts[True] / counts[False] == pytest.approx(1.15, abs=3 * 1.15 * np.sqrt(1 / counts[True] + 1 / counts[False]))


def hours_by_quarter(world):
    """Return logged hours of visits and orders by account and calendar quarter, each account's first and last left out.

    A customer of half a quarter has half the hours and half the orders, which would pass for an answer to hours.
    """
    visits, invoices = world.tables["activities"].query("activity_id.str[0] == 'V'"), world.tables["invoices"]
    hours = visits.groupby(["account_id", visits["happened_on"].dt.to_period("Q")])["hours"].sum()
    revenue = invoices.groupby(["account_id", invoices["invoiced_on"].dt.to_period("Q")])["amount"].sum()
    rows = pd.concat([hours.rename_axis(["account_id", "period"]), revenue.rename_axis(["account_id", "period"])], axis=1)
    rows = rows.dropna().reset_index().rename(columns={"amount": "revenue"})
    quarter = rows.groupby("account_id")["period"]
    rows = rows[(rows["period"] > quarter.transform("min")) & (rows["period"] < quarter.transform("max"))]
    return rows.merge(world.tables["accounts"][["account_id", "potential", "market_segment"]], on="account_id")


def test_hours_move_from_the_giving_segment_and_their_sum_stays(industry):
    twin = USE_CASES["industry"].draw(as_of=AS_OF, seed=3, n_deals=1500, has_effect=False)
    one, other = (
        hours_by_quarter(world).query("period >= '2025Q1'").groupby("market_segment")["hours"].sum()
        for world in (industry, twin)
    )
    times = one / other
    assert times["Fort, mensuelle"] == pytest.approx(1.25 ** (1 / ELASTICITY["Fort"]), rel=0.02)
    assert times[GIVING] < 0.8
    assert one.sum() == pytest.approx(other.sum(), rel=0.05)
    assert times["Moyen, mensuelle"] == pytest.approx(1.0)


def test_orders_answer_hours_by_the_elasticity_of_the_zone(industry):
    rows = hours_by_quarter(industry).query("hours > 0")
    logs = rows.assign(h=np.log(rows["hours"]), r=np.log(rows["revenue"]))
    within = logs[["h", "r"]] - logs.groupby(["account_id"])[["h", "r"]].transform("mean")
    slope = {zone: own["h"] @ own["r"] / (own["h"] @ own["h"]) for zone, own in within.groupby(logs["potential"])}
    assert slope == pytest.approx(ELASTICITY, abs=0.08)


def test_distributors_are_visited_before_and_missed_now_and_then(industry):
    visits = industry.tables["activities"].query("activity_id.str[0] == 'V'")
    assert set(visits["outcome"]) == {"held", "no_show", "cancelled"}
    assert visits.loc[visits["outcome"] != "held", "hours"].isna().all()
    assert visits.loc[visits["outcome"] == "held", "hours"].gt(0).mean() > 0.99
