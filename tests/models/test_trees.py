from itertools import combinations
from math import factorial

import numpy as np
import pytest

from winworth.models.trees import Trees, TreeSize, small_trees

N_FEATURES = 4


@pytest.fixture(scope="module")
def rows():
    """Return 400 rows with gaps in the second column, and a number made of an interaction."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, N_FEATURES))
    y = X[:, 0] * (X[:, 1] > 0) + np.sin(2 * X[:, 2]) + 0.3 * X[:, 3] + 0.1 * rng.normal(size=400)
    X[rng.random(400) < 0.25, 1] = np.nan
    return X, y, rng.uniform(0.5, 2, 400)


def grown(rows, objective="regression", **options):
    X, y, weight = rows
    y = y if objective == "regression" else (y > 0).astype(float)
    size = options.pop("size", TreeSize(5, 3, 0.3, min_rows=10))
    return Trees.fit(X, y, weight, size=size, objective=objective, **{"threads": 1, **options})


def goes_left(node, value):
    if np.isnan(value):
        return node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
    return value <= node["threshold"]


def cover(node):
    return node["internal_count"] if "split_feature" in node else node["leaf_count"]


def expected(node, row, known):
    """Return what a tree expects of a row of which only the features in `known` are told, by the cover of its nodes."""
    if "split_feature" not in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return expected(left if goes_left(node, row[node["split_feature"]]) else right, row, known)
    both = cover(left) * expected(left, row, known) + cover(right) * expected(right, row, known)
    return both / cover(node)


def shapley_by_hand(booster, row):
    """Return Shapley values of one row over all subsets of features, and the value of the empty subset."""
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    subsets = [frozenset(s) for size in range(N_FEATURES + 1) for s in combinations(range(N_FEATURES), size)]
    value = {known: sum(expected(tree, row, known) for tree in trees) for known in subsets}
    values = np.zeros(N_FEATURES)
    for known in subsets:
        chance = factorial(len(known)) * factorial(N_FEATURES - len(known) - 1) if len(known) < N_FEATURES else 0
        for feature in set(range(N_FEATURES)) - known:
            values[feature] += chance / factorial(N_FEATURES) * (value[known | {feature}] - value[known])
    return values, value[frozenset()]


@pytest.mark.parametrize("objective", ["regression", "binary"])
def test_contributions_are_the_brute_force_shapley_values(rows, objective):
    trees = grown(rows, objective)
    some = rows[0][:12]
    values, base = trees.contributions(some)
    for row, found in zip(some, values, strict=True):
        by_hand, empty = shapley_by_hand(trees.booster, row)
        assert found == pytest.approx(by_hand, abs=1e-9)
        assert base == pytest.approx(empty, abs=1e-9)


def test_contributions_and_base_add_up_to_the_margin(rows):
    trees = grown(rows, size=small_trees(400))
    values, base = trees.contributions(rows[0])
    assert np.abs(values.sum(axis=1) + base - trees.margin(rows[0])).max() < 1e-9


def test_no_rows_have_no_contributions_and_the_same_base(rows):
    trees = grown(rows)
    values, base = trees.contributions(rows[0][:0])
    assert values.shape == (0, N_FEATURES)
    assert base == trees.contributions(rows[0])[1]


def test_one_thread_and_two_grow_the_same_trees(rows, monkeypatch):
    monkeypatch.setattr("winworth.models.trees.SMALL", 0)
    assert grown(rows, threads=1).to_text() == grown(rows, threads=2).to_text()


def test_labels_that_are_not_numbers_are_refused(rows):
    X, y, weight = rows
    with pytest.raises(ValueError, match="2 labels are NaN"):
        grown((X, np.r_[np.nan, np.nan, y[2:]], weight))


def test_the_text_has_no_settings_and_can_be_read_again(rows):
    trees = grown(rows)
    text = trees.to_text()
    assert "parameters" not in text and "num_threads" not in text
    again = Trees.from_text(text)
    assert again.margin(rows[0]).tolist() == trees.margin(rows[0]).tolist()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_monotone_feature_never_moves_the_prediction_the_other_way(rows, sign):
    X, y, weight = rows
    against = (X, y - 2 * sign * np.abs(X[:, 0]), weight)
    size = TreeSize(6, 80, 0.1, min_rows=10)
    held, free = (grown(against, size=size, monotone=monotone) for monotone in ((sign, 0, 0, 0), ()))

    def path(trees):
        return np.array([trees.margin(np.c_[np.full(50, step), X[:50, 1:]]) for step in np.linspace(-3, 3, 25)])

    assert (sign * np.diff(path(held), axis=0) >= -1e-12).all()
    assert (sign * np.diff(path(free), axis=0) < -0.1).any()


def test_the_first_trees_alone_are_a_smaller_model(rows):
    few = grown(rows, size=TreeSize(5, 2, 0.3, min_rows=10))
    assert grown(rows).margin(rows[0], n_trees=2) == pytest.approx(few.margin(rows[0]))


@pytest.mark.parametrize(("n", "leaves"), [(100, 4), (999, 4), (1000, 6), (50_000, 6)])
def test_small_trees_grow_with_the_history(n, leaves):
    size = small_trees(n)
    assert size.leaves == leaves
    assert 3 <= size.min_rows <= 100
