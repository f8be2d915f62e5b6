import json
import os
import shutil
import socket
import subprocess
import sys
from datetime import date
from types import ModuleType

import pandas as pd
import pytest

from winworth.bundle import open_version, save_version
from winworth.errors import DataError
from winworth.tracking import PENDING, PYFUNC, TrackedRun, open_store, record_run, recorded_runs, replay_pending, set_alias

NOWHERE = "sqlite:////proc/no/such/mlflow.db"
RECORDS = """
import sys
from pathlib import Path
from winworth.tracking import TrackedRun, record_run
home, folder = map(Path, sys.argv[1:])
print(record_run(home, TrackedRun("demo", "train", folder, folder.name)))
"""


def a_run(home, content=b"tree", **facts):
    files = {"win.txt": content, "figures/weights.svg": b"<svg/>", "pyfunc.py": PYFUNC.read_bytes()}
    version = save_version(home / "models", files, as_of=date(2026, 10, 31))
    return TrackedRun("demo", f"train {version}", home / "models" / version, version, **facts)


def waiting(home):
    return json.loads((home / PENDING).read_text()) if (home / PENDING).exists() else []


def version_of(home, alias):
    found = open_store(home).get_model_version_by_alias("winworth", alias)
    return found.tags["model_version"]


def test_a_run_is_on_record_with_its_values_and_its_files(home):
    run = a_run(
        home, params={f"p{n}": n for n in range(150)} | {"long": "x" * 600}, metrics={"win.auc": 0.7}, tags={"lang": "fr"}
    )
    run_id = record_run(home, run)
    client = open_store(home)
    record = client.get_run(run_id)
    assert record.info.status == "FINISHED"
    assert record.data.metrics == {"win.auc": 0.7}
    assert len(record.data.params) == 151 and record.data.params["long"] == "x" * 499 + "…"
    assert record.data.tags["lang"] == "fr" and record.data.tags["model_version"] == run.model_version
    kept = home / "mlflow" / "artifacts" / "demo" / run_id / "artifacts" / run.model_version
    assert open_version(kept).names == open_version(run.bundle).names
    assert version_of(home, "challenger") == run.model_version
    model = client.get_logged_model(record.outputs.model_outputs[0].model_id)
    assert (model.status, [metric.value for metric in model.metrics]) == ("READY", [0.7])


def test_names_that_mlflow_refuses_are_recorded_under_a_slug_with_their_label(home):
    run = a_run(home, metrics={"taux de gain (é)": 0.2, "taux de gain (è)": 0.3, "win % A": 1}, params={"critère": "taille"})
    record = open_store(home).get_run(record_run(home, run)).data
    assert record.metrics == {"taux_de_gain_e": 0.2, "taux_de_gain_e_2": 0.3, "win_pct_A": 1.0}
    assert record.tags["label.taux_de_gain_e"] == "taux de gain (é)"
    assert record.params == {"critere": "taille"}


def test_what_is_no_finite_number_is_left_out_and_named(home):
    run = a_run(home, metrics={"a": float("nan"), "b": float("inf"), "c": None, "d": 0.0})
    record = open_store(home).get_run(record_run(home, run)).data
    assert record.metrics == {"d": 0.0}
    assert record.tags["not_measured"] == "a, b, c"


def test_a_version_is_recorded_once(home):
    run = a_run(home)
    assert record_run(home, run) == record_run(home, run)
    assert len(open_store(home).search_model_versions("name = 'winworth'")) == 1


def test_training_runs_come_back_as_a_table_the_latest_first_and_what_was_not_measured_is_missing(home):
    assert recorded_runs(home).empty
    record_run(home, a_run(home, b"one", metrics={"win.auc": 0.7}))
    record_run(home, a_run(home, b"two", metrics={"win.auc": None, "win.brier": 0.2}, tags={"gate": "refused"}))
    found = recorded_runs(home)
    assert found["gate"].tolist()[0] == "refused" and found["win.auc"].tolist()[1] == 0.7
    assert found["win.auc"].isna().tolist() == [True, False] and found["model_version"].is_unique


def test_the_champion_alias_moves_to_the_version_that_is_named(home):
    first, second = a_run(home), a_run(home, b"another")
    for run in (first, second):
        record_run(home, run)
        set_alias(home, run.model_version, "champion")
        assert version_of(home, "champion") == run.model_version
    set_alias(home, first.model_version, "champion")
    assert version_of(home, "champion") == first.model_version
    assert version_of(home, "challenger") == second.model_version


def test_a_run_that_mlflow_does_not_take_waits_and_is_recorded_later_in_its_order(home, caplog):
    first, second, third = a_run(home, metrics={"auc": 0.7, "nan": float("nan")}), a_run(home, b"2"), a_run(home, b"3")
    assert record_run(home, first, uri=NOWHERE) is None
    assert record_run(home, second, uri=NOWHERE) is None
    set_alias(home, first.model_version, "champion", uri=NOWHERE)
    assert record_run(home, first, uri=NOWHERE) is None
    assert "MLflow has no record of this" in caplog.text
    assert len(waiting(home)) == 3
    assert record_run(home, third)
    assert waiting(home) == []
    assert version_of(home, "champion") == first.model_version
    assert version_of(home, "challenger") == third.model_version
    assert len(open_store(home).search_model_versions("name = 'winworth'")) == 3


