import json
from dataclasses import replace

import pytest

from winworth.tracked_tuning import ASKED, PARENT, TRIAL, TrackedTrial, TrackedTuning, from_plain, plain_tuning
from winworth.tracking import PENDING, open_store, record_tuning, replay_pending

NOWHERE = "sqlite:////proc/no/such/mlflow.db"


def a_trial(number):
    """Make a trial of three folds; every third is given up after the first."""
    folds = (0.5, 0.6, 0.7)[: 1 if number % 3 == 2 else 3]
    settings = {"kind": "trees", "leaves": 3 + number, "rate": 0.1}
    return TrackedTrial(f"trial {number:02d}", len(folds) < 3, settings, sum(folds) / len(folds), folds)


def a_tuning(n_trials, **facts):
    trials = tuple(a_trial(number) for number in range(n_trials))
    made = TrackedTuning(
        "demo",
        "tune 2026-06-30",
        "0f0f 2026-06-30",
        trials,
        params={"as_of": "2026-06-30"},
        metrics={"n_trials": n_trials, "gain": -0.001, "gain_se": 0.002, "default_loss": 0.61, "best_loss": 0.6},
        tags={"decided": "the defaults stay", "best_trial": "trial 00"},
        files={"history.svg": f"<svg>{n_trials} é</svg>"},
    )
    return replace(made, **facts)


def runs_of(home):
    """Return the runs of the whole tunings, and those of their trials in order."""
    client = open_store(home)
    runs = client.search_runs([client.get_experiment_by_name("demo").experiment_id], max_results=1000)
    nested = [run for run in runs if PARENT in run.data.tags]
    return [run for run in runs if ASKED in run.data.tags], sorted(nested, key=lambda run: run.info.run_name)


def waiting(home):
    return json.loads((home / PENDING).read_text()) if (home / PENDING).exists() else []


def points(client, run_id, name):
    return [(point.step, point.value) for point in client.get_metric_history(run_id, name)]


def test_every_trial_is_a_run_of_its_own_nested_under_the_tuning(home):
    run_id = record_tuning(home, a_tuning(7))
    (whole,), trials = runs_of(home)
    assert (whole.info.run_id, whole.info.status, whole.info.run_name) == (run_id, "FINISHED", "tune 2026-06-30")
    assert whole.data.params == {"as_of": "2026-06-30"}
    assert whole.data.metrics == {"n_trials": 7, "gain": -0.001, "gain_se": 0.002, "default_loss": 0.61, "best_loss": 0.6}
    assert whole.data.tags["decided"] == "the defaults stay"
    assert [run.data.tags[PARENT] for run in trials] == [run_id] * 7
    assert [run.info.run_name for run in trials] == [f"trial 0{number}" for number in range(7)]
    assert trials[4].data.params == {"kind": "trees", "leaves": "7", "rate": "0.1"}


def test_a_trial_has_its_loss_and_that_of_each_fold_as_steps(home):
    record_tuning(home, a_tuning(1))
    (trial,) = runs_of(home)[1]
    assert points(open_store(home), trial.info.run_id, "fold_loss") == [(0, 0.5), (1, 0.6), (2, 0.7)]
    assert trial.data.metrics["loss"] == pytest.approx(0.6)


def test_a_trial_given_up_is_marked_and_cannot_be_the_least_loss(home):
    record_tuning(home, a_tuning(3))
    *complete, given_up = runs_of(home)[1]
    assert (given_up.info.status, given_up.data.tags["state"]) == ("KILLED", "pruned")
    assert given_up.data.metrics == {"loss_when_pruned": 0.5, "fold_loss": 0.5}
    assert {(run.info.status, run.data.tags["state"]) for run in complete} == {("FINISHED", "complete")}


def test_a_tuning_recorded_again_is_there_once(home):
    first = record_tuning(home, a_tuning(5))
    before = runs_of(home)
    assert record_tuning(home, a_tuning(5)) == first
    assert [run.to_dictionary() for runs in runs_of(home) for run in runs] == [
        run.to_dictionary() for runs in before for run in runs
    ]


