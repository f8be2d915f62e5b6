import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import spearmanr
from sklearn import metrics as rival
from sklearn.linear_model import LogisticRegression

from winworth.models.metrics import (
    auc,
    auc_within,
    brier,
    calibration_intercept,
    calibration_slope,
    gini,
    lift_at,
    log_loss,
    log_loss_rows,
    paired_difference,
    spearman,
    win_metrics,
    with_interval,
)


@pytest.fixture(scope="module")
def judged():
    """Return outcomes, probabilities with ties, weights and accounts of 600 rows."""
    rng = np.random.default_rng(0)
    p = np.round(rng.uniform(0.05, 0.95, 600), 1).clip(0.05, 0.95)
    y = (rng.random(600) < expit(0.6 * logit(p) - 0.3)).astype(float)
    return y, p, rng.uniform(0, 2, 600), rng.integers(0, 120, 600)


@pytest.mark.parametrize(
    ("ours", "theirs"), [(auc, rival.roc_auc_score), (brier, rival.brier_score_loss), (log_loss, rival.log_loss)]
)
def test_each_metric_is_scikit_learns_with_weights_and_ties(judged, ours, theirs):
    y, p, w, _ = judged
    assert ours(y, p, w) == pytest.approx(theirs(y, p, sample_weight=w), abs=1e-9)


def test_the_auc_of_one_class_is_not_a_number():
    assert np.isnan(auc(np.ones(5), np.arange(5.0), np.ones(5)))


def test_the_auc_within_folds_compares_no_rows_of_different_folds():
    y = np.array([0.0, 1, 0, 1])
    p = np.array([0.1, 0.2, 0.8, 0.9])  # right in each fold; across folds a lost row of the second is above a won one
    fold, ones = np.array([0, 0, 1, 1]), np.ones(4)
    assert auc(y, p, ones) == 0.75
    assert auc_within(fold)(y, p, ones) == 1.0


def test_the_auc_within_folds_is_that_of_all_pairs_of_one_fold(judged):
    y, p, w, accounts = judged
    fold = accounts % 3
    same = (fold[:, None] == fold) & (y[:, None] == 1) & (y == 0)
    above = (p[:, None] > p) + 0.5 * (p[:, None] == p)
    pairs = w[:, None] * w * same
    assert auc_within(fold)(y, p, w) == pytest.approx((above * pairs).sum() / pairs.sum())


def test_the_slope_is_that_of_an_unpenalised_logistic_regression(judged):
    y, p, w, _ = judged
    fitted = LogisticRegression(C=np.inf, tol=1e-8).fit(logit(p)[:, None], y, sample_weight=w)
    assert calibration_slope(y, p, w) == pytest.approx(fitted.coef_[0, 0], abs=1e-3)


def test_the_intercept_makes_the_mean_probability_the_win_rate(judged):
    y, p, w, _ = judged
    shift = calibration_intercept(y, p, w)
    assert np.average(expit(logit(p) + shift), weights=w) == pytest.approx(np.average(y, weights=w))


def test_the_lift_is_the_win_rate_at_the_top_over_that_of_all():
    y = np.r_[1.0, 1, 1, 0, np.zeros(4), 1, 0]
    p = np.linspace(0.9, 0.1, 10)
    assert lift_at(0.4)(y, p, np.ones(10)) == pytest.approx((3 / 4) / (4 / 10))
    assert lift_at(0.4)(y, p, np.full(10, 0.1)) == pytest.approx((3 / 4) / (4 / 10))


def test_a_constant_lifts_nothing_whatever_the_order_of_the_rows(judged):
    y, p, w, _ = judged
    wins_first = np.argsort(-y)
    assert lift_at(0.2)(y[wins_first], np.full(600, 0.3), w[wins_first]) == pytest.approx(1.0)
    assert np.isnan(lift_at(0.2)(np.zeros(4), np.arange(4.0), np.ones(4)))


def test_the_lift_does_not_depend_on_the_order_of_tied_rows(judged):
    y, p, w, _ = judged
    turned = lift_at(0.2)(y[::-1], p[::-1], w[::-1])
    assert lift_at(0.2)(y, p, w) == pytest.approx(turned, rel=1e-9)


def test_the_gini_of_the_perfect_order_is_one_and_of_the_reverse_is_less_than_zero():
    y = np.random.default_rng(0).lognormal(size=200)
    assert gini(y, y**3) == pytest.approx(1.0)
    assert gini(y, -y) == pytest.approx(-1.0)


def test_the_gini_of_a_constant_is_zero_whatever_the_order_of_the_rows():
    y = np.sort(np.random.default_rng(0).lognormal(size=200))
    assert gini(y, np.ones(200)) == pytest.approx(0.0, abs=1e-9)
    assert gini(y[::-1], np.ones(200)) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("y", [np.empty(0), np.zeros(3), np.ones(3)])
def test_there_is_no_gini_where_nothing_differs(y):
    assert np.isnan(gini(y, np.arange(len(y), dtype=float)))


def test_the_rank_correlation_is_scipys_with_ties(judged):
    y, p, w, _ = judged
    assert spearman(w, p) == pytest.approx(spearmanr(w, p).statistic)
    assert np.isnan(spearman(y, np.ones(len(y))))


def test_the_interval_covers_the_truth_in_nearly_all_worlds():
    truth, covered = 0.5, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        accounts = np.repeat(np.arange(60), 3)
        y = (np.repeat(rng.random(60) < truth, 3)).astype(float)
        figure = with_interval(win_metrics(0.2)["base_rate"], y, y, np.ones(180), accounts, seed=seed)
        covered += figure.low <= truth <= figure.high
    assert covered >= 34


def test_rows_repeated_within_their_account_do_not_narrow_the_interval(judged):
    y, p, w, accounts = judged
    once = with_interval(auc, y, p, w, accounts, seed=0)
    twice = with_interval(auc, *(np.r_[c, c] for c in (y, p, w, accounts)), seed=0)
    apart = with_interval(auc, *(np.r_[c, c] for c in (y, p, w)), np.r_[accounts, accounts + 1000], seed=0)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    assert apart.high - apart.low < 0.85 * (once.high - once.low)


def test_what_cannot_be_measured_is_null_in_json():
    figure = with_interval(auc, np.ones(6), np.arange(6.0), np.ones(6), np.arange(6), seed=0)
    assert figure.to_dict() == {"value": None, "low": None, "high": None, "n": 6}


def test_the_paired_difference_is_its_formula(judged):
    y, p, w, accounts = judged
    loss, other = log_loss_rows(y, p), log_loss_rows(y, np.full(len(y), 0.4))
    mean, error = paired_difference(loss, other, w, accounts)
    expected = sum(w * (loss - other)) / sum(w)
    sums = [sum((w * (loss - other - expected))[accounts == a]) for a in set(accounts)]
    assert mean == pytest.approx(expected)
    n = len(sums)
    assert error == pytest.approx(np.sqrt(sum(s**2 for s in sums) * n / (n - 1)) / sum(w))


def test_a_model_does_not_differ_from_itself(judged):
    y, p, w, accounts = judged
    assert paired_difference(log_loss_rows(y, p), log_loss_rows(y, p), w, accounts) == (0.0, 0.0)
