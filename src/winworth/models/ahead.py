"""What a customer brings in a window ahead: the chance that it is still one, times the margin it then brings."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from winworth.models.landmarks import Windows
from winworth.models.outliers import held_within_reason
from winworth.models.trees import Trees, TreeSize

LEAST_ENDS = 30  # customers' ends, below which the chance to leave is one for all
SAY_OF_FREE = 0.25  # in logs; more of it is too low for large customers never followed for long, less for those who bought once
RATE_WEIGHT = 0.5  # power of a customer's rate by which its ratio weighs: as in Tweedie's likelihood of power 1.5


@dataclass(frozen=True)
class Ahead:
    """A hazard of leaving and a margin while a customer, both by windows ahead (person-periods; Singer and Willett 1993).

    The margin averages, in logs, trees on amounts (`SAY_OF_FREE`) and trees on the ratio of an amount to the customer's own
    rate: the first see what customers have in common, the second carry over to sizes never followed for long. Amounts
    further from the median than reason allows are held there (`reach`, in units of money); customers above it are left to
    the second. `leaves` is trees or one chance for all; `free` and `of_rate` are None where nothing was ever earned.
    """

    leaves: Trees | float
    free: Trees | None
    of_rate: Trees | None
    reach: float
    step: int

    def hazard(self, X: np.ndarray) -> np.ndarray:
        """Return each row's chance to leave in its window."""
        return np.full(len(X), self.leaves) if isinstance(self.leaves, float) else expit(self.leaves.margin(X))

    def margin(self, X: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """Return each row's margin in its window, in units of money, if it is a customer then."""
        if self.free is None or self.of_rate is None:
            return np.zeros(len(X))
        own = self.of_rate.margin(X) + np.log(rate * self.step)
        return np.exp(np.where(rate * self.step > self.reach, own, own + SAY_OF_FREE * (self.free.margin(X) - own)))

    def to_files(self, name: str) -> dict[str, object]:
        """Return what was learnt, by file name."""
        trees = {"leaves": self.leaves, "free": self.free, "of_rate": self.of_rate}
        learnt = {"leaves": self.leaves if isinstance(self.leaves, float) else None, "reach": self.reach, "step": self.step}
        files = {f"{name}_{part}.txt": found.to_text() for part, found in trees.items() if isinstance(found, Trees)}
        return {f"{name}.json": learnt} | files

    @classmethod
    def from_files(cls, files: Mapping[str, object], name: str) -> "Ahead":
        """Rebuild what `to_files` wrote under a name."""
        learnt = files[f"{name}.json"]
        texts = {part: files.get(f"{name}_{part}.txt") for part in ("leaves", "free", "of_rate")}
        trees = {part: None if text is None else Trees.from_text(text) for part, text in texts.items()}
        leaves = learnt["leaves"] if trees["leaves"] is None else trees["leaves"]
        return cls(leaves, trees["free"], trees["of_rate"], learnt["reach"], learnt["step"])


def fit_ahead(windows: Windows, rows: np.ndarray, *, step: int, seed: int, threads: int) -> Ahead:
    """Learn from those rows of the windows that are known and at risk; margins below 0 are learnt as 0."""
    used = rows[windows.is_known[rows] & windows.is_at_risk[rows]]
    options = {"seed": seed, "threads": threads}
    leaves = _fit_leaves(windows.X[used], windows.is_last[used].astype(float), options)
    used = used[windows.ahead[used] > 0]
    X, margin, own = windows.X[used], np.maximum(windows.margin[used], 0), windows.rate[used] * step
    if not (margin > 0).any():
        return Ahead(leaves, None, None, 0.0, step)
    held = margin.copy()
    held[margin > 0] = np.exp(held_within_reason(np.log(margin[margin > 0])))
    size = TreeSize(8, 150, 0.05, min_rows=_least_rows(len(X)))
    options |= {"size": size, "objective": "tweedie"}
    free = Trees.fit(X, held, np.ones(len(X)), **options)
    of_rate = Trees.fit(X, np.round(margin / own, 6), np.minimum(own, held.max()) ** RATE_WEIGHT, **options)
    return Ahead(leaves, free, of_rate, float(held.max()), step)


def still_customer(hazard: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the chance to be a customer at the start of each window; rows of one customer follow on, `first` marks them.

    >>> still_customer(np.array([0.5, 0.5, 0.1, 0.0]), np.array([True, False, True, False])).round(3).tolist()
    [1.0, 0.5, 1.0, 0.9]
    """
    logs = np.log1p(-np.minimum(hazard, 1 - 1e-12))
    before = np.cumsum(logs) - logs
    return np.exp(before - before[first][np.cumsum(first) - 1])


def _fit_leaves(X: np.ndarray, left: np.ndarray, options: dict) -> Trees | float:
    if min(left.sum(), len(left) - left.sum()) < LEAST_ENDS:
        return float(left.mean()) if len(left) else 0.0
    size = TreeSize(6, 120, 0.05, min_rows=_least_rows(len(X)))
    return Trees.fit(X, left, np.ones(len(X)), size=size, **options)


def _least_rows(n: int) -> int:
    return int(np.clip(n // 500, 20, 200))