def test_no_run_overtakes_one_that_still_waits(home, monkeypatch):
    from mlflow import MlflowClient

    first, second = a_run(home), a_run(home, b"2")
    real = MlflowClient.create_run

    def fail_for_the_first(client, *args, **kwargs):
        if kwargs["run_name"] == first.name:
            raise RuntimeError("no more")
        return real(client, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "create_run", fail_for_the_first)
        assert record_run(home, first) is None and record_run(home, second) is None
    assert replay_pending(home) == 2
    assert version_of(home, "challenger") == second.model_version


def test_a_failure_half_way_leaves_no_finished_run_and_is_recorded_once_later(home, monkeypatch):
    from mlflow import MlflowClient

    def fail(*args, **kwargs):
        raise RuntimeError("no more")

    run = a_run(home)
    for step in ("create_run", "log_batch", "log_artifacts", "create_model_version", "set_registered_model_alias"):
        with monkeypatch.context() as patch:
            patch.setattr(MlflowClient, step, fail)
            assert record_run(home, run) is None
        assert len(waiting(home)) == 1
    client = open_store(home)
    assert replay_pending(home) == 1 and replay_pending(home) == 0
    (registered,) = client.search_model_versions("name = 'winworth'")
    runs = client.search_runs([client.get_experiment_by_name("demo").experiment_id])
    assert [entry.info.run_id for entry in runs if entry.info.status == "FINISHED"] == [registered.run_id]
    assert {entry.info.status for entry in runs} == {"FINISHED", "FAILED"}


def test_what_can_never_be_recorded_does_not_hold_up_the_next(home, caplog):
    gone, run = a_run(home), a_run(home, b"2")
    record_run(home, gone, uri=NOWHERE)
    shutil.rmtree(gone.bundle)
    assert record_run(home, run)
    assert "its model version is gone" in caplog.text
    set_alias(home, gone.model_version, "champion")
    assert "no alias champion" in caplog.text
    assert waiting(home) == []


def test_a_damaged_list_of_what_waits_is_kept_and_named(home, caplog):
    (home / PENDING).write_text("[{")
    assert record_run(home, a_run(home)) is None
    assert (home / PENDING).read_text() == "[{"
    assert "is not JSON. Repair it" in caplog.text
    with pytest.raises(DataError, match="is not JSON"):
        replay_pending(home)


def test_a_server_that_does_not_answer_costs_no_result(home, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert record_run(home, a_run(home), uri="http://user:secret@127.0.0.1:9") is None
    assert len(waiting(home)) == 1


def test_a_secret_in_a_server_address_is_not_logged(home, caplog, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no route to http://user:hunter2@host/api\nand more")

    monkeypatch.setattr("winworth.tracking.open_store", fail)
    record_run(home, a_run(home))
    assert "http://***@host/api" in caplog.text and "hunter2" not in caplog.text


def test_a_damaged_store_fails_at_once(home):
    (home / "mlflow" / "mlflow.db").write_bytes(b"no database" * 1000)
    assert record_run(home, a_run(home)) is None


def test_recording_prints_nothing_opens_no_connection_and_leaves_the_working_folder_alone(home, capfd, monkeypatch, tmp_path):
    def refuse(*args):
        raise AssertionError("a connection was opened")

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert record_run(home, a_run(home))
    assert capfd.readouterr().out == ""
    assert not list((tmp_path / "elsewhere").iterdir())
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == os.environ["DO_NOT_TRACK"] == "true"


def test_the_registered_model_loads_its_version_from_code_and_scores(home, monkeypatch):
    class Scorer:
        def __init__(self, contents):
            self.contents = contents

        @classmethod
        def from_files(cls, contents):
            return cls(contents)

        def score(self, features):
            return pd.DataFrame({"score": features["x"] + len(self.contents["win.txt"])})

    module = ModuleType("winworth.scoring.scorer")
    module.Scorer = Scorer
    monkeypatch.setitem(sys.modules, "winworth.scoring.scorer", module)
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    record_run(home, a_run(home))
    import mlflow.pyfunc

    source = open_store(home).get_model_version_by_alias("winworth", "challenger").source
    model = mlflow.pyfunc.load_model(source)
    assert model.predict(pd.DataFrame({"x": [1.0, 2.0]}))["score"].tolist() == [5.0, 6.0]


def test_a_home_whose_name_has_odd_letters_works(tmp_path, migrated, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    home = tmp_path / "50%20 #1?"
    (home / "mlflow").mkdir(parents=True)
    shutil.copy(migrated, home / "mlflow" / "mlflow.db")
    assert record_run(home, a_run(home))


def test_the_store_is_that_of_the_setting_then_of_the_environment(home, tmp_path, migrated, monkeypatch):
    for name in ("set", "environment"):
        shutil.copy(migrated, tmp_path / f"{name}.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/environment.db")
    run = a_run(home)
    assert record_run(home, run) != record_run(home, run, uri=f"sqlite:///{tmp_path}/set.db")
    assert open_store(home).search_model_versions(f"tag.model_version = '{run.model_version}'")
    assert not open_store(home, uri=f"sqlite:///{home}/mlflow/mlflow.db").search_model_versions("name = 'winworth'")


def test_three_first_starts_at_once_all_record(tmp_path):
    home = tmp_path / "home"
    runs = [a_run(home, bytes([n])) for n in range(3)]
    arguments = [[sys.executable, "-c", RECORDS, str(home), str(run.bundle)] for run in runs]
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for command in arguments]
    printed = [process.communicate(timeout=120)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(set(printed)) == 3 and "None" not in printed
    assert waiting(home) == []
    assert len(open_store(home).search_model_versions("name = 'winworth'")) == 3
