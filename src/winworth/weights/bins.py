"""How a feature is cut: a number into a few intervals chosen by a tree, words into levels with the rare ones pooled."""

import re
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from functools import cached_property

import numpy as np
import pandas as pd

from winworth.errors import DataError

LARGEST = 1e15  # numbers beyond are held there, as the models do
PROPOSED = 64  # leaves of the tree that proposes boundaries
DIGITS = 10  # significant digits of a boundary, so that every export writes it whole
# What a workbook or a database cannot hold as it stands: no such word gets a row of its own.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]|_x[0-9A-Fa-f]{4}_|.{256}", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """One row of a feature's table: an interval low <= x < high (None: no limit), a level, any other level, or missing."""

    kind: str
    low: float | None = None
    high: float | None = None
    level: str | None = None


@dataclass(frozen=True)
class NumberBins:
    """A number cut at `edges`: intervals from <= x < to, then missing (NaN).

    >>> NumberBins("headcount", (10.0, 250.0)).places_of(pd.Series([9.0, 10.0, 1e9, float("nan")]))
    array([0, 1, 2, 3])
    """

    feature: str
    edges: tuple[float, ...]

    @property
    def n_ordered(self) -> int:
        """How many places have an order: the intervals."""
        return len(self.edges) + 1

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The rows of the table, in order."""
        ends = (None, *self.edges, None)
        spans = [Place("interval", low, high) for low, high in zip(ends[:-1], ends[1:], strict=True)]
        return (*spans, Place("missing"))

    def places_of(self, column: pd.Series) -> np.ndarray:
        """Return the place of each row; raises DataError where the column holds words."""
        numbers = numbers_of(column, self.feature)
        return np.where(np.isnan(numbers), self.n_ordered, np.searchsorted(self.edges, numbers, side="right"))

    def to_dict(self) -> dict:
        """Return the cut for JSON."""
        return {"feature": self.feature, "edges": list(self.edges)}


@dataclass(frozen=True)
class LevelBins:
    """Words by level: those with a row of their own, then any other, then missing (null or empty).

    >>> LevelBins("sector", ("it", "steel")).places_of(pd.Series(["steel", "IT", None, ""]))
    array([1, 2, 3, 3])
    """

    feature: str
    levels: tuple[str, ...]
    n_ordered = 0

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The rows of the table, in order."""
        return (*(Place("level", level=level) for level in self.levels), Place("other"), Place("missing"))

    def places_of(self, column: pd.Series) -> np.ndarray:
        """Return the place of each row."""
        found = pd.Index(self.levels, dtype=object).get_indexer(column.astype(object))
        blank = column.isna().to_numpy(dtype=bool) | (column == "").fillna(False).to_numpy(dtype=bool)
        return np.where(blank, len(self.levels) + 1, np.where(found < 0, len(self.levels), found))

    def to_dict(self) -> dict:
        """Return the cut for JSON."""
        return {"feature": self.feature, "levels": list(self.levels)}


Bins = NumberBins | LevelBins


def bins_from_dict(cut: dict) -> Bins:
    """Rebuild what `to_dict` wrote."""
    if "edges" in cut:
        return NumberBins(cut["feature"], tuple(map(float, cut["edges"])))
    return LevelBins(cut["feature"], tuple(cut["levels"]))


def cut_number(column: pd.Series, target: np.ndarray, *, most: int, least: int, direction: str | None = None) -> NumberBins:
    """Cut a number where a regression tree on `target` cuts it: `most` intervals, none of fewer than `least` rows.

    A tree of many leaves proposes the boundaries; of these the `most` - 1 are kept that together leave the least squared
    error, which a tree grown leaf by leaf may miss (Fisher 1958). Where a direction is declared the tree is monotone.
    """
    name = str(column.name)
    numbers = np.clip(numbers_of(column, name), -LARGEST, LARGEST)
    known = ~np.isnan(numbers)
    values, codes, counts = np.unique(numbers[known], return_inverse=True, return_counts=True)
    if len(values) < 2 or known.sum() < 2 * least:
        return NumberBins(name, ())
    means = np.bincount(codes, target[known]) / counts
    sign = {"up": 1, "down": -1}.get(direction or "", 0)
    cuts = tree_cuts(means, counts, most=max(most, PROPOSED), least=least, sign=sign)
    return NumberBins(name, _edges(values, best_cuts(means, counts, cuts, most=most)))


