import numpy as np
import pytest

from winworth.models.shares import effective_n, newcombe, wilson


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # Newcombe 1998, table II, method 10
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0000)),
    ],
)
def test_differences_have_the_intervals_of_newcombes_table(one, other, expected):
    found = newcombe((one[0] / one[1], one[1]), (other[0] / other[1], other[1]))
    assert found == pytest.approx(expected, abs=1e-4)


def test_no_cases_say_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


def test_separate_accounts_count_whole_and_twins_once():
    cases = np.random.default_rng(0).integers(0, 2, 500).astype(float)
    assert effective_n(cases, np.arange(500)) == 500
    assert effective_n(np.tile(cases, 3), np.tile(np.arange(500), 3)) == pytest.approx(500, rel=0.01)
    assert effective_n(np.ones(6), np.array([1, 1, 1, 2, 2, 2])) == 2
    assert effective_n(np.empty(0), np.empty(0)) == 0


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_wilsons_interval_on_effective_cases_holds_the_share_where_accounts_repeat(share):
    rng, held, repeats = np.random.default_rng(1), 0, 600
    for _ in range(repeats):
        account = rng.integers(0, 60, 120)
        own, alike = rng.random(60) < share, rng.random(120) < 0.7
        cases = np.where(alike, own[account], rng.random(120) < share).astype(float)
        low, high = wilson(cases.mean() * (n := effective_n(cases, account)), n)
        held += low <= share <= high
    assert held / repeats == pytest.approx(0.95, abs=0.03)
