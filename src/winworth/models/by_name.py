"""A model and the matrix it was trained on, kept together so that columns are always found by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import pandas as pd

from winworth.models.matrix import FeatureMatrix, MatrixColumn


class Additive(Protocol):
    """A model whose prediction, in logs or log-odds, is a base and a sum of contributions."""

    def contributions(self, X: np.ndarray) -> tuple[np.ndarray, float]:
        """Return (rows, columns) and the base."""


M = TypeVar("M", bound=Additive)


@dataclass(frozen=True)
class ByName(Generic[M]):
    """A fitted model that takes feature tables."""

    matrix: FeatureMatrix
    model: M

    def attributions(self, features: pd.DataFrame) -> tuple[pd.DataFrame, float]:
        """Return each feature's SHAP value on each row, one column a feature, and the base they start from."""
        values, base = self.model.contributions(self.matrix.transform(features))
        owners = [column.feature for column in self.matrix.columns_]
        summed = pd.DataFrame(values.T).groupby(np.array(owners, dtype=object), sort=False).sum().T
        return summed.reindex(columns=self.matrix.features_).set_axis(features.index), base


def monotone_columns(columns: list[MatrixColumn], directions: Mapping[str, str]) -> tuple[int, ...]:
    """Return 1, -1 or 0 for each matrix column: the declared direction of numbers, none for levels."""
    signs = {"up": 1, "down": -1}
    return tuple(0 if column.level else signs.get(directions.get(column.feature, ""), 0) for column in columns)
