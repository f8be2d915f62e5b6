"""LightGBM's text is looked through before LightGBM reads it: what is damaged makes it end the whole process.

A hash that fits tells that the text is what was saved; this tells that what was saved are trees.
"""

import re
from collections.abc import Mapping

import numpy as np

from winworth.errors import IntegrityError

_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf)", re.ASCII)
_OF_SPLITS = ("split_gain", "threshold", "internal_value", "internal_weight", "internal_count")
_OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")


def check_trees(text: str) -> None:
    """Raise IntegrityError, with the first tree that is none, unless `text` holds the trees that it says it holds.

    A tree's numbers are as many as its leaves ask for, its splits read columns that there are, and each leaf and each split
    but the first hangs on one split before it.
    """
    body, end, _ = text.partition("\nend of trees")
    head, *trees = body.split("\nTree=")
    told = _fields(head)
    try:
        n_columns = _whole(told, "max_feature_idx", 1)[0] + 1
        for name in ("feature_names", "feature_infos"):
            _must(len(told[name].split(" ")) == n_columns, f"{name} are not {n_columns}")
        _must(told["num_class"] == told["num_tree_per_iteration"] == "1", "there is more than one class")
        _must(bool(end) and len(_whole(told, "tree_sizes")) == len(trees), f"{len(trees)} trees are not all there were")
        _must(
            [len(f"Tree={tree}\n".encode()) for tree in trees] == _whole(told, "tree_sizes").tolist(), "a tree's size changed"
        )
        _must(head.startswith("tree\n"), "it does not begin with its kind")
    except (KeyError, ValueError) as error:
        raise IntegrityError(_says("the head", error)) from error
    for at, tree in enumerate(trees):
        number, _, lines = tree.partition("\n")
        try:
            _must(number == str(at), f"it is numbered {number[:20]}")
            _check_tree(_fields(lines), n_columns)
        except (KeyError, ValueError) as error:
            raise IntegrityError(_says(f"tree {at}", error)) from error


def _check_tree(told: Mapping[str, str], n_columns: int) -> None:
    n_leaves, n_levels = int(_whole(told, "num_leaves", 1)[0]), int(_whole(told, "num_cat", 1)[0])
    n_splits = n_leaves - 1
    _must(n_leaves > 0 and n_levels >= 0 and told["is_linear"] == "0", "it has no leaves, or lines in them")
    _numbers(told, "shrinkage", 1)
    _numbers(told, "leaf_value", n_leaves)
    if not n_splits:
        return
    for names, n in ((_OF_SPLITS, n_splits), (_OF_LEAVES, n_leaves)):
        for name in names:
            _numbers(told, name, n)
    columns, kinds = _whole(told, "split_feature", n_splits), _whole(told, "decision_type", n_splits)
    _must(columns.min() >= 0 and columns.max() < n_columns, "a split reads a column that there is none of")
    _must(kinds.min() >= 0 and kinds.max() < 16, "a split is of no known kind")
    children = np.concatenate([_whole(told, side, n_splits) for side in ("left_child", "right_child")])
    all_once = [*range(-n_leaves, 0), *range(1, n_splits)]
    _must(sorted(children.tolist()) == all_once, "its leaves and splits do not hang together")
    before = np.tile(np.arange(n_splits), 2)
    _must(bool(((children < 0) | (children > before)).all()), "a split hangs on a later one")
    if n_levels or (kinds & 1).any():
        bounds = _whole(told, "cat_boundaries", n_levels + 1)
        _must(bounds[0] == 0 and bool((np.diff(bounds) > 0).all()), "its levels are out of order")
        _must(bool((_whole(told, "cat_threshold", int(bounds[-1])) >= 0).all()), "a level is below 0")
        chosen = _numbers(told, "threshold", n_splits)[(kinds & 1) == 1]
        _must(bool(np.isin(chosen, np.arange(n_levels)).all()), "a split reads levels that there are none of")


def _fields(lines: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in lines.split("\n"))}


def _whole(told: Mapping[str, str], name: str, n: int | None = None) -> np.ndarray:
    return _read(told, name, n, _WHOLE).astype(np.int64)


def _numbers(told: Mapping[str, str], name: str, n: int) -> np.ndarray:
    found = _read(told, name, n, _NUMBER).astype(float)
    _must(name == "threshold" or bool(np.isfinite(found).all()), f"{name} is not finite")
    return found


def _read(told: Mapping[str, str], name: str, n: int | None, form: re.Pattern[str]) -> np.ndarray:
    words = told[name].split(" ") if told[name] else []
    _must(n is None or len(words) == n, f"{name} has {len(words)} numbers in place of {n}")
    _must(all(map(form.fullmatch, words)), f"{name} is no row of numbers")
    return np.array(words, dtype=str)


def _must(holds: bool, says: str) -> None:
    if not holds:
        raise ValueError(says)


def _says(where: str, error: Exception) -> str:
    lacks = f"{error} is not there" if isinstance(error, KeyError) else str(error)
    return f"a model's trees are damaged: {where}: {lacks}. Restore the version from a copy, or run winworth train again."
