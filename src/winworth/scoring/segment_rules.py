"""A segment in one sentence: the branch of a small decision tree that tells it from the others, and how well it does."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from winworth.models.matrix import FeatureMatrix, MatrixColumn
from winworth.scoring.segment_names import WORDS, level_said
from winworth.scoring.segments import Rule, Segments
from winworth.weights.reasons import Wording

DEPTH = 3
LEAST_LEAF = 10
MOVED = 0.01  # share of the rows that rounding a threshold may move
TOLD_OF = 2 / 3  # share of the rows that rules are learnt from; the others tell how well they hold


@dataclass(frozen=True)
class Condition:
    """What a matrix column must be: between `low` and `high`, both included; a level's column is 1 where a row has it.

    A missing number meets no condition.
    """

    column: MatrixColumn
    low: float = -np.inf
    high: float = np.inf

    @property
    def is_held(self) -> bool:
        """Whether a row must have the level, where the column is a level's."""
        return self.low > 0

    def said(self, wording: Wording) -> str:
        """Word the condition."""
        words, label = WORDS[wording.lang], wording.feature(self.column.feature)
        if self.column.level is not None:
            said = level_said(self.column.level, wording.lang)
            return words["level" if self.is_held else "not"].format(label, said)
        if np.isinf(self.low):
            return words["at_most"].format(label, number_said(self.high, wording.lang))
        if np.isinf(self.high):
            return words["at_least"].format(label, number_said(self.low, wording.lang))
        return words["between"].format(label, *(number_said(end, wording.lang) for end in (self.low, self.high)))


def rules_of(segments: Segments, features: pd.DataFrame, wordings: Mapping[str, Wording], *, seed: int) -> tuple:
    """Return a Rule for each segment; None where there is one segment only, or no branch tells it from the others.

    For each segment a decision tree of depth 3 is grown on two thirds of the rows, on the features as they are, and its
    branch with the best F1 (the harmonic mean of precision and coverage) is the rule; both are measured on the other third.
    """
    if len(segments.ids) == 1:
        return (None,)
    read = segments.space.matrix.features_
    matrix = FeatureMatrix().fit(features[read])
    X, place = matrix.transform(features[read]), segments.nearest(features)[0]
    order = np.random.default_rng(seed).permutation(len(X))[np.argsort(np.lexsort([place, *X.T[::-1]]))]
    is_past = order < TOLD_OF * len(X)
    found = []
    for k in range(len(segments.ids)):
        conditions = best_branch(X[is_past], place[is_past] == k, matrix.columns_, seed=seed)
        found.append(_rule(conditions, (X[~is_past], place[~is_past] == k), matrix, wordings))
    return tuple(found)


def number_said(value: float, lang: str) -> str:
    """Write all the digits of a number, so that the rule told is the rule measured.

    >>> number_said(1200.0, "en"), number_said(0.125, "fr")
    ('1,200', '0,125')
    """
    text = f"{value:,}".removesuffix(".0")
    return text.replace(",", "\u202f").replace(".", ",") if lang == "fr" else text


def best_branch(X: np.ndarray, own: np.ndarray, columns: list[MatrixColumn], *, seed: int) -> tuple[Condition, ...]:
    """Return the conditions of the branch with the best F1; none where no branch tells more than taking every row does."""
    from sklearn.tree import DecisionTreeClassifier

    middle = np.array([np.median(x[~np.isnan(x)]) if (~np.isnan(x)).any() else 0.0 for x in X.T])
    tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=LEAST_LEAF, random_state=seed)
    grown = tree.fit(np.where(np.isnan(X), middle, X), own).tree_
    best, best_f1 = (), _f1(np.ones(len(X), dtype=bool), own)
    for conditions in _branches(grown, X, columns):
        f1 = _f1(meets(conditions, X, columns), own)
        if f1 > best_f1 + 1e-9:
            best, best_f1 = conditions, f1
    return best


def meets(conditions: tuple[Condition, ...], X: np.ndarray, columns: list[MatrixColumn]) -> np.ndarray:
    """Tell which rows meet all conditions."""
    met = np.ones(len(X), dtype=bool)
    for condition in conditions:
        x = X[:, columns.index(condition.column)]
        met &= (x >= condition.low) & (x <= condition.high)
    return met


def _branches(grown: object, X: np.ndarray, columns: list[MatrixColumn]) -> list[tuple[Condition, ...]]:
    """Return the conditions that lead to each node below the root, the shortest first."""
    open_nodes, found = [(0, {})], []
    while open_nodes:
        node, held = open_nodes.pop(0)
        if held:
            found.append(tuple(held.values()))
        at = grown.feature[node]
        if at < 0:
            continue
        was = held.get(at, Condition(columns[at]))
        below, above = _ends(X[:, at], grown.threshold[node])
        open_nodes.append((grown.children_left[node], held | {at: replace(was, high=below)}))
        open_nodes.append((grown.children_right[node], held | {at: replace(was, low=above)}))
    return found


def _ends(x: np.ndarray, threshold: float) -> tuple[float, float]:
    """Return the two numbers that a threshold lies between, with as few digits as move no more than one row in a hundred."""
    below, above = x[x <= threshold].max(), x[x > threshold].min()
    for digits in range(1, 16):
        high, low = float(f"{below:.{digits}g}"), float(f"{above:.{digits}g}")
        moved = max(((x <= high) != (x <= threshold)).sum(), ((x >= low) != (x > threshold)).sum())
        if moved <= MOVED * len(x):
            return high, low
    return float(below), float(above)


def _f1(met: np.ndarray, own: np.ndarray) -> float:
    return 2 * (met & own).sum() / max(1, met.sum() + own.sum())


def _rule(
    conditions: tuple[Condition, ...],
    later: tuple[np.ndarray, np.ndarray],
    matrix: FeatureMatrix,
    wordings: Mapping[str, Wording],
) -> Rule | None:
    if not conditions or not later[1].any():
        return None
    X, own = later
    met = meets(conditions, X, matrix.columns_)
    said = {lang: WORDS[lang]["and"].join(c.said(wording) for c in conditions) for lang, wording in wordings.items()}
    precision = float(own[met].mean()) if met.any() else None
    return Rule(said, precision, int(met.sum()), float(met[own].mean()), int(own.sum()))
