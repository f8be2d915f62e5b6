"""Recommendations in companies with one planted gap, or none."""

import numpy as np
import pandas as pd
import pytest

from winworth.kpi.gaps import segment_gaps, team_gaps
from winworth.kpi.reallocate import Move, Plan
from winworth.kpi.recommend import recommend
from winworth.models.metrics import Figure

SEGMENTS, TEAMS = ("ETI", "GE", "PME", "TPE"), ("East", "North", "South", "West")


def company(seed, *, plant=None, n=500, spread=400.0):
    """Three deals of each account in four segments; four teams of five sellers, who differ; `plant` adds money by row."""
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(n), 3)
    segment, team = rng.integers(4, size=n)[account], rng.integers(4, size=len(account))
    seller = team * 5 + rng.integers(5, size=len(account))
    mix = rng.integers(3, size=len(account))
    money = 10_000 + 2000 * mix + 500 * rng.normal(size=n)[account] + spread * rng.normal(size=20)[seller]
    rows = pd.DataFrame(
        {
            "account_id": account,
            "segment": np.array(SEGMENTS)[segment],
            "team": np.array(TEAMS)[team],
            "seller": [f"seller {k}" for k in seller],
            "mix": mix,
            "money": money + rng.normal(0, 3000, len(account)),
        }
    )
    return rows if plant is None else rows.assign(money=rows["money"] + plant(rows))


def plan_of(*moves, p_equal=0.001):
    return Plan(moves, pd.DataFrame(), Figure(0, 0, 0, 0), p_equal)


def short_segment(rows):
    return -1800.0 * (rows["segment"] == "PME")


def short_team(rows):
    return -3000.0 * (rows["team"] == "West")


def test_a_segment_short_in_all_teams_calls_for_another_offer():
    found = recommend(company(0, plant=short_segment), n_periods=4).to_do
    assert [(one.action, one.subject) for one in found] == [("offer", "segment PME")]
    n = (company(0)["segment"] == "PME").sum()
    assert found[0].effect.low < 1800 * n / 4 < found[0].effect.high
    assert found[0].effect.value > 0


def test_a_team_short_at_equal_mix_calls_for_training():
    found = recommend(company(1, plant=short_team), n_periods=4).to_do
    assert [(one.action, one.subject) for one in found] == [("train", "team West")]
    assert 0 < found[0].effect.low < found[0].effect.high


def test_hours_that_bring_more_elsewhere_call_for_a_move():
    move = Move("North", "West", 120.0, Figure(9000.0, 4000.0, 15_000.0, 160), 0.0004)
    found = recommend(company(2), n_periods=4, plan=plan_of(move)).to_do
    assert [(one.action, one.subject) for one in found] == [("move", "hours North -> West")]
    assert found[0].effect == move.gain


def test_a_segment_short_in_one_team_only_is_not_the_offers_fault():
    rows = company(3, plant=lambda rows: -7000.0 * ((rows["segment"] == "PME") & (rows["team"] == "West")), n=900)
    segment = next(gap for gap in segment_gaps(rows) if gap.name == "PME")
    assert segment.p_same < 0.05
    assert not any(one.action == "offer" for one in recommend(rows, n_periods=1).to_do)


def test_one_segment_above_all_others_does_not_make_them_short():
    advice = [recommend(company(seed, plant=lambda rows: 6000.0 * (rows["segment"] == "GE")), n_periods=1) for seed in range(4)]
    assert sum(bool(one.to_do) for one in advice) <= 1
    assert all(("none", "segment GE") in [(r.action, r.subject) for r in one.recommendations] for one in advice)


