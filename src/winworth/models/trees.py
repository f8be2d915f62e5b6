"""The trees half of both models: small monotone LightGBM, always on a NumPy matrix built by name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import lightgbm


SMALL = 1_000_000  # cells below which threads wait for each other longer than they work


@dataclass(frozen=True)
class TreeSize:
    """How large the trees may grow: leaves, number of trees, learning rate, least rows in a leaf, and bins of a column."""

    leaves: int
    n_trees: int
    rate: float
    min_rows: int
    bins: int = 255


def small_trees(n_rows: int) -> TreeSize:
    """Return the size that suits a few hundred to a few thousand deals."""
    if n_rows < 1000:
        return TreeSize(leaves=4, n_trees=100, rate=0.05, min_rows=max(5, n_rows // 30))
    return TreeSize(leaves=6, n_trees=150, rate=0.05, min_rows=min(100, n_rows // 50))


class Trees:
    """A LightGBM booster and the few things we ask of it, on at most `threads` threads."""

    def __init__(self, booster: "lightgbm.Booster", threads: int = 2):
        self.booster = booster
        self.threads = threads

    @classmethod
    def fit(
        cls,
        X: np.ndarray,
        y: np.ndarray,
        weight: np.ndarray,
        *,
        size: TreeSize,
        objective: str = "binary",
        monotone: tuple[int, ...] = (),
        seed: int = 0,
        threads: int = 2,
    ) -> "Trees":
        """Grow trees; the same rows give the same trees whatever the number of threads."""
        import lightgbm

        if np.isnan(y).any():
            raise ValueError(f"{int(np.isnan(y).sum())} labels are NaN; LightGBM would read them as 0.")
        settings = {
            "objective": objective,
            "num_leaves": size.leaves,
            "learning_rate": size.rate,
            "min_data_in_leaf": size.min_rows,
            "lambda_l2": 5.0,
            "max_bin": size.bins,
            "min_data_in_bin": 3 if size.bins <= 255 else 1,
            "seed": seed,
            "num_threads": _threads_for(X, threads),
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
        }
        if any(monotone):
            settings["monotone_constraints"] = list(monotone)
        names = [f"f{i:04d}" for i in range(X.shape[1])]
        data = lightgbm.Dataset(X, y, weight=weight, feature_name=names, params=settings)
        return cls(lightgbm.train(settings, data, num_boost_round=size.n_trees), threads)

    def margin(self, X: np.ndarray, n_trees: int | None = None) -> np.ndarray:
        """Return the sum of the leaves, before any link; of the first `n_trees` trees where given."""
        rows = np.asarray(X, dtype=float)
        return self.booster.predict(rows, raw_score=True, num_iteration=n_trees, num_threads=_threads_for(rows, self.threads))

    def contributions(self, X: np.ndarray) -> tuple[np.ndarray, float]:
        """Return path-dependent SHAP values (rows, columns) and the base value they start from."""
        rows = np.asarray(X, dtype=float) if len(X) else np.zeros((1, X.shape[1]))  # LightGBM fails on no rows
        values = self.booster.predict(rows, pred_contrib=True, num_threads=_threads_for(rows, self.threads))
        return values[: len(X), :-1], float(values[0, -1])

    def to_text(self) -> str:
        """Return LightGBM's own text, without the settings of the run that made it."""
        text = self.booster.model_to_string()
        head, _, rest = text.partition("\nparameters:")
        return head + "\n" + rest.partition("end of parameters\n")[2]

    @classmethod
    def from_text(cls, text: str) -> "Trees":
        """Rebuild from text; the caller has verified its hash, since LightGBM aborts on a damaged one."""
        import lightgbm

        return cls(lightgbm.Booster(model_str=text))


def _threads_for(X: np.ndarray, threads: int) -> int:
    return threads if X.size > SMALL else 1
