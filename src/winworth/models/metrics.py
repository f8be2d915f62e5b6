"""Discrimination, calibration and gain, each with an interval by a bootstrap over accounts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logit
from scipy.stats import rankdata

from winworth.models.calibration import fit_platt, intercept_shift

Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Figure:
    """A value with its 95 % interval over accounts, and the number of rows behind it; NaN where it is not measured."""

    value: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the figure for JSON, where what is not measured is null."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: float(v) if np.isfinite(v) else None for name, v in numbers.items()} | {"n": self.n}


def auc(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
    """Return the chance that a won row is ranked above a lost one, ties counted half; NaN with one class only."""
    order = np.argsort(p, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(p[order]) > 0, True])
    won = np.diff(np.r_[0.0, np.cumsum((w * y)[order])[last]])
    lost = np.diff(np.r_[0.0, np.cumsum((w * (1 - y))[order])[last]])
    pairs = won.sum() * lost.sum()
    return float((won * (np.cumsum(lost) - lost / 2)).sum() / pairs) if pairs > 0 else float("nan")


def auc_within(fold: np.ndarray) -> Metric:
    """Return the AUC over pairs of rows of one fold: models of different folds are not on one scale (Parker et al. 2007)."""
    folds = [np.flatnonzero(fold == k) for k in np.unique(fold)]

    def within(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
        found = [(auc(y[r], p[r], w[r]), (w[r] @ y[r]) * (w[r] @ (1 - y[r]))) for r in folds]
        pairs = sum(n for value, n in found if n > 0)
        return float(sum(value * n for value, n in found if n > 0) / pairs) if pairs > 0 else float("nan")

    return within


def log_loss_rows(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return each row's log loss, for probabilities strictly between 0 and 1."""
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return -(y * np.log(p) + (1 - y) * np.log1p(-p))


def log_loss(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
    """Return the mean log loss."""
    return float(np.average(log_loss_rows(y, p), weights=w))


def brier(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
    """Return the mean squared error of the probabilities."""
    return float(np.average((y - p) ** 2, weights=w))


def calibration_slope(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
    """Return Cox's slope: 1 is right, below 1 is too sure."""
    return fit_platt(logit(np.clip(p, 1e-9, 1 - 1e-9)), y, w).slope


def calibration_intercept(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
    """Return the log of observed over predicted odds in the large, by Cox's fit with the slope held at 1."""
    return intercept_shift(logit(np.clip(p, 1e-9, 1 - 1e-9)), y, w)


def lift_at(share: float) -> Metric:
    """Return the metric: win rate among the highest `share` of the weight over that of all; rows that tie count in part."""

    def lift(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
        order = np.argsort(-p, kind="stable")
        last = np.flatnonzero(np.r_[np.diff(p[order]) < 0, True])
        rows, won = (np.r_[0.0, np.cumsum(x[order])[last]] for x in (w, w * y))
        if won[-1] <= 0:
            return float("nan")
        return float(np.interp(share * rows[-1], rows, won) / (share * won[-1]))

    return lift


def win_metrics(share: float, fold: np.ndarray | None = None) -> dict[str, Metric]:
    """Return every win metric by its stable key; `share` is the capacity at which lift is read, `fold` that of each row."""
    return {
        "auc": auc if fold is None else auc_within(fold),
        "log_loss": log_loss,
        "brier": brier,
        "base_rate": lambda y, p, w: float(np.average(y, weights=w)),
        "calibration_slope": calibration_slope,
        "calibration_intercept": calibration_intercept,
        "lift_at_capacity": lift_at(share),
    }


def with_interval(
    metric: Metric, y: np.ndarray, p: np.ndarray, w: np.ndarray, groups: np.ndarray, *, seed: int, n_boot: int = 200
) -> Figure:
    """Measure with a 95 % percentile interval: whole accounts are drawn with replacement."""
    draws = [metric(y, p, w * counts) for counts in account_draws(groups, seed=seed, n_boot=n_boot)]
    finite = np.array([d for d in draws if np.isfinite(d)])
    low, high = np.quantile(finite, [0.025, 0.975]) if len(finite) > n_boot // 2 else (np.nan, np.nan)
    return Figure(metric(y, p, w), float(low), float(high), len(y))


def account_draws(groups: np.ndarray, *, seed: int, n_boot: int) -> list[np.ndarray]:
    """Return, for each replicate, how often each row is drawn when whole groups are drawn with replacement."""
    codes = np.unique(groups, return_inverse=True)[1]
    n = int(codes.max(initial=-1)) + 1
    rng = np.random.default_rng(seed)
    return [np.bincount(rng.integers(0, n, n), minlength=n)[codes].astype(float) for _ in range(n_boot)]


def paired_difference(loss: np.ndarray, rival: np.ndarray, w: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Return the weighted mean of loss - rival and its standard error, rows of one account counted as one draw.

    The error has the factor n / (n - 1) of n accounts; with one account it is infinite.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    difference = loss - rival
    mean = float(np.average(difference, weights=w))
    by_group = np.bincount(codes, w * (difference - mean))
    n = len(by_group)
    if n < 2:
        return mean, float("inf")
    return mean, float(np.sqrt((by_group**2).sum() * n / (n - 1)) / w.sum())


def spearman(y: np.ndarray, p: np.ndarray) -> float:
    """Return the rank correlation."""
    if len(y) < 3 or np.ptp(y) == 0 or np.ptp(p) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(y), rankdata(p))[0, 1])


def gini(y: np.ndarray, p: np.ndarray) -> float:
    """Return the normalised Gini: 1 where the order of `p` is that of `y`, 0 where it is random; ties share their mean."""
    if len(y) == 0 or y.sum() <= 0:
        return float("nan")

    def area(by: np.ndarray) -> float:
        codes = np.unique(-by, return_inverse=True)[1]
        tied = np.bincount(codes, y) / np.bincount(codes)
        return float(np.cumsum(tied[np.sort(codes)]).sum() / y.sum() - (len(y) + 1) / 2)

    best = area(y)
    return area(p) / best if best > 1e-12 else float("nan")
