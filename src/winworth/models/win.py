"""The win model: base rate, ridge, trees, or ridge and trees averaged in log-odds, then calibrated."""

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data

from winworth.models.calibration import Platt
from winworth.models.linear import Linear
from winworth.models.trees import Trees, TreeSize


class WinModel(ClassifierMixin, BaseEstimator):
    """Learn the log-odds of winning as an additive margin, so that attributions are exact.

    `C` is the ridge strength (None: no ridge half), `size` that of the trees (None: no trees half); with neither the
    model is the base rate, with both their margins are averaged. `monotone` has 1, -1 or 0 for each matrix column;
    `blocks` the feature whose level the column is, or -1 for a number, read only where `size.encoding` is "category".
    `platt_` is set once calibrated on later deals; until then the margin is used as it is.
    """

    def __init__(
        self,
        C: float | None = 0.1,
        size: TreeSize | None = None,
        monotone: tuple[int, ...] = (),
        seed: int = 0,
        threads: int = 2,
        blocks: tuple[int, ...] = (),
    ):
        self.C = C
        self.size = size
        self.monotone = monotone
        self.seed = seed
        self.threads = threads
        self.blocks = blocks

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = self.C is None and self.size is None  # the base rate tells no rows apart
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "WinModel":
        """Learn from a NumPy matrix, outcomes of two classes (the second is won) and the weight of each row.

        Rows of weight 0 are left out, whatever their outcome; a missing number is NaN.
        """
        X, y, weight = self._examples(X, y, sample_weight)
        self.base_ = float(logit(np.average(y, weights=weight)))
        self.platt_ = Platt()
        self.linear_ = None if self.C is None else Linear.fit_logit(X, y, weight, C=self.C)
        self.trees_ = None
        if self.size is not None:
            of_columns = {"monotone": self.monotone, "blocks": self.blocks}
            self.trees_ = Trees.fit(X, y, weight, size=self.size, **of_columns, seed=self.seed, threads=self.threads)
        return self

    def _examples(self, X: object, y: object, sample_weight: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Check what `fit` was given, learn the classes, and return rows, outcomes as 0 or 1, and weights above 0."""
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        if y is None:
            raise ValueError("The win model requires y to be passed, but the target y is None.")
        y = column_or_1d(y, warn=True)
        weight = np.ones(len(X)) if sample_weight is None else column_or_1d(sample_weight).astype(float)
        check_consistent_length(X, y, weight)
        kept = weight > 0
        if not kept.any():
            raise ValueError("sample_weight is zero on every row: there is nothing to learn from.")
        X, y, weight = X[kept], y[kept], weight[kept]
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError("The win model needs both won and lost deals, and y holds one class.")
        if (kind := type_of_target(y, input_name="y", raise_unknown=True)) != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_ = classes
        return X, (y == classes[1]).astype(float), weight

    def _rows(self, X: object) -> np.ndarray:
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=0)

    def margin(self, X: np.ndarray) -> np.ndarray:
        """Return the log-odds before calibration."""
        X = self._rows(X)
        halves = [half.margin(X) for half in (self.linear_, self.trees_) if half is not None]
        return np.mean(halves, axis=0) if halves else np.full(len(X), self.base_)

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the calibrated log-odds."""
        margin = self.margin(X)
        return self.platt_.apply(margin)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of not winning and of winning: (rows, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the second class (won) where it is the likelier, else the first."""
        won = self.decision_function(X) > 0
        return self.classes_[won.astype(int)]

    def contributions(self, X: np.ndarray) -> tuple[np.ndarray, float]:
        """Return each column's part of the calibrated log-odds (rows, columns), and the base they start from."""
        X, parts = self._rows(X), []
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
            "n_features": self.n_features_in_,
            "blocks": list(self.trees_.codes.blocks) if self.trees_ and self.trees_.codes else [],
        }
        return {f"{name}.json": learnt} | ({f"{name}_trees.txt": self.trees_.to_text()} if self.trees_ else {})

    @classmethod
    def from_files(cls, learnt: dict, trees_text: str | None) -> "WinModel":
        """Rebuild what `to_files` wrote, ready to predict; older files do not tell the last two."""
        model = cls()
        model.classes_ = np.array([0, 1])
        model.base_ = learnt["base"]
        model.platt_ = Platt(**learnt["platt"])
        model.linear_ = None if learnt["linear"] is None else Linear.from_dict(learnt["linear"])
        model.trees_ = None if trees_text is None else Trees.from_text(trees_text, tuple(learnt.get("blocks", ())))
        if "n_features" in learnt:
            model.n_features_in_ = learnt["n_features"]
        return model
