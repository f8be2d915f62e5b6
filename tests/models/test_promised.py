"""Chances beside what came of them, before the horizon has passed."""

import numpy as np
import pytest
from scipy.special import expit

from winworth.models.calibration import fit_platt
from winworth.models.promised import refit, sum_of_coins


def deals(n: int, seed: int, *, slope: float = 1.0, intercept: float = 0.0, per_account: int = 1):
    """Draw deals followed for a part of their horizon, won by then with the part of their chance."""
    rng = np.random.default_rng(seed)
    margin, share = rng.normal(-1, 1, n), rng.uniform(0.2, 1, n)
    won = (rng.random(n) < share * expit(intercept + slope * margin)).astype(float)
    return margin, share, won, np.arange(n) // per_account


def test_with_the_whole_horizon_passed_it_is_platt_s_fit():
    margin, _, won, accounts = deals(800, 1, slope=0.7, intercept=0.4)
    ours, theirs = refit(margin, np.ones(800), won, accounts).platt, fit_platt(margin, won)
    assert (ours.slope, ours.intercept) == pytest.approx((theirs.slope, theirs.intercept), abs=1e-5)


def test_planted_slope_and_intercept_come_back_from_deals_half_followed():
    fit = refit(*deals(40_000, 2, slope=0.6, intercept=0.5))
    assert (fit.platt.slope, fit.platt.intercept) == pytest.approx((0.6, 0.5), abs=0.06)


def test_intervals_hold_the_truth_as_often_as_they_say():
    holds = [low <= 1 <= high for low, high in (refit(*deals(400, seed)).interval("slope") for seed in range(200))]
    assert np.mean(holds) == pytest.approx(0.95, abs=0.04)


def test_coins_alarm_rarely_where_chances_are_true_and_often_where_they_are_not():
    def far(shift: float) -> float:
        drawn = [deals(300, seed, intercept=shift) for seed in range(200)]
        return np.mean([sum_of_coins(s * expit(m), w, a).p < 0.01 for m, s, w, a in drawn])

    assert far(0.0) <= 0.03
    assert far(1.0) > 0.9


def test_rows_of_one_account_count_as_one_where_they_move_together():
    p, won = np.full(200, 0.5), np.repeat([1.0, 1.0, 1.0, 0.0], 50)
    alone, together = sum_of_coins(p, won, np.arange(200)), sum_of_coins(p, won, np.repeat(np.arange(4), 50))
    assert abs(together.z) < abs(alone.z)
    assert (alone.seen, alone.announced, alone.n) == (150, 100.0, 200)


def test_a_constant_margin_moves_the_intercept_alone():
    fit = refit(np.zeros(400), np.ones(400), np.repeat([1.0, 0.0], [100, 300]), np.arange(400))
    assert (fit.platt.slope, fit.platt.intercept) == pytest.approx((1.0, -np.log(3)), abs=1e-6)
