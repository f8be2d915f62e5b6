from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from winworth.config import TUNED, TunedSettings, load_settings, with_tuned
from winworth.crm.synthetic import software_company, write_exports
from winworth.errors import ConfigError, DataError
from winworth.flows.tune import settings_tried, tuned_text
from winworth.flows.tune import tune as run_tune
from winworth.models import tune
from winworth.models.by_name import ByName, monotone_columns
from winworth.models.censoring import Histories
from winworth.models.folds import Observed, forward_plan, grouped_folds, input_twins
from winworth.models.ladder import climb
from winworth.models.matrix import FeatureMatrix
from winworth.models.task import Rung, WinTask
from winworth.models.trees import Trees, TreeSize
from winworth.models.win import WinModel
from winworth.printed import training
from winworth.tracked_tuning import PARENT
from winworth.tracking import open_store, replay_pending

CATEGORY = TreeSize(8, 40, 0.1, min_rows=5, encoding="category", cat_smooth=2.0, min_data_per_group=5)
N_TRIALS = 14


def task_of(effect, *, seed=0, n=400):
    """Make a question whose answer hangs on size and sector together by `effect`, and on nothing else."""
    rng = np.random.default_rng(seed)
    sector = rng.choice(list("abcdef"), n)
    features = pd.DataFrame({"size": rng.normal(size=n), "sector": sector, "noise": rng.normal(size=n)})
    turn = np.where(np.isin(sector, list("ace")), 1, -1)
    won = rng.random(n) < expit(effect * turn * features["size"].to_numpy() - 0.3)
    return WinTask(features, won, np.ones(n), rng.integers(0, n // 2, n), 180, seed=seed, threads=1)


def folds_of(task):
    return grouped_folds(task.accounts, n_splits=3, seed=task.seed)


def searched(task, folder, n_trials=N_TRIALS):
    return tune.search(task, folds_of(task), n_trials=n_trials, n_deals=400, folder=folder)


@pytest.fixture(scope="module")
def world():
    return task_of(3.0)


@pytest.fixture(scope="module")
def found(world, tmp_path_factory):
    return searched(world, tmp_path_factory.mktemp("tuning"))


def test_the_same_seed_tries_the_same_settings(world, found, tmp_path):
    assert searched(world, tmp_path).trials == found.trials
    assert searched(replace(world, seed=1), tmp_path, n_trials=4).trials != found.trials[:4]


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(world, found, tmp_path, monkeypatch):
    searched(world, tmp_path, n_trials=6)
    asked = []

    def stopped(task, fold, rung):
        asked.append(rung)
        if len(asked) == 5:
            raise KeyboardInterrupt
        return tune_fold_loss(task, fold, rung)

    tune_fold_loss = tune.fold_loss
    monkeypatch.setattr(tune, "fold_loss", stopped)
    with pytest.raises(KeyboardInterrupt):
        searched(world, tmp_path)
    monkeypatch.undo()
    with next(tmp_path.glob("trials-*.log")).open("ab") as journal:
        journal.write(b'{"op_code": 4, "half a li')
    again = searched(world, tmp_path)
    assert again.n_resumed >= 6
    assert [(t.rung, t.folds, t.is_pruned) for t in again.trials] == [(t.rung, t.folds, t.is_pruned) for t in found.trials]
    assert again.best.rung == found.best.rung


def test_a_search_that_died_while_it_tested_its_first_settings_starts_with_them_again(world, found, tmp_path, monkeypatch):
    class Died(BaseException):
        """What no one catches."""

    def died(task, fold, rung):
        raise Died

    monkeypatch.setattr(tune, "fold_loss", died)
    with pytest.raises(Died):
        searched(world, tmp_path)
    monkeypatch.undo()
    assert searched(world, tmp_path, n_trials=2).trials[0].rung == found.trials[0].rung


def test_a_complete_search_is_not_repeated(world, tmp_path, monkeypatch):
    once = searched(world, tmp_path, n_trials=3)
    monkeypatch.setattr(tune, "fold_loss", None)
    again = searched(world, tmp_path, n_trials=3)
    assert again.trials == once.trials
    assert again.n_resumed == 3


def test_the_first_settings_tried_are_the_ladders_own(world, found):
    ladder = climb(world, folds_of(world), n_deals=400)
    assert found.trials[0].rung.size == ladder.rungs["trees"].size
    assert found.trials[0].loss == pytest.approx(ladder.loss["trees"], abs=1e-12)


def test_a_long_history_is_offered_large_trees_and_no_ridge(world):
    small, large = (tune.Room.of(n, world.features) for n in (999, 10_000))
    assert (small.with_ridge, small.leaves[1], small.has_levels) == (True, 8, True)
    assert (large.with_ridge, large.leaves[1]) == (False, 127)
    assert not tune.Room.of(999, world.features[["size"]]).has_levels


def test_hopeless_settings_are_given_up_before_the_last_fold(found):
    given_up = [trial for trial in found.trials if trial.is_pruned]
    assert given_up
    assert all(len(trial.folds) < 3 for trial in given_up)
    assert all(len(trial.folds) == 3 for trial in found.completed)
    assert found.best in found.completed


def test_an_interaction_that_the_defaults_miss_is_gained(world, found):
    ladder = climb(world, folds_of(world), n_deals=400)
    mean, error = tune.gain(world, folds_of(world), found, ladder)
    assert found.best.loss < ladder.loss[ladder.chosen.name]
    assert mean < -error


@pytest.mark.parametrize("seed", range(3))
def test_on_pure_noise_the_defaults_stay(seed, tmp_path):
    task = task_of(0.0, seed=seed)
    mean, error = tune.gain(task, folds_of(task), searched(task, tmp_path, 10), climb(task, folds_of(task), n_deals=400))
    assert mean >= -error


def test_each_fold_is_judged_by_what_the_others_would_choose():
    def trial(number, *losses):
        return tune.Trial(number, Rung("tuned", C=0.1), tuple((loss, 1.0) for loss in losses), False)

    lucky_first, steady = trial(0, 0.1, 0.6, 0.6), trial(1, 0.5, 0.5, 0.5)
    found = tune.Search((lucky_first, steady), {}, 0)
    assert found.best is lucky_first
    assert found.best_without(0) is steady
    assert found.best_without(1) is lucky_first


def test_the_locked_quarter_is_never_read(tmp_path):
    rng = np.random.default_rng(0)
    base = task_of(2.0, n=900)
    day = np.sort(rng.integers(0, 1100, 900))
    task = replace(base, histories=Histories(day, day + rng.integers(5, 60, 900), base.won), horizon=60)
    observed = Observed(day, input_twins(task.features), task.accounts)
    plan = forward_plan(observed, lambda fold: len(fold.train) > 200, day=1200, horizon=60)
    locked = np.isin(np.arange(900), plan.locked.test)
    spoilt = replace(
        task,
        features=task.features.assign(size=task.features["size"].where(~locked, 99.0)),
        histories=replace(task.histories, won=task.histories.won ^ locked),
    )
    ways = [
        tune.search(one, plan.choice, n_trials=3, n_deals=900, folder=tmp_path / name)
        for name, one in (("as it is", task), ("spoilt", spoilt))
    ]
    assert ways[0].trials == ways[1].trials
    assert len(list(tmp_path.glob("*/trials-*.log"))) == 2
    assert len({path.name for path in tmp_path.glob("*/trials-*.log")}) == 1


def test_other_data_are_another_question(world):
    folds = folds_of(world)
    flipped = replace(world, won=world.won ^ (np.arange(400) == 7))
    moved = replace(world, features=world.features.assign(noise=world.features["noise"].shift(fill_value=0.0)))
    room = tune.Room.of(400, world.features)
    asked = [tune.question(task, folds, room) for task in (world, flipped, moved, replace(world, seed=5))]
    assert len(set(asked)) == 4


@pytest.fixture(scope="module")
def by_codes(world):
    """Return the world's win model whose trees read codes."""
    matrix = FeatureMatrix().fit(world.features)
    model = WinModel(0.1, CATEGORY, monotone_columns(matrix.columns_, {"size": "up"}), threads=1, blocks=matrix.blocks_)
    return ByName(matrix, model.fit(matrix.transform(world.features), world.won))


def test_trees_that_read_codes_differ_from_those_that_read_one_column_a_level(world, by_codes):
    X = by_codes.matrix.transform(world.features)
    codes = by_codes.model.trees_
    plain = Trees.fit(X, world.won.astype(float), np.ones(400), size=replace(CATEGORY, encoding="one-hot"), threads=1)
    assert codes.booster.num_feature() == 3
    assert "cat_threshold" in codes.to_text()
    assert np.abs(codes.margin(X) - plain.margin(X)).max() > 0.01


def test_attributions_of_codes_are_exact_and_by_name(world, by_codes):
    parts, base = by_codes.attributions(world.features)
    z = by_codes.model.decision_function(by_codes.matrix.transform(world.features))
    assert np.abs(parts.sum(axis=1) + base - z).max() < 1e-9
    assert parts["sector"].groupby(world.features["sector"]).std().max() > 0
    turned = by_codes.attributions(world.features.iloc[:, ::-1])[0]
    pd.testing.assert_frame_equal(turned, parts)


def test_codes_survive_their_files(world, by_codes):
    X = by_codes.matrix.transform(world.features)
    files = by_codes.model.to_files("win")
    again = WinModel.from_files(files["win.json"], files["win_trees.txt"])
    assert again.predict_proba(X).tolist() == by_codes.model.predict_proba(X).tolist()
    assert again.contributions(X)[0] == pytest.approx(by_codes.model.contributions(X)[0], abs=1e-12)


@pytest.mark.parametrize("encoding", ["one-hot", "category"])
def test_trees_on_a_share_of_the_columns_do_not_depend_on_threads(world, encoding, monkeypatch):
    monkeypatch.setattr("winworth.models.trees.SMALL", 0)
    matrix = FeatureMatrix().fit(world.features)
    size = replace(CATEGORY, encoding=encoding, feature_fraction=0.5)
    rows = (matrix.transform(world.features), world.won.astype(float), np.ones(400))
    one, two = (Trees.fit(*rows, size=size, blocks=matrix.blocks_, threads=n) for n in (1, 2))
    assert one.to_text() == two.to_text()


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "crm.yaml").write_text("company: Test\ntables: {deals: {file: d.csv, columns: {deal_id: {source: id}}}}\n")
    (tmp_path / "criteria.yaml").write_text("criteria: {}\n")
    return load_settings(tmp_path)


def written(home, tuned):
    (home / TUNED).parent.mkdir(exist_ok=True)
    (home / TUNED).write_text(tuned_text(tuned, ("A note: with a colon.",)))


@pytest.mark.parametrize("tuned", [None, TunedSettings(0.0031), TunedSettings(None, CATEGORY, date(2026, 6, 30))])
def test_what_tuning_writes_is_what_training_reads(settings, tmp_path, tuned):
    written(tmp_path, tuned)
    assert with_tuned(settings, tmp_path, as_of=date(2026, 6, 30)).training.tuned == tuned


def test_without_a_file_nothing_is_tuned(settings, tmp_path):
    assert with_tuned(settings, tmp_path, as_of=date(2026, 6, 30)) == settings


def test_a_day_before_the_tuning_cannot_know_it(settings, tmp_path):
    written(tmp_path, TunedSettings(0.1, None, date(2026, 6, 30)))
    with pytest.raises(ConfigError, match="was tuned on 2026-06-30, and 2026-06-29 cannot know that"):
        with_tuned(settings, tmp_path, as_of=date(2026, 6, 29))


def test_a_setting_that_trees_do_not_have_is_named(settings, tmp_path):
    (tmp_path / "training.yaml").write_text("tuned: {size: {leafs: 3, n_trees: 10, rate: 0.1, min_rows: 5}}\n")
    with pytest.raises(ConfigError, match=r"tuned.size.leafs is not a setting. Did you mean leaves\?"):
        load_settings(tmp_path)


def test_tuned_settings_stand_at_the_top_of_the_ladder(world):
    ladder = climb(world, folds_of(world), n_deals=400, tuned=Rung("tuned", size=CATEGORY))
    assert list(ladder.rungs)[-1] == "tuned"
    assert ladder.chosen.name == "tuned"


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """Return the settings of a company of 1,200 deals whose exports are on disk."""
    folder = tmp_path_factory.mktemp("exports")
    write_exports(software_company(n_deals=1200, as_of=date(2026, 6, 30), seed=1), folder)
    settings = load_settings(Path(__file__).parents[2] / "conf")
    return replace(settings, crm=replace(settings.crm, folder=str(folder)))


def tracked(home):
    """Return what MLflow has on record in `home`: whole tunings, and trials below them."""
    runs = open_store(home).search_runs(["1"])
    return [run for run in runs if PARENT not in run.data.tags], [run for run in runs if PARENT in run.data.tags]


def test_the_flow_says_what_it_decided_and_goes_on_where_it_was(company, home):
    done = run_tune(company, as_of=date(2026, 6, 30), home=home, n_trials=2)
    again = run_tune(company, as_of=date(2026, 6, 30), home=home, n_trials=3)
    assert (len(done.search.trials), again.search.n_resumed, len(again.search.trials)) == (2, 2, 3)
    assert again.search.trials[:2] == done.search.trials
    assert again.says in again.path.read_text()
    assert ("The defaults stay" in again.says) == (again.settings is None)
    assert with_tuned(company, home, as_of=date(2026, 6, 30)).training.tuned == again.settings
    (whole,), trials = tracked(home)
    assert len(trials) == 3
    assert whole.data.metrics["n_trials"] == 3 and whole.data.metrics["gain"] == pytest.approx(again.gain[0])
    assert whole.data.params["as_of"] == "2026-06-30"
    assert whole.data.tags["mlflow.note.content"] == again.says
    losses = {run.info.run_name: run.data.metrics["loss"] for run in trials if run.data.tags["state"] == "complete"}
    assert losses == pytest.approx({f"trial 0{trial.number}": trial.loss for trial in again.search.completed})


def test_a_tuning_without_mlflow_ends_well_with_its_figures_and_is_recorded_later(company, home, monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////proc/no/such/mlflow.db")
    done = run_tune(company, as_of=date(2026, 6, 30), home=home, n_trials=2)
    assert "MLflow has no record of this" in caplog.text
    assert done.path.exists()
    drawn = [path.read_bytes() for path in done.figures]
    assert f"Figures: {home}/tuning/history.svg, {home}/tuning/importances.svg" in training.tuned(done).parts
    for path in done.figures:
        path.unlink()
    again = run_tune(company, as_of=date(2026, 6, 30), home=home, n_trials=2)
    assert [path.read_bytes() for path in again.figures] == drawn
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert replay_pending(home) == 1
    (whole,), trials = tracked(home)
    assert len(trials) == 2
    kept = {file.path for file in open_store(home).list_artifacts(whole.info.run_id)}
    assert kept == {"history.svg", "importances.svg", "tuned.yaml"}


def test_settings_that_mean_nothing_to_a_trial_are_not_on_record():
    def tried(C, size):
        return set(settings_tried(tune.Trial(0, Rung("tuned", C, size), ((0.5, 1.0),), False)))

    plain = TreeSize(8, 40, 0.1, min_rows=5)
    assert tried(0.1, None) == {"kind", "C"}
    assert tried(None, CATEGORY) - tried(0.1, plain) == {"cat_smooth", "cat_l2", "min_data_per_group"}


def test_too_few_deals_are_not_tuned_on(company, tmp_path):
    win = replace(company.training.win, least_wins=10_000)
    with pytest.raises(DataError, match="There is too little to tune on: .* won and .* lost deals"):
        run_tune(replace(company, training=replace(company.training, win=win)), as_of=date(2026, 6, 30), home=tmp_path)
    assert not (tmp_path / TUNED).exists()
