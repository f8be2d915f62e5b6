"""Each verb says what it did, and each fault of a user's ends with a sentence and its exit code."""

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from winworth.bundle import champion
from winworth.errors import ConfigError, IntegrityError
from winworth.flows.explain import explain
from winworth.flows.predict import predict
from winworth.flows.scored import Wanted
from winworth.sheets import from_csv
from winworth.tracking import open_store

ROOT = Path(__file__).parents[1]
AS_OF = "2026-06-30"


def run(*args: str, env: dict | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from winworth.cli import main; main()", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **(env or {})})


@pytest.fixture
def conf(demo, tmp_path: Path) -> Path:
    """Return a copy of the demo's configuration that reads the demo's exports."""
    folder = tmp_path / "conf"
    shutil.copytree(ROOT / "conf", folder)
    path = folder / "crm.yaml"
    path.write_text(path.read_text().replace("folder: ../demo/exports", "folder: ${DEMO_EXPORTS}"))
    return folder


@pytest.fixture
def env(demo) -> dict:
    return {"DEMO_EXPORTS": str(demo.home / "exports")}


def test_help_names_every_verb():
    said = run("--help").stdout
    assert all(verb in said for verb in ("demo", "check", "train", "promote", "predict", "explain", "review", "validate"))


def test_check_counts_every_row_and_prints_one_document(conf, env):
    done = run("check", "--conf", conf, "--as-of", AS_OF, "--json", env=env)
    document = json.loads(done.stdout)
    deals = next(count for count in document["read"] if count["table"] == "deals")
    assert deals["n_read"] == deals["n_used"] + deals["n_quarantined"] + deals["n_duplicate"] + deals["n_out_of_scope"]
    assert deals["n_quarantined"] == 5
    assert "deals.loss_reason" in document["refused"]


def test_an_unknown_key_is_an_error_that_names_the_nearest(conf, env):
    path = conf / "training.yaml"
    path.write_text(path.read_text().replace("horizon_days:", "horizon_dayz:"))
    done = run("train", "--conf", conf, "--as-of", AS_OF, env=env)
    assert done.returncode == 2
    assert "training.yaml: win.horizon_dayz is not a setting. Did you mean horizon_days?" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_an_error_that_names_it(conf, env, tmp_path):
    done = run("check", "--conf", conf, "--as-of", AS_OF, env={"DEMO_EXPORTS": str(tmp_path)})
    assert done.returncode == 3
    assert "affaires.csv" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--as-of", "30/06/2026"), "is not a date. Write it as 2026-06-30"),
        (("--as-of", AS_OF, "--set", "win.horizn=3"), "Did you mean horizon_days"),
        (("--as-of", AS_OF, "--set", "nonsense"), "is not block.key=value"),
        (("--as-of", AS_OF, "--set", "seed=-1"), "seed must lie between 0 and"),
        (("--as-of", AS_OF, "--conf", "nowhere"), "There is no configuration folder nowhere"),
    ],
)
def test_a_wrong_argument_ends_with_exit_code_2(args, says):
    done = run("train", *args)
    assert done.returncode == 2
    assert says in done.stderr


def test_a_terminal_that_lacks_letters_ends_no_run(conf, env):
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = run("check", "--conf", conf, "--as-of", AS_OF, "--json", env=env | plain)
    assert done.returncode == 0 and json.loads(done.stdout)["read"]


def test_a_repeated_key_in_a_yaml_is_an_error(conf, env):
    path = conf / "scoring.yaml"
    path.write_text(path.read_text() + "\nmost_segments: 3\n")
    done = run("check", "--conf", conf, "--as-of", AS_OF, env=env)
    assert done.returncode == 2
    assert "most_segments stands already" in done.stderr


def test_norway_is_a_country_and_not_false(conf, env):
    path = conf / "crm.yaml"
    path.write_text(path.read_text().replace("Gagnée: won", "Gagnée: won, NO: lost"))
    assert run("check", "--conf", conf, "--as-of", AS_OF, env=env).returncode == 0


def test_promote_without_a_challenger_says_what_to_do(tmp_path):
    done = run("promote", "--home", tmp_path)
    assert done.returncode == 2
    assert "Run winworth train" in done.stderr


