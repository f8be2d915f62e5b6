"""The one door to MLflow: every training run and tuning on record, and a record that fails never costs the run its result."""

import json
import logging
import os
import re
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from winworth.atomic import write_file
from winworth.errors import DataError, WinworthError
from winworth.lock import waiting_lock
from winworth.tracked_monitoring import TrackedMonitoring, monitoring_on_record, plain_monitoring
from winworth.tracked_run import VERSION_TAG, TrackedRun, failing_openly, plain, slug, slugs, tags_of
from winworth.tracked_tuning import TrackedTuning, from_plain, plain_tuning, put_on_record

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

MODEL = "winworth"
PENDING = "mlflow_pending.json"
PYFUNC = Path(__file__).with_name("pyfunc.py")
_ALWAYS = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_UV_AUTO_DETECT": "false"}
_UNLESS_SET = {
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
_log = logging.getLogger(__name__)


class _Unrecordable(WinworthError):
    """Nothing that a later attempt could mend."""


def record_run(home: Path, run: TrackedRun, *, uri: str | None = None) -> str | None:
    """Put a run, its version's files and its model on record, make it MLflow's `challenger`, and return MLflow's run id.

    A model version is recorded once: recorded again, its first run id comes back. Where MLflow fails, the run waits in
    mlflow_pending.json for the next one or for `replay_pending`, and the return is None.
    """
    return _attempt(Path(home), {"run": plain(run)}, uri)


def record_tuning(home: Path, tuning: TrackedTuning, *, uri: str | None = None) -> str | None:
    """Put a tuning on record with a run for each trial, and return MLflow's run id of the whole.

    Recorded again, it gains what it lacks and nothing twice. Where MLflow fails, it waits as a run does.
    """
    return _attempt(Path(home), {"tuning": plain_tuning(tuning)}, uri)


def record_monitoring(home: Path, monitoring: TrackedMonitoring, *, uri: str | None = None) -> str | None:
    """Put a monitoring on record and return MLflow's run id; where MLflow fails, it waits as a run does."""
    return _attempt(Path(home), {"monitoring": plain_monitoring(monitoring)}, uri)


def set_alias(home: Path, model_version: str, alias: str, *, uri: str | None = None) -> None:
    """Let MLflow's `alias` name the model version; where MLflow fails, this too waits."""
    _attempt(Path(home), {"alias": {"model_version": model_version, "alias": alias}}, uri)


def replay_pending(home: Path, *, uri: str | None = None) -> int:
    """Record what waits, in its order, up to the first that fails again; return how many no longer wait."""
    home = Path(home)
    if not (home / PENDING).exists():
        return 0
    with waiting_lock(home / "mlflow" / "pending.lock"):
        waiting = _pending(home)
        left = list(waiting)
        try:
            while left:
                _record(home, left[0], uri)
                left.pop(0)
        except Exception as error:  # as in _attempt
            _log.warning("MLflow failed again (%s); %d entries wait in %s.", _reason(error), len(left), home / PENDING)
        if len(left) < len(waiting):
            _keep(home, left)
    return len(waiting) - len(left)


def open_store(home: Path, *, uri: str | None = None) -> "MlflowClient":
    """Return a client of the store: `uri`, else MLFLOW_TRACKING_URI, else SQLite in `home`, made on first use.

    A lock keeps first starts apart, since of several that migrate a new SQLite store at once all but one die.
    """
    _prepare_environment()
    where = _store_uri(Path(home), uri)
    database = Path(unquote(where.removeprefix("sqlite:///").split("?")[0])) if where.startswith("sqlite:///") else None
    folder = database.parent if database else Path(home) / "mlflow"
    with waiting_lock(folder / "store.lock"):
        if database:
            _check_sqlite(database)
        from mlflow import MlflowClient

        client = MlflowClient(where)
        client.search_experiments(max_results=1)
        client.search_registered_models(max_results=1)
    return client


def recorded_runs(home: Path, *, uri: str | None = None) -> "pd.DataFrame":
    """Return the training runs on record, the latest first: model_version, gate, then its metrics and its parameters.

    What a run did not measure is missing. Runs of a tuning are left out.
    """
    import pandas as pd

    client = open_store(home, uri=uri)
    experiments = [one.experiment_id for one in client.search_experiments()]
    found = client.search_runs(experiments, filter_string=f"tags.{VERSION_TAG} != ''", order_by=["attributes.start_time DESC"])
    told = [{VERSION_TAG: run.data.tags[VERSION_TAG], "gate": run.data.tags.get("gate")} for run in found]
    rows = [head | run.data.metrics | run.data.params for head, run in zip(told, found, strict=True)]
    return pd.DataFrame(rows, columns=None if rows else [VERSION_TAG, "gate"])


def _attempt(home: Path, entry: dict[str, Any], uri: str | None) -> str | None:
    try:
        replay_pending(home, uri=uri)
        if (home / PENDING).exists():
            raise WinworthError("an earlier run waits and goes first")
        return _record(home, entry, uri)
    except Exception as error:  # MLflow raises whatever its store raises, and the result is safe on disk by now
        _log.warning("MLflow has no record of this (%s). It waits in %s for the next run.", _reason(error), home / PENDING)
        _postpone(home, entry)
        return None


def _record(home: Path, entry: dict[str, Any], uri: str | None) -> str | None:
    """Do what one entry asks; one that can never be done is dropped with a word in the log."""
    client = open_store(home, uri=uri)
    try:
        if "alias" in entry:
            return _name(client, **entry["alias"])
        if "tuning" in entry:
            tuning = from_plain(entry["tuning"])
            return put_on_record(client, _experiment(client, home, tuning.experiment), tuning)
        if "monitoring" in entry:
            monitoring = TrackedMonitoring(**entry["monitoring"])
            return monitoring_on_record(client, _experiment(client, home, monitoring.experiment), monitoring)
        facts = TrackedRun(**entry["run"])
        return _record_once(client, home, replace(facts, bundle=Path(facts.bundle)))
    except _Unrecordable as error:
        _log.warning("Left out of MLflow: %s", error)
        return None


def _name(client: "MlflowClient", model_version: str, alias: str) -> None:
    registered = _registered(client, model_version)
    if registered is None:
        raise _Unrecordable(f"no alias {alias}, since MLflow has no record of model version {model_version}.")
    client.set_registered_model_alias(MODEL, alias, registered.version)


def _record_once(client: "MlflowClient", home: Path, run: TrackedRun) -> str:
    """Record a run unless its version is registered: the registration is the last step that can be half done."""
    registered = _registered(client, run.model_version)
    if registered is None:
        if not run.bundle.is_dir():
            raise _Unrecordable(f"run {run.name}, since its model version is gone from {run.bundle}.")
        registered = _record_new(client, home, run)
    client.set_registered_model_alias(MODEL, "challenger", registered.version)
    client.set_terminated(registered.run_id, "FINISHED")
    return registered.run_id


def _registered(client: "MlflowClient", model_version: str) -> "ModelVersion | None":
    found = client.search_model_versions(f"name = '{MODEL}' and tag.{VERSION_TAG} = '{model_version}'", max_results=1)
    return found[0] if found else None


def _record_new(client: "MlflowClient", home: Path, run: TrackedRun) -> "ModelVersion":
    experiment = _experiment(client, home, run.experiment)
    run_id = client.create_run(experiment, run_name=run.name, tags=tags_of(run)).info.run_id
    with failing_openly(client, run_id):
        model = client.create_logged_model(experiment, name=MODEL, source_run_id=run_id)
        _log_values(client, run_id, model.model_id, run)
        client.log_artifacts(run_id, str(run.bundle), run.bundle.name)
        _log_model(client, run_id, model, run.bundle)
        return client.create_model_version(
            MODEL, model.artifact_location, run_id=run_id, tags={VERSION_TAG: run.model_version}, model_id=model.model_id
        )


def _log_values(client: "MlflowClient", run_id: str, model_id: str, run: TrackedRun) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    params = [Param(name, run.params[key]) for key, name in slugs(run.params).items()]
    measured = [(name, run.metrics[key]) for key, name in slugs(run.metrics).items() if run.metrics[key] is not None]
    metrics = [Metric(name, value, now, 0, model_id=model_id, run_id=run_id) for name, value in measured]
    client.log_batch(run_id, metrics=metrics, params=params)


def _log_model(client: "MlflowClient", run_id: str, model: Any, bundle: Path) -> None:
    """Save the model as code beside its bundle. Nothing is inferred, pickled or loaded: that is what takes long."""
    import mlflow.pyfunc
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    description = Model(
        artifact_path=model.artifact_location, run_id=run_id, model_uuid=model.model_id, model_id=model.model_id
    )
    with tempfile.TemporaryDirectory() as folder:
        mlflow.pyfunc.save_model(
            f"{folder}/model",
            mlflow_model=description,
            python_model=str(PYFUNC),
            artifacts={"bundle": bundle.resolve().as_uri()},
            pip_requirements=[f"{MODEL}=={installed(MODEL)}", f"mlflow=={mlflow.__version__}"],
        )
        client.log_model_artifacts(model.model_id, f"{folder}/model")
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])


