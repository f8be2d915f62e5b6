"""What a single feature tells all by itself: too much, on day 0 already, or by being missing, is what leaks look like.

Each test takes one column and gives an AUC on rows it did not learn from. A feature need not rise or fall with the
outcome, so that its values are put into bins and ranked by the win rate of their bin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from winworth.models.folds import Fold, grouped_folds
from winworth.models.ladder import MANY_DEALS
from winworth.models.metrics import auc_within
from winworth.models.task import Rung, WinTask
from winworth.models.trees import TreeSize, small_trees

DAY_ZERO, STRONG_AT_ZERO = 0.95, 0.65
STRONG_ALONE, TOO_STRONG_ALONE = 0.80, 0.85  # an honest feature alone reaches .78 in 2 of 24 small synthetic companies
STRONG_TOGETHER = 0.65
TOO_GOOD = 0.90  # of all features together: on the day a deal is observed, nobody ranks deals so well
CLOSED_AGAINST_OPEN = 0.75
MISSINGNESS = 0.6
LEAST = 20  # rows of either outcome below which nothing is said
MOST_ROWS = 20_000  # on which the rest of the model is fitted
N_EXPLAINED = 1000  # rows of a fold on which features are compared
N_FOLDS, RIDGE = 5, 0.03
_MOST_BINS, _LEAST_IN_BIN, _PRIOR = 50, 50, 10.0


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to test on, each with outcomes (1 or 0) and weights above 0."""

    train: np.ndarray
    y_train: np.ndarray
    w_train: np.ndarray
    test: np.ndarray
    y_test: np.ndarray
    w_test: np.ndarray

    def among(self, mask: np.ndarray) -> "Split":
        """Keep the rows that `mask`, one truth value a row of the task, allows."""
        train, test = mask[self.train], mask[self.test]
        kept = (self.train[train], self.y_train[train], self.w_train[train])
        return Split(*kept, self.test[test], self.y_test[test], self.w_test[test])


def splits_of(task: WinTask, folds: Sequence[Fold]) -> list[Split]:
    """Return the folds with their outcomes as known on their days; rows whose outcome is unknown then are left out."""
    found = []
    for fold in folds:
        parts = []
        for rows, day in ((fold.train, fold.train_day), (fold.test, fold.test_day)):
            y, w = task.outcomes(rows, day)
            parts += [rows[w > 0], y[w > 0], w[w > 0]]
        found.append(Split(*parts))
    return found


def single_auc(column: pd.Series, splits: Sequence[Split]) -> float:
    """Return the AUC of one feature alone over pairs of rows of one fold; NaN with too few wins or losses.

    >>> y = np.tile([1.0, 0.0], 100)
    >>> rows = np.arange(200)
    >>> even, w = rows % 4 < 2, np.ones(100)
    >>> split = Split(rows[even], y[even], w, rows[~even], y[~even], w)
    >>> single_auc(pd.Series(np.where(y == 1, 3.0, rows % 2 + 4)), [split]), single_auc(pd.Series(rows // 4 % 5), [split])
    (1.0, 0.5)
    """
    y, p, w, fold = _tested(column, splits)
    return auc_within(fold)(y, p, w) if _enough(y) else float("nan")


def missing_auc(column: pd.Series, splits: Sequence[Split]) -> float:
    """Return the AUC of whether the feature is missing, and of nothing else."""
    return single_auc(column.isna().astype(float), splits)


def closed_against_open_auc(column: pd.Series, is_open: np.ndarray, cohort: np.ndarray, groups: np.ndarray) -> float:
    """Return how well the feature tells closed deals from open ones of the same cohort; NaN where there are too few.

    One row a deal; `cohort` are int codes (the quarter the deal opened in), `groups` those of accounts, which the folds
    keep whole.
    """
    y, w = is_open.astype(float), np.ones(len(is_open))
    rows = np.flatnonzero(pd.Series(y).groupby(cohort).transform("nunique") == 2)
    if not _enough(y[rows]) or len(np.unique(groups[rows])) < N_FOLDS:
        return float("nan")
    parts = [(rows[f.train], rows[f.test]) for f in grouped_folds(groups[rows], n_splits=N_FOLDS)]
    told, p, w, fold = _tested(column, [Split(a, y[a], w[a], b, y[b], w[b]) for a, b in parts])
    within = cohort[np.concatenate([test for _, test in parts])]
    return auc_within(fold * (int(cohort.max()) + 1) + within)(told, p, w)


def noise(value: float, splits: Sequence[Split]) -> float:
    """Return two standard errors of an AUC, deals counted by their weight (Hanley and McNeil 1982)."""
    won = max(sum(float(s.w_test @ s.y_test) for s in splits), 1.0)
    lost = max(sum(float(s.w_test @ (1 - s.y_test)) for s in splits), 1.0)
    q1, q2 = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value) + (won - 1) * (q1 - value**2) + (lost - 1) * (q2 - value**2)
    return 2 * float(np.sqrt(max(spread, 0.0) / (won * lost)))


def too_early(at_zero: float, later: float) -> bool:
    """Tell whether what should grow with the deal is as strong on day 0 as it is later."""
    return bool(at_zero >= DAY_ZERO * later and at_zero > STRONG_AT_ZERO)


