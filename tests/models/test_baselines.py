"""Baselines that the chosen model is shown beside: the rate of the stage, and the chance that the CRM gave."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from winworth.models.baselines import baseline_chances, rates_by_level
from winworth.models.folds import Fold
from winworth.models.task import WinTask

N = 400


@pytest.fixture
def task():
    rng = np.random.default_rng(0)
    stage = pd.Series(np.where(rng.random(N) < 0.5, "early", "late"), dtype="str")
    won = rng.random(N) < np.where(stage == "late", 0.6, 0.2)
    features = pd.DataFrame({"size": rng.normal(size=N)})
    return WinTask(features, won, np.ones(N), np.arange(N), 90, stage=stage)


FOLD = Fold(np.arange(300), np.arange(300, N))


def test_the_rate_of_a_stage_is_counted_on_training_rows_only(task):
    chance = baseline_chances(task, (FOLD,))["stage"]
    late = (task.stage[:300] == "late").to_numpy()
    by_hand = (task.won[:300][late].sum() + 0.5) / (late.sum() + 1)
    assert np.allclose(chance[(task.stage[300:] == "late").to_numpy()], by_hand)
    turned = replace(task, won=np.r_[task.won[:300], ~task.won[300:]])
    assert np.array_equal(chance, baseline_chances(turned, (FOLD,))["stage"])


def test_a_stage_never_seen_in_training_has_the_rate_of_all(task):
    stage = task.stage.where(task.stage.index < 300, "new")
    chance = baseline_chances(replace(task, stage=stage), (FOLD,))["stage"]
    assert np.allclose(chance, (task.won[:300].sum() + 0.5) / 301)


def test_an_example_without_a_stage_has_the_rate_of_those_without(task):
    stage = task.stage.mask(task.stage.index % 4 == 0)
    chance = baseline_chances(replace(task, stage=stage), (FOLD,))["stage"]
    none = stage.isna().to_numpy()
    expected = (task.won[:300][none[:300]].sum() + 0.5) / (none[:300].sum() + 1)
    assert np.allclose(chance[none[300:]], expected)


def test_the_chance_of_the_crm_is_taken_as_it_stands_and_the_base_rate_where_it_is_empty(task):
    told = np.full(N, 0.7)
    told[350:] = np.nan
    chance = baseline_chances(replace(task, crm_probability=told), (FOLD,))["crm"]
    assert np.allclose(chance[:50], 0.7)
    assert np.allclose(chance[50:], (task.won[:300].sum() + 0.5) / 301)


def test_what_the_tables_do_not_tell_is_absent(task):
    assert list(baseline_chances(task, (FOLD,))) == ["stage"]
    assert baseline_chances(replace(task, stage=None), (FOLD,)) == {}


def test_a_level_with_no_weight_has_even_odds():
    rates, mean = rates_by_level(pd.Series(["a", "b"]), np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert (rates["b"], rates["a"]) == (0.5, 0.75)
    assert mean == 0.75
