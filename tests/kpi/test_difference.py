"""Difference in differences: against four means by hand, on planted effects and trends, and by its coverage."""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from winworth.errors import DataError
from winworth.kpi.difference import difference_in_differences, parallel_trend
from winworth.kpi.quarters import Regime
from winworth.review.effects import difference_sentence
from winworth.review.words import words_in

EN, FR = words_in("en"), words_in("fr")
NAMES_A_CAUSE = re.compile(r"\b(brought|caus|effect of the change|thanks to|due to|led to|impact|because)", re.I)
NOMME_UNE_CAUSE = re.compile(r"\b(apport|caus|effet du changement|grâce|dû|due|à cause|entraîn|parce)", re.I)


def company(seed, *, effect=0.0, trend=0.0, n_treated=40, n_untouched=80, n_earlier=4):
    """Two deals a quarter of each account, whose level is its own; two quarters follow the change."""
    rng, n = np.random.default_rng(seed), n_treated + n_untouched
    account = np.repeat(np.arange(n), 2 * (n_earlier + 2))
    period = np.tile(np.repeat(np.arange(-n_earlier, 2), 2), n)
    is_treated = account < n_treated
    y = 10 + 2 * is_treated + 0.3 * period + rng.normal(size=n)[account] + rng.normal(0, 2, len(account))
    y = y + effect * (is_treated & (period >= 0)) + trend * is_treated * period
    segment = np.where(is_treated, "ETI", np.where(account % 2, "PME", "TPE"))
    return pd.DataFrame({"account_id": account, "segment": segment, "period": period, "amount": y})


def told(found, words=EN):
    return difference_sentence("ETI", found.to_dict(), words, n_compared=1, currency="EUR")


def estimate(rows, **options):
    return difference_in_differences(rows, "amount", treated=["ETI"], **options)


def test_in_a_balanced_company_it_is_the_difference_of_four_means():
    rows = company(0, effect=1.0)
    mean = rows.groupby([rows["segment"] == "ETI", rows["period"] >= 0])["amount"].mean()
    by_hand = (mean[True, True] - mean[True, False]) - (mean[False, True] - mean[False, False])
    assert estimate(rows).effect.value == pytest.approx(by_hand)
    expected = mean[True, True] - by_hand
    assert estimate(rows).relative.value == pytest.approx(by_hand / expected)


def test_errors_are_those_of_a_t_test_on_each_accounts_own_change():
    """Where every account has the same rows, the changes by account are all that is left."""
    rows = company(1, effect=1.0)
    by_account = rows.groupby(["account_id", rows["period"] >= 0])["amount"].mean().unstack()
    change = (by_account[True] - by_account[False]).to_numpy()
    found, other = estimate(rows), ttest_ind(change[:40], change[40:], equal_var=False)
    error = (found.effect.high - found.effect.low) / 2 / 2.0227  # Student's quantile with 39 degrees of freedom
    assert error == pytest.approx(found.effect.value / other.statistic, rel=0.02)


def test_a_planted_effect_is_called_the_changes_doing():
    found = estimate(company(2, effect=1.5))
    assert found.is_causal
    assert found.effect.low < 1.5 < found.effect.high
    assert NAMES_A_CAUSE.search(told(found))
    assert NOMME_UNE_CAUSE.search(told(found, FR))


def test_no_cause_is_named_where_the_earlier_quarters_drifted_apart():
    found = estimate(company(3, trend=0.8))
    assert found.p < 0.001
    assert not found.is_causal
    assert "did not move alike" in told(found)
    assert not NAMES_A_CAUSE.search(told(found))
    assert not NOMME_UNE_CAUSE.search(told(found, FR))


def test_no_cause_is_named_with_fewer_than_four_earlier_quarters():
    found = estimate(company(4, effect=2.0, n_earlier=3))
    assert found.p < 0.001
    assert not found.is_causal
    assert "only 3 earlier quarters" in told(found)
    assert not NAMES_A_CAUSE.search(told(found))
    assert not NOMME_UNE_CAUSE.search(told(found, FR))


def test_nothing_is_claimed_where_nothing_happened():
    found = estimate(company(5))
    assert "No difference beyond noise" in told(found)
    assert not NAMES_A_CAUSE.search(told(found))
    assert not NOMME_UNE_CAUSE.search(told(found, FR))


def test_the_interval_the_trend_test_and_the_detectable_effect_hold_what_they_promise():
    """60 companies of 40 and 80 accounts: 95 % intervals, a 5 % test of true trends, and a power of 80 %."""
    detectable = estimate(company(0)).detectable
    found = [estimate(company(100 + seed, effect=detectable)) for seed in range(60)]
    assert np.mean([f.effect.low <= detectable <= f.effect.high for f in found]) >= 0.90
    assert np.mean([f.trend.p < 0.05 for f in found]) <= 0.10
    assert 0.70 <= np.mean([f.p < 0.05 for f in found]) <= 0.90


def test_few_treated_accounts_do_not_make_it_too_sure():
    found = [estimate(company(seed, n_treated=10)).effect for seed in range(60)]
    assert np.mean([f.low <= 0 <= f.high for f in found]) >= 0.90


def test_copies_of_an_accounts_rows_tell_nothing_new():
    rows = company(6, effect=1.0)
    once, thrice = estimate(rows).effect, estimate(pd.concat([rows] * 3, ignore_index=True)).effect
    assert (once.low, once.high) == pytest.approx((thrice.low, thrice.high))


def test_a_weight_counts_as_so_many_rows():
    rows = company(7)
    twice = estimate(pd.concat([rows, rows[rows["period"] == 0]], ignore_index=True)).effect
    weighted = estimate(rows.assign(weight=1.0 + (rows["period"] == 0))).effect
    assert (twice.value, twice.low) == pytest.approx((weighted.value, weighted.low))


def test_the_path_starts_from_the_last_earlier_quarter_and_follows_the_effect():
    path = parallel_trend(company(8, effect=3.0), "amount", treated=["ETI"]).path.set_index("period")
    assert path.index.tolist() == [-4, -3, -2, -1, 0, 1]
    assert path.loc[-1, "difference"] == 0
    assert path.loc[0, "low"] < 3 < path.loc[0, "high"]


def test_a_comparison_across_a_regime_change_says_so():
    found = estimate(company(9), crossed=[Regime(date(2026, 1, 1), "new price list")])
    assert "goes across new price list (2026-01-01)" in told(found)
    assert found.to_dict()["crossed"] == ["new price list (2026-01-01)"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rows: rows[rows["period"] < 0], "one side of the change only"),
        (lambda rows: rows[rows["account_id"] > 35], "have 4 accounts"),
        (lambda rows: rows[rows["segment"] != "ETI"], "No rows are in the segment ETI"),
    ],
)
def test_what_cannot_be_compared_is_an_error(spoil, says):
    with pytest.raises(DataError, match=says):
        estimate(spoil(company(0)))
