"""Quarters round a change, regimes, equal age, the no-action expectation, and how much is left of many comparisons."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.errors import DataError
from winworth.kpi.multiple import what_stands
from winworth.kpi.no_action import expect_without_action
from winworth.kpi.quarters import Regime, at_equal_age, number_periods, regimes_between
from winworth.kpi.shrink import shrink

SPLIT = date(2025, 7, 1)
PRICES = Regime(date(2025, 2, 10), "new prices")


def test_quarters_are_counted_from_the_change_in_both_directions():
    days = pd.Series(pd.date_range("2024-01-01", "2026-06-30"))
    by_hand = (days.dt.year - 2025) * 4 + days.dt.quarter - 3
    assert number_periods(days, split=SPLIT).tolist() == by_hand.tolist()


def test_a_regime_change_cuts_the_quarter_it_lies_in_and_no_other():
    days = pd.Series(pd.to_datetime(["2024-12-31", "2025-02-09", "2025-02-10", "2025-06-30", "2025-07-01", None]))
    assert number_periods(days, split=SPLIT, regimes=[PRICES]).tolist()[:5] == [-4, -3, -2, -1, 0]
    assert number_periods(days, split=SPLIT, regimes=[PRICES]).isna().tolist()[5]
    assert number_periods(days[:5], split=SPLIT, regimes=[Regime(SPLIT, "same day")]).tolist() == [-3, -2, -2, -1, 0]


def test_a_comparison_goes_across_the_regime_changes_between_its_days():
    late = Regime(date(2026, 3, 1), "another CRM")
    assert regimes_between(date(2025, 1, 1), date(2026, 6, 30), [late, PRICES]) == (PRICES, late)
    assert regimes_between(PRICES.on, date(2026, 6, 30), [PRICES]) == ()


def test_young_deals_look_worse_until_both_are_seen_at_equal_age():
    """Deals of one kind, opened all year and won after 100 days on average: only their age differs."""
    rng, n, as_of = np.random.default_rng(0), 20_000, pd.Timestamp("2025-12-31")
    opened = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 365, n), "D")
    closed = opened + pd.to_timedelta(rng.exponential(100, n).astype(int), "D")
    is_won = (rng.random(n) < 0.4) & (closed <= as_of)
    deals = pd.DataFrame({"opened_on": opened, "closed_on": closed.where(is_won), "status": np.where(is_won, "won", "open")})
    second = deals["opened_on"] >= "2025-05-01"
    naive = is_won[~second].mean() - is_won[second].mean()
    fair = at_equal_age(deals, as_of=as_of.date(), age_days=120)
    rates = fair.groupby(second)["won"].mean()
    assert naive > 0.08
    assert abs(rates[True] - rates[False]) < 0.025
    assert fair["opened_on"].max() <= as_of - pd.Timedelta(days=120)


def test_what_is_won_after_the_age_does_not_change_it():
    deals = pd.DataFrame(
        {
            "opened_on": pd.to_datetime(["2025-01-01"] * 2),
            "closed_on": pd.to_datetime(["2025-02-01", None]),
            "status": ["won", "open"],
        }
    )
    later = deals.assign(status="won", closed_on=pd.to_datetime(["2025-02-01", "2025-09-09"]))
    for version in (deals, later):
        assert at_equal_age(version, as_of=date(2025, 12, 31), age_days=90)["won"].tolist() == [1.0, 0.0]


def test_the_eight_schools_are_drawn_as_in_the_book():
    """Gelman and others, Bayesian Data Analysis, 3rd ed., table 5.3: posterior medians 10, 8, 7, 8, 5, 6, 10, 8 of all 8."""
    seen, error = np.array([28, 8, -3, 7, -1, 1, 18, 12.0]), np.array([15, 10, 16, 11, 9, 11, 10, 18.0])
    drawn = shrink(seen, error**2, is_flat=True)
    assert drawn.mean == pytest.approx([10, 8, 7, 8, 5, 6, 10, 8], abs=1.5)
    assert drawn.common == pytest.approx(8.0, abs=0.3)


def test_shrinking_is_what_an_integral_over_spread_and_mean_says():
    """Brute force on a grid of both, with the same half Cauchy."""
    seen, variance = np.array([0.0, 1.0, 5.0]), np.array([1.0, 2.0, 0.5])
    spread, middle = np.meshgrid(np.linspace(0, 6 * seen.std(), 400), np.linspace(-40, 40, 4001), indexing="ij")
    chance = 1 / (1 + spread**2)
    for at in range(3):
        total = variance[at] + spread**2
        chance = chance * np.exp(-0.5 * (seen[at] - middle) ** 2 / total) / np.sqrt(total)
    chance /= chance.sum()
    with np.errstate(divide="ignore"):
        own = [spread**2 / (spread**2 + v) for v in variance]
    by_hand = [(chance * (o * s + (1 - o) * middle)).sum() for o, s in zip(own, seen, strict=True)]
    assert shrink(seen, variance).mean == pytest.approx(by_hand, abs=0.02)


def test_shrinking_by_known_spread_is_better_than_the_raw_figures():
    rng, worse = np.random.default_rng(0), []
    for _ in range(200):
        truth = rng.normal(0, 1, 8)
        seen = truth + rng.normal(0, 1, 8)
        worse.append(((seen - truth) ** 2).sum() - ((shrink(seen, np.ones(8)).mean - truth) ** 2).sum())
    assert np.mean(worse) > 2


def test_the_worst_of_eight_equal_segments_is_expected_to_come_back():
    """It "improves" by 9.3 points with nothing done; most of that is told in advance, and what comes lies in the interval."""
    rng, came_back, told, inside = np.random.default_rng(0), [], [], []
    for _ in range(400):
        won, later = (pd.Series(rng.binomial(40, 0.24, 8)) for _ in range(2))
        expected = expect_without_action(won, pd.Series([40] * 8))
        worst = won.idxmin()
        came_back.append((later - won)[worst] / 40)
        told.append((expected["expected"] - expected["seen"])[worst])
        inside.append(expected.loc[worst, "low"] <= later[worst] / 40 <= expected.loc[worst, "high"])
    assert np.mean(came_back) == pytest.approx(0.093, abs=0.006)
    assert np.mean(told) >= 0.7 * np.mean(came_back)
    assert np.mean(inside) >= 0.93


def test_a_segment_that_is_worse_is_not_expected_to_come_back():
    expected = expect_without_action(pd.Series([100, 300, 200, 400]), pd.Series([1000] * 4))
    assert expected["expected"].iloc[0] == pytest.approx(0.10, abs=0.005)


def test_a_group_without_deals_is_an_error():
    with pytest.raises(DataError, match="group PME has no deals"):
        expect_without_action(pd.Series({"PME": 0}), pd.Series({"PME": 0}))


def test_of_48_null_comparisons_one_is_nearly_always_found_and_adjusted_almost_never():
    rng = np.random.default_rng(0)
    found = [what_stands(dict(enumerate(rng.random(48)))) for _ in range(400)]
    assert np.mean([(f["p"] < 0.05).any() for f in found]) == pytest.approx(0.92, abs=0.04)
    assert np.mean([f["stands"].any() for f in found]) <= 0.08


def test_adjusted_p_is_what_is_counted_by_hand():
    """p times the number of tests over its rank, from the largest down."""
    p = {"a": 0.01, "b": 0.04, "c": 0.03, "d": float("nan")}
    found = what_stands(p)
    assert found["p_adjusted"].to_dict() == pytest.approx({"a": 0.04, "c": 0.04 * 4 / 3, "b": 0.04 * 4 / 3, "d": 1.0})
    assert found["stands"].to_dict() == {"a": True, "c": False, "b": False, "d": False}
    assert what_stands({}).empty
