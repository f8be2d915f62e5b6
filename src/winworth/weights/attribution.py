"""Attributions by models that never saw the account they explain: out of fold, or out of the bag of a draw."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from winworth.models.by_name import ByName
from winworth.models.folds import fold_of_groups
from winworth.models.track import Track, in_order, untracked
from winworth.weights.shrinkage import Outcomes

if TYPE_CHECKING:
    from shap import Explanation

Fit = Callable[[pd.DataFrame, np.ndarray], ByName]
N_SPLITS = 5


@dataclass(frozen=True)
class Attributions:
    """Each feature's part, row by row: of the log-odds of winning, and of the log value if won (same shape)."""

    winning: pd.DataFrame
    worth: pd.DataFrame


@dataclass(frozen=True)
class Side:
    """One model's question: the features of its training rows, what came of them, and how it learns.

    `fit` takes a feature table with a row for each training row, and positions in it; one given twice counts twice. `asked`
    are the positions whose outcomes are known and answer the attributions: all or enough of them. `label` is shown meanwhile.
    """

    fit: Fit
    features: pd.DataFrame
    outcomes: Outcomes
    asked: np.ndarray
    label: str = ""


@dataclass(frozen=True)
class Population:
    """The rows that weights are read on: features, account codes (those of the training rows where it is one of them), and
    by row and feature whether the row can have the feature.
    """

    features: pd.DataFrame
    accounts: np.ndarray
    measured: pd.DataFrame


@dataclass(frozen=True)
class Apart:
    """Attributions by models apart from the rows' accounts: of training rows asked and of the population, by position.

    `base` is what one model's attributions start from; 0 where several models share the rows.
    """

    train: pd.DataFrame
    population: pd.DataFrame
    base: float = 0.0


def cross_fitted(
    side: Side, population: Population, *, seeds: tuple[int, ...], threads: int = 1, track: Track = untracked
) -> Apart:
    """Explain every row by models trained without its account: SHAP values, the mean of one partition for each seed.

    Path-dependent for trees (Lundberg and Lee 2017) and exact for ridge; one column a feature.
    """
    accounts, own = np.unique(np.concatenate([side.outcomes.accounts, population.accounts]), return_inverse=True)
    n, is_asked = len(side.features), _marked(side.asked, len(side.features))
    fold = [fold_of_groups(accounts, n_splits=N_SPLITS, seed=seed)[own] for seed in seeds]

    def once(k: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        here = fold[k // N_SPLITS] == k % N_SPLITS
        fitted = side.fit(side.features, np.flatnonzero(~here[:n]))
        train = explained(fitted, side.features, np.flatnonzero(here[:n] & is_asked))
        return train, explained(fitted, population.features, np.flatnonzero(here[n:]))

    made = in_order(once, len(seeds) * N_SPLITS, threads, track, side.label)
    return Apart(*(pd.concat(parts).groupby(level=0).mean() for parts in zip(*made, strict=True)))


def as_explanation(fitted: ByName, features: pd.DataFrame) -> "Explanation":
    """Return a model's attributions as the plots of the `shap` library take them, in log-odds or log value.

    `data` holds numbers as they are and levels by their order, `display_data` the levels themselves. Needs the package shap,
    which is installed with the others of the extra "dev".
    """
    from shap import Explanation

    values, base = fitted.attributions(features)
    read = features[list(values.columns)]
    is_number = {name: pd.api.types.is_numeric_dtype(read[name]) for name in read}
    codes = {name: pd.Categorical(read[name]).codes for name in read if not is_number[name]}
    numbers = read.assign(**codes).to_numpy(dtype=float, na_value=np.nan)
    return Explanation(
        values.to_numpy(dtype=float),
        base_values=np.full(len(read), base),
        data=numbers,
        display_data=read.to_numpy(dtype=object),
        feature_names=list(values.columns),
    )


def out_of_bag(side: Side, population: Population, drawn: np.ndarray) -> Apart:
    """Fit once on the accounts drawn (`drawn` says how often, by account code) and explain the rows of the others."""
    times = drawn[side.outcomes.accounts]
    fitted = side.fit(side.features, np.repeat(np.arange(len(times)), times))
    rows = side.asked[times[side.asked] == 0]
    places = np.flatnonzero(drawn[population.accounts] == 0)
    seen, base = fitted.attributions(population.features.iloc[places])
    return Apart(explained(fitted, side.features, rows), seen.set_axis(places), base)


def explained(fitted: ByName, features: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """Return the attributions of some rows of a feature table, indexed by their positions."""
    return fitted.attributions(features.iloc[rows])[0].set_axis(rows)


def _marked(places: np.ndarray, n: int) -> np.ndarray:
    marked = np.zeros(n, dtype=bool)
    marked[places] = True
    return marked
