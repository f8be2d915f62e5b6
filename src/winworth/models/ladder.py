"""From the base rate up to large trees: the folds choose the rung, in favour of the simpler.

Above the base rate stands what context alone can tell (a deal's age, the season, its stage), by ridge or by trees, whichever
does better in the folds. The criteria without context are tested beside the ladder in the same forms, to show what they tell
by themselves; they are never chosen.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import expit

from winworth.models.calibration import Platt, fit_platt, intercept_shift
from winworth.models.folds import Fold
from winworth.models.metrics import log_loss_rows, paired_difference
from winworth.models.task import Rung, WinTask
from winworth.models.track import Track, untracked
from winworth.models.trees import TreeSize, small_trees

RIDGE_STRENGTHS = (0.003, 0.01, 0.03, 0.3)
MANY_DEALS = 10_000
TREES_ALONE = 1500  # telling deals below which trees by themselves lose to ridge or to the average on fresh deals
A_RARE_ONE_BEARS = 5  # closed deals: a history of many losses and few wins tells no more than its wins do
SAYS_NOTHING = ("base rate", "context")  # of the account: a model chosen among these gives nothing to rank by


@dataclass(frozen=True)
class Tested:
    """Rows tested in folds: their outcomes, weights, accounts and fold, and each rung's margins before calibration."""

    rows: np.ndarray
    fold: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    accounts: np.ndarray
    margins: dict[str, np.ndarray]

    def platt(self, rung: str) -> Platt:
        """Fit the calibration of a rung on all tested rows."""
        return self._platt(rung, np.ones(len(self.rows), dtype=bool))

    def calibrated(self, rung: str) -> np.ndarray:
        """Return each tested row's probability, calibrated on the other folds (on its own where there is only one)."""
        margin, z = self.margins[rung], np.empty(len(self.rows))
        for fold in np.unique(self.fold):
            here = self.fold == fold
            rest = ~here if (~here).any() else here
            z[here] = self._platt(rung, rest).apply(margin[here])
        return expit(z)

    def _platt(self, rung: str, rows: np.ndarray) -> Platt:
        """Fit on some rows; a base rate is only moved, since its few values, one a fold, bear no slope."""
        margin, y, weight = self.margins[rung][rows], self.y[rows], self.weight[rows]
        if rung == "base rate":
            return Platt(1.0, intercept_shift(margin, y, weight))
        return fit_platt(margin, y, weight)


@dataclass(frozen=True)
class Ladder:
    """The rungs from simple to complex, their loss in the folds, what was chosen, and what was tested on the way."""

    rungs: dict[str, Rung]
    loss: dict[str, float]
    behind_best: dict[str, tuple[float, float]]
    chosen: Rung
    tested: Tested


def telling_deals(n_won: int, n_lost: int) -> int:
    """Return how many closed deals a history is worth: all of them, but at most five for each of the rarer outcome.

    >>> telling_deals(2000, 8000), telling_deals(100, 20_000)
    (10000, 500)
    """
    return min(n_won + n_lost, A_RARE_ONE_BEARS * min(n_won, n_lost))


def rungs_for(n_deals: int) -> tuple[list[Rung], list[Rung]]:
    """Return the ridges and the trees that a history of so many telling deals may try, from small to large."""
    ridges = [Rung(f"ridge C={C:g}", C=C) for C in RIDGE_STRENGTHS]
    trees = [Rung("trees", size=small_trees(n_deals))]
    if n_deals >= MANY_DEALS:
        trees += [
            Rung("16 leaves", size=TreeSize(16, 600, 0.05, min_rows=20, bins=1023)),
            Rung("63 leaves", size=TreeSize(63, 800, 0.03, min_rows=20, bins=4095)),
        ]
    return ridges, trees


