"""Which criteria hold on data their models have not seen: a slope for each, drawn towards a common one by its own doubt.

Attributions that follow noise are too large: on rows out of fold the outcome answers them with a slope below 1. Each
criterion's slope is measured with its standard error, and drawn towards the common slope as far as that error and the
spread of the slopes say (empirical Bayes; "shrunk SHAP" of Loecher 2023, lifted from features to criteria).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.optimize import nnls
from scipy.special import expit

LEAST_SPREAD = 0.02  # variance of slopes between criteria that is always granted
MEASURED = 0.25  # variance added to a slope's own when slopes are averaged, so that none of them decides alone
WEAK = 1 / 25.0  # how strongly a measured slope is held to the common one: it only keeps separated outcomes finite
N_STEPS = 60


@dataclass(frozen=True)
class Outcomes:
    """What became of some rows: outcomes (0-1 where `is_chance`, else logs of money), weights, and account codes."""

    y: np.ndarray
    weight: np.ndarray
    accounts: np.ndarray
    is_chance: bool


@dataclass(frozen=True)
class Slopes:
    """Slopes by criterion: `shrunk` is what to multiply contributions by; `measured` and `error` are what it rests on."""

    shrunk: np.ndarray
    measured: np.ndarray
    error: np.ndarray
    common: float
    spread: float


@dataclass(frozen=True)
class _Fit:
    slopes: np.ndarray
    residual: np.ndarray
    curvature: np.ndarray
    centred: np.ndarray


def shrunk_slopes(parts: np.ndarray, outcomes: Outcomes, like: Slopes | None = None) -> Slopes:
    """Measure the slope of outcomes on each criterion's contribution out of fold, and draw it towards the common slope.

    `parts` is (rows, criteria). A criterion that contributes the same to every row keeps the common slope. The common slope
    and the spread are those of `like` where it is given.
    """
    moves = parts.std(axis=0) > 1e-12
    n = parts.shape[1]
    if not moves.any() or len(parts) < 3:
        return Slopes(np.ones(n), np.ones(n), np.full(n, np.inf), 1.0, LEAST_SPREAD)
    own = parts[:, moves]
    noise = 1.0 if outcomes.is_chance else _noise(own, outcomes)
    total = own.sum(axis=1, keepdims=True)
    common = like.common if like else float(_fit(total, outcomes, centre=1.0, hold=1e-9, noise=noise).slopes[0])
    free = _fit(own, outcomes, centre=common, hold=WEAK, noise=noise, is_bounded=False)
    error = _clustered(free, outcomes.accounts)
    spread = like.spread if like else slope_spread(free.slopes, error, common)
    drawn = _fit(own, outcomes, centre=common, hold=1 / spread, noise=noise)
    full = [np.full(n, common), np.full(n, common), np.full(n, np.inf)]
    for whole, found in zip(full, (drawn.slopes, free.slopes, error), strict=True):
        whole[moves] = found
    return Slopes(*full, common, spread)


def slope_spread(slopes: np.ndarray, error: np.ndarray, common: float) -> float:
    """Return the variance of the true slopes round the common one: what is seen, less what the errors explain."""
    weight = 1 / (error**2 + MEASURED)
    return max(float(weight @ ((slopes - common) ** 2 - error**2) / weight.sum()), LEAST_SPREAD)


def _noise(parts: np.ndarray, outcomes: Outcomes) -> float:
    """Return the variance of log values that a regression on the contributions leaves."""
    root = np.sqrt(outcomes.weight)
    columns = np.column_stack([np.ones(len(parts)), parts])
    left = (
        root * outcomes.y
        - (columns * root[:, None]) @ np.linalg.lstsq(columns * root[:, None], root * outcomes.y, rcond=None)[0]
    )
    return max(float(left @ left / outcomes.weight.sum()), 1e-12)


def _fit(parts: np.ndarray, outcomes: Outcomes, *, centre: float, hold: float, noise: float, is_bounded: bool = True) -> _Fit:
    """Fit slopes, and a free intercept, by Newton's method, with the penalty hold x (slope - centre)^2 / 2.

    Where `is_bounded` no slope is below 0: each Newton step is then a non-negative least-squares problem.
    """
    slopes, intercept = np.full(parts.shape[1], max(centre, 0.0)), 0.0
    for _ in range(N_STEPS if outcomes.is_chance else 1):
        told = intercept + parts @ slopes
        mean = expit(told) if outcomes.is_chance else told
        curve = outcomes.weight * (np.maximum(mean * (1 - mean), 1e-6) if outcomes.is_chance else 1 / noise)
        gradient = outcomes.weight * (outcomes.y - mean) / noise
        middle = curve @ parts / curve.sum()
        centred = parts - middle
        pull = curve * (told - curve @ told / curve.sum()) + gradient
        A = (centred * curve[:, None]).T @ centred + hold * np.eye(len(slopes))
        c = centred.T @ pull + hold * centre
        found = _non_negative(A, c) if is_bounded else cho_solve(cho_factor(A), c)
        start = float((curve @ told + gradient.sum()) / curve.sum() - middle @ found)
        step = max(np.abs(found - slopes).max(), abs(start - intercept))
        slopes, intercept = found, start
        if step < 1e-11:
            break
    told = intercept + parts @ slopes
    residual = outcomes.weight * (outcomes.y - (expit(told) if outcomes.is_chance else told)) / noise
    return _Fit(slopes, residual, A, centred)


def _non_negative(A: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Minimise b'Ab/2 - c'b over b >= 0."""
    root = cholesky(A, lower=True)
    return nnls(root.T, solve_triangular(root, c, lower=True))[0]


def _clustered(fit: _Fit, accounts: np.ndarray) -> np.ndarray:
    """Return standard errors of slopes that hold where the rows of an account go together (Liang and Zeger 1986)."""
    codes = np.unique(accounts, return_inverse=True)[1]
    scores = fit.centred * fit.residual[:, None]
    by_account = np.column_stack([np.bincount(codes, column) for column in scores.T])
    inverse = np.linalg.inv(fit.curvature)
    return np.sqrt(np.maximum(np.diag(inverse @ (by_account.T @ by_account) @ inverse), 1e-18))