def test_the_trials_that_a_resumed_tuning_adds_come_under_the_same_run(home):
    first = record_tuning(home, a_tuning(4))
    old = {run.info.run_id for run in runs_of(home)[1]}
    more = a_tuning(6, metrics={"best_loss": 0.55}, tags={"decided": "the tuned settings"})
    assert record_tuning(home, more) == first
    (whole,), trials = runs_of(home)
    assert len(trials) == 6 and old < {run.info.run_id for run in trials}
    assert whole.data.tags["decided"] == "the tuned settings"
    assert points(open_store(home), first, "best_loss") == [(4, 0.6), (6, 0.55)]
    kept = home / "mlflow" / "artifacts" / "demo" / first / "artifacts" / "history.svg"
    assert kept.read_text(encoding="utf-8") == "<svg>6 é</svg>"


def test_another_question_is_another_tuning(home):
    assert record_tuning(home, a_tuning(2)) != record_tuning(home, a_tuning(2, asked="0f0f 2026-07-01"))
    assert [len(runs) for runs in runs_of(home)] == [2, 4]


def test_the_same_settings_tried_twice_are_two_trials(home):
    twice = a_tuning(2, trials=(a_trial(0), replace(a_trial(0), name="trial 01")))
    record_tuning(home, twice)
    record_tuning(home, replace(twice, tags={}))
    assert len(runs_of(home)[1]) == 2


def test_a_param_once_written_does_not_hold_up_what_came_later(home):
    record_tuning(home, a_tuning(2))
    assert record_tuning(home, a_tuning(3, params={"as_of": "another", "seed": 1}))
    assert runs_of(home)[0][0].data.params == {"as_of": "2026-06-30", "seed": "1"}


def test_a_tuning_that_mlflow_does_not_take_waits_and_is_recorded_later(home, caplog):
    few, more = a_tuning(3, metrics={"gain": float("nan"), "n_trials": 3}), a_tuning(5)
    assert record_tuning(home, few, uri=NOWHERE) is None
    assert record_tuning(home, few, uri=NOWHERE) is None
    assert record_tuning(home, more, uri=NOWHERE) is None
    assert "MLflow has no record of this" in caplog.text
    assert len(waiting(home)) == 2
    assert replay_pending(home) == 2
    assert [len(runs) for runs in runs_of(home)] == [1, 5]
    assert record_tuning(home, more) == runs_of(home)[0][0].info.run_id
    assert [len(runs) for runs in runs_of(home)] == [1, 5]


@pytest.mark.parametrize("step", ["create_run", "log_batch", "set_terminated", "log_text", "set_tag"])
@pytest.mark.parametrize("works", [0, 1, 3])
def test_a_failure_half_way_is_mended_without_a_second_run_or_figure(home, monkeypatch, step, works):
    from mlflow import MlflowClient

    real, calls = getattr(MlflowClient, step), []

    def fails_later(*args, **kwargs):
        calls.append(step)
        if len(calls) > works:
            raise RuntimeError("no more")
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, step, fails_later)
        failed = record_tuning(home, a_tuning(3)) is None
    assert len(waiting(home)) == failed
    assert replay_pending(home) == failed
    (whole,), trials = runs_of(home)
    assert [run.info.status for run in (whole, *trials)] == ["FINISHED", "FINISHED", "FINISHED", "KILLED"]
    assert len({run.data.tags[TRIAL] for run in trials}) == 3
    assert points(open_store(home), trials[0].info.run_id, "fold_loss") == [(0, 0.5), (1, 0.6), (2, 0.7)]


def test_what_waits_comes_back_as_it_was():
    plain = plain_tuning(a_tuning(3))
    assert json.loads(json.dumps(plain)) == plain
    assert plain_tuning(from_plain(plain)) == plain


def test_forty_trials_are_recorded_by_three_calls_each(home, monkeypatch):
    from mlflow import MlflowClient

    calls = []
    for step in ("create_run", "log_batch", "set_terminated", "log_metric", "log_param", "set_tag"):
        real = getattr(MlflowClient, step)
        monkeypatch.setattr(
            MlflowClient, step, lambda *args, real=real, **kwargs: (calls.append(real), real(*args, **kwargs))[1]
        )
    record_tuning(home, a_tuning(40))
    assert len(calls) == 40 * 3 + 4
