"""Referees that share no code with the attributions: Shapley values summed over all coalitions, and the shap library."""

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest

from winworth.models.by_name import ByName
from winworth.models.matrix import FeatureMatrix
from winworth.models.trees import Trees, TreeSize, small_trees
from winworth.models.win import WinModel
from winworth.weights.attribution import as_explanation


def shapley(value, players):
    """Return each player's Shapley value, given the worth of every coalition (arrays over rows)."""
    n, worth = len(players), {}
    for size in range(n + 1):
        for coalition in combinations(players, size):
            worth[frozenset(coalition)] = value(frozenset(coalition))
    found = {}
    for player in players:
        others = [other for other in players if other != player]
        parts = []
        for size in range(n):
            share = factorial(size) * factorial(n - size - 1) / factorial(n)
            for coalition in map(frozenset, combinations(others, size)):
                parts.append(share * (worth[coalition | {player}] - worth[coalition]))
        found[player] = np.sum(parts, axis=0)
    return found


def expected(node, X, known):
    """Return what a tree says of rows of which only some columns are known: branches on others by their share of the rows."""
    if "leaf_value" in node:
        return np.full(len(X), node["leaf_value"])
    left, right = (expected(node[side], X, known) for side in ("left_child", "right_child"))
    if node["split_feature"] in known:
        return np.where(X[:, node["split_feature"]] <= node["threshold"], left, right)
    counts = [child.get("internal_count", child.get("leaf_count")) for child in (node["left_child"], node["right_child"])]
    return (left * counts[0] + right * counts[1]) / sum(counts)


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = (X[:, 0] * X[:, 1] + X[:, 2] + rng.normal(size=400) > 0).astype(float)
    return X, Trees.fit(X, y, np.ones(400), size=TreeSize(5, 12, 0.2, min_rows=10), threads=1)


def test_attributions_are_the_shapley_values_over_all_coalitions(small):
    X, trees = small
    roots = [tree["tree_structure"] for tree in trees.booster.dump_model()["tree_info"]]
    by_hand = shapley(lambda known: sum(expected(root, X[:50], known) for root in roots), range(4))
    assert trees.contributions(X[:50])[0] == pytest.approx(np.column_stack([by_hand[k] for k in range(4)]), abs=1e-9)


def test_attributions_and_their_base_add_up_to_the_margin(small):
    X, trees = small
    parts, base = trees.contributions(X)
    assert parts.sum(axis=1) + base == pytest.approx(trees.margin(X), abs=1e-9)


def test_both_models_of_the_demo_add_up(demo):
    scorer = demo.done.trained.scorer
    features = drawn_features(scorer, 300)
    for fitted, told in ((scorer.win, "decision_function"), (scorer.value, "log_value")):
        parts, base = fitted.attributions(features)
        margin = getattr(fitted.model, told)(fitted.matrix.transform(features))
        assert parts.sum(axis=1).to_numpy() + base == pytest.approx(margin, abs=1e-9)


@pytest.mark.slow
def test_the_shap_library_sees_the_same(small):
    shap = pytest.importorskip("shap")
    X, trees = small
    theirs = shap.TreeExplainer(trees.booster).shap_values(X[:50])
    theirs = theirs[-1] if isinstance(theirs, list) else theirs
    assert trees.contributions(X[:50])[0] == pytest.approx(theirs, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("part", "told"), [("win", "margin"), ("value", "log_value")])
def test_grouped_attributions_go_with_the_shapley_values_of_whole_criteria(demo, part, told):
    """Each coalition of criteria keeps the row's own values and takes the others from rows of a background."""
    scorer = demo.done.trained.scorer
    fitted, features = getattr(scorer, part), drawn_features(scorer, 208)
    own = {name: [f for f in criterion.features if f in features] for name, criterion in scorer.catalog.criteria.items()}
    rows, background = features[:200], features[200:]
    X, B = (fitted.matrix.transform(part) for part in (rows, background))
    owners = np.array([scorer.catalog.criterion_of[column.feature] for column in fitted.matrix.columns_])

    def value(known):
        is_known = np.isin(owners, list(known))
        mixed = np.where(is_known, np.repeat(X, len(B), axis=0), np.tile(B, (len(X), 1)))
        return getattr(fitted.model, told)(mixed).reshape(len(X), len(B)).mean(axis=1)

    exact = shapley(value, list(own))
    parts = fitted.attributions(rows)[0]
    moved = {name: exact[name] for name in scorer.weights.criteria.index if np.ptp(exact[name]) > 0.02}
    correlation = pd.Series({name: np.corrcoef(exact[name], parts[own[name]].sum(axis=1))[0, 1] for name in moved})
    assert len(moved) >= 3
    assert (correlation >= 0.95).all(), correlation


def drawn_features(scorer, n):
    """Draw feature rows that mix the values of the criteria as they were learnt: medians, levels, and numbers about them."""
    rng, matrix, columns = np.random.default_rng(1), scorer.win.matrix, {}
    for name in matrix.features_:
        if name in matrix.levels_:
            columns[name] = rng.choice(np.array(matrix.levels_[name][:-2], dtype=object), n)
        else:
            columns[name] = np.abs(rng.normal(1, 0.6, n)) * max(matrix.medians_[name], 1.0)
    return pd.DataFrame(columns)


def test_the_explanation_for_shap_holds_the_attributions_the_levels_and_the_base():
    pytest.importorskip("shap")
    rng = np.random.default_rng(1)
    features = pd.DataFrame({"size": rng.normal(size=300), "sector": rng.choice(["it", "steel", None], 300)})
    y = (features["size"] + (features["sector"] == "it") + rng.normal(size=300) > 0).to_numpy(dtype=float)
    matrix = FeatureMatrix().fit(features)
    model = WinModel(0.1, small_trees(300), blocks=matrix.blocks_, monotone=(0,) * len(matrix.columns_))
    fitted = ByName(matrix, model.fit(matrix.transform(features), y))
    found = as_explanation(fitted, features)
    margin = fitted.model.decision_function(matrix.transform(features))
    assert found.values.sum(axis=1) + found.base_values == pytest.approx(margin, abs=1e-9)
    assert found.feature_names == ["size", "sector"] and found.data[:, 0] == pytest.approx(features["size"].to_numpy())
    assert set(found.data[:, 1]) == {-1.0, 0.0, 1.0} and set(found.display_data[:, 1]) >= {"it", "steel"}