def _experiment(client: "MlflowClient", home: Path, name: str) -> str:
    """Return the id of the experiment, made with its model's name in the registry where there is none yet."""
    with waiting_lock(home / "mlflow" / "store.lock"):
        if not client.search_registered_models(f"name = '{MODEL}'", max_results=1):
            client.create_registered_model(MODEL)
        if found := client.get_experiment_by_name(name):
            return found.experiment_id
        local = not client.tracking_uri.startswith(("http", "databricks"))
        artifacts = (home.resolve() / "mlflow" / "artifacts" / slug(name)).as_uri() if local else None
        return client.create_experiment(name, artifact_location=artifacts)


def _store_uri(home: Path, uri: str | None) -> str:
    # Only these two letters are encoded: MLflow makes the folder that the address spells, encoded or not.
    local = str(home.resolve() / "mlflow" / "mlflow.db").replace("%", "%25").replace("?", "%3F")
    return uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{local}"


def _check_sqlite(database: Path) -> None:
    """Raise at once where the file cannot be written: MLflow would try for minutes."""
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        connection.execute("BEGIN IMMEDIATE")


def _prepare_environment() -> None:
    os.environ.update(_ALWAYS)
    for name, value in _UNLESS_SET.items():
        os.environ.setdefault(name, value)


def _pending(home: Path) -> list[dict[str, Any]]:
    path = home / PENDING
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    except ValueError as error:
        raise DataError(f"{path} is not JSON. Repair it, or remove it with the runs that wait in it.") from error


def _keep(home: Path, entries: list[dict[str, Any]]) -> None:
    if entries:
        write_file(home / PENDING, json.dumps(entries, indent=2, ensure_ascii=False) + "\n")
    else:
        (home / PENDING).unlink(missing_ok=True)


def _postpone(home: Path, entry: dict[str, Any]) -> None:
    try:
        with waiting_lock(home / "mlflow" / "pending.lock"):
            waiting = _pending(home)
            if entry not in waiting:
                _keep(home, [*waiting, entry])
    except (OSError, WinworthError) as error:
        _log.warning("It cannot even wait: %s", _reason(error))


def _reason(error: Exception) -> str:
    """Return the first line of what went wrong, without what a server's address may hold of secrets."""
    line = next(iter(str(error).splitlines()), "")
    return re.sub(r"//[^/@\s]+@", "//***@", f"{type(error).__name__}: {line}")[:300]
