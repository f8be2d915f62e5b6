"""The ridge half of both models: standardised columns, missing ones flagged, coefficients that can be read."""

from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Standardiser:
    """How each matrix column is put on one scale: log1p where skewed, median for missing, mean 0, deviation 1."""

    log: np.ndarray
    median: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    missing_centre: np.ndarray
    missing_spread: np.ndarray

    @classmethod
    def learn(cls, X: np.ndarray, weight: np.ndarray) -> "Standardiser":
        """Learn the scale of each column; a constant column gets an infinite spread, so that it becomes 0."""
        known = ~np.isnan(X)
        median = np.array([np.median(x[k]) if k.any() else 0.0 for x, k in zip(X.T, known.T, strict=True)])
        filled = np.where(known, X, median)
        log = np.array([_is_skewed(x) for x in filled.T], dtype=bool)
        z = _scaled(filled, log)
        missing = (~known).astype(float)
        return cls(log, median, *_moments(z, weight), *_moments(missing, weight))

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the standardised columns, then their missing flags: (rows, 2 x columns)."""
        missing = np.isnan(X)
        z = _scaled(np.where(missing, self.median, X), self.log)
        return np.hstack([(z - self.centre) / self.spread, (missing - self.missing_centre) / self.missing_spread])


@dataclass(frozen=True)
class Linear:
    """A linear model on standardised columns: margin = intercept + sum of contributions."""

    scale: Standardiser
    coefficients: np.ndarray
    intercept: float

    @classmethod
    def fit_logit(cls, X: np.ndarray, y: np.ndarray, weight: np.ndarray, *, C: float) -> "Linear":
        """Fit a ridge logistic regression."""
        from sklearn.linear_model import LogisticRegression

        scale = Standardiser.learn(X, weight)
        with one_thread():
            fitted = LogisticRegression(C=C, max_iter=500, tol=1e-6).fit(scale.transform(X), y, sample_weight=weight)
        return cls(scale, fitted.coef_[0], float(fitted.intercept_[0]))

    @classmethod
    def fit_ridge(cls, X: np.ndarray, y: np.ndarray, weight: np.ndarray, *, alpha: float) -> "Linear":
        """Fit a ridge regression."""
        from sklearn.linear_model import Ridge

        scale = Standardiser.learn(X, weight)
        with one_thread():
            fitted = Ridge(alpha=alpha).fit(scale.transform(X), y, sample_weight=weight)
        return cls(scale, fitted.coef_, float(fitted.intercept_))

    def margin(self, X: np.ndarray) -> np.ndarray:
        """Return the linear predictor of each row, column by column: each row by itself, whatever stands beside it."""
        found, scale, n = np.full(len(X), self.intercept), self.scale, len(self.scale.median)
        slopes, steps = self.coefficients[:n] / scale.spread, self.coefficients[n:] / scale.missing_spread
        for j, (x, slope, step) in enumerate(zip(X.T, slopes, steps, strict=True)):
            missing = np.isnan(x)
            if slope:
                filled = np.where(missing, scale.median[j], x)
                found += slope * ((np.log1p(np.maximum(filled, 0)) if scale.log[j] else filled) - scale.centre[j])
            if step:
                found += step * (missing - scale.missing_centre[j])
        return found

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Return each column's part of the margin, its missing flag included: (rows, columns), 0 at the training mean."""
        parts = self.scale.transform(X) * self.coefficients
        n = X.shape[1]
        return parts[:, :n] + parts[:, n:]

    def to_dict(self) -> dict:
        """Return all numbers, for JSON."""
        scale = {name: np.where(np.isinf(v), 0, v).tolist() for name, v in asdict(self.scale).items()}
        return {"scale": scale, "coefficients": self.coefficients.tolist(), "intercept": self.intercept}

    @classmethod
    def from_dict(cls, learnt: dict) -> "Linear":
        """Rebuild what `to_dict` wrote, where a spread of 0 stands for a constant column."""
        scale = {name: np.asarray(v) for name, v in learnt["scale"].items()}
        scale["log"] = scale["log"].astype(bool)  # JSON has them as 0 and 1, which would be places of columns
        for name in ("spread", "missing_spread"):
            scale[name] = np.where(scale[name] == 0, np.inf, scale[name])
        return cls(Standardiser(**scale), np.asarray(learnt["coefficients"]), learnt["intercept"])


def row_sums(terms: np.ndarray) -> np.ndarray:
    """Sum each row by itself: a matrix product rounds by how many rows stand beside it."""
    return np.ascontiguousarray(terms).sum(axis=1)


def one_thread() -> AbstractContextManager:
    """Keep linear algebra to one thread: sums then do not depend on how many there are."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")


def _is_skewed(x: np.ndarray) -> bool:
    if x.min() < 0 or len(np.unique(x[:1000])) <= 2:
        return False
    centred = x - x.mean()
    deviation = centred.std()
    return bool(deviation > 0 and (centred**3).mean() / deviation**3 > 2)


def _scaled(X: np.ndarray, log: np.ndarray) -> np.ndarray:
    scaled = X.copy()
    scaled[:, log] = np.log1p(np.maximum(X[:, log], 0))
    return scaled


def _moments(z: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centre = np.average(z, axis=0, weights=weight)
    spread = np.sqrt(np.average((z - centre) ** 2, axis=0, weights=weight))
    return centre, np.where(spread > 1e-12, spread, np.inf)