def auc_of_features(task: WinTask, names: Sequence[str], folds: Sequence[Fold]) -> float:
    """Return the AUC in the folds of ridge or of small trees on some of the features, whichever is higher; NaN without any.

    At most 20,000 rows of each fold are learnt from, and as many tested on.

    >>> auc_of_features(None, [], [])
    nan
    """
    if not names:
        return float("nan")
    part, rng = task.with_features(task.features[list(names)]), np.random.default_rng(task.seed)
    fewer = [replace(fold, train=_at_most(rng, fold.train), test=_at_most(rng, fold.test)) for fold in folds]
    splits = splits_of(part, fewer)
    rungs = (Rung("ridge", C=RIDGE), Rung("trees", size=small_trees(max(len(fold.train) for fold in fewer))))
    return max(_rung_auc(part, fewer, splits, rung) for rung in rungs)


def carriers(task: WinTask, folds: Sequence[Fold]) -> tuple[float, list[str]]:
    """Return the AUC of all features together and, where it is too good to be true, the features that it rests on.

    Those are the features left out one by one, the strongest first (mean absolute SHAP value), until the AUC is at most .85.
    No name is looked at, so that columns with a meaningless one are found; honest features that are strong are among them, and
    only a person can tell them apart. None where the AUC is not above .90 by two standard errors.
    """
    names, left_out = list(task.features), []
    if not names:
        return float("nan"), []
    full, strength = _with_strength(task, names, folds)
    if not full - noise(full, splits_of(task, folds)) > TOO_GOOD:
        return full, []
    reached = full
    while reached > TOO_STRONG_ALONE and len(names) > 1:
        strongest = str(strength.idxmax())
        names.remove(strongest)
        left_out.append(strongest)
        reached, strength = _with_strength(task, names, folds)
    return full, left_out


def _with_strength(task: WinTask, names: Sequence[str], folds: Sequence[Fold]) -> tuple[float, pd.Series]:
    """Return the AUC of some features in the folds, and how much each moves the log-odds there."""
    part, rng = task.with_features(task.features[list(names)]), np.random.default_rng(task.seed)
    strength, found = pd.Series(0.0, index=list(names)), []
    fewer = [replace(fold, train=_at_most(rng, fold.train), test=_at_most(rng, fold.test)) for fold in folds]
    splits = splits_of(part, fewer)
    for fold, split in zip(fewer, splits, strict=True):
        fitted = part.fit(fold.train, fold.train_day, Rung("trees", size=_grown(len(fold.train))))
        found.append(part.margin(fitted, split.test))
        shown = part.features.iloc[rng.permutation(split.test)[:N_EXPLAINED]]
        strength += fitted.attributions(shown)[0].abs().mean()
    y, p, w, of = (np.concatenate(parts) for parts in zip(*_numbered(splits, found), strict=True))
    return auc_within(of)(y, p, w), strength


def _grown(n_rows: int) -> TreeSize:
    return TreeSize(16, 200, 0.05, min_rows=20) if n_rows >= MANY_DEALS else small_trees(n_rows)


def _rung_auc(task: WinTask, folds: Sequence[Fold], splits: Sequence[Split], rung: Rung) -> float:
    found = [task.margin(task.fit(f.train, f.train_day, rung), s.test) for f, s in zip(folds, splits, strict=True)]
    y, p, w, of = (np.concatenate(parts) for parts in zip(*_numbered(splits, found), strict=True))
    return auc_within(of)(y, p, w)


def _enough(y: np.ndarray) -> bool:
    return min((y == 1).sum(), (y == 0).sum()) >= LEAST


def _tested(column: pd.Series, splits: Sequence[Split]) -> tuple[np.ndarray, ...]:
    """Return outcomes, the win rates of their bins, weights and the number of the fold of all tested rows."""
    found = [_in_split(column, split) for split in splits]
    return tuple(np.concatenate(parts) for parts in zip(*_numbered(splits, found), strict=True))


def _numbered(splits: Sequence[Split], found: Sequence[np.ndarray]) -> list[tuple[np.ndarray, ...]]:
    return [(s.y_test, p, s.w_test, np.full(len(p), k)) for k, (s, p) in enumerate(zip(splits, found, strict=True))]


def _in_split(column: pd.Series, split: Split) -> np.ndarray:
    """Return each test row's win rate of its bin among the training rows, drawn to the mean where the bin is small."""
    if pd.api.types.is_numeric_dtype(column):
        bins = _bins(column.to_numpy(dtype=float, na_value=np.nan), split.train)
    else:
        bins = pd.factorize(column, use_na_sentinel=False)[0]
    n_bins = int(bins.max(initial=0)) + 1
    weight = np.bincount(bins[split.train], split.w_train, n_bins)
    won = np.bincount(bins[split.train], split.w_train * split.y_train, n_bins)
    mean = won.sum() / max(weight.sum(), 1e-12)
    return ((won + _PRIOR * mean) / (weight + _PRIOR))[bins[split.test]]


def _bins(values: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Put numbers into bins of at least 50 rows, 50 bins at most; few values are a bin each, and missing is the last bin."""
    known = values[train][~np.isnan(values[train])]
    edges, n_bins = np.unique(known), int(np.clip(len(known) // _LEAST_IN_BIN, 2, _MOST_BINS))
    if len(edges) > n_bins:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))


def _at_most(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    return rows if len(rows) <= MOST_ROWS else np.sort(rng.choice(rows, MOST_ROWS, replace=False))
