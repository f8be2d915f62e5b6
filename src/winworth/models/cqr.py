"""Intervals by conformalised quantile regression (Romano, Patterson and Candes 2019) of what came over what was expected."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from winworth.models.trees import Trees, TreeSize

TAIL = 0.1  # on either side of an 80 % interval
LEAST = 100  # rows to learn from and to calibrate on, below which there is no interval
MOST_ROWS = 60_000


@dataclass(frozen=True)
class RatioInterval:
    """Trees for the low and the high end of a ratio, and by how much calibration moved both ends out (below 0: in).

    Rows of a size above `large` (the largest tenth of those calibrated on) are moved by the second of `moved`, the others by
    the first: one correction for all leaves the largest too narrow (Mondrian; Vovk et al. 2005, ch. 4). `n_calibrated` counts
    the rows calibrated on. Three in four of the large among them were followed for `followed` months or less: further ahead
    their intervals grow about 1 with the root of time, as those of a random walk do. Where the low end is 0 nothing can fall
    below it, and the high end alone is calibrated: a ratio that is often 0 would otherwise make every interval too wide.
    """

    low: Trees
    high: Trees
    moved: tuple[float, float]
    large: float
    followed: float
    n_calibrated: int

    def ends(self, X: np.ndarray, size: np.ndarray, months: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of each row's 80 % interval over the months ahead, both at or above 0."""
        low, high = _raw(self.low, self.high, X)
        moved = np.where(size > self.large, self.moved[1], self.moved[0])
        low, high = np.where(low > 0, np.maximum(low - moved, 0), 0), np.maximum(high + moved, 0)
        wider = np.where(size > self.large, np.sqrt(np.maximum(months / self.followed, 1)), 1)
        return np.where(low < 1, np.maximum(1 - (1 - low) * wider, 0), low), np.where(high > 1, 1 + (high - 1) * wider, high)

    def to_files(self, name: str) -> dict[str, object]:
        """Return what was learnt, by file name."""
        learnt = {"moved": list(self.moved), "large": self.large, "followed": self.followed, "n_calibrated": self.n_calibrated}
        return {f"{name}.json": learnt, f"{name}_low.txt": self.low.to_text(), f"{name}_high.txt": self.high.to_text()}

    @classmethod
    def from_files(cls, files: Mapping[str, object], name: str) -> "RatioInterval":
        """Rebuild what `to_files` wrote under a name."""
        ends = (Trees.from_text(files[f"{name}_{end}.txt"]) for end in ("low", "high"))
        learnt = files[f"{name}.json"]
        return cls(*ends, tuple(learnt["moved"]), learnt["large"], learnt["followed"], learnt["n_calibrated"])


@dataclass(frozen=True)
class Ratios:
    """What came over what was expected (`ratio`), by row, with features, the customer's size and the months it came in."""

    X: np.ndarray
    ratio: np.ndarray
    size: np.ndarray
    months: np.ndarray


def fit_interval(rows: Ratios, is_latest: np.ndarray, *, seed: int, threads: int) -> RatioInterval | None:
    """Learn both ends from the earlier rows and calibrate on the latest; None where either has fewer than `LEAST` rows."""
    X, ratio, size = rows.X, rows.ratio, rows.size
    learn, calibrate = (_thinned(np.flatnonzero(rows)) for rows in (~is_latest, is_latest))
    if min(len(learn), len(calibrate)) < LEAST:
        return None
    trees_size = TreeSize(6, 100, 0.08, min_rows=int(np.clip(len(learn) // 200, 20, 200)))
    options = {"size": trees_size, "objective": "quantile", "seed": seed, "threads": threads}
    trees = [Trees.fit(X[learn], ratio[learn], np.ones(len(learn)), quantile=q, **options) for q in (TAIL, 1 - TAIL)]
    low, high = _raw(*trees, X[calibrate])
    beyond = ratio[calibrate] - high
    beyond = np.where(low > 0, np.maximum(beyond, low - ratio[calibrate]), beyond)
    large = float(np.quantile(size[calibrate], 0.9))
    is_large = size[calibrate] > large
    moved = tuple(_conformal(beyond[rows] if rows.sum() >= LEAST else beyond) for rows in (~is_large, is_large))
    followed = float(np.quantile(rows.months[calibrate][is_large], 0.75)) if is_large.any() else float(rows.months.max())
    return RatioInterval(*trees, moved, large, followed, len(calibrate))


def coverage_by_group(
    y: np.ndarray, interval: tuple[np.ndarray, np.ndarray], group: np.ndarray
) -> dict[object, tuple[float, int]]:
    """Return for each group, say each tier, the share of values inside their interval, and how many there are.

    >>> coverage_by_group(np.array([1.0, 5.0, 2.0]), (np.zeros(3), np.full(3, 3.0)), np.array(["A", "A", "B"]))
    {'A': (0.5, 2), 'B': (1.0, 1)}
    """
    inside = (y >= interval[0]) & (y <= interval[1])
    return {name: (float(inside[group == name].mean()), int((group == name).sum())) for name in sorted(set(group.tolist()))}


def _conformal(beyond: np.ndarray) -> float:
    level = min(1.0, (1 - 2 * TAIL) * (1 + 1 / len(beyond)))
    return float(np.quantile(beyond, level, method="higher"))


def _raw(low: Trees, high: Trees, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends before calibration, rid of what is below 1e-6, and never crossed."""
    ends = low.margin(X), high.margin(X)
    bottom, top = np.minimum(*ends), np.maximum(*ends)
    return np.where(bottom > 1e-6, bottom, 0), top


def _thinned(rows: np.ndarray) -> np.ndarray:
    return rows[:: -(-max(len(rows), 1) // MOST_ROWS)]
