"""What a segmentation must pass: that it comes back in other draws of the rows, and that segments differ in what they bring."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, norm, rankdata

LEVEL = 0.05
LEAST_JACCARD = 0.75
LOOK = 20  # draws after which it is asked whether more can change the answer


@dataclass(frozen=True)
class HeldOut:
    """Past examples by which segments are told apart: features, whether won (NaN: not known) with weights, money (NaN: not
    known), and whose rows they are.
    """

    features: pd.DataFrame
    won: np.ndarray
    weight: np.ndarray
    value: np.ndarray
    account: np.ndarray


@dataclass(frozen=True)
class Pair:
    """Two segments by their places, and p for the same win rate and the same value, adjusted for all the pairs tried."""

    first: int
    second: int
    p_win: float
    p_value: float

    @property
    def is_apart(self) -> bool:
        """Whether they differ in one or the other."""
        return min(self.p_win, self.p_value) < LEVEL


def bootstrap_jaccard(
    points: np.ndarray, members: np.ndarray, cluster: Callable[[np.ndarray, np.ndarray], np.ndarray], *, n_boot: int, seed: int
) -> np.ndarray:
    """Return how far each segment comes back in bootstrap draws of the rows: its mean best Jaccard similarity.

    `members` numbers each row's segment from 0; `cluster` groups some points, each counted as often as it was drawn. Rows
    drawn several times count once for the similarity (Hennig 2007, "Cluster-wise assessment of cluster stability", section 2).
    After every 20 draws it is asked whether a mean lies below 0.75 by three of its standard errors: more draws are then spared.
    """
    rng, n, found = np.random.default_rng(seed), len(points), []
    k = members.max(initial=0) + 1
    for n_drawn in range(1, n_boot + 1):
        times = np.bincount(rng.integers(n, size=n), minlength=n)
        drawn = np.flatnonzero(times)
        found.append(overlaps(members[drawn], cluster(points[drawn], times[drawn]), shape=(k, k)).max(axis=1))
        error = np.std(found, axis=0) / np.sqrt(n_drawn)
        if n_drawn % LOOK == 0 and (np.mean(found, axis=0) + 3 * error < LEAST_JACCARD).any():
            break
    return np.mean(found, axis=0)


def overlaps(one: np.ndarray, other: np.ndarray, *, shape: tuple[int, int]) -> np.ndarray:
    """Return the Jaccard similarity of every group of `one` with every group of `other`; groups are numbered from 0.

    >>> overlaps(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), shape=(2, 2)).round(2).tolist()
    [[0.67, 0.25], [0.0, 0.5]]
    """
    both = np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1]).reshape(shape)
    union = both.sum(axis=1)[:, None] + both.sum(axis=0) - both
    return both / np.maximum(union, 1)


def separation(place: np.ndarray, k: int, held_out: HeldOut) -> tuple[Pair, ...]:
    """Test every pair of segments for its win rate and its value, all p together by Benjamini and Hochberg (1995).

    `place` numbers the segment of each held-out row from 0.
    """
    found = list(combinations(range(k), 2))
    p = [test(place, pair, held_out) for pair in found for test in (_same_win_rate, _same_value)]
    adjusted = false_discovery_control(p) if p else np.empty(0)
    return tuple(Pair(*pair, *map(float, ps)) for pair, ps in zip(found, adjusted.reshape(-1, 2), strict=True))


def same_mean(y: np.ndarray, weight: np.ndarray, account: np.ndarray, is_second: np.ndarray) -> float:
    """Return p for two groups of rows having the same weighted mean, rows of one account counting as one draw.

    The score test: residuals from the mean of both, summed by account. z squared is at most the number of accounts, so that
    few accounts cannot say much. Where a group has no row, or all are the same, p is 1.
    """
    total = np.array([weight[~is_second].sum(), weight[is_second].sum()])
    if total.min() <= 0:
        return 1.0
    residual = weight * (y - np.average(y, weights=weight)) * np.where(is_second, 1, -1) / total[is_second.astype(int)]
    by_account = np.bincount(np.unique(account, return_inverse=True)[1], weights=residual)
    spread = np.sqrt((by_account**2).sum())
    return float(2 * norm.sf(abs(by_account.sum()) / spread)) if spread > 1e-12 else 1.0


def _same_win_rate(place: np.ndarray, pair: tuple[int, int], held_out: HeldOut) -> float:
    rows = np.isin(place, pair) & ~np.isnan(held_out.won) & (held_out.weight > 0)
    return same_mean(held_out.won[rows], held_out.weight[rows], held_out.account[rows], place[rows] == pair[1])


def _same_value(place: np.ndarray, pair: tuple[int, int], held_out: HeldOut) -> float:
    """Compare ranks of money, which a few huge deals cannot sway: Mann and Whitney's test, by account."""
    rows = np.isin(place, pair) & ~np.isnan(held_out.value)
    return same_mean(rankdata(held_out.value[rows]), np.ones(rows.sum()), held_out.account[rows], place[rows] == pair[1])
