"""The trees half of both models: small monotone LightGBM, always on a NumPy matrix built by name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from winworth.models.tree_shap import TreeShap
from winworth.models.tree_text import check_trees

if TYPE_CHECKING:
    import lightgbm


SMALL = 1_000_000  # cells below which threads wait for each other longer than they work


@dataclass(frozen=True)
class TreeSize:
    """How the trees may grow.

    Leaves, number of trees, learning rate, least rows in a leaf, and bins of a column; the ridge penalty on leaves and the
    share of columns that each tree may read. `encoding` says whether trees read a feature with levels as one column a level,
    or as one column of codes whose levels LightGBM sorts by their gradients; `cat_smooth`, `cat_l2` and
    `min_data_per_group` (LightGBM's words) hold that sorting back, and mean nothing to one column a level.
    """

    __pydantic_config__ = {"extra": "forbid"}

    leaves: int
    n_trees: int
    rate: float
    min_rows: int
    bins: int = 255
    lambda_l2: float = 5.0
    feature_fraction: float = 1.0
    encoding: Literal["one-hot", "category"] = "one-hot"
    cat_smooth: float = 10.0
    cat_l2: float = 10.0
    min_data_per_group: int = 100

    def to_lightgbm(self) -> dict[str, float | int]:
        """Return LightGBM's parameters."""
        return {
            "num_leaves": self.leaves,
            "learning_rate": self.rate,
            "min_data_in_leaf": self.min_rows,
            "max_bin": self.bins,
            "min_data_in_bin": 3 if self.bins <= 255 else 1,
            "lambda_l2": self.lambda_l2,
            "feature_fraction": self.feature_fraction,
            "cat_smooth": self.cat_smooth,
            "cat_l2": self.cat_l2,
            "min_data_per_group": self.min_data_per_group,
        }


def small_trees(n_rows: int) -> TreeSize:
    """Return the size that suits a few hundred to a few thousand deals."""
    if n_rows < 1000:
        return TreeSize(leaves=4, n_trees=100, rate=0.05, min_rows=max(5, n_rows // 30))
    return TreeSize(leaves=6, n_trees=150, rate=0.05, min_rows=min(100, n_rows // 50))


class LevelCodes:
    """One-hot columns as codes and back: `blocks` gives, by column, the feature whose level it is, or -1 for a number."""

    def __init__(self, blocks: tuple[int, ...]):
        self.blocks = blocks
        starts = [j for j, block in enumerate(blocks) if block < 0 or block not in blocks[:j]]
        self.sources = [np.flatnonzero(np.array(blocks) == blocks[j]) if blocks[j] >= 0 else np.array([j]) for j in starts]
        self.is_code = [blocks[j] >= 0 for j in starts]

    def fold(self, X: np.ndarray) -> np.ndarray:
        """Return one column a feature: the number, or the position of the level; NaN where no level is marked."""
        columns = [self._code(X[:, of]) if code else X[:, of[0]] for of, code in zip(self.sources, self.is_code, strict=True)]
        return np.column_stack(columns)

    def unfold(self, values: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Put each feature's value in the column of its level on that row (its first where none is marked)."""
        spread, rows = np.zeros(X.shape), np.arange(len(X))
        for value, of in zip(values.T, self.sources, strict=True):
            spread[rows, of[X[:, of].argmax(axis=1) if len(of) > 1 else np.zeros(len(X), dtype=int)]] = value
        return spread

    def _code(self, marks: np.ndarray) -> np.ndarray:
        return np.where(marks.any(axis=1), marks.argmax(axis=1), np.nan)


class Trees:
    """A LightGBM booster and the few things we ask of it, on at most `threads` threads.

    `codes` is None where trees read the matrix as it is.
    """

    def __init__(self, booster: "lightgbm.Booster", threads: int = 2, codes: LevelCodes | None = None):
        self.booster = booster
        self.threads = threads
        self.codes = codes
        self._shap: TreeShap | None = None

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
        blocks: tuple[int, ...] = (),
        seed: int = 0,
        threads: int = 2,
        quantile: float = 0.5,
    ) -> "Trees":
        """Grow trees; the same rows give the same trees whatever the number of threads.

        `monotone` has 1, -1 or 0 for each column, `blocks` what `LevelCodes` reads; `quantile` is read by the objective of
        that name only.
        """
        import lightgbm

        if np.isnan(y).any():
            raise ValueError(f"{int(np.isnan(y).sum())} labels are NaN; LightGBM would read them as 0.")
        codes = LevelCodes(blocks) if size.encoding == "category" and max(blocks, default=-1) >= 0 else None
        rows = X if codes is None else codes.fold(X)
        settings = size.to_lightgbm() | {
            "objective": objective,
            "alpha": quantile,
            "seed": seed,
            "num_threads": _threads_for(X, threads),
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
        }
        if any(monotone):
            settings["monotone_constraints"] = list(monotone) if codes is None else [monotone[of[0]] for of in codes.sources]
        names = [f"f{i:04d}" for i in range(rows.shape[1])]
        levels = [] if codes is None else [i for i, code in enumerate(codes.is_code) if code]
        data = lightgbm.Dataset(rows, y, weight=weight, feature_name=names, categorical_feature=levels, params=settings)
        return cls(lightgbm.train(settings, data, num_boost_round=size.n_trees), threads, codes)

    def margin(self, X: np.ndarray, n_trees: int | None = None) -> np.ndarray:
        """Return the sum of the leaves, before any link; of the first `n_trees` trees where given."""
        rows = self._read(X)
        return self.booster.predict(rows, raw_score=True, num_iteration=n_trees, num_threads=self._threads_for(rows))

    def contributions(self, X: np.ndarray) -> tuple[np.ndarray, float]:
        """Return path-dependent SHAP values (rows, columns) and the base value they start from."""
        if self.codes is None:
            self._shap = self._shap or TreeShap(self.booster.model_to_string())
            return self._shap.values(np.asarray(X, dtype=float)), self._shap.base
        rows = self._read(X if len(X) else np.zeros((1, X.shape[1])))  # LightGBM fails on no rows
        values = self.booster.predict(rows, pred_contrib=True, num_threads=self._threads_for(rows))
        return self.codes.unfold(values[: len(X), :-1], X), float(values[0, -1])

    def _read(self, X: np.ndarray) -> np.ndarray:
        X = np.asarray(X, dtype=float)
        return X if self.codes is None else self.codes.fold(X)

    def _threads_for(self, rows: np.ndarray) -> int:
        return self.threads if len(rows) * self.booster.num_trees() > SMALL else 1

    def to_text(self) -> str:
        """Return LightGBM's own text, without the settings of the run that made it."""
        text = self.booster.model_to_string()
        head, _, rest = text.partition("\nparameters:")
        return head + "\n" + rest.partition("end of parameters\n")[2]

    @classmethod
    def from_text(cls, text: str, blocks: tuple[int, ...] = ()) -> "Trees":
        """Rebuild from text, and `blocks` where trees read codes; raises IntegrityError for a damaged text."""
        import lightgbm

        check_trees(text)  # LightGBM ends the process on what is damaged
        return cls(lightgbm.Booster(model_str=text), codes=LevelCodes(blocks) if blocks else None)


def _threads_for(X: np.ndarray, threads: int) -> int:
    return threads if X.size > SMALL else 1