def climb(
    task: WinTask,
    folds: tuple[Fold, ...],
    *,
    n_deals: int,
    tuned: Rung | None = None,
    champion: Rung | None = None,
    track: Track = untracked,
) -> Ladder:
    """Test every rung in the folds and choose.

    The rung with the least log loss is the best; chosen is the simplest one behind it by no more than one standard error
    of the paired difference, accounts counted as one draw (Breiman et al. 1984, the one-standard-error rule). Settings that
    were `tuned` stand at the top, and must be better than every rung below by as much. The way the present champion was made
    is tested beside the ladder, and never chosen; nor are trees by themselves in a short history.
    """
    ridges, trees = rungs_for(n_deals)
    apart = [*_apart("context", trees[0].size), *_apart("criteria", trees[0].size)] if task.context else []
    top, reigning = [tuned] if tuned else [], [champion] if champion else []
    tested = _test(task, folds, [Rung("base rate"), *apart, *ridges, *trees, *top, *reigning], track)
    ridge = min(ridges, key=lambda rung: _loss(tested, rung.name))
    average = Rung("average", C=ridge.C, size=trees[0].size)
    halves = (tested.margins[ridge.name], tested.margins[trees[0].name])
    margins = tested.margins | {"ridge": tested.margins[ridge.name], "average": np.mean(halves, axis=0)}
    best_apart = []
    for reads in dict.fromkeys(rung.reads for rung in apart):
        best = min((rung for rung in apart if rung.reads == reads), key=lambda rung: _loss(tested, rung.name))
        margins[reads] = tested.margins[best.name]
        best_apart.append(replace(best, name=reads))
    named = [Rung("base rate"), *best_apart, Rung("ridge", C=ridge.C), trees[0], average, *trees[1:], *top, *reigning]
    margins = {rung.name: margins[rung.name] for rung in named}
    tested = Tested(tested.rows, tested.fold, tested.y, tested.weight, tested.accounts, margins)
    return _choose({rung.name: rung for rung in named}, tested, barred=("trees",) if n_deals < TREES_ALONE else ())


def _apart(reads: Literal["context", "criteria"], size: TreeSize) -> list[Rung]:
    """Return the forms in which context, or the criteria, may tell what they can by themselves; the best stands for them."""
    return [
        Rung(f"{reads} ridge", C=0.03, reads=reads),
        Rung(f"{reads} ridge, light", C=1.0, reads=reads),
        Rung(f"{reads} trees", size=size, reads=reads),
    ]


def _test(task: WinTask, folds: tuple[Fold, ...], rungs: list[Rung], track) -> Tested:
    steps = [(k, fold, rung) for k, fold in enumerate(folds) for rung in rungs]
    margins: dict[str, list[np.ndarray]] = {rung.name: [] for rung in rungs}
    for _, fold, rung in track(steps, "Testing models in folds"):
        margins[rung.name].append(task.margin(task.fit(fold.train, fold.train_day, rung), fold.test))
    outcomes = [task.outcomes(fold.test, fold.test_day) for fold in folds]
    rows = np.concatenate([fold.test for fold in folds])
    kept = np.concatenate([w for _, w in outcomes]) > 0
    return Tested(
        rows=rows[kept],
        fold=np.repeat(np.arange(len(folds)), [len(fold.test) for fold in folds])[kept],
        y=np.concatenate([y for y, _ in outcomes])[kept],
        weight=np.concatenate([w for _, w in outcomes])[kept],
        accounts=task.accounts[rows][kept],
        margins={name: np.concatenate(parts)[kept] for name, parts in margins.items()},
    )


def _loss(tested: Tested, name: str) -> float:
    return float(np.average(_rows(tested, name), weights=tested.weight))


def _rows(tested: Tested, name: str) -> np.ndarray:
    return log_loss_rows(tested.y, expit(tested.margins[name]))


def _choose(rungs: dict[str, Rung], tested: Tested, barred: Collection[str] = ()) -> Ladder:
    loss = {name: _loss(tested, name) for name in rungs}
    eligible = [name for name, rung in rungs.items() if rung.may_be_chosen and name not in barred]
    best = min(eligible, key=loss.get)
    behind = {
        name: paired_difference(_rows(tested, name), _rows(tested, best), tested.weight, tested.accounts) for name in rungs
    }
    chosen = next(name for name, (mean, error) in behind.items() if mean <= error and name in eligible)
    return Ladder(rungs, loss, behind, rungs[chosen], tested)