def test_a_gap_that_is_all_mix_calls_for_nothing():
    """PME have the cheap kind of deal far more often, and within each kind they bring what others bring."""
    rows = company(5, spread=0.0)
    cheap = (rows["segment"] == "PME") & (np.arange(len(rows)) % 4 > 0)
    rows = rows.assign(mix=rows["mix"].where(~cheap, 0), money=rows["money"] - 2000 * rows["mix"].where(cheap, 0))
    raw = rows.groupby("segment")["money"].mean()
    assert raw["PME"] < raw.drop("PME").min() - 500
    assert recommend(rows, n_periods=1).to_do == ()


def test_a_gap_that_is_the_sellers_is_not_the_segments():
    """The sellers of one team are weak and it works PME more than others do."""
    rows = company(6)
    weak = rows["team"] == "West"
    moved = weak & (rows["account_id"] % 3 > 0)
    rows = rows.assign(segment=rows["segment"].where(~moved, "PME"), money=rows["money"] - 4000.0 * weak)
    raw = rows.groupby("segment")["money"].mean()
    assert raw["PME"] < raw.drop("PME").min() - 500
    assert not any(one.subject.startswith("segment") for one in recommend(rows, n_periods=1).to_do)


def test_a_segment_that_one_team_alone_works_is_not_told_apart_from_it():
    rows = company(7)
    rows = rows[(rows["segment"] != "PME") | (rows["team"] == "West")]
    rows = rows.assign(money=rows["money"] - 5000.0 * (rows["segment"] == "PME"))
    found = recommend(rows, n_periods=1).recommendations
    assert [one.action for one in found if one.subject == "segment PME"] == ["none"]


def test_a_segment_whose_sellers_work_nothing_else_has_no_figure():
    rows = company(7)
    rows = rows[(rows["segment"] == "PME") == (rows["team"] == "West")]
    gap = next(gap for gap in segment_gaps(rows) if gap.name == "PME")
    assert np.isnan(gap.p)


def test_one_bad_seller_is_not_a_bad_team():
    rows = company(8, plant=lambda rows: -6000.0 * (rows["seller"] == "seller 15"))
    assert not any(one.action == "train" for one in recommend(rows, n_periods=1).to_do)


def test_nothing_is_said_of_a_person():
    rows = company(9, plant=short_team)
    small = rows[(rows["team"] != "West") | rows["seller"].isin(["seller 15", "seller 16"])]
    assert "West" not in {gap.name for gap in team_gaps(small)}
    assert "seller" not in str(recommend(rows, n_periods=1).to_dict())


def test_in_companies_without_a_gap_nothing_is_recommended():
    asked = [recommend(company(seed, n=300), n_periods=1, plan=plan_of(p_equal=0.5)).to_do for seed in range(20)]
    assert sum(bool(to_do) for to_do in asked) <= 2


@pytest.mark.slow
def test_in_a_hundred_companies_without_a_gap_at_most_ten_are_told_to_do_something():
    asked = [recommend(company(seed, n=300), n_periods=1, plan=plan_of(p_equal=0.5)).to_do for seed in range(100, 200)]
    assert sum(bool(to_do) for to_do in asked) <= 10


def test_the_gap_is_that_of_a_regression_with_a_column_for_every_seller_and_mix():
    rows = company(10)
    two = rows[rows["segment"].isin(["PME", "ETI"])]
    X = pd.concat([two["segment"].eq("PME"), pd.get_dummies(two["seller"]), pd.get_dummies(two["mix"]).iloc[:, 1:]], axis=1)
    slope = np.linalg.lstsq(X.to_numpy(float), two["money"].to_numpy(), rcond=None)[0][0]
    assert {gap.name: gap.gap.value for gap in segment_gaps(two)} == pytest.approx({"PME": slope, "ETI": -slope})


def test_all_that_was_compared_is_counted():
    advice = recommend(company(11), n_periods=1, plan=plan_of(p_equal=0.4))
    assert set(advice.compared.index) == {f"segment {s}" for s in SEGMENTS} | {f"team {t}" for t in TEAMS} | {"hours"}
    assert len(advice.compared) == 9 and advice.to_do == ()