def cut_levels(column: pd.Series, *, most: int, least: int) -> LevelBins:
    """Give the most frequent levels, of at least `least` rows, a row of their own, sorted by name."""
    counts = column[column.notna() & (column != "")].astype(object).value_counts()
    fit = [(-n, level) for level, n in counts.items() if n >= least and not _UNWRITABLE.search(level)]
    return LevelBins(str(column.name), tuple(sorted(level for _, level in sorted(fit)[:most])))


def tree_cuts(means: np.ndarray, counts: np.ndarray, *, most: int, least: int, sign: int = 0) -> list[int]:
    """Return where a regression tree cuts a row of values, each with its mean and count: cut k lies between k and k + 1."""
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(
        max_leaf_nodes=max(most, 2),
        min_weight_fraction_leaf=min(0.5, least / counts.sum()),
        monotonic_cst=[sign] if sign else None,
        random_state=0,
    ).fit(np.arange(len(means))[:, None], means, sample_weight=counts)
    inner = tree.tree_.feature >= 0
    return sorted({int(np.floor(cut)) for cut in tree.tree_.threshold[inner]})


def best_cuts(means: np.ndarray, counts: np.ndarray, cuts: list[int], *, most: int) -> list[int]:
    """Keep, of the cuts proposed, those that part a row of values into `most` groups with the least squared error.

    >>> best_cuts(np.array([0.0, 0.0, 5.0, 6.0, 9.0]), np.ones(5), [0, 1, 2, 3], most=3)
    [1, 3]
    """
    ends = [*(cut + 1 for cut in cuts), len(means)]
    starts = [0, *ends[:-1]]
    n, total = (np.r_[0.0, np.cumsum(np.add.reduceat(x, starts))] for x in (counts.astype(float), counts * means))
    size = len(ends)
    # What groups explain is the sum of total^2 / n over them: the gain of the group from piece i to piece j.
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(
            np.tri(size, dtype=bool).T, (total[None, 1:] - total[:-1, None]) ** 2 / (n[None, 1:] - n[:-1, None]), -np.inf
        )
    best, came_from = gain[0], []
    for _ in range(min(most, size) - 1):
        reached = np.r_[-np.inf, best[:-1]][:, None] + gain
        came_from.append(reached.argmax(axis=0))
        best = reached.max(axis=0)
    kept, piece = [], size
    for source in reversed(came_from):
        piece = int(source[piece - 1])
        kept.append(ends[piece - 1] - 1)
    return sorted(kept)


def roundest(low: float, high: float) -> float | None:
    """Return the number with the fewest digits in low < x <= high, the highest of these.

    None where ten significant digits do not part the two.

    >>> roundest(9996.2, 10004.0), roundest(-3.0, 7.0), roundest(0.1234, 0.1239)
    (10000.0, 0.0, 0.1239)
    """
    highest = Decimal(repr(float(high)))
    top = max(Decimal(float(low)).adjusted(), highest.adjusted()) + 1
    for place in range(top, top - DIGITS - 1, -1):
        step = Decimal(1).scaleb(place)
        found = float((highest / step).to_integral_value(ROUND_FLOOR) * step)
        if low < found <= high:
            return found + 0.0
    return None


def numbers_of(column: pd.Series, feature: str) -> np.ndarray:
    """Return a column as float64, missing as NaN; raises DataError where it holds words."""
    try:
        return column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise DataError(f"The feature {feature} is a number in the scorecard and the table holds words: {error}.") from error


def _edges(values: np.ndarray, cuts: list[int]) -> tuple[float, ...]:
    found = [roundest(values[k], values[k + 1]) for k in cuts]
    return tuple(edge for edge in found if edge is not None)
