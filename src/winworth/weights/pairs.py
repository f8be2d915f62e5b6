"""Two-way tables where features work together: chosen by what they explain on held-out rows of what single tables leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from winworth.weights.bins import Bins, LevelBins, NumberBins

SIDE = 6  # places on a side that have points
LEAVES = 24
SMOOTH = 20.0  # a cell of so many rows keeps half of its mean
LEAST = 20  # rows of a leaf of the tree that finds the boundaries
SHORTLIST = 10


@dataclass(frozen=True)
class Grid:
    """Two cut features and, by the place of each, a value and the rows behind it."""

    first: Bins
    second: Bins
    values: np.ndarray
    n: np.ndarray


@dataclass(frozen=True)
class Cut:
    """A feature's bins, the place of each row, and which rows can have the feature."""

    bins: Bins
    places: np.ndarray
    has: np.ndarray


def choose_pairs(
    cuts: Mapping[str, Cut], left: np.ndarray, fold: np.ndarray, *, most: int, pays: float
) -> tuple[list[Grid], np.ndarray]:
    """Choose up to `most` pairs, one after the other, that explain most of `left` on folds they were not learnt from.

    A pair must lower the held-out squared error by `pays` or more, in the unit of `left` squared. Returns the grids and
    what they leave.
    """
    grids: list[Grid] = []
    for _ in range(most):
        taken = {(grid.first.feature, grid.second.feature) for grid in grids}
        candidates = [pair for pair in combinations(cuts, 2) if pair not in taken]
        shortlist = sorted(candidates, key=lambda pair: -_explained(cuts, pair, left, None))[:SHORTLIST]
        gains = {pair: _explained(cuts, pair, left, fold) for pair in shortlist}
        best = max(gains, key=lambda pair: gains[pair], default=None)
        if best is None or gains[best] < pays:
            break
        grid = fit_grid(cuts[best[0]], cuts[best[1]], left, np.ones(len(left), dtype=bool))
        grids.append(grid)
        left = left - told_by(grid, cuts[best[0]], cuts[best[1]])
    return grids, left


def fit_grid(first: Cut, second: Cut, left: np.ndarray, rows: np.ndarray) -> Grid:
    """Cut two features where a tree on both cuts what is left, and smooth the means of the cells towards 0.

    Boundaries and levels are among those of the features' own tables, at most `SIDE` places on a side, missing and other
    among them where they have rows.
    """
    rows = rows & first.has & second.has
    shape = len(first.bins.places), len(second.bins.places)
    sums, n = _cells(first.places, second.places, shape, left, rows)
    gains = _gains(first.bins, second.bins, sums, n)
    axes = [_axis(cut.bins, gain, n.sum(axis=1 - k)) for k, (cut, gain) in enumerate(zip((first, second), gains, strict=True))]
    of = [_coarser(cut.bins, axis) for cut, axis in zip((first, second), axes, strict=True)]
    shape = len(axes[0].places), len(axes[1].places)
    sums, n = _cells(of[0][first.places], of[1][second.places], shape, left, rows)
    return Grid(*axes, sums / (n + SMOOTH), n)


def told_by(grid: Grid, first: Cut, second: Cut) -> np.ndarray:
    """Return the grid's value on each row; 0 where a row cannot have one of the features."""
    cells = _coarser(first.bins, grid.first)[first.places], _coarser(second.bins, grid.second)[second.places]
    return np.where(first.has & second.has, grid.values[cells], 0.0)


def _explained(cuts: Mapping[str, Cut], pair: tuple[str, str], left: np.ndarray, fold: np.ndarray | None) -> float:
    """Return by how much a pair lowers the mean squared error: held out by fold, or on its own rows where there is none."""
    first, second = cuts[pair[0]], cuts[pair[1]]
    everyone = np.ones(len(left), dtype=bool)
    if fold is None:
        return float(np.mean(left**2) - np.mean((left - told_by(fit_grid(first, second, left, everyone), first, second)) ** 2))
    rest = left.copy()
    for k in np.unique(fold):
        here = fold == k
        rest[here] -= told_by(fit_grid(first, second, left, ~here), first, second)[here]
    return float(np.mean(left**2) - np.mean(rest**2))


