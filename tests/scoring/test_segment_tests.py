"""Stability and separation, against hand counts, SciPy and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, mannwhitneyu
from sklearn.metrics import jaccard_score

from winworth.scoring.segment_tests import HeldOut, Pair, bootstrap_jaccard, overlaps, same_mean, separation


def held_out(won, value=None):
    n = len(won)
    value = np.full(n, np.nan) if value is None else value
    return HeldOut(pd.DataFrame(index=range(n)), np.asarray(won, float), np.ones(n), value, np.arange(n))


def test_overlaps_are_jaccard_similarities():
    rng = np.random.default_rng(0)
    one, other = rng.integers(3, size=50), rng.integers(4, size=50)
    by_hand = [[jaccard_score(one == a, other == b) for b in range(4)] for a in range(3)]
    assert overlaps(one, other, shape=(3, 4)) == pytest.approx(np.array(by_hand))


def test_bootstrap_jaccard_is_what_brute_force_counts():
    """Six points, a clustering that calls a point by the half of the drawn ones that it lies in."""
    points, members = np.arange(6.0)[:, None], np.array([0, 0, 0, 0, 1, 1])

    def halves(some, times):
        return (some[:, 0] > np.median(some[:, 0])).astype(int)

    rng, found = np.random.default_rng(3), np.zeros(2)
    for _ in range(7):
        drawn = sorted(set(rng.integers(6, size=6).tolist()))
        groups = [{x for x in drawn if (x > np.median(drawn)) == side} for side in (False, True)]
        for k, own in enumerate(({0, 1, 2, 3}, {4, 5})):
            own = own & set(drawn)
            found[k] += max(len(own & group) / len(own | group) if own | group else 0 for group in groups)
    assert bootstrap_jaccard(points, members, halves, n_boot=7, seed=3) == pytest.approx(found / 7)


def test_a_clustering_that_always_comes_back_has_jaccard_1():
    members = np.array([0, 0, 1, 1, 2, 2] * 20)
    same = bootstrap_jaccard(members[:, None], members, lambda some, times: some[:, 0], n_boot=10, seed=0)
    assert same.tolist() == [1, 1, 1]


def test_draws_are_spared_only_where_they_cannot_change_the_answer():
    """Groups at random are given up after 20 draws; what comes back at 0.76, and what comes back well, take all 60."""
    rng, members, n_draws = np.random.default_rng(0), np.repeat([0, 1], 100), []

    def blurred(share):
        def cluster(some, times):
            n_draws[-1] += 1
            is_moved = rng.random(len(some)) < share
            return np.where(is_moved, 1 - some[:, 0], some[:, 0]).astype(int)

        return cluster

    for share in (0.5, 0.135, 0.0):
        n_draws.append(0)
        bootstrap_jaccard(members[:, None], members, blurred(share), n_boot=60, seed=0)
    assert n_draws == [20, 60, 60]


def test_win_rates_differ_as_pearsons_test_says():
    place = np.repeat([0, 1], 200)
    won = np.r_[np.repeat([1, 0], [60, 140]), np.repeat([1, 0], [85, 115])]
    pair = separation(place, 2, held_out(won))[0]
    pearson = chi2_contingency([[60, 140], [85, 115]], correction=False).pvalue
    assert pair.p_win == pytest.approx(2 * pearson, rel=0.05)  # of two tests the smaller p counts twice
    assert pair.p_value == 1 and pair.is_apart


def test_values_differ_as_mann_and_whitneys_test_says():
    rng = np.random.default_rng(1)
    place = np.repeat([0, 1], [80, 120])
    value = rng.lognormal(8 + 0.25 * place, 1)
    pair = separation(place, 2, held_out(np.full(200, np.nan), value))[0]
    known = mannwhitneyu(value[:80], value[80:], use_continuity=False, method="asymptotic").pvalue
    assert pair.p_value == pytest.approx(2 * known, rel=0.1)
    assert pair.p_win == 1


def test_one_huge_deal_makes_no_value_differ():
    value = np.full(100, 1000.0)
    value[0] = 1e9
    assert separation(np.repeat([0, 1], 50), 2, held_out(np.full(100, np.nan), value))[0].p_value > 0.2


def test_many_rows_of_one_account_say_no_more_than_one():
    rng = np.random.default_rng(2)
    y, second = rng.integers(2, size=60).astype(float), np.arange(60) % 2 == 0
    once = same_mean(y, np.ones(60), np.arange(60), second)
    again = np.repeat(np.arange(60), 5)
    assert same_mean(y[again], np.ones(300), again, second[again]) == pytest.approx(once)
    assert same_mean(y[again], np.ones(300), np.arange(300), second[again]) < once


def test_a_weight_of_two_is_the_row_twice():
    y, second = np.array([1.0, 0, 0, 1, 1, 0]), np.array([True, True, True, False, False, False])
    weight = np.array([2.0, 1, 1, 2, 1, 1])
    rows = np.repeat(np.arange(6), weight.astype(int))
    assert same_mean(y, weight, np.arange(6), second) == pytest.approx(same_mean(y[rows], np.ones(8), rows, second[rows]))


def test_the_same_segments_are_called_apart_in_one_of_twenty_draws():
    rng, second = np.random.default_rng(4), np.arange(400) % 2 == 0
    account = np.arange(400) // 4
    p = []
    for _ in range(400):
        chance = rng.beta(1, 2, 100)[account]  # rows of one account are alike, and an account stands on both sides
        p.append(same_mean((rng.random(400) < chance).astype(float), np.ones(400), account, second))
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.085


@pytest.mark.parametrize(
    ("won", "place"),
    [([], []), ([1, 0, 1], [0, 0, 0]), ([1, 1, 1, 1], [0, 0, 1, 1]), ([np.nan] * 4, [0, 0, 1, 1])],
    ids=["no rows", "an empty segment", "all won", "nothing known"],
)
def test_what_cannot_be_told_apart_has_p_1(won, place):
    assert separation(np.array(place, dtype=int), 2, held_out(won)) == (Pair(0, 1, 1.0, 1.0),)


def test_a_single_segment_has_no_pairs():
    assert separation(np.zeros(5, dtype=int), 1, held_out([1, 0, 1, 0, 1])) == ()


def test_p_is_adjusted_for_all_pairs_together():
    """Benjamini and Hochberg by hand: sorted p x number of tests / rank, from the largest down."""
    rng = np.random.default_rng(5)
    place, won = np.repeat([0, 1, 2], 100), (rng.random(300) < np.repeat([0.3, 0.45, 0.5], 100)).astype(float)
    value = rng.lognormal(size=300)
    pairs = separation(place, 3, held_out(won, value))
    raw = []
    for first, second in ((0, 1), (0, 2), (1, 2)):
        two = np.isin(place, (first, second))
        both = separation((place[two] == second).astype(int), 2, held_out(won[two], value[two]))[0]
        # of two tests the smaller p was doubled and the larger kept, unless that made it larger than it
        raw += [_raw(both.p_win, both.p_value), _raw(both.p_value, both.p_win)]
    order = np.argsort(raw)
    adjusted = np.minimum.accumulate((np.array(raw)[order] * 6 / np.arange(1, 7))[::-1])[::-1]
    told = np.array([p for pair in pairs for p in (pair.p_win, pair.p_value)])
    assert told[order] == pytest.approx(adjusted)


def _raw(p, other):
    return p / 2 if p < other else p
