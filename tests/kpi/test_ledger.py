from datetime import date

import numpy as np
import pandas as pd
import pytest
from kpi_world import AS_OF, KNOWN, book_of, days, draw_tables, periods_of

from winworth.errors import ConfigError
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.kpi.book import Scored
from winworth.kpi.groups import feature_levels, feature_named, score_levels
from winworth.kpi.ledger import COLUMNS, KPIS, ledger
from winworth.kpi.measures import LEAST
from winworth.kpi.pipeline import coverage

SIZE = Feature(value="accounts.size_class")


def told_by(book, *, most=4, **groups):
    periods = periods_of(book, most)
    return ledger(book, periods, {name: make(book, periods) for name, make in groups.items()})


def by_size(book, periods):
    return feature_levels(book, periods, SIZE)


def by_tier(book, periods):
    return score_levels(book, periods, "tier")


def row(table, kpi, quarter, group="all", level="all"):
    found = table[(table["kpi"] == kpi) & (table["quarter"] == quarter) & (table["group"] == group) & (table["level"] == level)]
    return found.squeeze()


@pytest.fixture(scope="module")
def tables():
    return draw_tables()


@pytest.fixture(scope="module")
def told(tables):
    scored = pd.DataFrame({"account_id": tables["accounts"]["account_id"], "tier": "A", "residual_value": 100.0})
    chances = pd.DataFrame({"deal_id": tables["deals"]["deal_id"], "win_probability": 0.35})
    return told_by(
        book_of(tables, scores={date(2026, 6, 30): Scored(scored, chances)}, quota=50_000.0), most=6, size_class=by_size
    )


def test_every_kpi_has_a_row_for_each_quarter_and_for_all_of_them(told):
    quarters = ["2025 Q1", "2025 Q2", "2025 Q3", "2025 Q4", "2026 Q1", "2026 Q2", "all"]
    assert told.columns.tolist() == COLUMNS
    own = told[told["group"] == "all"]
    assert [(kpi, list(rows["quarter"])) for kpi, rows in own.groupby("kpi", sort=False)] == [(kpi, quarters) for kpi in KPIS]


def test_the_levels_of_a_group_add_up_to_all(told):
    known = told[told["group"] == "size_class"].groupby(["kpi", "quarter"])["n"].sum()
    everyone = told[told["group"] == "all"].set_index(["kpi", "quarter"])["n"]
    split = [key for key in everyone.index if everyone[key] > 0]
    assert (known[split] == everyone[split]).all()
    assert len(split) > 60


def test_money_of_the_levels_adds_up_to_all(told):
    for kpi in ("basket_mean", "churn_revenue", "coverage_stage", "coverage_probability"):
        levels = told[(told["kpi"] == kpi) & (told["quarter"] == "all") & (told["group"] == "size_class")]
        assert levels["numerator"].sum() == pytest.approx(row(told, kpi, "all")["numerator"])


def test_what_is_hidden_tells_nothing_and_what_is_shown_lies_in_its_interval(told):
    hidden = told[told["mark"] != ""]
    shown = told[told["mark"] == ""]
    assert hidden[["value", "low", "high", "shrunk"]].isna().all(axis=None)
    assert (shown["n"] >= LEAST).all()
    known = shown.dropna(subset=["low", "high"])
    assert ((known["low"] <= known["value"]) & (known["value"] <= known["high"])).all()
    assert set(hidden["mark"]) <= {"n<10", "n/a", "too early"}


def test_counts_of_a_quarter_are_those_of_the_tables(tables, told):
    deals, meetings = tables["deals"], tables["activities"]
    start, end = pd.Timestamp("2025-07-01"), pd.Timestamp("2025-09-30")
    opened = deals[deals["opened_on"].between(start, end)]
    in_time = (opened["status"] == "won") & ((opened["closed_on"] - opened["opened_on"]).dt.days <= 120)
    found = row(told, "win_rate", "2025 Q3")
    assert (found["n"], found["numerator"]) == (len(opened), in_time.sum())
    assert found["value"] == pytest.approx(in_time.mean())  # all of them were followed
    held = meetings[meetings["happened_on"].between(start, end)]["outcome"].value_counts()
    assert row(told, "no_show", "2025 Q3")["value"] == pytest.approx(held["no_show"] / (held["no_show"] + held["held"]))
    won = deals[(deals["status"] == "won") & deals["closed_on"].between(start, end)]
    assert row(told, "basket_mean", "2025 Q3")["value"] == pytest.approx(won["amount"].mean())
    assert row(told, "basket_top_share", "2025 Q3")["value"] == pytest.approx(won["amount"].max() / won["amount"].sum())
    first = deals[deals["status"] == "won"].groupby("account_id")["closed_on"].min()
    assert row(told, "cac", "2025 Q3")["value"] == pytest.approx(27_000 / first.between(start, end).sum())