def _cells(
    first: np.ndarray, second: np.ndarray, shape: tuple[int, int], left: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of what is left and the number of rows of each cell."""
    cell = (first * shape[1] + second)[rows]
    size = shape[0] * shape[1]
    sums = np.bincount(cell, left[rows], minlength=size).reshape(shape)
    return sums, np.bincount(cell, minlength=size).reshape(shape)


def _gains(first: Bins, second: Bins, sums: np.ndarray, n: np.ndarray) -> tuple[dict[int, float], dict[int, float]]:
    """Return, by feature, how much squared error each cut takes away in one tree on both.

    The cuts of a number are its boundaries by their number, those of words their levels; missing has a column of its own.
    """
    from sklearn.tree import DecisionTreeRegressor

    at = np.nonzero(n)
    columns = [_columns(bins, places) for bins, places in zip((first, second), at, strict=True)]
    if len(at[0]) < 2:
        return {}, {}
    weight = n[at].astype(float)
    tree = DecisionTreeRegressor(max_leaf_nodes=LEAVES, min_weight_fraction_leaf=min(0.5, LEAST / weight.sum()), random_state=0)
    tree = tree.fit(np.hstack(columns), sums[at] / weight, sample_weight=weight).tree_
    width, lost = columns[0].shape[1], tree.weighted_n_node_samples * tree.impurity
    found: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for node in np.flatnonzero(tree.feature >= 0):
        side = int(tree.feature[node] >= width)
        column = int(tree.feature[node]) - side * width
        gain = lost[node] - lost[tree.children_left[node]] - lost[tree.children_right[node]]
        bins = (first, second)[side]
        cut = column if isinstance(bins, LevelBins) else (int(np.floor(tree.threshold[node])) if column == 0 else -1)
        found[side][cut] = found[side].get(cut, 0.0) + float(gain)
    return found


def _columns(bins: Bins, places: np.ndarray) -> np.ndarray:
    """Return what the tree reads of a feature: the order of its intervals and whether it is missing, or one column a level."""
    if isinstance(bins, LevelBins):
        return (places[:, None] == np.arange(len(bins.places))).astype(float)
    is_missing = places == bins.n_ordered
    return np.column_stack([np.where(is_missing, 0, places), is_missing]).astype(float)


def _axis(bins: Bins, gains: dict[int, float], n: np.ndarray) -> Bins:
    """Keep the cuts that gain most, so that no more than `SIDE` places have rows."""
    if isinstance(bins, NumberBins):
        room = SIDE - 1 - int(n[-1] > 0)
        kept = _best({cut: gain for cut, gain in gains.items() if 0 <= cut < len(bins.edges)}, room)
        return NumberBins(bins.feature, tuple(bins.edges[cut] for cut in kept))
    room = SIDE - 1 - int(n[-1] > 0)
    kept = _best({cut: gain for cut, gain in gains.items() if cut < len(bins.levels)}, room)
    return LevelBins(bins.feature, tuple(bins.levels[cut] for cut in kept))


def _best(gains: dict[int, float], room: int) -> list[int]:
    return sorted(sorted(gains, key=lambda cut: (-gains[cut], cut))[:room])


def _coarser(bins: Bins, axis: Bins) -> np.ndarray:
    """Return, for each place of a feature's own bins, its place on a coarser axis."""
    if isinstance(bins, NumberBins):
        return np.r_[np.searchsorted(axis.edges, (-np.inf, *bins.edges), side="right"), axis.n_ordered]
    place = {level: k for k, level in enumerate(axis.levels)}
    other = len(axis.levels)
    return np.array([place.get(level, other) for level in bins.levels] + [other, other + 1])
