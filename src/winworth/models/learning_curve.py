"""What more deals would buy: log loss at growing shares of the history, and a curve through them."""

from dataclasses import dataclass

import numpy as np

from winworth.models.folds import Fold
from winworth.models.metrics import log_loss_rows
from winworth.models.task import Rung, WinTask

SHARES = (0.25, 0.5, 0.75, 1.0)
MORE = 500


@dataclass(frozen=True)
class LearningCurve:
    """Log loss by number of deals trained on, and what `MORE` further deals would take off it, with an 80 % interval."""

    points: tuple[tuple[int, float], ...]
    gain: float
    low: float
    high: float


def learning_curve(task: WinTask, fold: Fold, rung: Rung, *, deals: np.ndarray, n_draws: int = 3) -> LearningCurve:
    """Train on nested draws of accounts and test on one fold; fit log loss = a + b / deals by least squares.

    `deals` has a code for each example; a deal counts once its outcome is settled.
    """
    rng = np.random.default_rng(task.seed)
    y, weight = task.outcomes(fold.test, fold.test_day)
    accounts = np.unique(task.accounts[fold.train])
    found = []
    for _ in range(n_draws):
        order = rng.permutation(accounts)
        for share in SHARES:
            drawn = np.isin(task.accounts[fold.train], order[: max(1, round(share * len(order)))])
            train = fold.train[drawn]
            outcome, settled = task.outcomes(train, fold.train_day)
            if min(outcome[settled > 0].sum(), (1 - outcome)[settled > 0].sum()) < 10:
                continue
            p = 1 / (1 + np.exp(-task.margin(task.fit(train, fold.train_day, rung), fold.test)))
            loss = float(np.average(log_loss_rows(y, p), weights=weight))
            found.append((len(np.unique(deals[train[settled > 0]])), loss))
    return _through(found)


def _through(found: list[tuple[int, float]]) -> LearningCurve:
    n, loss = np.array(found, dtype=float).reshape(-1, 2).T
    most = n.max(initial=1.0)
    per_deal = 1 / most - 1 / (most + MORE)
    if len(np.unique(n)) < 3:
        return LearningCurve(tuple(found), np.nan, np.nan, np.nan)
    design = np.column_stack([np.ones(len(n)), 1 / n])
    (_, slope), residual = np.linalg.lstsq(design, loss, rcond=None)[:2]
    variance = (residual[0] if len(residual) else 0.0) / max(len(n) - 2, 1)
    error = float(np.sqrt(variance * np.linalg.inv(design.T @ design)[1, 1]))
    gain, spread = slope * per_deal, 1.2816 * error * per_deal
    return LearningCurve(tuple(found), float(gain), float(gain - spread), float(gain + spread))
