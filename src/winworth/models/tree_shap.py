"""Path-dependent SHAP values of trees by look-up: what a leaf gives each column depends on which of its splits a row passes.

The game of Lundberg, Erion and Lee (Consistent individualized feature attribution for tree ensembles, 2018, algorithm 1) is a
sum over leaves. A leaf asks each of its k columns whether a row lies in an interval; where it does not, the column's part in
the cover stands in. So there are 2^k answers, and each column's value for each of them is worked out once for a leaf, not once
for a row. Equal to LightGBM's `pred_contrib` up to rounding. `bench/tree_shap.py` sets both side by side, the tables
included: for thousands of rows this is several times faster, for a few hundred it takes longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import factorial

import numpy as np

MOST_ASKED = 8  # columns of a leaf for which all answers are worked out; beyond, those that occur
ROWS = 4096  # at once
TOGETHER = 64  # leaves
_DEFAULT_LEFT, _MISSING = 2, 12  # bits of LightGBM's decision_type
_NAN = 8


@dataclass(frozen=True)
class _Interval:
    """What a leaf asks of one column: low < x <= high, or missing where `takes_nan`; `share` is the cover that passes."""

    column: int
    low: float = -np.inf
    high: float = np.inf
    takes_nan: bool = True
    share: float = 1.0

    @property
    def asked(self) -> tuple:
        """What is asked, whatever the share."""
        return self.column, self.low, self.high, self.takes_nan


@dataclass(frozen=True)
class _Leaf:
    """A leaf that asks the same number of columns as others: its intervals, value, and (columns, answers) of what it gives."""

    asks: tuple[_Interval, ...]
    value: float
    gives: np.ndarray | None


class TreeShap:
    """SHAP values of the trees in LightGBM's text, whose splits read numbers. `base` is what they start from: the mean by
    cover.
    """

    def __init__(self, text: str):
        told = [leaf for tree in text.partition("\nend of trees")[0].split("\nTree=")[1:] for leaf in _leaves(tree)]
        self.base = float(sum(value * np.prod([ask.share for ask in asks]) for asks, value in told))
        self._told = [(asks, value) for asks, value in told if asks]

    def values(self, X: np.ndarray) -> np.ndarray:
        """Return what each column gives each row, (rows, columns); each row by itself, whatever stands beside it."""
        return np.concatenate([self._some(X[at : at + ROWS]) for at in range(0, len(X), ROWS)] or [np.zeros(X.shape)])

    @cached_property
    def _leaves(self) -> list[_Leaf]:
        return _with_tables(self._told)

    def _some(self, X: np.ndarray) -> np.ndarray:
        columns, found = np.ascontiguousarray(X.T), np.zeros((X.shape[1], len(X)))
        held: dict[tuple, np.ndarray] = {}
        for leaf in self._leaves:
            answers = [held[ask.asked] if ask.asked in held else _held(ask, columns, held) for ask in leaf.asks]
            if leaf.gives is None:
                given = _given_to(leaf, np.array(answers))
            else:
                code = answers[0].copy()
                for k, answer in enumerate(answers[1:], 1):
                    code |= answer << k
                given = leaf.gives.take(code, axis=1)
            for ask, values in zip(leaf.asks, given, strict=True):
                found[ask.column] += values
        return found.T


def _leaves(tree: str) -> Iterator[tuple[tuple[_Interval, ...], float]]:
    """Yield what each leaf of a tree asks, and its value."""
    told = {name: value.split(" ") for name, _, value in (line.partition("=") for line in tree.split("\n"))}
    if int(told["num_leaves"][0]) == 1:
        yield (), float(told["leaf_value"][0])
        return
    at = {name: list(map(int, told[name])) for name in ("split_feature", "decision_type", "internal_count", "leaf_count")}
    sides, threshold = (
        [list(map(int, told[f"{side}_child"])) for side in ("left", "right")],
        list(map(float, told["threshold"])),
    )
    paths: list[tuple[int, dict[int, _Interval]]] = [(0, {})]
    while paths:
        node, asks = paths.pop()
        if node < 0:
            yield tuple(asks.values()), float(told["leaf_value"][~node])
            continue
        column, kind, cut = at["split_feature"][node], at["decision_type"][node], threshold[node]
        nan_is_left = bool(kind & _DEFAULT_LEFT) if kind & _MISSING == _NAN else cut >= 0
        for is_right, children in enumerate(sides):
            child = children[node]
            n = at["internal_count"][child] if child >= 0 else at["leaf_count"][~child]
            asked = asks.get(column, _Interval(column))
            low, high = (max(asked.low, cut), asked.high) if is_right else (asked.low, min(asked.high, cut))
            takes_nan = asked.takes_nan and nan_is_left != bool(is_right)
            ask = _Interval(column, low, high, takes_nan, asked.share * n / at["internal_count"][node])
            paths.append((child, asks | {column: ask}))


def _with_tables(leaves: list[tuple[tuple[_Interval, ...], float]]) -> list[_Leaf]:
    """Work out, for leaves of as many columns at once, what each answer gives."""
    made = []
    for k in sorted({len(asks) for asks, _ in leaves}):
        some = [(asks, value) for asks, value in leaves if len(asks) == k]
        if k > MOST_ASKED:
            made += [_Leaf(asks, value, None) for asks, value in some]
            continue
        answers = (np.arange(2**k) >> np.arange(k)[:, None]) & 1
        for at in range(0, len(some), TOGETHER):
            share = np.array([[ask.share for ask in asks] for asks, _ in some[at : at + TOGETHER]])
            given = _credits(np.array([value for _, value in some[at : at + TOGETHER]]), share, answers)
            made += [_Leaf(asks, value, table) for (asks, value), table in zip(some[at:], given, strict=False)]
    return made


def _given_to(leaf: _Leaf, answers: np.ndarray) -> np.ndarray:
    """Return what a leaf of many columns gives to rows with these answers, (columns, rows)."""
    code = (answers.astype(np.int64) << np.arange(len(answers))[:, None]).sum(axis=0)
    first, row = np.unique(code, return_index=True, return_inverse=True)[1:]
    share = np.array([[ask.share for ask in leaf.asks]])
    return _credits(np.array([leaf.value]), share, answers[:, first])[0][:, row]


def _held(ask: _Interval, columns: np.ndarray, held: dict[tuple, np.ndarray]) -> np.ndarray:
    """Tell which rows pass, as 0 and 1, and remember it for the other leaves that ask the same."""
    x = columns[ask.column]
    passes = ((x > ask.low) | (ask.low == -np.inf)) & (x <= ask.high)  # an end that nothing cuts is no end
    if ask.takes_nan:
        passes |= np.isnan(x)
    held[ask.asked] = passes.view(np.uint8)
    return held[ask.asked]


def _credits(value: np.ndarray, share: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return Shapley's values of the columns of leaves, (leaves, columns, answers).

    The worth of a set S of columns is value x product over S of the answers x product over the others of the shares. A
    column's value is (answer - share) x value x the sum over sets S of the others, |S|! (k-1-|S|)! / k! each; the products of
    all sets of one size are the coefficients of a polynomial.
    """
    k = share.shape[1]
    own = np.eye(k, dtype=bool)[:, :, None]  # a column is no part of the sets that it joins
    sizes = [np.ones((len(share), k, answers.shape[1]))]
    for other in range(k):
        up = np.where(own[other], 0, answers[other])
        stay = np.where(own[other], 1.0, share[:, None, None, other])
        higher = [products * up for products in sizes]
        sizes = [products * stay for products in sizes] + [np.zeros_like(sizes[0])]
        for size, products in enumerate(higher, 1):
            sizes[size] += products
    weight = [factorial(size) * factorial(k - 1 - size) / factorial(k) for size in range(k)]
    total = sum(w * products for w, products in zip(weight, sizes[:k], strict=True))
    return value[:, None, None] * (answers - share[:, :, None]) * total