def test_conversion_counts_accounts_and_not_deals(tables, told):
    deals = tables["deals"]
    start, end = pd.Timestamp("2025-07-01"), pd.Timestamp("2025-09-30")
    since = deals[deals["status"] == "won"].groupby("account_id")["closed_on"].min()
    entry = deals[deals["opened_on"].between(start, end)].groupby("account_id")["opened_on"].min()
    became = since.reindex(entry.index)
    worked = entry[~(became < entry)]
    in_time = (became.reindex(worked.index) - worked).dt.days <= 120
    found = row(told, "conversion", "2025 Q3")
    assert (found["n"], found["numerator"]) == (len(worked), in_time.sum())
    assert found["n"] < row(told, "win_rate", "2025 Q3")["n"]


def test_who_is_no_longer_invoiced_has_left(tables):
    bills = pd.DataFrame({"account_id": [f"A{k:04d}" for k in range(20)] * 2, "amount": 100.0})
    bills = bills.assign(invoiced_on=days(["2025-01-15"] * 20 + ["2025-12-20"] * 20))
    early = bills[:20].assign(invoiced_on=days(["2025-08-01"] * 20).to_numpy())
    stayed = bills[20:35]
    told = told_by(book_of(tables | {"invoices": pd.concat([bills[:20], early, stayed])}), most=2)
    found = row(told, "churn_accounts", "2026 Q1")
    assert (found["n"], found["numerator"], found["value"]) == (20, 5, 0.25)
    assert row(told, "churn_revenue", "2026 Q1")["value"] == pytest.approx(500 / (5 * 100 + 15 * 200))


def test_coverage_is_what_the_open_deals_bring_over_the_quota(tables, told):
    deals, end = tables["deals"], pd.Timestamp(AS_OF)
    is_open = (deals["opened_on"] <= end) & (deals["closed_on"] > end)
    lately = deals[(deals["status"] == "won") & (deals["closed_on"] <= end) & (deals["closed_on"] > pd.Timestamp("2025-06-30"))]
    found = row(told, "coverage_probability", "2026 Q2")
    assert found["n"] == is_open.sum()
    assert found["value"] == pytest.approx(is_open.sum() * 0.35 * lately["amount"].mean() / 50_000)
    assert row(told, "coverage_stage", "2026 Q2")["value"] == pytest.approx(found["value"], rel=0.35)


def test_the_interval_of_coverage_holds_what_comes():
    rng, n, held = np.random.default_rng(0), 80, []
    weight = rng.uniform(0.1, 0.5, n)
    rows = pd.DataFrame({"account_id": range(n), "weight": weight, "amount": 100.0, "spread": 40.0})
    told = coverage(rows, 1000.0)
    for _ in range(2000):
        came = ((rng.random(n) < weight) * rng.normal(100, 40, n)).sum() / 1000
        held.append(told.low <= came <= told.high)
    assert 0.93 <= np.mean(held) <= 0.97


def test_without_a_quota_coverage_is_not_known_and_the_pipeline_is(tables):
    found = row(told_by(book_of(tables), most=1), "coverage_stage", "2026 Q2")
    assert found["mark"] == "n/a"
    assert found["numerator"] > 0


def test_what_comes_after_the_as_of_date_changes_no_row(tables):
    day = pd.Timestamp("2026-03-31")
    born = {"activities": "happened_on", "invoices": "invoiced_on", "costs": "month", "stage_changes": "changed_on"}
    spoilt = {name: tables[name][tables[name][on] <= day] for name, on in born.items()}
    assert all(len(frame) < len(tables[name]) for name, frame in spoilt.items())
    deals = tables["deals"][tables["deals"]["opened_on"] <= day]
    ends = deals["closed_on"] > day
    moved = deals["closed_on"].mask(ends, pd.Timestamp("2031-01-01"))
    spoilt["deals"] = deals.assign(
        status=deals["status"].mask(ends, "lost"), closed_on=moved, amount=deals["amount"].mask(ends, 1e9)
    )
    books = [book_of(tables | changed, as_of=day.date(), quota=1e5) for changed in ({}, spoilt)]
    first, second = (told_by(book, most=2, size_class=by_size) for book in books)
    pd.testing.assert_frame_equal(first, second)
    assert first["value"].notna().sum() > 60


def test_the_book_does_not_open_at_a_later_day(tables):
    with pytest.raises(ConfigError, match="cannot know 2026-07-01"):
        book_of(tables).at(date(2026, 7, 1))


