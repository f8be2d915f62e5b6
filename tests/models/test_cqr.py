import json

import numpy as np
import pytest

from winworth.models.cqr import LEAST, RatioInterval, Ratios, coverage_by_group, fit_interval


def ratios(n, *, seed=0, zeros=0.0, shift=1.0):
    """Draw ratios of a spread that grows with the first column and, with `size`, beyond what the columns tell."""
    rng = np.random.default_rng(seed)
    X, size = rng.normal(size=(n, 3)), rng.lognormal(size=n)
    spread = np.exp(0.5 * X[:, 0]) * np.where(size > np.quantile(size, 0.9), 1.6, 1.0)
    ratio = shift * np.exp(0.4 * spread * rng.normal(size=n))
    return X, np.where(rng.random(n) < zeros, 0.0, ratio), size


def covered(found, X, ratio, size):
    low, high = found.ends(X, size, np.ones(len(X)))
    return (ratio >= low) & (ratio <= high)


def fitted(X, ratio, size):
    return fit_interval(Ratios(X, ratio, size, np.ones(len(X))), np.arange(len(X)) % 2 == 1, seed=0, threads=1)


def test_four_of_five_are_inside_and_among_the_largest_tenth_too():
    found, fresh = fitted(*ratios(6000)), ratios(6000, seed=1)
    inside = covered(found, *fresh)
    assert inside.mean() == pytest.approx(0.8, abs=0.03)
    assert inside[fresh[2] > found.large].mean() == pytest.approx(0.8, abs=0.06)


def test_calibration_mends_what_moved_since_the_ends_were_learnt():
    early, late = ratios(4000), ratios(4000, seed=1, shift=1.5)
    X, ratio, size = (np.concatenate(pair) for pair in zip(early, late, strict=True))
    found = fit_interval(Ratios(X, ratio, size, np.ones(8000)), np.arange(8000) >= 4000, seed=0, threads=1)
    assert covered(found, *ratios(4000, seed=2, shift=1.5)).mean() == pytest.approx(0.8, abs=0.04)


def test_many_zeros_do_not_make_intervals_too_wide():
    found, fresh = fitted(*ratios(6000, zeros=0.5)), ratios(6000, seed=1, zeros=0.5)
    assert covered(found, *fresh).mean() == pytest.approx(0.8, abs=0.04)


def test_beyond_what_the_large_were_followed_for_their_intervals_grow_about_one_and_the_others_do_not():
    X, ratio, size = ratios(4000)
    found = fitted(X, ratio, size)
    near, far = (np.array(found.ends(X, size, np.full(4000, months))) for months in (1.0, 4.0))
    is_large = size > found.large
    assert found.followed == 1
    np.testing.assert_array_equal(near[:, ~is_large], far[:, ~is_large])
    wider = (near[0] < 1) & (near[1] > 1) & is_large
    assert (far[1] - 1)[wider] == pytest.approx(2 * (near[1] - 1)[wider])
    assert (far[0] >= 0).all() and (far[0] <= near[0])[wider].all()


def test_too_few_rows_have_no_interval():
    assert fitted(*ratios(2 * LEAST - 2)) is None
    assert fitted(*ratios(2 * LEAST)) is not None


def test_an_interval_survives_its_files():
    X, ratio, size = ratios(1000)
    found = fitted(X, ratio, size)
    files = found.to_files("interval")
    files["interval.json"] = json.loads(json.dumps(files["interval.json"], allow_nan=False))
    np.testing.assert_array_equal(
        RatioInterval.from_files(files, "interval").ends(X, size, X[:, 0]), found.ends(X, size, X[:, 0])
    )


def test_coverage_is_told_by_tier_with_its_count():
    told = coverage_by_group(np.array([1.0, 9.0, 2.0, 3.0]), (np.zeros(4), np.full(4, 5.0)), np.array(["A", "A", "B", "B"]))
    assert told == {"A": (0.5, 2), "B": (1.0, 2)}