def test_predict_needs_neither_mlflow_nor_its_store(demo_copy, conf, env):
    blocked = (
        "import sys; sys.modules['mlflow'] = None; sys.modules['shap'] = None\n"
        f"sys.argv = ['winworth', 'predict', '--conf', {str(conf)!r}, '--as-of', '{AS_OF}']\n"
        f"sys.argv += ['--home', {str(demo_copy.home)!r}]\n"
        "from winworth.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True, env={**os.environ, **env})
    assert done.returncode == 0, done.stderr
    assert not (demo_copy.home / "mlflow").exists()
    assert (demo_copy.home / "scores" / AS_OF / "account_scores.parquet").exists()


def test_a_damaged_model_version_is_refused_before_lightgbm_opens_a_file(demo_copy, monkeypatch):
    import lightgbm

    opened = []
    monkeypatch.setattr(lightgbm, "Booster", lambda *args, **kwargs: opened.append(1))
    trees = demo_copy.home / "models" / champion(demo_copy.home / "models") / "win_trees.txt"
    trees.write_bytes(trees.read_bytes()[:-100])
    with pytest.raises(IntegrityError, match="win_trees.txt"):
        predict(demo_copy.settings, as_of=pd.Timestamp(AS_OF).date(), home=demo_copy.home)
    assert opened == []


def test_a_champion_that_knows_the_future_is_refused(demo_copy):
    with pytest.raises(ConfigError, match="would know the future"):
        predict(demo_copy.settings, as_of=pd.Timestamp("2026-06-29").date(), home=demo_copy.home)


def test_predict_twice_writes_the_same_bytes(demo, demo_copy):
    predict(demo_copy.settings, as_of=pd.Timestamp(AS_OF).date(), home=demo_copy.home)
    first, again = (home / "scores" / AS_OF for home in (demo.home, demo_copy.home))
    names, others = (sorted(str(p.relative_to(home)) for p in home.rglob("*") if p.is_file()) for home in (first, again))
    assert names == others
    assert all((first / name).read_bytes() == (again / name).read_bytes() for name in names)


def test_where_asked_open_deals_get_an_interval_of_their_chance(demo_copy):
    done = predict(demo_copy.settings, as_of=pd.Timestamp(AS_OF).date(), home=demo_copy.home, wanted=Wanted(doubt=True))
    assert (done.deals["win_low"] <= done.deals["win_high"]).all()
    between = done.deals["win_probability"].between(done.deals["win_low"] - 0.15, done.deals["win_high"] + 0.15)
    assert between.mean() > 0.9
    assert "win_low" not in done.accounts


def test_where_asked_open_deals_get_their_chance_to_be_won_by_a_day(demo_copy):
    day = pd.Timestamp(AS_OF).date()
    by = [day + timedelta(days=n) for n in (60, 180)]
    found = [predict(demo_copy.settings, as_of=day, home=demo_copy.home, wanted=Wanted(by=d)).deals for d in by]
    sooner, later = (deals["win_probability_by"] for deals in found)
    assert (sooner <= later).all() and sooner.mean() < later.mean() < 1
    assert found[1]["win_probability_by"].mean() == pytest.approx(found[1]["win_probability"].mean(), rel=0.25)
    with pytest.raises(ConfigError, match="--by 2026-06-30 is not later than the as-of date"):
        predict(demo_copy.settings, as_of=day, home=demo_copy.home, wanted=Wanted(by=day))


def test_the_csv_and_the_parquet_hold_the_same_accounts(demo):
    folder = demo.home / "scores" / AS_OF
    table = pd.read_parquet(folder / "account_scores.parquet")
    sheet = from_csv((folder / "account_scores.csv").read_bytes())
    assert sheet["account_id"].tolist() == table["account_id"].tolist()
    assert table["account_id"].is_unique
    assert (sheet["expected_value"] - table["expected_value"]).abs().max() < 1e-3


def test_every_account_is_scored_once_and_tiers_hold_their_shares(demo):
    accounts = demo.done.predicted.accounts
    assert len(accounts) == 3000
    assert accounts["tier"].value_counts().to_dict() == {"A": 600, "B": 900, "C": 1500}
    assert accounts["win_probability"].between(0, 1, inclusive="neither").all()
    assert accounts["score"].between(0, 100).all()


def test_the_lines_of_an_explanation_add_up_to_the_score(demo):
    row = demo.done.predicted.accounts.iloc[0]
    said = explain(demo.settings, row["account_id"], as_of=pd.Timestamp(AS_OF).date(), home=demo.home, lang="fr")
    assert sum(line["points"] for line in said.lines) == pytest.approx(row["score"], abs=1e-9)
    assert said.figures["score"] == pytest.approx(row["score"], abs=1e-9)


def test_an_unknown_account_is_an_error_with_the_nearest(demo):
    with pytest.raises(ConfigError, match="No account A0004631 is known"):
        explain(demo.settings, "A0004631", as_of=pd.Timestamp(AS_OF).date(), home=demo.home)


def test_the_record_of_the_run_is_in_mlflow_with_aliases(demo):
    client = open_store(demo.home)
    named = {alias: client.get_model_version_by_alias("winworth", alias) for alias in ("challenger", "champion")}
    record = client.get_run(named["champion"].run_id)
    assert named["challenger"].version == named["champion"].version
    assert record.data.metrics["win.out_of_time.auc"] > 0.7
    assert record.data.params["chosen"] == demo.done.trained.metrics["win"]["chosen"]


def test_the_model_in_mlflow_scores_as_the_scorer_does(demo, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{demo.home}/mlflow/mlflow.db")
    scorer = demo.done.trained.scorer
    features = pd.DataFrame({name: pd.Series([None, None], dtype="float64") for name in scorer.win.matrix.medians_})
    levels = {name: pd.Series([known[0], None], dtype="str") for name, known in scorer.win.matrix.levels_.items()}
    features = features.assign(**levels)
    loaded = mlflow.pyfunc.load_model("models:/winworth@champion")
    pd.testing.assert_frame_equal(loaded.predict(features), scorer.score(features))


def test_a_second_run_at_once_ends_with_exit_code_6(demo_copy, conf, env):
    from winworth.lock import run_lock

    with run_lock(demo_copy.home, "train"):
        done = run("predict", "--conf", conf, "--as-of", AS_OF, "--home", demo_copy.home, env=env)
    assert done.returncode == 6
    assert "train" in done.stderr