def test_todays_tiers_are_never_put_on_quarters_that_made_them(tables):
    """In this world nothing depends on the account; tiers given by who has won would tell 100 points of difference."""
    winners = tables["deals"].loc[tables["deals"]["status"] == "won", "account_id"].unique()
    accounts = tables["accounts"][["account_id"]]
    scored = accounts.assign(tier=np.where(accounts["account_id"].isin(winners), "A", "C"), residual_value=0.0)
    told = told_by(book_of(tables, scores={AS_OF: Scored(scored, pd.DataFrame({"deal_id": []}))}), most=3, tier=by_tier)
    tiers = told[told["group"] == "tier"]
    assert set(tiers["mark"]) == {"n/a"}
    assert tiers["value"].isna().all()
    naive = tables["deals"].merge(scored, on="account_id").groupby("tier")["status"].agg(lambda s: (s == "won").mean())
    assert naive["A"] - naive["C"] > 0.3


def test_tiers_given_before_a_quarter_are_those_it_is_told_by_and_the_null_world_shows_nothing(tables):
    accounts = tables["accounts"][["account_id"]]
    rng = np.random.default_rng(4)
    drawn = [accounts.assign(tier=rng.choice(["A", "C"], len(accounts)), residual_value=0.0) for _ in range(2)]
    none = pd.DataFrame({"deal_id": pd.Series(dtype="str")})
    scores = {day: Scored(frame, none) for day, frame in zip((date(2025, 6, 30), date(2025, 7, 1)), drawn, strict=True)}
    told = told_by(book_of(tables, scores=scores), most=5, tier=by_tier)
    assert row(told, "win_rate", "2025 Q2", "tier", "")["mark"] == "n/a"  # 30 June is within it
    deals = tables["deals"]
    third = deals[deals["opened_on"].between("2025-07-01", "2025-09-30")]
    first = drawn[0].set_index("account_id")["tier"]  # 1 July is not before the quarter
    assert row(told, "win_rate", "2025 Q3", "tier", "A")["n"] == (third["account_id"].map(first) == "A").sum()
    a, c = (row(told, "win_rate", "2025 Q3", "tier", tier) for tier in "AC")
    assert max(a["low"], c["low"]) < min(a["high"], c["high"])


def test_small_levels_are_drawn_to_the_others_and_all_to_none(told):
    levels = told[(told["kpi"] == "win_rate") & (told["quarter"] == "all") & (told["group"] == "size_class")]
    assert np.ptp(levels["shrunk"]) <= np.ptp(levels["value"])
    own = row(told, "win_rate", "all")
    assert own["shrunk"] == pytest.approx(own["value"])


def test_an_accounts_level_is_that_of_the_day_before_the_quarter(tables):
    changes = pd.DataFrame({"account_id": ["A0001", "A0001"], "size_class": ["TPE", "ETI"]})
    changes = changes.assign(changed_on=days(["2024-01-01", "2025-07-01"]))
    known = KNOWN | {("accounts", "size_class"): "dated"}
    book = book_of(tables | {"account_versions": changes}, known=known)
    levels = feature_levels(book, periods_of(book), SIZE)
    assert [levels[name]["A0001"] for name in ("2025 Q2", "2025 Q3", "2025 Q4")] == ["TPE", "TPE", "ETI"]


def test_many_numbers_are_cut_into_thirds(tables):
    accounts = tables["accounts"].assign(headcount=np.arange(300.0))
    book = book_of(tables | {"accounts": accounts}, known=KNOWN | {("accounts", "headcount"): "at_creation"})
    levels = feature_levels(book, periods_of(book), Feature(value="accounts.headcount"))["2026 Q1"]
    assert levels.value_counts().to_dict() == {"low third": 100, "middle third": 100, "high third": 100}


def test_a_feature_of_one_deal_is_no_group_of_accounts():
    features = {"budget": Feature(value="deals.budget"), "size": SIZE}
    catalog = Catalog({name: Criterion("firmographic", {}, {name: spec}) for name, spec in features.items()})
    assert feature_named(catalog, "size") == SIZE
    with pytest.raises(ConfigError, match="tells of one deal"):
        feature_named(catalog, "budget")
    with pytest.raises(ConfigError, match="Did you mean size?"):
        feature_named(catalog, "sise")


def test_costs_that_have_not_had_their_lag_are_not_divided_yet(tables):
    told = told_by(book_of(tables, cac_lag_months=3), most=2)
    assert row(told, "cac", "2026 Q2", level="")["mark"] == "n/a"
    first = tables["deals"][tables["deals"]["status"] == "won"].groupby("account_id")["closed_on"].min()
    n = first.between("2026-04-01", "2026-06-30").sum()
    assert row(told, "cac", "2026 Q1")["value"] == pytest.approx(27_000 / n)
