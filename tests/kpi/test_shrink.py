import numpy as np
import pytest

from winworth.kpi.shrink import shrunk_amounts, shrunk_shares


def worlds(spread, n_worlds=300):
    """Draw groups of shares round 0.3 and what was seen of each."""
    for seed in range(n_worlds):
        rng = np.random.default_rng(seed)
        strength = 0.3 * 0.7 / spread**2 - 1
        truth = rng.beta(0.3 * strength, 0.7 * strength, 12)
        n = rng.integers(12, 120, 12)
        yield truth, rng.binomial(n, truth) / n, n.astype(float)


def test_drawn_shares_are_nearer_the_truth_than_raw_ones():
    raw, drawn = zip(
        *(
            (np.mean((seen - truth) ** 2), np.mean((shrunk_shares(seen, n) - truth) ** 2))
            for truth, seen, n in worlds(spread=0.06)
        ),
        strict=True,
    )
    assert np.mean(drawn) < 0.75 * np.mean(raw)


def test_shares_that_differ_by_chance_alone_are_drawn_nearly_together():
    spreads = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        spreads.append(np.ptp(shrunk_shares(rng.binomial(60, 0.3, 8) / 60, np.full(8, 60.0))))
    assert np.median(spreads) < 0.04  # raw shares spread over 0.17


def test_the_drawn_share_is_the_mean_of_a_beta_binomials_posterior():
    shares, n = np.array([0.1, 0.3, 0.6]), np.array([200.0, 200.0, 200.0])
    common = shares.mean()
    seen = (n * (shares - common) ** 2).sum() - 2 * common * (1 - common)
    spread = seen / (600 - 200 - 2)
    alpha, beta = common * (common * (1 - common) / spread - 1), (1 - common) * (common * (1 - common) / spread - 1)
    assert shrunk_shares(shares, n) == pytest.approx((alpha + n * shares) / (alpha + beta + n))


def test_amounts_apart_from_one_another_stay_and_unsure_ones_move():
    values = np.array([100.0, 1000.0, 300.0])
    drawn = shrunk_amounts(values, values / [1.05, 1.05, 4], values * [1.05, 1.05, 4])
    assert drawn[:2] == pytest.approx(values[:2], rel=0.01)
    assert abs(np.log(drawn[2] / 300)) > abs(np.log(drawn[0] / 100))


def test_an_amount_without_an_interval_stays_and_draws_no_other():
    values, low, high = np.array([50.0, 100.0, 0.0]), np.array([25.0, np.nan, 0.0]), np.array([100.0, np.nan, 0.0])
    assert shrunk_amounts(values, low, high).tolist() == values.tolist()
