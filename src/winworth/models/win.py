"""The win model: base rate, ridge, trees, or ridge and trees averaged in log-odds, then calibrated."""

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin

from winworth.models.calibration import Platt
from winworth.models.linear import Linear
from winworth.models.trees import Trees, TreeSize


class WinModel(ClassifierMixin, BaseEstimator):
    """Learn the log-odds of winning as an additive margin, so that attributions are exact.

    `C` is the ridge strength (None: no ridge half), `size` that of the trees (None: no trees half); with neither the
    model is the base rate, with both their margins are averaged. `monotone` has 1, -1 or 0 for each matrix column.
    `platt` is set once calibrated on later deals; until then the margin is used as it is.
    """

    def __init__(
        self,
        C: float | None = 0.1,
        size: TreeSize | None = None,
        monotone: tuple[int, ...] = (),
        seed: int = 0,
        threads: int = 2,
    ):
        self.C = C
        self.size = size
        self.monotone = monotone
        self.seed = seed
        self.threads = threads

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "WinModel":
        """Learn from a NumPy matrix, outcomes 0 or 1 and the weight of each row; rows of weight 0 are left out."""
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        kept = weight > 0
        X, y, weight = X[kept], np.asarray(y, dtype=float)[kept], weight[kept]
        self.classes_ = np.array([0, 1])
        rate = np.average(y, weights=weight)
        if not 0 < rate < 1:
            raise ValueError("The win model needs both won and lost deals.")
        self.base_ = float(logit(rate))
        self.platt_ = Platt()
        self.linear_ = None if self.C is None else Linear.fit_logit(X, y, weight, C=self.C)
        self.trees_ = None
        if self.size is not None:
            self.trees_ = Trees.fit(X, y, weight, size=self.size, monotone=self.monotone, seed=self.seed, threads=self.threads)
        return self

    def margin(self, X: np.ndarray) -> np.ndarray:
        """Return the log-odds before calibration."""
        halves = [half.margin(X) for half in (self.linear_, self.trees_) if half is not None]
        return np.mean(halves, axis=0) if halves else np.full(len(X), self.base_)

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the calibrated log-odds."""
        return self.platt_.apply(self.margin(X))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of not winning and of winning: (rows, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return 1 where winning is the likelier."""
        return (self.decision_function(X) > 0).astype(int)

    def contributions(self, X: np.ndarray) -> tuple[np.ndarray, float]:
        """Return each column's part of the calibrated log-odds (rows, columns), and the base they start from."""
        parts = []
        if self.linear_ is not None:
            parts.append((self.linear_.contributions(X), self.linear_.intercept))
        if self.trees_ is not None:
            parts.append(self.trees_.contributions(X))
        if not parts:
            return np.zeros(X.shape), self.platt_.apply(self.base_)
        values = np.mean([values for values, _ in parts], axis=0) * self.platt_.slope
        return values, float(self.platt_.apply(np.mean([base for _, base in parts])))

    def to_files(self, name: str) -> dict[str, object]:
        """Return what the model learnt, by file name: JSON-ready, and LightGBM's text."""
        learnt = {
            "base": self.base_,
            "platt": self.platt_.to_dict(),
            "linear": None if self.linear_ is None else self.linear_.to_dict(),
            "has_trees": self.trees_ is not None,
        }
        return {f"{name}.json": learnt} | ({f"{name}_trees.txt": self.trees_.to_text()} if self.trees_ else {})

    @classmethod
    def from_files(cls, learnt: dict, trees_text: str | None) -> "WinModel":
        """Rebuild what `to_files` wrote, ready to predict."""
        model = cls()
        model.classes_ = np.array([0, 1])
        model.base_ = learnt["base"]
        model.platt_ = Platt(**learnt["platt"])
        model.linear_ = None if learnt["linear"] is None else Linear.from_dict(learnt["linear"])
        model.trees_ = None if trees_text is None else Trees.from_text(trees_text)
        return model
