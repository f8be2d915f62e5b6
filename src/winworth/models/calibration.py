"""Platt's slope and intercept on the logit, learnt on later deals."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


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

    The fit is unpenalised; a slope that would turn the order round is held at 0.05.
    """
    weight = np.ones(len(y)) if weight is None else weight
    fixed = np.ptp(margin) < 1e-9

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = theta[0] * margin + theta[1]
        value = np.sum(weight * (np.logaddexp(0, z) - y * z)) / weight.sum()
        error = weight * (expit(z) - y) / weight.sum()
        return value, np.array([0.0 if fixed else error @ margin, error.sum()])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.05, 20), (-20, 20)])
    return Platt(*map(float, found.x))
