import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.base import clone

from winworth.models.by_name import ByName, monotone_columns
from winworth.models.calibration import Platt
from winworth.models.matrix import FeatureMatrix, MatrixColumn
from winworth.models.trees import TreeSize
from winworth.models.win import WinModel

SMALL = TreeSize(4, 40, 0.1, min_rows=10)
KINDS = {"base rate": (None, None), "ridge": (0.1, None), "trees": (None, SMALL), "average": (0.1, SMALL)}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    sector = rng.choice(["it", "steel", "retail"], 400)
    size = np.where(rng.random(400) < 0.2, np.nan, rng.lognormal(3, 1, 400))
    return pd.DataFrame({"size": size, "sector": sector, "visits": rng.poisson(3, 400).astype(float)})


@pytest.fixture(scope="module")
def won(table):
    chance = 1 / (1 + np.exp(1.5 - 0.4 * table["visits"] + (table["sector"] == "steel")))
    return (np.random.default_rng(1).random(400) < chance).to_numpy().astype(float)


def learnt(kind, table, won):
    C, size = KINDS[kind]
    matrix = FeatureMatrix().fit(table)
    model = WinModel(C, size, threads=1).fit(matrix.transform(table), won)
    model.platt_ = Platt(0.7, -0.2)
    return ByName(matrix, model)


@pytest.mark.parametrize("kind", KINDS)
def test_attributions_and_base_add_up_to_the_calibrated_log_odds(kind, table, won):
    fitted = learnt(kind, table, won)
    parts, base = fitted.attributions(table)
    p = fitted.model.predict_proba(fitted.matrix.transform(table))[:, 1]
    assert list(parts.columns) == list(table.columns)
    assert np.abs(parts.sum(axis=1) + base - logit(p)).max() < 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_attributions_do_not_depend_on_the_order_of_columns(kind, table, won):
    fitted = learnt(kind, table, won)
    pd.testing.assert_frame_equal(fitted.attributions(table[::-1])[0][::-1], fitted.attributions(table)[0])
    pd.testing.assert_frame_equal(fitted.attributions(table.iloc[:, ::-1])[0], fitted.attributions(table)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows_have_no_attributions(kind, table, won):
    parts, base = learnt(kind, table, won).attributions(table[:0])
    assert parts.shape == (0, 3)
    assert base == learnt(kind, table, won).attributions(table)[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_win_model_survives_its_files(kind, table, won):
    model = learnt(kind, table, won).model
    X = FeatureMatrix().fit(table).transform(table)
    files = model.to_files("win")
    again = WinModel.from_files(json.loads(json.dumps(files["win.json"], allow_nan=False)), files.get("win_trees.txt"))
    assert again.predict_proba(X) == pytest.approx(model.predict_proba(X), abs=1e-12)
    assert again.contributions(X)[0] == pytest.approx(model.contributions(X)[0], abs=1e-12)


def test_the_average_is_the_mean_of_both_halves_in_log_odds(table, won):
    X = FeatureMatrix().fit(table).transform(table)
    ridge, trees, both = (learnt(kind, table, won).model.margin(X) for kind in ("ridge", "trees", "average"))
    assert both == pytest.approx((ridge + trees) / 2)


def test_the_base_rate_is_the_weighted_win_rate(won):
    weight = np.where(won == 1, 3.0, 1.0)
    p = WinModel(None).fit(np.zeros((400, 1)), won, weight).predict_proba(np.zeros((2, 1)))
    assert p[:, 1] == pytest.approx(np.average(won, weights=weight))


def test_rows_of_weight_zero_are_not_read(table, won):
    X = FeatureMatrix().fit(table).transform(table)
    weight = np.r_[np.zeros(100), np.ones(300)]
    spoilt = np.r_[np.full(100, np.nan), won[100:]]
    assert WinModel(size=SMALL, threads=1).fit(X, spoilt, weight).margin(X) == pytest.approx(
        WinModel(size=SMALL, threads=1).fit(X[100:], won[100:]).margin(X)
    )


@pytest.mark.parametrize("labels", [np.ones(400), np.zeros(400), np.full(400, np.nan)])
def test_one_outcome_alone_teaches_nothing(table, labels):
    with pytest.raises(ValueError, match="needs both won and lost deals"):
        WinModel().fit(np.zeros((400, 1)), labels)


def test_scikit_learn_can_clone_the_model():
    model = clone(WinModel(0.3, SMALL, (1, 0), seed=4))
    assert model.get_params() == {"C": 0.3, "size": SMALL, "monotone": (1, 0), "seed": 4, "threads": 2, "blocks": ()}


def test_only_numbers_have_a_declared_direction():
    columns = [MatrixColumn("size"), MatrixColumn("sector", "it"), MatrixColumn("age"), MatrixColumn("visits")]
    assert monotone_columns(columns, {"size": "up", "sector": "up", "age": "down"}) == (1, 0, -1, 0)
