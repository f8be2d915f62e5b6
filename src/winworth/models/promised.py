"""Do announced chances come true before their horizon has passed: each deal counts as far as it has been followed."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from winworth.models.calibration import LEAST_SLOPE, MOST_SLOPE, Platt

Z99 = 2.5758293035489004


@dataclass(frozen=True)
class Coins:
    """Wins seen beside those announced, and how far apart in standard errors; the ratio has a 95 % interval."""

    n: int
    seen: int
    announced: float
    z: float
    p: float
    ratio: float
    low: float
    high: float


def sum_of_coins(p: np.ndarray, won: np.ndarray, accounts: np.ndarray, *, shift_error: float = 0.0) -> Coins:
    """Set wins beside the sum of their chances: a sum of unlike coins (Poisson binomial).

    The spread is that of the coins, or of the accounts' own sums where those vary more; `shift_error` is how surely the
    intercept of the chances was known when they were announced, as a standard error.
    """
    coins = float(np.sqrt((p * (1 - p)).sum()))
    codes = np.unique(accounts, return_inverse=True)[1]
    spread = max(coins, float(np.sqrt((np.bincount(codes, won - p) ** 2).sum())) if len(p) else 0.0)
    spread = float(np.hypot(spread, shift_error * (p * (1 - p)).sum()))
    gap, told = float((won - p).sum()), float(p.sum())
    z = gap / spread if spread > 0 else 0.0
    ends = [(won.sum() + side * 1.96 * spread) / told if told > 0 else np.nan for side in (0, -1, 1)]
    return Coins(len(p), int(won.sum()), told, z, float(2 * norm.sf(abs(z))), ends[0], max(ends[1], 0.0), ends[2])


@dataclass(frozen=True)
class Refit:
    """Slope and intercept of announced log-odds, with standard errors over accounts, and the rows behind them."""

    platt: Platt
    slope_error: float
    intercept_error: float
    n: int

    def interval(self, name: str, z: float = 1.96) -> tuple[float, float]:
        """Return the interval of `slope` or `intercept`."""
        value, error = getattr(self.platt, name), getattr(self, f"{name}_error")
        return value - z * error, value + z * error


def refit(margin: np.ndarray, share: np.ndarray, won: np.ndarray, accounts: np.ndarray) -> Refit:
    """Fit P(won by now) = share x sigmoid(intercept + slope x margin) by maximum likelihood, with scores as Newton's curve.

    `share` is the part of the horizon's chance that has had its time (1: all of it); with 1 everywhere this is Platt's fit.
    Errors are the sandwich over accounts (Liang and Zeger 1986). A slope outside 0.05-20 is held at that end; where the margin
    is constant only the intercept is fitted.
    """
    has_slope = np.ptp(margin) > 1e-9
    X = np.column_stack([margin, np.ones(len(margin))])[:, 0 if has_slope else 1 :]
    theta = np.array([1.0, 0.0])[0 if has_slope else 1 :]
    offset = 0.0 if has_slope else margin
    loss = _loss(X @ theta + offset, share, won)
    for _ in range(200):
        score, curve = _scores(X, X @ theta + offset, share, won)
        step = np.linalg.solve(curve + 1e-9 * np.eye(len(theta)), score.sum(axis=0))
        while (better := _loss(X @ (theta + step) + offset, share, won)) > loss + 1e-12 and np.abs(step).max() > 1e-12:
            step = step / 2
        theta, loss = theta + step, better
        if has_slope:
            theta[0] = np.clip(theta[0], LEAST_SLOPE, MOST_SLOPE)
        if np.abs(step).max() < 1e-9:
            break
    errors = _errors(*_scores(X, X @ theta + offset, share, won), accounts)
    slope = (float(theta[0]), errors[0]) if has_slope else (1.0, 0.0)
    return Refit(Platt(slope[0], float(theta[-1])), slope[1], errors[-1], len(margin))


def errors_when_announced(z: np.ndarray, won: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return the standard errors of slope, and of a shift alone, of calibrated log-odds by the rows they were calibrated on."""
    p = expit(z)
    curve = weight * p * (1 - p)
    centred = z - np.average(z, weights=curve)
    residual = (weight * (won - p)) ** 2
    slope, shift = curve @ centred**2, curve.sum()
    return float(np.sqrt(residual @ centred**2) / max(slope, 1e-12)), float(np.sqrt(residual.sum()) / max(shift, 1e-12))


def _chance(eta: np.ndarray, share: np.ndarray) -> np.ndarray:
    return np.clip(share * expit(eta), 1e-12, 1 - 1e-12)


def _loss(eta: np.ndarray, share: np.ndarray, won: np.ndarray) -> float:
    p = _chance(eta, share)
    return float(-(won * np.log(p) + (1 - won) * np.log1p(-p)).mean())


def _scores(X: np.ndarray, eta: np.ndarray, share: np.ndarray, won: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's score and the expected information."""
    p, s = _chance(eta, share), expit(eta)
    rise = share * s * (1 - s)
    return X * (rise * (won - p) / (p * (1 - p)))[:, None], (X * (rise**2 / (p * (1 - p)))[:, None]).T @ X


def _errors(score: np.ndarray, curve: np.ndarray, accounts: np.ndarray) -> list[float]:
    codes = np.unique(accounts, return_inverse=True)[1]
    summed = np.zeros((int(codes.max(initial=0)) + 1, score.shape[1]))
    np.add.at(summed, codes, score)
    bread = np.linalg.pinv(curve)
    n = len(summed)
    meat = summed.T @ summed * (n / max(n - 1, 1))
    return np.sqrt(np.diag(bread @ meat @ bread)).tolist()
