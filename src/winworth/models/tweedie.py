"""Value if won by one model instead of two parts: Tweedie trees, the challenger where values are many and thin-tailed."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from winworth.errors import DataError
from winworth.models.folds import GroupedFolds
from winworth.models.outliers import held_within_reason
from winworth.models.trees import Trees, TreeSize

LEAST = 30
RATIO = (0.5, 2.0)  # within which the balance ratio is held


class TweedieValue(RegressorMixin, BaseEstimator):
    """Boosted trees on the log of the mean, with Tweedie deviance of power 1.5 (Jorgensen 1987): zeros and amounts at once.

    Trees with a log link fall short of totals, so that `shift_` adds the log of observed over predicted out of fold, in folds
    apart by group, held within 0.5-2. Far values are held within reason first (`n_held_` counts them). `low_` and `high_` are
    the 10 % and 90 % points of the log residuals of positive values. Without `is_balanced` the folds are spared.
    """

    def __init__(self, size: TreeSize | None = None, seed: int = 0, threads: int = 2, is_balanced: bool = True):
        self.size = size
        self.seed = seed
        self.threads = threads
        self.is_balanced = is_balanced

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None, groups: np.ndarray | None = None
    ) -> "TweedieValue":
        """Learn from values >= 0 in money; `groups` are kept whole in the inner folds."""
        if np.isnan(y).any():
            raise ValueError(f"{int(np.isnan(y).sum())} values are NaN; leave those rows out, since NaN is not 0.")
        if (n := int((y > 0).sum())) < LEAST:
            raise DataError(f"{n} won deals have a value above 0; {LEAST} are needed to learn what they bring.")
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        groups = np.arange(len(y)) if groups is None else groups
        self.unit_ = float(np.median(y[y > 0]))
        logs = np.log(y[y > 0] / self.unit_)
        kept = held_within_reason(logs)
        self.n_held_ = int((kept != logs).sum())
        parts = np.zeros(len(y))
        parts[y > 0] = np.exp(kept)
        self.trees_ = self._grow(X, parts, weight)
        self.shift_, self.low_, self.high_ = float(np.log(self.unit_)), np.nan, np.nan
        return self._balance(X, parts, weight, groups) if self.is_balanced else self

    def _balance(self, X: np.ndarray, parts: np.ndarray, weight: np.ndarray, groups: np.ndarray) -> "TweedieValue":
        held_out, bought = np.empty(len(parts)), parts > 0
        for train, test in GroupedFolds(5, self.seed).split(X, parts, groups):
            held_out[test] = self._grow(X[train], parts[train], weight[train]).margin(X[test])
        log_ratio = float(np.log(np.clip(weight @ parts / (weight @ np.exp(held_out)), *RATIO)))
        residual = np.log(parts[bought]) - held_out[bought] - log_ratio
        self.low_, self.high_ = (float(q) for q in np.quantile(residual, [0.1, 0.9]))
        self.shift_ += log_ratio
        return self

    def _grow(self, X: np.ndarray, parts: np.ndarray, weight: np.ndarray) -> Trees:
        size = self.size or TreeSize(6, 150, 0.05, min_rows=max(5, len(X) // 50))
        return Trees.fit(X, parts, weight, size=size, objective="tweedie", seed=self.seed, threads=self.threads)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the expected value of each row, in money."""
        return np.exp(self.log_value(X))

    def log_value(self, X: np.ndarray) -> np.ndarray:
        """Return the log of the expected value."""
        return self.trees_.margin(X) + self.shift_

    def interval(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the 80 % interval of what a row that buys is worth, from residuals out of fold."""
        _, low, high = self.logs(X)
        return np.exp(low), np.exp(high)

    def logs(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the logs of the expected value and of the two ends of the interval, at the cost of one prediction."""
        log_value = self.log_value(X)
        return log_value, log_value + self.low_, log_value + self.high_

    def contributions(self, X: np.ndarray) -> tuple[np.ndarray, float]:
        """Return each column's part of the log value (rows, columns), exact, and the base they start from."""
        values, base = self.trees_.contributions(X)
        return values, base + self.shift_

    def to_files(self, name: str) -> dict[str, object]:
        """Return what the model learnt, by file name: JSON-ready, and LightGBM's text."""
        learnt = {"form": "tweedie", "unit": self.unit_, "shift": self.shift_, "low": self.low_, "high": self.high_}
        return {f"{name}.json": learnt, f"{name}_trees.txt": self.trees_.to_text()}

    @classmethod
    def from_files(cls, learnt: dict, trees_text: str) -> "TweedieValue":
        """Rebuild what `to_files` wrote, ready to predict."""
        model = cls()
        model.unit_, model.shift_, model.low_, model.high_ = (learnt[key] for key in ("unit", "shift", "low", "high"))
        model.trees_ = Trees.from_text(trees_text)
        return model


def tweedie_deviance_rows(y: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return each row's deviance of power 1.5: least on average where `mean` is the mean of y, zeros included.

    >>> tweedie_deviance_rows(np.array([4.0, 0.0]), np.array([4.0, 1.0])).tolist()
    [0.0, 4.0]
    """
    return 4 * (np.sqrt(y) - np.sqrt(mean)) ** 2 / np.sqrt(mean)
