"""The space in which accounts resemble each other: features on one scale, each as wide as it matters."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import skew

from winworth.models.matrix import FeatureMatrix

TAIL = 0.01  # numbers are held between this quantile and its mirror
SKEWED = 1.0  # skewness, tails held, from which numbers that are never negative are taken in logs
_ARRAYS = ("low", "high", "log", "centre", "spread", "root_share")


@dataclass(frozen=True)
class Space:
    """How each matrix column is put on one scale: held between `low` and `high`, in logs where skewed, mean 0, deviation 1.

    Levels stay 0 or 1. All is multiplied by the root of the feature's share of importance, so that squared distances are
    shared out among features as importance is. A missing number stands at the mean; a missing level is a level of its own.
    """

    matrix: FeatureMatrix
    low: np.ndarray
    high: np.ndarray
    log: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    root_share: np.ndarray

    @classmethod
    def learn(cls, features: pd.DataFrame, shares: pd.Series) -> "Space":
        """Learn the scale from a table; features without a share are left out, and a constant column stands still at 0."""
        used = sorted(name for name in features.columns if shares.get(name, 0) > 0)
        matrix = FeatureMatrix().fit(features[used])
        X = np.sort(matrix.transform(features[used]), axis=0)  # sums then do not depend on the order of the rows
        scales = [_scale(x, column.level is not None) for x, column in zip(X.T, matrix.columns_, strict=True)]
        low, high, log, centre, spread = (np.array(part) for part in zip(*scales, strict=True)) if scales else [np.empty(0)] * 5
        root_share = np.sqrt([float(shares[column.feature]) for column in matrix.columns_])
        return cls(matrix, low, high, log.astype(bool), centre, spread, root_share)

    def place(self, features: pd.DataFrame) -> np.ndarray:
        """Return the place of each row: (rows, matrix columns)."""
        z = np.clip(self.matrix.transform(features), self.low, self.high)
        z = np.where(self.log, np.log1p(np.where(self.log, z, 0.0)), z)
        return np.nan_to_num((z - self.centre) / self.spread) * self.root_share

    def to_dict(self) -> dict:
        """Return all numbers, for JSON; a constant column has a spread of 0 there."""
        scale = {name: getattr(self, name) for name in _ARRAYS}
        scale["spread"] = np.where(np.isinf(self.spread), 0.0, self.spread)
        return {"matrix": self.matrix.to_dict()} | {name: array.tolist() for name, array in scale.items()}

    @classmethod
    def from_dict(cls, learnt: dict) -> "Space":
        """Rebuild what `to_dict` wrote."""
        scale = {name: np.asarray(learnt[name], dtype=bool if name == "log" else float) for name in _ARRAYS}
        scale["spread"] = np.where(scale["spread"] == 0, np.inf, scale["spread"])
        return cls(FeatureMatrix.from_dict(learnt["matrix"]), **scale)


def _scale(x: np.ndarray, is_level: bool) -> tuple[float, float, bool, float, float]:
    known = x[~np.isnan(x)]
    if is_level or not len(known):
        return 0.0, 1.0, False, 0.0, 1.0
    low, high = np.quantile(known, [TAIL, 1 - TAIL])
    held = np.clip(known, low, high)
    log = bool(low >= 0 and high > low and skew(held) > SKEWED)
    z = np.log1p(held) if log else held
    spread = z.std()
    return low, high, log, z.mean(), spread if spread > 1e-12 * max(1.0, abs(z.mean())) else np.inf
