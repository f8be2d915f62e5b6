"""Relative changes: against ratios of means by hand, scikit-learn's Poisson regression, and accounts left out one by one."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import PoissonRegressor
from threadpoolctl import threadpool_limits

from winworth.errors import DataError
from winworth.kpi.relative import How, relative_difference


@pytest.fixture(autouse=True)
def one_thread():
    """Small sums go slower on several threads."""
    with threadpool_limits(1, user_api="blas"):
        yield


def company(seed, *, effect=0.0, drift=0.0, n_treated=30, n_untouched=60, n_earlier=5):
    """One row an account and quarter: a level of each account, a season for all, and two quarters after the change."""
    rng, n = np.random.default_rng(seed), n_treated + n_untouched
    account = np.repeat(np.arange(n), n_earlier + 2)
    period = np.tile(np.arange(-n_earlier, 2), n)
    is_treated = account < n_treated
    mean = np.exp(rng.normal(1.0, 0.5, n))[account] * np.exp(0.05 * period + drift * is_treated * period)
    mean = mean * np.where(is_treated & (period >= 0), 1 + effect, 1.0)
    segment = np.where(is_treated, "ETI", np.where(account % 2, "PME", "TPE"))
    return pd.DataFrame({"account_id": account, "segment": segment, "period": period, "n": rng.poisson(mean).astype(float)})


def estimate(rows, **options):
    return relative_difference(rows, "n", treated=["ETI"], **options)


def poisson(rows, level):
    """Fit the same model as scikit-learn does: a column for each level, each period and the effect."""
    is_after = ((rows["segment"] == "ETI") & (rows["period"] >= 0)).rename("effect").astype(float)
    levels = [pd.get_dummies(rows[name].astype(str), prefix=name) for name in (level, "period")]
    X = pd.concat([is_after, *levels], axis=1).astype(float)
    return float(PoissonRegressor(alpha=0, max_iter=5000, tol=1e-10).fit(X, rows["n"]).coef_[0])


def test_with_two_segments_and_two_periods_it_is_the_ratio_of_four_means():
    rows = company(0, effect=0.3).query("segment != 'TPE'").assign(period=lambda of: np.where(of["period"] < 0, -1, 0))
    mean = rows.groupby([rows["segment"] == "ETI", rows["period"]])["n"].mean()
    by_hand = mean[True, 0] / mean[True, -1] / (mean[False, 0] / mean[False, -1]) - 1
    assert estimate(rows).relative.value == pytest.approx(by_hand)
    assert estimate(rows).effect.value == pytest.approx(mean[True, 0] * (1 - 1 / (1 + by_hand)))


@pytest.mark.parametrize(("level", "how"), [("segment", How()), ("account_id", How(is_within=True))])
def test_it_is_the_poisson_regression_of_another_library(level, how):
    rows = company(1, effect=0.3).iloc[7:].drop(index=[40, 41, 300])  # unbalanced, so that the two levels differ
    assert estimate(rows, how=how).relative.value == pytest.approx(np.expm1(poisson(rows, level)), abs=1e-4)


@pytest.mark.parametrize("how", [How(), How(is_within=True)])
def test_its_error_is_that_of_leaving_out_one_account_after_another(how):
    rows = company(2, effect=0.3, n_treated=20, n_untouched=40)
    found = estimate(rows, how=how)
    ids = rows["account_id"].unique()
    left = np.log1p([estimate(rows[rows["account_id"] != one], how=how).relative.value for one in ids])
    jackknife = np.sqrt((len(ids) - 1) / len(ids) * ((left - left.mean()) ** 2).sum())
    half = np.log1p(found.relative.high) - np.log1p(found.relative.value)
    assert half / 2.0930 == pytest.approx(jackknife, rel=0.05)  # Student's quantile with 19 degrees of freedom


def test_an_interval_of_80_per_cent_lies_within_that_of_95():
    found = estimate(company(3, effect=0.3))
    assert found.relative.low < found.relative_80.low < found.relative.value < found.relative_80.high < found.relative.high


def test_cost_by_customer_is_the_inverse_of_customers_by_cost():
    rows = company(4, effect=0.25).assign(exposure=2.0)
    straight, inverse = estimate(rows), estimate(rows, how=How(is_inverse=True))
    assert inverse.relative.value == pytest.approx(1 / (1 + straight.relative.value) - 1)
    assert inverse.relative.low == pytest.approx(1 / (1 + straight.relative.high) - 1)
    assert inverse.p == pytest.approx(straight.p)


def test_exposure_counts_as_so_much_time():
    rows = company(5, effect=0.3)
    twice = rows.assign(n=rows["n"] * 2, exposure=2.0)
    assert estimate(twice).relative.value == pytest.approx(estimate(rows).relative.value)


def test_copies_of_an_accounts_rows_tell_nothing_new():
    rows = company(6, effect=0.3)
    once, thrice = estimate(rows), estimate(pd.concat([rows] * 3, ignore_index=True))
    assert thrice.relative.low == pytest.approx(once.relative.low, abs=0.005)


def test_a_season_that_all_share_and_levels_that_differ_are_no_effect():
    rows = company(7)
    tenfold = rows.assign(n=rows["n"] * np.where(rows["segment"] == "ETI", 10, 1) * np.where(rows["period"] >= 0, 3, 1))
    assert estimate(tenfold).relative.value == pytest.approx(estimate(rows).relative.value)


def test_a_planted_effect_is_called_the_changes_doing_and_a_drift_is_not():
    planted, drifted = estimate(company(11, effect=0.5)), estimate(company(11, drift=0.15))
    assert planted.is_causal
    assert planted.relative.low < 0.5 < planted.relative.high
    assert drifted.p < 0.01
    assert not drifted.is_causal
    assert drifted.trend.p < 0.05


def test_the_detectable_effect_is_found_in_eight_of_ten():
    """60 companies of 30 and 60 accounts, with the effect that the first of them calls detectable."""
    first = estimate(company(100))
    mean = company(100).query("segment == 'ETI' and period >= 0")["n"].mean()
    share = first.detectable / (mean / (1 + first.relative.value))
    found = [estimate(company(200 + seed, effect=share)) for seed in range(60)]
    assert 0.65 <= np.mean([one.p < 0.05 for one in found]) <= 0.95


def test_what_never_came_has_no_relative_change():
    rows = company(9)
    found = estimate(rows.assign(n=rows["n"].where(~((rows["segment"] == "ETI") & (rows["period"] >= 0)), 0.0)))
    assert np.isnan(found.relative.value)
    assert found.p == 1.0
    assert not found.is_causal


@pytest.mark.parametrize("is_after", [False, True])
def test_where_it_never_came_to_the_untouched_on_one_side_of_the_change_no_share_and_no_cause_is_told(is_after):
    """Any change is without end beside a change from 0 or to 0: that was told as 2e16 %, p 5e-54, the change's doing."""
    rows = company(3)
    found = estimate(rows.assign(n=rows["n"].mask((rows["segment"] != "ETI") & rows["period"].ge(0).eq(is_after), 0.0)))
    assert np.isnan(found.relative.value) and np.isnan(found.detectable)
    assert found.p == 1 and not found.is_causal


def test_too_few_accounts_are_an_error():
    with pytest.raises(DataError, match="have 4 accounts"):
        estimate(company(10).query("account_id < 34 and account_id > 29 or account_id < 30 and account_id > 25"))
