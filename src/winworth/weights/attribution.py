"""Cross-fitted attributions: each row is explained by models that never saw its account."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.models.by_name import ByName
from winworth.models.folds import fold_of_groups

Fit = Callable[[np.ndarray], ByName]
Track = Callable[[Iterable[int]], Iterable[int]]
N_SPLITS = 5


@dataclass(frozen=True)
class Attributions:
    """Each feature's part, row by row: of the log-odds of winning, and of the log value if won (same shape)."""

    winning: pd.DataFrame
    worth: pd.DataFrame


def cross_fitted(
    fit: Fit, train: np.ndarray, reference: pd.DataFrame, groups: np.ndarray, *, seed: int, track: Track = iter
) -> pd.DataFrame:
    """Explain the reference rows by models trained without their group.

    `groups` has a code for each training row and then for each reference row; `fit` takes the positions, in `train`'s
    numbering, of the rows to learn from. Returns one row a reference row and one column a feature: SHAP values
    (Lundberg and Lee 2017), path-dependent for trees and exact for ridge.
    """
    fold = fold_of_groups(groups, n_splits=N_SPLITS, seed=seed)
    of_train, of_reference = fold[: len(train)], fold[len(train) :]
    parts = []
    for k in track(range(N_SPLITS)):
        here = of_reference == k
        if here.any():
            parts.append(fit(train[of_train != k]).attributions(reference[here])[0])
    return pd.concat(parts).loc[reference.index]
