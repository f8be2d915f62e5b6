"""Settings tuned on IBM's 78,025 deals against the ladder's 63 leaves, in five folds and on the last fifth of the deals.

Tuning sees the first four fifths by opportunity number, in the first `--folds` of five folds apart by opportunity and
identical inputs (all rows, or a `--share` of the opportunities). Then both settings are tested in five folds of all deals,
each calibrated on the other folds, with the paired difference by opportunity; and once on the last fifth, trained on the
rest, calibrated by Platt within it: trained on its first three quarters and read on its last. There the base rate has moved;
the calibration slope must lie in .85-1.15 all the same. With `--trials 0` only that is done, by the settings of tests/real/ibm.

    WINWORTH_REAL_DATA=data python bench/tune_ibm.py --trials 24 --folds 2        # eight minutes on two cores
"""

import argparse
import tempfile
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import expit

from winworth.config import load_settings
from winworth.flows.learn import examples_of, win_task
from winworth.flows.prepare import prepare
from winworth.models.calibration import fit_platt
from winworth.models.folds import Fold, grouped_folds, input_twins, joined_groups
from winworth.models.ladder import rungs_for
from winworth.models.metrics import (
    auc,
    auc_within,
    brier,
    calibration_intercept,
    calibration_slope,
    log_loss,
    log_loss_rows,
    paired_difference,
)
from winworth.models.task import Rung, WinTask
from winworth.models.tune import search

CONF = Path(__file__).parents[1] / "tests" / "real" / "ibm"
DAY = date(2017, 12, 31)
SLOPES = (0.85, 1.15)


def ibm() -> tuple[WinTask, np.ndarray, np.ndarray]:
    """Return the question, the group of each row (opportunity and identical inputs), and its opportunity number."""
    settings = load_settings(CONF)
    prepared = prepare(settings, as_of=DAY)
    examples = examples_of(prepared.snapshot, settings.catalog, settings)
    number = prepared.snapshot["deals"].set_index("deal_id")["group_id"].reindex(examples.rows["deal_id"])
    task = win_task(examples, settings.catalog, settings, prepared.snapshot)
    return task, joined_groups(examples.account, examples.twins), number.astype("int64").to_numpy()


def rows_of(task: WinTask, folds: tuple[Fold, ...], rung: Rung) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the tested rows, their fold, and their margins."""
    margins = [task.margin(task.fit(fold.train, None, rung), fold.test) for fold in folds]
    of = np.repeat(np.arange(len(folds)), [len(fold.test) for fold in folds])
    return np.concatenate([fold.test for fold in folds]), of, np.concatenate(margins)


def calibrated(margin: np.ndarray, y: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return probabilities, each fold calibrated on the others."""
    z = np.empty(len(margin))
    for k in np.unique(fold):
        here = fold == k
        z[here] = fit_platt(margin[~here], y[~here]).apply(margin[here])
    return expit(z)


def five_folds(task: WinTask, groups: np.ndarray, rungs: dict[str, Rung]) -> None:
    """Print what each rung reaches in five folds of all deals, and the paired difference."""
    folds, loss = grouped_folds(groups, seed=task.seed), {}
    for name, rung in rungs.items():
        rows, of, margin = rows_of(task, folds, rung)
        y, w = task.won[rows].astype(float), np.ones(len(rows))
        p = calibrated(margin, y, of)
        loss[name] = log_loss_rows(y, p)
        print(
            f"five folds  {name:8} AUC {auc_within(of)(y, p, w):.4f}  Brier {brier(y, p, w):.5f}  loss {log_loss(y, p, w):.5f}"
        )
    mean, error = paired_difference(loss["tuned"], loss["default"], w, groups[rows])
    print(f"tuned less default: log loss {mean:+.5f}, standard error {error:.5f}")


def last_fifth(task: WinTask, number: np.ndarray, rungs: dict[str, Rung]) -> None:
    """Print what each rung reaches on the last fifth by opportunity number; training has no row with inputs seen there."""
    twins = input_twins(task.features)
    inner, outer = np.quantile(number, [0.6, 0.8])
    train, test = np.flatnonzero(number <= outer), np.flatnonzero(number > outer)
    train = train[~np.isin(twins[train], twins[test])]
    early, late = train[number[train] <= inner], train[number[train] > inner]
    early = early[~np.isin(twins[early], twins[late])]
    y, w = task.won[test].astype(float), np.ones(len(test))
    print(f"last fifth: {len(test)} deals, base rate {y.mean():.3f}, against {task.won[train].mean():.3f} before")
    for name, rung in rungs.items():
        platt = fit_platt(task.margin(task.fit(early, None, rung), late), task.won[late].astype(float))
        margin = task.margin(task.fit(train, None, rung), test)
        for how, p in (("Platt", expit(platt.apply(margin))), ("as it is", expit(margin))):
            slope, shift = calibration_slope(y, p, w), calibration_intercept(y, p, w)
            quality = f"AUC {auc(y, p, w):.4f}  Brier {brier(y, p, w):.5f}  loss {log_loss(y, p, w):.5f}"
            print(f"last fifth  {name:8} {how:8} {quality}  slope {slope:.3f}  intercept {shift:+.3f}")
            assert how != "Platt" or SLOPES[0] <= slope <= SLOPES[1]


def tuned(task: WinTask, groups: np.ndarray, rows: np.ndarray, asked: argparse.Namespace) -> Rung:
    """Tune on some rows and print what was tried."""
    folds = [Fold(rows[f.train], rows[f.test]) for f in grouped_folds(groups[rows], seed=task.seed)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.home or Path(scratch)
        found = search(task, tuple(folds[: asked.folds]), n_trials=asked.trials, n_deals=len(task.won), folder=folder)
    for trial in found.trials:
        print(f"{trial.number:3} {'given up' if trial.is_pruned else '':8} {trial.loss:.5f} {trial.rung}")
    print("importances", {name: round(share, 2) for name, share in found.importances.items()})
    print("best", found.best.rung.C, asdict(found.best.rung.size) if found.best.rung.size else "no trees")
    return found.best.rung


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--folds", type=int, default=2, help="how many of five folds tuning tests in")
    parser.add_argument("--share", type=float, default=1.0, help="share of the opportunities that tuning sees")
    parser.add_argument("--home", type=Path, help="folder of the journal, to go on with later")
    asked = parser.parse_args()
    task, groups, number = ibm()
    kept = np.random.default_rng(task.seed).random(groups.max() + 1)[groups] < asked.share
    start = time.perf_counter()
    if not asked.trials:
        settled = load_settings(CONF).training.tuned
        return last_fifth(task, number, {"settled": Rung("settled", settled.C, settled.size)})
    best = tuned(task, groups, np.flatnonzero((number <= np.quantile(number, 0.8)) & kept), asked)
    print(f"tuning took {time.perf_counter() - start:.0f} s")
    rungs = {"default": rungs_for(len(task.won))[1][-1], "tuned": best}
    five_folds(task, groups, rungs)
    last_fifth(task, number, rungs)


if __name__ == "__main__":
    main()
