"""Baselines that learn next to nothing: the win rate of a deal's stage, and the chance that the CRM or the seller gave."""

import numpy as np
import pandas as pd

from winworth.models.folds import Fold
from winworth.models.task import WinTask

JEFFREYS = 0.5


def rates_by_level(level: pd.Series, y: np.ndarray, weight: np.ndarray) -> tuple[dict[str, float], float]:
    """Return the win rate of each level and of all, shrunk by half a win and half a loss (Jeffreys' prior).

    >>> rates_by_level(pd.Series(["early", "early", "late"]), np.array([0, 1, 1]), np.ones(3))
    ({'early': 0.5, 'late': 0.75}, 0.625)
    """
    sums = pd.DataFrame({"won": weight * y, "n": weight}).groupby(level.to_numpy(dtype=object)).sum()
    rates = (sums["won"] + JEFFREYS) / (sums["n"] + 2 * JEFFREYS)
    return rates.to_dict(), float((weight @ y + JEFFREYS) / (weight.sum() + 2 * JEFFREYS))


def baseline_chances(task: WinTask, folds: tuple[Fold, ...]) -> dict[str, np.ndarray]:
    """Return by baseline each test row's chance to be won, the rows of the folds one after the other.

    "stage" is the base rate of the stage on the training rows; "crm" the chance that the CRM or the seller gave, as it
    stands, and the base rate where it is empty. A baseline that the tables do not allow is absent.
    """
    found: dict[str, list[np.ndarray]] = {}
    for fold in folds:
        y, weight = task.outcomes(fold.train, fold.train_day)
        if task.stage is not None:
            levels = task.stage.fillna("(none)")
            rates, mean = rates_by_level(levels.iloc[fold.train], y, weight)
            found.setdefault("stage", []).append(levels.iloc[fold.test].map(rates).fillna(mean).to_numpy(dtype=float))
        if task.crm_probability is not None:
            chance = task.crm_probability[fold.test]
            base = float((weight @ y + JEFFREYS) / (weight.sum() + 2 * JEFFREYS))
            found.setdefault("crm", []).append(np.where(np.isnan(chance), base, chance))
    return {name: np.concatenate(parts) for name, parts in found.items()}
