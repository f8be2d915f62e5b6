"""SHAP values by look-up against LightGBM's own, on trees of every size and with every kind of gap."""

import lightgbm
import numpy as np
import pytest

from winworth.models import tree_shap
from winworth.models.tree_shap import TreeShap


def boosted(leaves, n_trees, gaps, seed=0):
    """Return a booster of 12 columns, and rows, of which some lack numbers: in training too, or only now."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=(1500, 8)), rng.random((1500, 4)) < 0.3]).astype(float)
    y = (X[:, 0] + X[:, 1] * X[:, 2] + X[:, 8] * X[:, 3] + rng.normal(size=1500) > 0).astype(float)
    lacking = rng.random(X.shape) < 0.1
    settings = {
        "objective": "binary",
        "num_leaves": leaves,
        "min_data_in_leaf": 5,
        "verbose": -1,
        "num_threads": 1,
        "seed": seed,
    }
    train = np.where(lacking, np.nan, X) if gaps == "in training" else X
    booster = lightgbm.train(settings, lightgbm.Dataset(train, y, weight=rng.uniform(0.5, 2, 1500)), n_trees)
    return booster, np.where(lacking, np.nan, X) if gaps else X


@pytest.mark.parametrize(("leaves", "n_trees"), [(2, 30), (4, 60), (16, 40), (63, 4)])
@pytest.mark.parametrize("gaps", ["", "in training", "only now"])
def test_values_and_base_are_those_of_lightgbm(leaves, n_trees, gaps):
    booster, X = boosted(leaves, n_trees, gaps)
    ours, wanted = TreeShap(booster.model_to_string()), booster.predict(X, pred_contrib=True)
    assert np.abs(ours.values(X) - wanted[:, :-1]).max() < 1e-12
    assert ours.base == pytest.approx(wanted[0, -1], abs=1e-12)


def test_what_lies_beyond_every_number_goes_where_lightgbm_sends_it():
    booster, X = boosted(16, 10, "in training")
    X[:20, 0], X[20:40, 1] = -np.inf, np.inf
    X[40:60, 0] = TreeShap(booster.model_to_string())._told[0][0][0].high  # just on a threshold, or beyond
    found = TreeShap(booster.model_to_string()).values(X)
    assert np.abs(found - booster.predict(X, pred_contrib=True)[:, :-1]).max() < 1e-12


def test_leaves_that_ask_more_columns_than_are_worked_out_beforehand_are_looked_at_row_by_row(monkeypatch):
    booster, X = boosted(16, 20, "in training")
    text = booster.model_to_string()
    whole = TreeShap(text).values(X)
    monkeypatch.setattr(tree_shap, "MOST_ASKED", 1)
    assert np.abs(TreeShap(text).values(X) - whole).max() < 1e-13


def test_a_row_has_the_same_bits_whatever_stands_beside_it(monkeypatch):
    booster, X = boosted(63, 5, "only now")
    ours = TreeShap(booster.model_to_string())
    whole = ours.values(X)
    monkeypatch.setattr(tree_shap, "ROWS", 7)
    assert (ours.values(X) == whole).all()
    assert (np.concatenate([ours.values(row[None]) for row in X[:20]]) == whole[:20]).all()


def test_trees_of_one_leaf_give_nothing_but_the_base():
    booster = lightgbm.train(
        {"objective": "regression", "min_data_in_leaf": 900, "verbose": -1}, lightgbm.Dataset(np.eye(1000, 2), np.ones(1000)), 3
    )
    ours = TreeShap(booster.model_to_string())
    assert not ours.values(np.eye(4, 2)).any() and ours.base == pytest.approx(float(booster.predict(np.eye(1, 2))[0]))
