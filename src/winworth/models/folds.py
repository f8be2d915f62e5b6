"""The one splitter: forward in time where there are dates, apart by group where there are none, twins never apart."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from winworth.errors import DataError

MOST_TWINS = 0.1
_DAY0 = np.datetime64("1970-01-01", "D")


@dataclass(frozen=True)
class Fold:
    """Rows to train on and to test on, and the days whose knowledge labels may use (None: all there is)."""

    train: np.ndarray
    test: np.ndarray
    train_day: int | None = None
    test_day: int | None = None
    name: str = ""


@dataclass(frozen=True)
class Plan:
    """The folds in which everything is chosen, and the locked quarter, read once by the gate (None: there are no dates).

    `chosen_forward` says whether the choice too is made forward in time; `skipped` names mature quarters later than the
    locked one that have too few outcomes to judge by.
    """

    choice: tuple[Fold, ...]
    locked: Fold | None
    chosen_forward: bool
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observed:
    """When examples were observed (days since 1970), which share all inputs, and whose they are (int codes)."""

    day: np.ndarray
    twins: np.ndarray
    accounts: np.ndarray


def forward_plan(
    observed: Observed, is_enough: Callable[[Fold], bool], *, day: int, horizon: int, embargo: int = 30, seed: int = 0
) -> Plan:
    """Plan the folds of a retrain on `day`.

    The locked period is the latest calendar quarter whose outcomes are all mature on `day`. The choice quarters are the
    latest four that were mature when the locked quarter began, so that nothing is chosen by what came later. Each fold
    trains on what was observed, and on outcomes as known, `embargo` days before its quarter; training rows with the same
    inputs as a test row are left out as copies, unless they are more than a tenth: inputs of a few levels repeat by
    nature. Where no choice quarter has enough outcomes before it (`is_enough`), the choice is
    made in folds apart by account on what the locked quarter may train on.
    """
    quarters = _quarters(observed.day)
    mature = [q for q in quarters if q[1] - 1 + horizon <= day]
    folds = [_fold(observed, q, test_day=day, embargo=embargo) for q in mature]
    usable = [fold for fold in folds if len(fold.test) and is_enough(fold)]
    if not usable:
        span = int(np.ptp(observed.day)) if len(observed.day) else 0
        raise DataError(
            f"The history is too short to test forward in time: {len(observed.day)} examples over {span} days hold no quarter "
            f"that is mature ({horizon} days old) and has enough outcomes known before it. Export an older history, or set a "
            "shorter win.horizon_days in conf/training.yaml."
        )
    locked = usable[-1]
    start = locked.train_day + embargo
    earlier = [_fold(observed, q, test_day=start, embargo=embargo) for q in quarters if q[1] + horizon <= start]
    choice = tuple(fold for fold in earlier if len(fold.test) and is_enough(fold))[-4:]
    skipped = tuple(fold.name for fold in folds[next(k for k, fold in enumerate(folds) if fold is locked) + 1 :])
    if choice:
        return Plan(choice, locked, True, skipped)
    return Plan(_apart(observed, locked, seed), locked, False, skipped)


def _apart(observed: Observed, locked: Fold, seed: int) -> tuple[Fold, ...]:
    """Part what the locked quarter may train on by account, with outcomes as known then."""
    rows, day = locked.train, locked.train_day
    groups = joined_groups(observed.accounts[rows], observed.twins[rows])
    return tuple(Fold(rows[f.train], rows[f.test], day, day, f.name) for f in grouped_folds(groups, seed=seed))


class GroupedFolds:
    """Folds in which no group is parted, by scikit-learn's `split(X, y, groups)` protocol; deterministic by `seed`."""

    def __init__(self, n_splits: int = 5, seed: int = 0):
        self.n_splits = n_splits
        self.seed = seed

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of folds."""
        return self.n_splits

    def split(self, X: object, y: object = None, groups: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows to train on and to test on; groups are dealt out largest first to the smallest fold."""
        of = fold_of_groups(groups, n_splits=self.n_splits, seed=self.seed)
        for k in range(self.n_splits):
            yield np.flatnonzero(of != k), np.flatnonzero(of == k)


