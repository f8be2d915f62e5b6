from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.models.by_name import ByName
from winworth.models.matrix import FeatureMatrix
from winworth.models.track import in_order, untracked
from winworth.models.win import WinModel
from winworth.weights.agreement import disagree, pairs_together, weights_by_permutation
from winworth.weights.attribution import Population, Side
from winworth.weights.doubt import Doubt, measure_doubt, movement
from winworth.weights.effort import Effort
from winworth.weights.shadows import noise_floor
from winworth.weights.shrinkage import Outcomes
from winworth.weights.stability import Draws, draw_weights, total_variation
from winworth.weights.study import Study, contributed, cross_fit, weigh

EFFORT = Effort(n_boot=12, n_shadows=4, n_repeats=1)
CATALOG = Catalog(
    {
        name: Criterion(family, {}, {name: Feature(value=f"accounts.{name}")})
        for name, family in (
            ("size", "firmographic"),
            ("need", "needs_value"),
            ("noise", "firmographic"),
            ("twin", "needs_value"),
        )
    }
)


@pytest.fixture(scope="module")
def study():
    """Size matters, need half as much, noise not at all; twin repeats need."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(800, 3)), columns=["size", "need", "noise"])
    table = table.assign(twin=table["need"] + rng.normal(0, 0.3, 800))
    told = table["size"] + 0.5 * table["need"] - 0.5
    won = (rng.random(800) < 1 / (1 + np.exp(-told))).to_numpy().astype(float)
    accounts = np.arange(800) // 2

    def fit(features, rows):
        matrix = FeatureMatrix().fit(features.iloc[rows])
        return ByName(matrix, WinModel(0.1, threads=1).fit(matrix.transform(features.iloc[rows]), won[rows]))

    side = Side(fit, table, Outcomes(won, np.ones(800), accounts, True), np.arange(800))
    return Study(side, None, Population(table, accounts, table.notna()), CATALOG, 0.4, 800, seed=5)


@pytest.fixture(scope="module")
def apart(study):
    return cross_fit(study, n_repeats=1, track=untracked)


@pytest.fixture(scope="module")
def doubt(study, apart):
    return measure_doubt(study, apart, weigh(study, apart), effort=EFFORT, track=untracked)


def test_steps_come_in_the_order_of_their_numbers_on_any_threads():
    assert list(in_order(lambda k: k * k, 20, 3, untracked, "")) == [k * k for k in range(20)]


def test_draws_are_the_same_whatever_the_threads(study, apart):
    published = contributed(study, apart, weigh(study, apart).slopes)
    one, two = (draw_weights(replace(study, threads=threads), published, n_boot=6, track=untracked) for threads in (1, 2))
    pd.testing.assert_frame_equal(one.shares, two.shares)
    floors = [noise_floor(replace(study, threads=threads), n_repeats=3, track=untracked) for threads in (1, 2)]
    pd.testing.assert_series_equal(*floors)


def test_what_matters_stands_clear_of_noise_and_noise_does_not(doubt):
    assert doubt.table.loc["size", "is_clear"]
    assert not doubt.table.loc["noise", "is_clear"]
    assert doubt.table.loc["size", "same_way"] == 1


def test_ranges_hold_the_published_weight_of_what_matters_and_are_in_order(study, apart, doubt):
    shares = weigh(study, apart).shares
    assert (doubt.table["low"] <= doubt.table["high"]).all()
    assert doubt.table.loc["size", "low"] <= shares["size"] <= doubt.table.loc["size", "high"]
    assert doubt.table.loc["size", ["rank_low", "rank_high"]].tolist() == [1, 1]


def test_criteria_that_repeat_each_other_are_weighed_as_one(study, apart, doubt):
    pair = doubt.pairs[0]
    assert {pair.first, pair.second} == {"need", "twin"}
    shares = weigh(study, apart).shares
    assert max(shares["need"], shares["twin"]) < pair.weight <= shares["need"] + shares["twin"] + 1e-9


def test_criteria_that_cancel_weigh_less_as_one():
    rng = np.random.default_rng(1)
    size = rng.normal(size=300)
    (pair,) = pairs_together(pd.DataFrame({"size": size, "need": -0.9 * size, "other": rng.normal(size=300)}))
    assert pair.correlation == pytest.approx(-1) and pair.weight < 5


def test_the_families_add_up_to_the_weights(study, apart, doubt):
    assert doubt.families["weight"].sum() == 100
    assert (doubt.families["low"] <= doubt.families["high"]).all()


def test_permutation_tells_the_deviation_of_each_part(study, apart):
    found = weights_by_permutation(study, apart, weigh(study, apart))
    assert found.sum() == pytest.approx(100)
    assert found.idxmax() == "size" and found["noise"] < 10


@pytest.mark.parametrize(
    ("other", "says"),
    [([50.0, 30, 20], False), ([42.0, 33, 25], False), ([39.0, 36, 25], True), ([20.0, 30, 50], True)],
)
def test_methods_disagree_on_ten_points_or_on_the_order(other, says):
    names = ["size", "need", "noise"]
    assert disagree(pd.Series([50.0, 30, 20], names), pd.Series(other, names)) is says


def test_movement_is_beyond_chance_only_beyond_what_draws_move(study, apart, doubt):
    weights = replace(weigh(study, apart), doubt=doubt)
    assert movement(weights, weights.shares.to_dict())["moved"] == pytest.approx(0)
    assert not movement(weights, weights.shares.to_dict())["is_beyond_chance"]
    gone = movement(weights, {"what_was_asked_before": 100.0})
    assert gone["moved"] == pytest.approx(100) and gone["is_beyond_chance"]


def test_chance_moves_weights_by_half_the_sum_of_differences():
    assert total_variation(np.array([60.0, 40]), np.array([50.0, 50])) == 10
    draws = Draws(pd.DataFrame({"a": [60.0, 50], "b": [40.0, 50]}), pd.DataFrame())
    assert draws.movement_by_chance() == pytest.approx(10)


def test_fewer_than_a_thousand_deals_say_so_and_doubt_survives_json(doubt):
    import json

    assert doubt.few_deals
    read = Doubt.from_dict(json.loads(json.dumps(doubt.to_dict())))
    assert read.pairs == doubt.pairs and read.by_chance == doubt.by_chance
    pd.testing.assert_frame_equal(read.table, doubt.table, check_dtype=False)


def test_too_few_draws_are_refused():
    with pytest.raises(ValueError, match="at least 10, or 0"):
        Effort(n_boot=5)
