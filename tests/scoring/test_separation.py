import json

import numpy as np
import pytest

from winworth.scoring.separation import tiers_that_differ

SHARES = {"A": 0.2, "B": 0.3}


def found(means, n=1000, seed=0, **how):
    """Bring accounts of A, B and C a heavy-tailed margin of these means, a quarter of them at all."""
    rng = np.random.default_rng(seed)
    expected = rng.permutation(n).astype(float)
    mean = np.select([expected >= 0.8 * n, expected >= 0.5 * n], means[:2], means[2])
    realised = mean * (rng.random(n) < 0.25) * 4 * rng.lognormal(-0.5, 1.0, n)
    return tiers_that_differ(expected, realised, np.arange(n), shares=SHARES, seed=seed, **how)


@pytest.mark.parametrize(
    ("means", "published"),
    [
        ((9000, 4000, 1000), ("A", "B", "C")),
        ((4000, 4000, 1000), ("B", "C")),
        ((9000, 2000, 2000), ("A", "C")),
        ((2000, 2000, 2000), ("C",)),
    ],
)
def test_tiers_that_bring_the_same_are_one(means, published):
    assert found(means, n=3000).published == published


def test_where_tiers_do_not_differ_three_are_published_in_hardly_any_world():
    counts = [len(found((1000, 1000, 1000), n=400, seed=seed, n_boot=100).published) for seed in range(40)]
    assert counts.count(3) <= 1 and counts.count(1) >= 32


def test_rows_of_an_account_are_added_up_and_their_order_changes_nothing():
    rng = np.random.default_rng(2)
    expected, realised, accounts = rng.random(600), 100 * rng.random(600), np.arange(600) // 3
    whole = tiers_that_differ(expected, realised, accounts, shares=SHARES, seed=0)
    assert {tier: figure.n for tier, figure in whole.by_tier.items()} == {"A": 40, "B": 60, "C": 100}
    order = rng.permutation(600)
    moved = tiers_that_differ(expected[order], realised[order], accounts[order], shares=SHARES, seed=0)
    assert moved.says == whole.says and moved.published == whole.published


def test_the_interval_is_that_of_the_difference_of_two_means():
    told = found((9000, 4000, 1000), n=3000)
    step = told.steps[0]
    assert step.difference.value == pytest.approx(told.by_tier["A"].value - told.by_tier["B"].value)
    width = step.difference.high - step.difference.low
    apart = [found((9000, 4000, 1000), n=3000, seed=seed, n_boot=20).steps[0].difference.value for seed in range(30)]
    assert width == pytest.approx(2 * 1.645 * np.std(apart), rel=0.35)


def test_too_few_accounts_publish_three_and_say_so():
    told = found((9000, 4000, 1000), n=60)
    assert told.published == ("A", "B", "C") and "not measured" in told.says and told.by_tier == {}
    assert json.loads(json.dumps(told.to_dict()))["steps"] == []


def test_what_is_found_is_said_with_numbers_and_survives_json():
    told = found((2000, 2000, 2000), n=1000)
    assert "A brought " in told.says and "95% is asked" in told.says
    assert json.loads(json.dumps(told.to_dict(), allow_nan=False))["published"] == ["C"]
