"""Platt's slope and intercept on the logit, learnt on later deals."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import expit

LEAST_SLOPE, MOST_SLOPE = 0.05, 20.0


@dataclass(frozen=True)
class Platt:
    """Calibrated log-odds = intercept + slope x log-odds (Platt 1999)."""

    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, margin: np.ndarray) -> np.ndarray:
        """Return the calibrated log-odds."""
        return self.intercept + self.slope * margin

    def to_dict(self) -> dict[str, float]:
        """Return both numbers."""
        return asdict(self)


def fit_platt(margin: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> Platt:
    """Fit slope and intercept by maximum likelihood (Cox 1958); where the margin is constant only the intercept.

    The fit is unpenalised, by Newton's method; a slope outside 0.05-20 is held at that end, so that it never turns the
    order round nor runs away where outcomes are parted without error.
    """
    weight = np.ones(len(y)) if weight is None else weight
    intercept = intercept_shift(margin, y, weight)
    if np.ptp(margin) < 1e-9:
        return Platt(1.0, intercept)
    theta = np.array([1.0, intercept])
    loss = _loss(theta, margin, y, weight)
    for _ in range(100):
        p = expit(theta[0] * margin + theta[1])
        error, curve = weight * (p - y), weight * p * (1 - p)
        gradient = np.array([error @ margin, error.sum()])
        cross = curve @ margin
        hessian = np.array([[curve @ margin**2, cross], [cross, curve.sum()]]) + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        tried = theta - step
        while (better := _loss(tried, margin, y, weight)) > loss + 1e-12 and np.abs(step).max() > 1e-12:
            step = step / 2
            tried = theta - step
        theta, moved, loss = tried, np.abs(step).max(), better
        if moved < 1e-9:
            break
    slope = float(np.clip(theta[0], LEAST_SLOPE, MOST_SLOPE))
    return Platt(slope, float(theta[1]) if slope == theta[0] else intercept_shift(slope * margin, y, weight))


def _loss(theta: np.ndarray, margin: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    z = theta[0] * margin + theta[1]
    return float(weight @ (np.logaddexp(0, z) - y * z) / weight.sum())


def intercept_shift(z: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """Return what is added to log-odds so that expected and observed wins agree, held within 20."""
    shift = 0.0
    for _ in range(100):
        p = expit(z + shift)
        step = float(weight @ (y - p) / max(weight @ (p * (1 - p)), 1e-12))
        shift = float(np.clip(shift + np.clip(step, -2, 2), -20, 20))
        if abs(step) < 1e-10 or abs(shift) == 20:
            break
    return shift
