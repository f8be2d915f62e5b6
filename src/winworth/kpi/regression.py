"""Least squares whose errors hold where the rows of an account go together (Liang and Zeger 1986)."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import f as fisher
from scipy.stats import t as student

LEVEL = 0.05
POWER = 0.8


@dataclass(frozen=True)
class Clustered:
    """Slopes by column, and `influence` (clusters, columns): how far each cluster pulls each slope.

    `freedom` is that of the smaller side's clusters: few clusters on one side say little, however many are on the other.
    """

    slopes: np.ndarray
    influence: np.ndarray
    freedom: int

    @property
    def covariance(self) -> np.ndarray:
        """The slopes' covariance, with the factor n / (n - 1) of n clusters; infinite with one cluster."""
        return spread_of(self.influence)

    def p_of(self, columns: list[int]) -> float:
        """Return p for all these slopes being 0 (Wald's test, as an F); NaN where there are none."""
        k = len(columns)
        if k == 0 or self.freedom < k:
            return float("nan")
        slopes, covariance = self.slopes[columns], self.covariance[np.ix_(columns, columns)]
        wald = float(slopes @ np.linalg.pinv(covariance, hermitian=True) @ slopes)
        # Hotelling's T squared: a covariance learnt from few clusters is itself in doubt.
        return float(fisher.sf(wald * (self.freedom - k + 1) / (self.freedom * k), k, self.freedom - k + 1))


def spread_of(influence: np.ndarray) -> np.ndarray:
    """Return the covariance that influences by cluster (clusters, columns) add up to."""
    n = len(influence)
    scale = n / (n - 1) if n > 1 else np.inf
    return influence.T @ influence * scale


def least_squares(
    X: np.ndarray, y: np.ndarray, weight: np.ndarray, cluster: np.ndarray, side: np.ndarray | None = None
) -> Clustered:
    """Fit weighted least squares; `side` says on which of two sides, if there are two, each row's cluster stands."""
    codes = np.unique(cluster, return_inverse=True)[1]
    bread = np.linalg.pinv((X * weight[:, None]).T @ X, hermitian=True)
    slopes = bread @ (X.T @ (weight * y))
    scores = X * (weight * (y - X @ slopes))[:, None]
    summed = np.column_stack([np.bincount(codes, column) for column in scores.T])
    sides = [np.ones(len(y), dtype=bool)] if side is None else [side, ~side]
    freedom = min(len(np.unique(codes[rows])) for rows in sides) - 1
    return Clustered(slopes, summed @ bread, freedom)


def p_two_sided(value: float, error: float, freedom: int) -> float:
    """Return p for a true value of 0; 1 where nothing can be said."""
    return float(2 * student.sf(abs(value) / error, freedom)) if freedom > 0 and 0 < error < np.inf else 1.0


def half_width(error: float, freedom: int, level: float = LEVEL) -> float:
    """Return half the width of the interval with the given error; infinite without freedom."""
    return float(error * student.ppf(1 - level / 2, freedom)) if freedom > 0 else float("inf")


def least_detectable(error: float, freedom: int) -> float:
    """Return the true effect that would be found in 8 of 10 cases at this error."""
    if freedom <= 0:
        return float("inf")
    return float(error * (student.ppf(1 - LEVEL / 2, freedom) + student.ppf(POWER, freedom)))


def dummies(codes: np.ndarray, *, drop: int) -> np.ndarray:
    """Return a column of 0 and 1 for every code but `drop`.

    >>> dummies(np.array([0, 2, 2]), drop=0).tolist()
    [[0.0], [1.0], [1.0]]
    """
    levels = np.unique(codes)
    return (codes[:, None] == levels[levels != drop]).astype(float)
