"""Reliability without bins, and intervals that widen where there is little to go by."""

import numpy as np
import pytest
from scipy.special import expit

from winworth.models.metrics import brier
from winworth.models.reliability import VennAbers, corp, reliability_curve


@pytest.fixture
def world():
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1.5, 4000)
    return z, (rng.random(4000) < expit(z)).astype(float), rng.uniform(0.5, 2, 4000)


def test_the_three_parts_make_up_the_brier_score(world):
    z, y, w = world
    for p in (expit(z), expit(3 * z), np.full(len(z), 0.4)):
        parts = corp(y, p, w)
        assert parts.miscalibration - parts.discrimination + parts.uncertainty == pytest.approx(brier(y, p, w), abs=1e-12)


def test_overconfidence_is_miscalibration_and_not_discrimination(world):
    z, y, w = world
    right, sure = corp(y, expit(z), w), corp(y, expit(3 * z), w)
    assert right.miscalibration < 0.005 < 0.02 < sure.miscalibration
    assert right.discrimination == pytest.approx(sure.discrimination, abs=1e-9)


def test_the_reliability_curve_rises_and_keeps_the_weight(world):
    z, y, w = world
    curve = reliability_curve(y, expit(z), w)
    observed = [step["observed"] for step in curve]
    assert observed == sorted(observed)
    assert sum(step["weight"] for step in curve) == pytest.approx(w.sum())


def test_a_venn_abers_interval_holds_the_truth_on_average_and_narrows_with_data(world):
    z, y, w = world
    at = np.linspace(-2, 2, 9)
    few, many = VennAbers(z[:100], y[:100], w[:100]), VennAbers(z, y, w)
    (low, high), (low_few, high_few) = many.interval(at), few.interval(at)
    assert (low <= high).all()
    assert (high - low).mean() < (high_few - low_few).mean() / 3
    assert np.abs((low + high) / 2 - expit(at)).mean() < 0.05


def test_a_venn_abers_interval_is_that_of_two_isotonic_fits(world):
    from sklearn.isotonic import IsotonicRegression

    z, y, _ = (x[:60] for x in world)
    for margin in (-5.0, 0.1, z[3], 5.0):
        told = VennAbers(z, y, np.ones(60)).interval(np.array([margin]))
        for won, p in zip((0.0, 1.0), told, strict=True):
            fitted = IsotonicRegression(y_min=0, y_max=1).fit(np.r_[z, margin], np.r_[y, won])
            assert p[0] == pytest.approx(fitted.predict([margin])[0], abs=1e-12)
