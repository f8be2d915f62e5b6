import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from winworth.models.calibration import Platt, fit_platt

FIXED = settings(deadline=None, derandomize=True)


def outcomes(margin, *, slope, intercept, seed=0):
    return (np.random.default_rng(seed).random(len(margin)) < expit(intercept + slope * margin)).astype(float)


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, -1.0), (1.0, 0.0), (2.0, 0.7)])
def test_planted_slope_and_intercept_come_back(slope, intercept):
    margin = np.random.default_rng(1).normal(size=30_000)
    found = fit_platt(margin, outcomes(margin, slope=slope, intercept=intercept))
    assert found.slope == pytest.approx(slope, abs=0.07)
    assert found.intercept == pytest.approx(intercept, abs=0.05)


@pytest.mark.parametrize(("spread", "slope"), [(0.3, 3.0), (1.0, 0.3), (1.0, 0.8), (3.0, 0.2), (10.0, 0.1), (10.0, 0.3)])
def test_the_fit_is_that_of_an_unpenalised_logistic_regression(spread, slope):
    rng = np.random.default_rng(2)
    margin, weight = rng.normal(1.0, spread, 2000), rng.uniform(0.2, 3, 2000)
    y = outcomes(margin, slope=slope, intercept=-0.5)
    found = fit_platt(margin, y, weight)
    rival = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(margin[:, None], y, sample_weight=weight)
    assert [found.slope, found.intercept] == pytest.approx([rival.coef_[0, 0], rival.intercept_[0]], abs=2e-3)


def test_outcomes_parted_without_error_do_not_run_away():
    found = fit_platt(np.array([-1.0, -2.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert found.slope == 20
    assert abs(found.intercept) < 1e-6


def test_a_constant_margin_moves_only_the_intercept():
    y = np.r_[np.ones(30), np.zeros(70)]
    found = fit_platt(np.full(100, -2.0), y)
    assert found.slope == 1.0
    assert expit(found.apply(np.array([-2.0]))) == pytest.approx([0.3], abs=1e-3)


@FIXED
@given(st.integers(0, 30))
def test_the_order_is_never_turned_round(seed):
    margin = np.random.default_rng(seed).normal(size=60)
    against = outcomes(margin, slope=-2, intercept=0, seed=seed)
    found = fit_platt(margin, against)
    assert found.slope > 0
    assert (np.argsort(found.apply(margin)) == np.argsort(margin)).all()


def test_both_numbers_survive_the_file():
    assert Platt(**Platt(0.8, -0.1).to_dict()) == Platt(0.8, -0.1)
