"""Public data sets, by configuration only: the figures that are honestly to be had, and the traps that are set."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from winworth.config import load_settings
from winworth.errors import GateRefused
from winworth.flows.predict import predict
from winworth.flows.promote import promote
from winworth.flows.scorecard import QUICK
from winworth.flows.train import Trained, train

HERE = Path(__file__).parent
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif("WINWORTH_REAL_DATA" not in os.environ, reason="WINWORTH_REAL_DATA names no folder of real data"),
]


def trained(name: str, home: Path, as_of: date = date(2017, 12, 31), n_boot: int = 100) -> Trained:
    settings = load_settings(HERE / name)
    settings = replace(settings, training=replace(settings.training, n_boot=n_boot, weights=QUICK))
    return train(settings, as_of=as_of, home=home)


def test_salvirt_ranks_as_well_as_its_448_rows_allow(tmp_path):
    metrics = trained("salvirt", tmp_path).metrics
    win = metrics["win"]
    assert win["out_of_time"] is None
    assert win["cross_validated"]["auc"]["value"] >= 0.82
    assert metrics["value"] is None
    assert metrics["value_definition"]["basis"] == "none"
    promote(tmp_path)  # a flat file of closed deals: there is nobody to score, and every verb says so
    scored = predict(load_settings(HERE / "salvirt"), as_of=date(2017, 12, 31), home=tmp_path)
    assert scored.accounts.empty and "There is no account and no open deal to score." in scored.run["warnings"]


def test_maven_has_nothing_to_rank_by_and_promotion_says_so(tmp_path):
    metrics = trained("maven", tmp_path).metrics
    auc = {model: figures["auc"] for model, figures in metrics["win"]["baselines"].items()}
    assert auc["criteria"]["low"] < 0.5 < auc["criteria"]["high"]
    assert abs(auc["criteria"]["value"] - 0.5) < 0.04
    assert auc["ridge"]["value"] - auc["context"]["value"] < 0.02  # a deal's age and the season tell a little, accounts nothing
    assert metrics["leak_tax"]["auc_with"] > 0.95
    with pytest.raises(GateRefused, match="there is nothing to rank by"):
        promote(tmp_path)


def test_maven_with_its_late_filled_account_is_refused_by_name(tmp_path):
    settings = load_settings(HERE / "maven")
    deals = settings.crm.tables["deals"]
    columns = {**deals.columns, "account_id": replace(deals.columns["account_id"], missing=None)}
    tables = {**settings.crm.tables, "deals": replace(deals, columns=columns)}
    settings = replace(settings, crm=replace(settings.crm, tables=tables))
    settings = replace(settings, training=replace(settings.training, n_boot=20, leak_tax=False, weights=QUICK))
    train(settings, as_of=date(2017, 12, 31), home=tmp_path)
    with pytest.raises(GateRefused, match=r"account_id is missing on \d+% of open and 0% of closed deals"):
        promote(tmp_path)


@pytest.mark.long
def test_ibm_reaches_its_honest_figures_and_prints_the_leak_tax(tmp_path):
    metrics = trained("ibm", tmp_path, n_boot=30).metrics
    win = metrics["win"]["cross_validated"]
    assert win["auc"]["value"] >= 0.845
    assert win["brier"]["value"] <= 0.1207
    assert 0.93 < metrics["leak_tax"]["auc_with"] < 0.96
    assert len(metrics["leak_tax"]["columns"]) == 7


@pytest.mark.long
def test_on_the_last_fifth_of_ibm_chances_keep_their_slope_though_the_base_rate_moved():
    bench = HERE.parents[1] / "bench" / "tune_ibm.py"
    done = subprocess.run([sys.executable, str(bench), "--trials", "0"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "base rate 0.293, against 0.2" in done.stdout
