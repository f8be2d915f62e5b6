"""What the chosen model is worth on rows it did not choose by, beside its baselines, each figure with its interval."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import t as student

from winworth.models.baselines import baseline_chances
from winworth.models.folds import Fold, fold_of_groups
from winworth.models.ladder import Ladder
from winworth.models.metrics import (
    Figure,
    Metric,
    auc,
    auc_within,
    log_loss_rows,
    paired_difference,
    win_metrics,
    with_interval,
)
from winworth.models.task import Rung, WinTask
from winworth.models.track import Track, untracked

BASELINES = ("base rate", "stage", "crm", "context", "criteria", "ridge", "trees", "champion")


@dataclass(frozen=True)
class Judged:
    """Rows judged: their places in the task, outcomes, weights, accounts, each model's calibrated probability, and the fold
    where there are several.
    """

    rows: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    accounts: np.ndarray
    p: Mapping[str, np.ndarray]
    fold: np.ndarray | None = None


@dataclass(frozen=True)
class WinReport:
    """How the chosen rung does: `period` names the locked quarter, or says that there are no dates to test by."""

    chosen: str
    period: str
    is_forward: bool
    judged: Judged
    figures: Mapping[str, Mapping[str, Figure]]
    new_accounts: Mapping[str, Figure] | None

    @property
    def rival(self) -> str:
        """The strongest model that says nothing of the account: context alone, or the base rate where there is none."""
        return "context" if "context" in self.judged.p else "base rate"

    def loss_against(self, rival: str, model: str | None = None) -> tuple[float, float]:
        """Return mean log loss of a model (default: the chosen one) less the rival's, and its standard error by account."""
        loss, other = (log_loss_rows(self.judged.y, self.judged.p[name]) for name in (model or self.chosen, rival))
        return paired_difference(loss, other, self.judged.weight, self.judged.accounts)

    def chance_better_than(self, rival: str, model: str | None = None) -> float:
        """Return P(the model has the lower log loss), by Student's t on one draw an account."""
        mean, error = self.loss_against(rival, model)
        n = len(np.unique(self.judged.accounts))
        return float(student.cdf(-mean / error, n - 1)) if 0 < error < np.inf else 0.5


def judge_forward(
    task: WinTask, locked: Fold, ladder: Ladder, *, capacity: float, n_boot: int, track: Track = untracked
) -> WinReport:
    """Train each model on what was known before the locked quarter, and measure it there."""
    names = _judged_names(ladder)
    y, weight = task.outcomes(locked.test, locked.test_day)
    kept = weight > 0
    p = {name: _forward(task, locked, ladder, ladder.rungs[name]) for name in names} | baseline_chances(task, (locked,))
    p = {name: chance[kept] for name, chance in p.items()}
    judged = Judged(locked.test[kept], y[kept], weight[kept], task.accounts[locked.test][kept], p)
    return WinReport(
        ladder.chosen.name,
        locked.name,
        True,
        judged,
        _figures(judged, win_metrics(capacity), task.seed, n_boot, track),
        _new_accounts(task, locked, ladder, capacity, n_boot),
    )


def judge_grouped(
    task: WinTask, folds: tuple[Fold, ...], ladder: Ladder, *, capacity: float, n_boot: int, track: Track = untracked
) -> WinReport:
    """Measure on the folds themselves, calibrated across folds: all that can be had without dates."""
    tested = ladder.tested
    p = {name: tested.calibrated(name) for name in _judged_names(ladder)}
    kept = np.concatenate([task.outcomes(fold.test, fold.test_day)[1] for fold in folds]) > 0
    p |= {name: chance[kept] for name, chance in baseline_chances(task, folds).items()}
    judged = Judged(tested.rows, tested.y, tested.weight, tested.accounts, p, tested.fold)
    figures = _figures(judged, win_metrics(capacity, tested.fold), task.seed, n_boot, track)
    return WinReport(ladder.chosen.name, "no dates", False, judged, figures, None)


def _judged_names(ladder: Ladder) -> list[str]:
    return list(dict.fromkeys([ladder.chosen.name, *(name for name in BASELINES if name in ladder.rungs)]))


