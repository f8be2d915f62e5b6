import numpy as np
import pytest

from winworth.models.ahead import Ahead, fit_ahead, still_customer
from winworth.models.landmarks import Windows


def windows(n, *, seed=0, leaves=0.1):
    """Draw windows of customers whose margin is half their rate a month where the first column is above 0, else twice it."""
    rng = np.random.default_rng(seed)
    X, rate = rng.normal(size=(n, 3)), rng.lognormal(size=n)
    margin = rate * 3 * np.where(X[:, 0] > 0, 0.5, 2.0) * rng.lognormal(-0.02, 0.2, n)
    is_last = rng.random(n) < np.where(X[:, 1] > 0, 2 * leaves, 0)
    ones = np.ones(n, dtype=bool)
    return Windows(np.arange(n), np.full(n, -3), np.ones(n, dtype=int), X, rate, margin, ones, is_last, ones)


def learnt(given, rows=None):
    return fit_ahead(given, np.arange(len(given.account)) if rows is None else rows, step=3, seed=0, threads=1)


def test_hazard_and_margin_come_back():
    model, fresh = learnt(windows(5000)), windows(5000, seed=1)
    assert model.hazard(fresh.X)[fresh.X[:, 1] > 0].mean() == pytest.approx(0.2, abs=0.03)
    assert model.hazard(fresh.X)[fresh.X[:, 1] < 0].mean() < 0.02
    assert model.margin(fresh.X, fresh.rate).sum() == pytest.approx(fresh.margin.sum(), rel=0.1)


def test_a_size_never_seen_is_carried_over_by_the_customers_own_rate():
    model = learnt(windows(5000))
    X = np.array([[1.0, 0.0, 0.0]])
    assert model.margin(X, np.array([1e5]))[0] == pytest.approx(1.5e5, rel=0.1)


def test_what_is_not_known_or_not_at_risk_is_not_learnt_from():
    given = windows(2000)
    odd = np.arange(2000) % 2 == 1
    spoilt = {**vars(given), "margin": np.where(odd, 1e6, given.margin), "is_last": odd | given.is_last}
    clean = learnt(given, np.flatnonzero(~odd))
    for mask in ("is_known", "is_at_risk"):
        found = learnt(Windows(**{**spoilt, mask: ~odd}))
        np.testing.assert_array_equal(found.margin(given.X, given.rate), clean.margin(given.X, given.rate))
        np.testing.assert_array_equal(found.hazard(given.X), clean.hazard(given.X))


def test_one_amount_beyond_reason_is_held_there():
    given = windows(2000)
    usual = learnt(given)
    margin = given.margin.copy()
    margin[7] = 1e9
    found = learnt(Windows(**{**vars(given), "margin": margin}))
    assert found.reach < 100 * usual.reach
    assert np.abs(found.free.margin(given.X) - usual.free.margin(given.X)).mean() < 0.35


def test_one_customers_rate_does_not_outweigh_all_others():
    given = windows(2000)
    rate, margin = given.rate.copy(), given.margin.copy()
    rate[7], margin[7] = 1e12, 1e11  # a thirtieth of what its rate says
    found = learnt(Windows(**{**vars(given), "rate": rate, "margin": margin}))
    told = found.of_rate.margin(given.X) - learnt(given).of_rate.margin(given.X)
    assert np.abs(np.delete(told, 7)).max() < 0.7


def test_few_ends_are_one_chance_for_all():
    model = learnt(windows(300, leaves=0.05))
    assert isinstance(model.leaves, float)
    assert model.hazard(np.zeros((2, 3))).tolist() == [model.leaves] * 2


def test_nothing_earned_is_worth_nothing():
    given = windows(300)
    model = learnt(Windows(**{**vars(given), "margin": -given.margin}))
    assert (model.margin(given.X, given.rate) == 0).all()
    again = Ahead.from_files(model.to_files("ahead"), "ahead")
    assert (again.margin(given.X, given.rate) == 0).all()


def test_who_is_sure_to_leave_brings_nothing_after():
    stays = still_customer(np.array([1.0, 0.0, 0.0, 0.5, 0.5]), np.array([True, False, False, True, False]))
    assert stays == pytest.approx([1, 0, 0, 1, 0.5], abs=1e-9)
