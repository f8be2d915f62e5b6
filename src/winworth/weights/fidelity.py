"""How much of the models' expected value the scorecard keeps, on rows later than those it was learnt from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from winworth.models.metrics import Figure, account_draws, auc, spearman

LEAST_KEPT = 0.97


@dataclass(frozen=True)
class Fidelity:
    """The scorecard against the models, each figure with its 95 % interval over accounts.

    `ev_ratio`: expected value (the models') of the rows within capacity by score, over that of the rows within capacity by
    the models; `spearman` and `r2` (squared correlation) between score and log expected value; `auc_change`: AUC of the score
    less that of the models' log expected value, NaN where outcomes are not known.
    """

    ev_ratio: Figure
    spearman: Figure
    r2: Figure
    auc_change: Figure

    def to_dict(self) -> dict[str, dict[str, float | int | None]]:
        """Return the figures for JSON, by their stable keys."""
        return {name: figure.to_dict() for name, figure in self.__dict__.items()}


@dataclass(frozen=True)
class LaterRows:
    """Rows to compare on: the models' log expected value, int codes of accounts, and outcomes (0, 1) with their weights.

    Rows whose outcome is not known have weight 0; `won` is None where none is.
    """

    log_value: np.ndarray
    accounts: np.ndarray
    won: np.ndarray | None = None
    weight: np.ndarray | None = None


def fidelity(score: np.ndarray, later: LaterRows, *, capacity: float, seed: int, n_boot: int = 200) -> Fidelity:
    """Compare scores with the models on later rows; `capacity` is the share of rows that the team can work."""
    value = np.exp(later.log_value - later.log_value.max(initial=0.0))
    draws = account_draws(later.accounts, seed=seed, n_boot=n_boot)

    def ratio(n: np.ndarray) -> float:
        best = captured(later.log_value, value, n, capacity=capacity)
        return captured(score, value, n, capacity=capacity) / best if best > 0 else float("nan")

    def ranks(n: np.ndarray) -> float:
        rows = np.repeat(np.arange(len(n)), n.astype(int))
        return spearman(later.log_value[rows], score[rows])

    def explained(n: np.ndarray) -> float:
        return _squared_correlation(score, later.log_value, n)

    def change(n: np.ndarray) -> float:
        if later.won is None:
            return float("nan")
        weight = n if later.weight is None else n * later.weight
        return auc(later.won, score, weight) - auc(later.won, later.log_value, weight)

    return Fidelity(*(_figure(measure, draws, len(score)) for measure in (ratio, ranks, explained, change)))


def captured(by: np.ndarray, value: np.ndarray, n: np.ndarray, *, capacity: float) -> float:
    """Return the value of the highest `capacity` of rows by `by`, each counted `n` times; rows that tie count in part.

    >>> captured(np.array([3, 2, 1]), np.array([5.0, 2.0, 1.0]), np.ones(3), capacity=1 / 3)
    5.0
    """
    if not len(by):
        return 0.0
    order = np.argsort(-by, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(by[order]) < 0, True])
    rows, values = (np.r_[0.0, np.cumsum(x[order])[last]] for x in (n, n * value))
    return float(np.interp(capacity * rows[-1], rows, values))


@dataclass(frozen=True)
class Verdict:
    """Whether the scorecard may be the production score, and the sentence that says why."""

    passed: bool
    says: str


def keeps_enough(ev_ratio: Figure, *, least: float = LEAST_KEPT) -> Verdict:
    """Judge whether the scorecard keeps enough of the models' expected value to be the score that runs."""
    if not np.isfinite(ev_ratio.value):
        return Verdict(False, "fidelity is not measured: there are no later rows of any expected value; the models rank")
    says = (
        f"the scorecard keeps {ev_ratio.value:.1%} [{ev_ratio.low:.1%}-{ev_ratio.high:.1%}] of the expected value that the "
        f"models capture at capacity, on {ev_ratio.n} rows"
    )
    passed = bool(ev_ratio.value >= least)
    return Verdict(passed, says + ("" if passed else f"; {least:.0%} is asked: the models rank, and the scorecard explains"))


def _figure(measure: Callable[[np.ndarray], float], draws: list[np.ndarray], n: int) -> Figure:
    found = np.array([measure(draw) for draw in draws])
    finite = found[np.isfinite(found)]
    low, high = np.quantile(finite, [0.025, 0.975]) if len(finite) > len(draws) // 2 else (np.nan, np.nan)
    return Figure(measure(np.ones(n)), float(low), float(high), n)


def _squared_correlation(x: np.ndarray, y: np.ndarray, n: np.ndarray) -> float:
    if n.sum() < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = x - np.average(x, weights=n), y - np.average(y, weights=n)
    spread = (n @ x**2) * (n @ y**2)
    return float((n @ (x * y)) ** 2 / spread) if spread > 0 else float("nan")