def random_split_auc(task: WinTask, locked: Fold, rung: Rung, *, n_splits: int = 5) -> float:
    """Return the AUC that a random split of the same history would have reported.

    Rows are dealt out at random, so that an account, and a deal at several ages, stand on both sides: what the folds
    exist to prevent. Only what the locked quarter may train on is used.
    """
    rows, day = locked.train, locked.train_day
    y, weight = task.outcomes(rows, day)
    fold, z = np.random.default_rng(task.seed).integers(0, n_splits, len(rows)), np.zeros(len(rows))
    for k in range(n_splits):
        z[fold == k] = task.margin(task.fit(rows[fold != k], day, rung), rows[fold == k])
    kept = weight > 0
    return auc_within(fold[kept])(y[kept], z[kept], weight[kept])


def slices(judged: Judged, model: str, levels: np.ndarray, *, seed: int, least: int = 30) -> dict[str, dict[str, Figure]]:
    """Measure a model on each level of a feature: auc, and observed over expected wins; levels below `least` rows are left out.

    `levels` has the level of each judged row.
    """
    metrics = {"auc": auc, "observed_over_expected": lambda y, p, w: float((w @ y) / (w @ p))}
    found = {}
    for level in sorted({str(level) for level in levels}):
        at = levels == level
        if at.sum() < least or not 0 < judged.y[at].sum() < at.sum():
            continue
        row = (judged.y[at], judged.p[model][at], judged.weight[at], judged.accounts[at])
        found[level] = {name: with_interval(metric, *row, seed=seed, n_boot=100) for name, metric in metrics.items()}
    return found


def leak_tax(task: WinTask, leaking: WinTask, folds: tuple[Fold, ...], rung: Rung) -> tuple[float, float]:
    """Return the AUC in the folds without and with the refused columns, by the same rung."""
    found = []
    for one in (task, leaking):
        parts = [(one.margin(one.fit(f.train, f.train_day, rung), f.test), *one.outcomes(f.test, f.test_day)) for f in folds]
        z, y, w = (np.concatenate(column) for column in zip(*parts, strict=True))
        found.append(auc(y[w > 0], z[w > 0], w[w > 0]))
    return found[0], found[1]


def _forward(task: WinTask, fold: Fold, ladder: Ladder, rung: Rung) -> np.ndarray:
    margin = task.margin(task.fit(fold.train, fold.train_day, rung), fold.test)
    return expit(ladder.tested.platt(rung.name).apply(margin))


def _figures(
    judged: Judged, metrics: Mapping[str, Metric], seed: int, n_boot: int, track: Track
) -> dict[str, dict[str, Figure]]:
    rows = (judged.weight, judged.accounts)
    return {
        name: {
            key: with_interval(metric, judged.y, judged.p[name], *rows, seed=seed, n_boot=n_boot)
            for key, metric in metrics.items()
        }
        for name in track(list(judged.p), "Measuring, with intervals")
    }


def _new_accounts(
    task: WinTask, locked: Fold, ladder: Ladder, capacity: float, n_boot: int, n_splits: int = 5
) -> dict[str, Figure] | None:
    """Measure with each test account kept out of training: a fifth of the accounts at a time."""
    y, weight = task.outcomes(locked.test, locked.test_day)
    accounts = task.accounts[locked.test]
    if len(np.unique(accounts)) < 2 * n_splits:
        return None
    fold, p = fold_of_groups(accounts, n_splits=n_splits, seed=task.seed), np.empty(len(locked.test))
    for k in range(n_splits):
        strangers = accounts[fold == k]
        train = locked.train[~np.isin(task.accounts[locked.train], strangers)]
        outcome, settled = task.outcomes(train, locked.train_day)
        if len(np.unique(outcome[settled > 0])) < 2:
            return None
        apart = Fold(train, locked.test[fold == k], locked.train_day, locked.test_day)
        p[fold == k] = _forward(task, apart, ladder, ladder.chosen)
    kept = weight > 0
    judged = Judged(locked.test[kept], y[kept], weight[kept], accounts[kept], {ladder.chosen.name: p[kept]})
    return _figures(judged, win_metrics(capacity), task.seed, n_boot, untracked)[ladder.chosen.name]
