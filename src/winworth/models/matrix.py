"""A feature table becomes numbers, by name: numbers as they are, levels as one column each."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from winworth.errors import DataError, listed

OTHER = "(other)"
MISSING = "(missing)"
LARGEST = 1e15  # numbers beyond are held there: squares of them would overflow


@dataclass(frozen=True)
class MatrixColumn:
    """One column of the matrix: the feature it comes from, and its level where the feature has levels."""

    feature: str
    level: str | None = None


class FeatureMatrix(BaseEstimator, TransformerMixin):
    """Learn the levels and medians of a feature table, then turn any such table into a float64 matrix by name.

    A level seen in fewer than `min_level_share` of the rows (and five rows) is pooled into "(other)", as is a level never
    seen; a missing level has a column of its own. A missing number stays NaN where training had missing ones too, and
    becomes the training median where it had none, since trees would read it as 0.

    >>> table = pd.DataFrame({"size": [1.0, 2.0, 3.0], "sector": ["it", "it", None]})
    >>> FeatureMatrix(min_level_share=0.5).fit(table[:2]).transform(table)
    array([[1., 1., 0., 0.],
           [2., 1., 0., 0.],
           [3., 0., 0., 1.]])
    """

    def __init__(self, min_level_share: float = 0.005):
        self.min_level_share = min_level_share

    def fit(self, X: pd.DataFrame, y: object = None) -> "FeatureMatrix":
        """Learn medians, levels and the order of the columns."""
        least = min(max(5, self.min_level_share * len(X)), max(1, len(X) / 2))
        self.medians_: dict[str, float] = {}
        self.may_miss_: dict[str, bool] = {}
        self.levels_: dict[str, list[str]] = {}
        for name, column in X.items():
            if pd.api.types.is_numeric_dtype(column):
                self.medians_[name] = float(column.median()) if column.notna().any() else 0.0
                self.may_miss_[name] = bool(column.isna().any())
            else:
                counts = column.fillna(MISSING).value_counts()
                self.levels_[name] = [*sorted(set(counts.index[counts >= least]) - {OTHER, MISSING}), OTHER, MISSING]
        self.features_ = list(X.columns)
        return self

    @property
    def columns_(self) -> list[MatrixColumn]:
        """The columns of the matrix, in order."""
        return [MatrixColumn(feature, level) for feature in self.features_ for level in self.levels_.get(feature, [None])]

    @property
    def blocks_(self) -> tuple[int, ...]:
        """By column: the place of the feature whose level it is, or -1 for a number."""
        place = {feature: k for k, feature in enumerate(self.features_)}
        return tuple(-1 if column.level is None else place[column.feature] for column in self.columns_)

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the matrix, (rows, columns_), whatever the order of the columns of X."""
        lacking = [name for name in self.features_ if name not in X.columns]
        if lacking:
            raise DataError(f"The feature table lacks {len(lacking)} columns the model was trained on: {listed(lacking)}.")
        found, at = np.empty((len(X), len(self.columns_)), order="F"), 0  # models read it column by column
        for name in self.features_:
            n = len(self.levels_.get(name, [name]))
            found[:, at : at + n] = self._block(name, X[name])
            at += n
        return found

    def unseen_levels(self, X: pd.DataFrame) -> dict[str, int]:
        """Count, by feature, the rows whose level was pooled or never seen in training."""
        strange = {name: ~X[name].fillna(MISSING).isin(levels) for name, levels in self.levels_.items()}
        return {name: int(rows.sum()) for name, rows in strange.items() if rows.any()}

    def newly_missing(self, X: Mapping[str, pd.Series]) -> dict[str, int]:
        """Count, by number that no training row lacked, the rows that lack it: they count as its training median."""
        lacking = {name: int(X[name].isna().sum()) for name, may in self.may_miss_.items() if not may}
        return {name: n for name, n in lacking.items() if n}

    def _block(self, name: str, column: pd.Series) -> np.ndarray:
        """Return the columns of a feature: (rows, levels), or (rows, 1) of a number."""
        if name in self.medians_:
            numbers = np.clip(column.to_numpy(dtype=float, na_value=np.nan), -LARGEST, LARGEST)
            return (numbers if self.may_miss_[name] else np.where(np.isnan(numbers), self.medians_[name], numbers))[:, None]
        levels = self.levels_[name]
        codes = pd.Index(levels).get_indexer(column.fillna(MISSING))
        return np.where(codes < 0, levels.index(OTHER), codes)[:, None] == np.arange(len(levels))

    def to_dict(self) -> dict:
        """Return all that was learnt, for JSON."""
        return {
            "features": self.features_,
            "medians": self.medians_,
            "may_miss": self.may_miss_,
            "levels": self.levels_,
            "min_level_share": self.min_level_share,
        }

    @classmethod
    def from_dict(cls, learnt: dict) -> "FeatureMatrix":
        """Rebuild what `to_dict` wrote."""
        matrix = cls(learnt["min_level_share"])
        matrix.features_, matrix.medians_ = learnt["features"], learnt["medians"]
        matrix.may_miss_, matrix.levels_ = learnt["may_miss"], learnt["levels"]
        return matrix
