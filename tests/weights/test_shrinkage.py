import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from winworth.weights.shrinkage import LEAST_SPREAD, Outcomes, shrunk_slopes, slope_spread


def drawn(slopes, *, n=2000, seed=0, is_chance=True, per_account=1):
    """Draw criteria's contributions, and outcomes that answer each by its slope."""
    rng = np.random.default_rng(seed)
    parts = rng.normal(0, 0.8, (n, len(slopes)))
    told = -0.5 + parts @ np.array(slopes)
    y = (rng.random(n) < expit(told)).astype(float) if is_chance else told + rng.normal(0, 0.7, n)
    return parts, Outcomes(y, rng.uniform(0.5, 1.5, n), np.arange(n) // per_account, is_chance)


def loss(theta, parts, outcomes, *, noise, centre, hold):
    """The penalised negative log-likelihood, written out."""
    told = theta[0] + parts @ theta[1:]
    y, w = outcomes.y, outcomes.weight
    fit = np.logaddexp(0, told) - y * told if outcomes.is_chance else (y - told) ** 2 / (2 * noise)
    return w @ fit + hold / 2 * ((theta[1:] - centre) ** 2).sum()


@pytest.mark.parametrize("is_chance", [True, False])
def test_shrunk_slopes_are_the_bounded_minimum_of_the_penalised_loss(is_chance):
    parts, outcomes = drawn([1.2, 0.6, 0.0, -0.3, 1.0], n=800, is_chance=is_chance)
    found = shrunk_slopes(parts, outcomes)
    columns, root = np.column_stack([np.ones(800), parts]), np.sqrt(outcomes.weight)
    least = np.linalg.lstsq(columns * root[:, None], outcomes.y * root, rcond=None)[0]
    noise = outcomes.weight @ (outcomes.y - columns @ least) ** 2 / outcomes.weight.sum()
    how = {"noise": noise, "centre": found.common, "hold": 1 / found.spread}
    bounds = [(None, None)] + [(0, None)] * 5
    best = minimize(
        lambda theta: loss(theta, parts, outcomes, **how), np.ones(6), bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-9}
    )
    assert found.shrunk == pytest.approx(best.x[1:], abs=2e-5)
    assert found.shrunk[3] == 0


def test_measured_slopes_agree_with_another_logistic_regression():
    parts, outcomes = drawn([1.2, 0.6, 0.0, 0.9], n=3000)
    other = LogisticRegression(C=1e8, tol=1e-10, max_iter=1000).fit(parts, outcomes.y, sample_weight=outcomes.weight)
    assert shrunk_slopes(parts, outcomes).measured == pytest.approx(other.coef_[0], abs=0.02)


def test_the_errors_are_those_seen_over_many_histories_whose_rows_repeat_by_account():
    slopes, errors = [], []
    for seed in range(200):
        parts, outcomes = drawn([1.0, 0.5], n=300, seed=seed)
        twice = [np.repeat(values, 2, axis=0) for values in (parts, outcomes.y, outcomes.weight, outcomes.accounts)]
        found = shrunk_slopes(twice[0], Outcomes(*twice[1:], True))
        slopes.append(found.measured)
        errors.append(found.error)
    assert np.mean(errors, axis=0) == pytest.approx(np.std(slopes, axis=0), rel=0.15)


def test_the_spread_is_what_is_seen_less_what_the_errors_explain():
    slopes, error = np.array([0.0, 1.0, 2.0]), np.array([0.1, 0.1, 0.1])
    assert slope_spread(slopes, error, 1.0) == pytest.approx(2 / 3 - 0.01)
    assert slope_spread(slopes, np.array([9.0, 9.0, 9.0]), 1.0) == LEAST_SPREAD


def test_what_holds_keeps_its_slope_and_noise_loses_it():
    parts, outcomes = drawn([1.0, 1.0, 1.0, 0.0], n=6000)
    found = shrunk_slopes(parts, outcomes).shrunk
    assert found[:3] == pytest.approx([1, 1, 1], abs=0.15)
    assert found[3] < 0.15


def test_a_slope_known_badly_lies_nearer_the_common_one_than_measured():
    parts, outcomes = drawn([1.0, 1.0, 1.0, 0.2], n=1500)
    parts = parts * np.array([1, 1, 1, 0.05])
    found = shrunk_slopes(parts, outcomes)
    assert found.error[3] > 5 * found.error[0]
    assert abs(found.shrunk[3] - found.common) < abs(found.measured[3] - found.common)


def test_a_criterion_that_moves_nothing_keeps_the_common_slope():
    parts, outcomes = drawn([1.0, 0.5])
    found = shrunk_slopes(np.column_stack([parts, np.zeros(len(parts))]), outcomes)
    assert found.shrunk[2] == found.common and np.isinf(found.error[2])


def test_nothing_to_go_by_leaves_contributions_as_they_are():
    found = shrunk_slopes(np.zeros((50, 2)), Outcomes(np.ones(50), np.ones(50), np.arange(50), True))
    assert found.shrunk.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("is_chance", [True, False])
def test_every_row_twice_at_half_weight_changes_no_slope(is_chance):
    parts, outcomes = drawn([1.0, 0.5, 0.0], n=400, is_chance=is_chance)
    twice = Outcomes(np.repeat(outcomes.y, 2), np.repeat(outcomes.weight / 2, 2), np.repeat(outcomes.accounts, 2), is_chance)
    found, other = shrunk_slopes(parts, outcomes), shrunk_slopes(np.repeat(parts, 2, axis=0), twice)
    assert other.shrunk == pytest.approx(found.shrunk, abs=1e-8)
    assert other.error == pytest.approx(found.error, rel=1e-6)


def test_outcomes_that_a_criterion_parts_wholly_give_finite_slopes():
    parts = np.linspace(-1, 1, 60)[:, None] * np.array([1.0, 0.1])
    found = shrunk_slopes(parts, Outcomes((parts[:, 0] > 0).astype(float), np.ones(60), np.arange(60), True))
    assert np.isfinite(found.shrunk).all() and np.isfinite(found.measured).all()
