"""What one tuning leaves on record: a run of its own, and nested under it a run for every trial."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from winworth.tracked_run import LONGEST_PARAM, LONGEST_TAG, cut, failing_openly, finite, slugs

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

ASKED, CONTENT, TRIAL, STATE = "tuning.asked", "tuning.content", "tuning.trial", "state"
PARENT = "mlflow.parentRunId"
_MOST_TRIALS = 50_000  # what MLflow returns at once


@dataclass(frozen=True)
class TrackedTrial:
    """Settings that were tried, and their mean log loss in each fold they reached and over all of these."""

    name: str
    is_pruned: bool
    params: Mapping[str, Any]
    loss: float | None
    fold_losses: tuple[float | None, ...]


@dataclass(frozen=True)
class TrackedTuning:
    """What one tuning leaves on record.

    `asked` names the question and its day: what bears the same name is the same tuning. `params` follow from it, and never
    change; what more trials may change is in `metrics` and `tags`. `files` are texts by name.
    """

    experiment: str
    name: str
    asked: str
    trials: tuple[TrackedTrial, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def plain_tuning(tuning: TrackedTuning) -> dict[str, Any]:
    """Return the tuning as JSON holds it; a figure that is no finite number becomes None."""
    trials = tuple(
        replace(
            trial,
            params=_cut_all(trial.params, LONGEST_PARAM),
            loss=finite(trial.loss),
            fold_losses=[finite(loss) for loss in trial.fold_losses],
        )
        for trial in tuning.trials
    )
    texts = {"params": _cut_all(tuning.params, LONGEST_PARAM), "tags": _cut_all(tuning.tags, LONGEST_TAG)}
    metrics = {name: finite(value) for name, value in tuning.metrics.items()}
    return json.loads(json.dumps(asdict(replace(tuning, trials=trials, metrics=metrics, **texts))))


def from_plain(plain: Mapping[str, Any]) -> TrackedTuning:
    """Return the tuning that `plain_tuning` wrote."""
    return TrackedTuning(**{**plain, "trials": tuple(TrackedTrial(**trial) for trial in plain["trials"])})


def put_on_record(client: "MlflowClient", experiment: str, tuning: TrackedTuning) -> str:
    """Record the tuning and those of its trials that have no run yet, and return its run id.

    Its content's digest is the last tag that is set: where it is there, nothing is left to do.
    """
    content = _digest(plain_tuning(tuning))
    found = client.search_runs([experiment], f"tags.`{ASKED}` = '{tuning.asked}'", max_results=1)
    run = found[0] if found else client.create_run(experiment, run_name=tuning.name, tags={ASKED: tuning.asked})
    run_id = run.info.run_id
    if run.data.tags.get(CONTENT) == content:
        return run_id
    with failing_openly(client, run_id):
        _log_trials(client, run, tuning)
        _log_whole(client, run, tuning)
        client.set_terminated(run_id, "FINISHED")
        client.set_tag(run_id, CONTENT, content)
    return run_id


def _log_trials(client: "MlflowClient", parent: "Run", tuning: TrackedTuning) -> None:
    known = _trials_of(client, parent)
    for place, trial in enumerate(tuning.trials):
        key = f"{place}-{_digest(dict(trial.params))}"
        run = known.get(key) or _new_trial(client, parent, trial, key)
        if run.info.status == "RUNNING":
            _log_trial(client, run, trial)


def _trials_of(client: "MlflowClient", parent: "Run") -> dict[str, "Run"]:
    nested = f"tags.`{PARENT}` = '{parent.info.run_id}'"
    runs = client.search_runs([parent.info.experiment_id], nested, max_results=_MOST_TRIALS)
    return {run.data.tags.get(TRIAL, ""): run for run in runs}


def _new_trial(client: "MlflowClient", parent: "Run", trial: TrackedTrial, key: str) -> "Run":
    tags = {PARENT: parent.info.run_id, TRIAL: key, STATE: "pruned" if trial.is_pruned else "complete"}
    return client.create_run(parent.info.experiment_id, run_name=trial.name, tags=tags)


def _log_trial(client: "MlflowClient", run: "Run", trial: TrackedTrial) -> None:
    """Log settings and losses; what was given up early has no `loss`, since its few folds are no match for all of them.

    The run's own start is the time of every figure, so that one logged again after a failure is not there twice.
    """
    from mlflow.entities import Metric, Param

    run_id, at = run.info.run_id, run.info.start_time
    steps = [("fold_loss", loss, fold) for fold, loss in enumerate(trial.fold_losses)]
    whole = ("loss_when_pruned" if trial.is_pruned else "loss", trial.loss, 0)
    metrics = [Metric(name, value, at, step) for name, value, step in (whole, *steps) if value is not None]
    params = [Param(name, trial.params[key]) for key, name in slugs(trial.params).items()]
    client.log_batch(run_id, metrics=metrics, params=params)
    client.set_terminated(run_id, "KILLED" if trial.is_pruned else "FINISHED")


def _log_whole(client: "MlflowClient", run: "Run", tuning: TrackedTuning) -> None:
    """Log what was found, each figure at the number of trials it was found with. A param once written is left alone."""
    from mlflow.entities import Metric, Param, RunTag

    now, n_trials = int(time.time() * 1000), len(tuning.trials)
    measured = [(name, tuning.metrics[key]) for key, name in slugs(tuning.metrics).items()]
    metrics = [Metric(name, value, now, n_trials) for name, value in measured if value is not None]
    params = [Param(name, tuning.params[key]) for key, name in slugs(tuning.params).items() if name not in run.data.params]
    tags = [RunTag(name, tuning.tags[key]) for key, name in slugs(tuning.tags).items()]
    client.log_batch(run.info.run_id, metrics=metrics, params=params, tags=tags)
    for name, text in tuning.files.items():
        client.log_text(run.info.run_id, text, name)


def _cut_all(values: Mapping[str, Any], longest: int) -> dict[str, str]:
    return {name: cut(value, longest) for name, value in values.items()}


def _digest(plain: Any) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