class ForwardFolds:
    """Forward chaining by calendar quarter, by scikit-learn's `split(X, y, groups)` protocol.

    `observed_on` and `settled_on` hold each row's days since 1970: when it was observed, and when its outcome was known. The
    latest `n_splits` quarters that have rows before them are the tests. A fold trains on rows observed (purge) and settled
    `embargo` days before its quarter (Lopez de Prado 2018, chapter 7), less the copies of its test rows. Where `groups` are
    given, rows of tested groups are left out of training too: the figure is then that of new accounts.
    """

    def __init__(self, observed_on: np.ndarray, settled_on: np.ndarray, n_splits: int = 4, embargo: int = 30):
        self.observed_on = observed_on
        self.settled_on = settled_on
        self.n_splits = n_splits
        self.embargo = embargo

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of folds that the history allows, `n_splits` at most."""
        return len(self._folds(np.arange(len(self.observed_on))))

    def split(self, X: object, y: object = None, groups: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows to train on and to test on, quarter by quarter."""
        if len(X) != len(self.observed_on):
            raise ValueError(f"X has {len(X)} rows and observed_on {len(self.observed_on)}: one day a row is needed.")
        folds = self._folds(input_twins(pd.DataFrame(X)))
        if not folds:
            raise DataError(
                f"No quarter of {len(self.observed_on)} rows has rows settled {self.embargo} days before it: the history is "
                "too short to test forward in time. Export an older one, or use GroupedFolds and say so."
            )
        for fold in folds:
            met = np.zeros(len(fold.train), dtype=bool) if groups is None else _shared(np.asarray(groups), fold)
            yield fold.train[~met], fold.test

    def _folds(self, twins: np.ndarray) -> list[Fold]:
        observed = Observed(np.asarray(self.observed_on), twins, twins)
        folds = [_fold(observed, q, test_day=q[1], embargo=self.embargo) for q in _quarters(observed.day)]
        settled = [replace(f, train=f.train[np.asarray(self.settled_on)[f.train] <= f.train_day]) for f in folds]
        return [fold for fold in settled if len(fold.train) and len(fold.test)][-self.n_splits :]


def fold_of_groups(groups: np.ndarray, *, n_splits: int, seed: int) -> np.ndarray:
    """Return the fold of each row such that groups stay whole and folds are of nearly equal size."""
    codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    if len(sizes) < n_splits:
        raise DataError(f"{len(sizes)} groups cannot be dealt into {n_splits} folds. More accounts or deals are needed.")
    order = np.lexsort((np.random.default_rng(seed).permutation(len(sizes)), -sizes))
    load, fold = np.zeros(n_splits, dtype=np.int64), np.empty(len(sizes), dtype=np.int64)
    for group in order:
        fold[group] = np.argmin(load)
        load[fold[group]] += sizes[group]
    return fold[codes]


def grouped_folds(groups: np.ndarray, *, n_splits: int = 5, seed: int = 0) -> tuple[Fold, ...]:
    """Return folds in which groups stay whole."""
    split = GroupedFolds(n_splits, seed).split(None, None, groups)
    return tuple(Fold(train, test, name=f"fold {k + 1}") for k, (train, test) in enumerate(split))


def input_twins(features: pd.DataFrame) -> np.ndarray:
    """Return a code for each row, the same for rows whose inputs are all the same."""
    return pd.factorize(pd.util.hash_pandas_object(features, index=False))[0]


def joined_groups(*keys: np.ndarray) -> np.ndarray:
    """Return a code for each row, the same for rows linked by any key (codes below 0 link nothing)."""
    n = len(keys[0])
    offset, rows, nodes = n, [], []
    for key in keys:
        linked = np.flatnonzero(key >= 0)
        rows.append(linked)
        nodes.append(key[linked] + offset)
        offset += int(key.max(initial=-1)) + 1
    row, node = np.concatenate(rows), np.concatenate(nodes)
    graph = coo_matrix((np.ones(len(row)), (row, node)), shape=(offset, offset))
    return np.unique(connected_components(graph, directed=False)[1][:n], return_inverse=True)[1]


def _fold(observed: Observed, quarter: tuple[int, int], *, test_day: int, embargo: int) -> Fold:
    start, end = quarter
    test = np.flatnonzero((observed.day >= start) & (observed.day < end))
    train_day = start - embargo
    train = np.flatnonzero(observed.day <= train_day)
    is_twin = np.isin(observed.twins[train], observed.twins[test])
    if is_twin.sum() <= MOST_TWINS * len(train):
        train = train[~is_twin]
    return Fold(train, test, train_day, test_day, name=_quarter_name(start))


def _shared(groups: np.ndarray, fold: Fold) -> np.ndarray:
    return np.isin(groups[fold.train], groups[fold.test])


def _quarters(observed: np.ndarray) -> list[tuple[int, int]]:
    """List the calendar quarters from the first to the last observed day: first day, and first day of the next."""
    if not len(observed):
        return []
    months = (_DAY0 + np.array([observed.min(), observed.max()])).astype("datetime64[M]").astype(int) // 3 * 3
    starts = np.arange(months[0], months[1] + 6, 3).astype("datetime64[M]").astype("datetime64[D]")
    days = (starts - _DAY0).astype(int).tolist()
    return list(zip(days[:-1], days[1:], strict=True))


def _quarter_name(start: int) -> str:
    month = (_DAY0 + start).astype("datetime64[M]").astype(int)
    return f"{1970 + month // 12} Q{month % 12 // 3 + 1}"
