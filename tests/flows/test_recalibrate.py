"""Chances fitted anew are a version like any other: through the gate, promoted, rolled back; and never by what taught it."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from monitor_world import END, company, crown
from scipy.special import expit

import winworth.flows.recalibrate as flow
from winworth.bundle import challenger, champion, open_version, save_version, set_champion
from winworth.errors import ConfigError, DataError, GateRefused
from winworth.flows.promote import promote
from winworth.flows.recalibrate import apart_in_time, judge, recalibrate
from winworth.models.calibration import Platt
from winworth.models.metrics import log_loss
from winworth.scoring.scorer import as_json

ON = END - timedelta(days=240)


def fresh(n: int, seed: int, *, slope: float, intercept: float, breaks: bool = False) -> flow.Fresh:
    """Draw deals whose chances are off by a slope and an intercept; where `breaks`, the last third turns round."""
    rng = np.random.default_rng(seed)
    z, share = rng.normal(-1, 1, n), rng.uniform(0.3, 1, n)
    true = intercept + slope * z
    true = np.where(breaks & (np.arange(n) > 0.66 * n), -true * 2, true)
    won = (rng.random(n) < share / (1 + np.exp(-true))).astype(float)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) // 4, unit="D")
    rows = pd.DataFrame({"deal_id": [f"D{k}" for k in range(n)], "observed_on": days})
    return flow.Fresh(rows, rows[[]], np.arange(n) // 2, z, z, share, won, np.ones(n), np.ones(n, dtype=bool))


def test_the_later_third_judges_and_shares_no_account_with_what_taught():
    train, test = apart_in_time(fresh(900, 1, slope=1, intercept=0))
    assert not set(train.accounts) & set(test.accounts)
    assert train.rows["observed_on"].max() < test.rows["observed_on"].min()
    assert len(test.won) == pytest.approx(300, abs=5)


def test_chances_that_are_off_are_mended_and_those_that_broke_again_are_refused_with_numbers():
    assert all(check.passed for check in judge(fresh(1500, 2, slope=0.6, intercept=-0.8)))
    assert all(check.passed for check in judge(fresh(1500, 3, slope=1.0, intercept=0.0)))
    train, test = apart_in_time(fresh(1500, 2, slope=0.6, intercept=-0.8))
    fit, ones = flow.refit(train.z, train.share, train.won, train.accounts).platt, np.ones(len(test.won))
    after, before = (log_loss(test.won, test.share * expit(p.apply(test.z)), ones) for p in (fit, Platt()))
    assert after < before
    refused = [check for check in judge(fresh(1500, 4, slope=1.0, intercept=0.0, breaks=True)) if not check.passed]
    assert "calibrated" in {check.name for check in refused}
    assert "wins seen over wins expected" in refused[0].says


@pytest.fixture(scope="module")
def too_sure(demo, tmp_path_factory):
    """Return a company whose champion announces five times the odds that come true; what it does not learn is the demo's."""
    home = tmp_path_factory.mktemp("too_sure")
    base = open_version(demo.home / "models" / champion(demo.home / "models"))
    watched = crown(company(home, n_deals=1600, seed=5), home, on=ON, base=base)
    return replace(watched, version=spoilt(home, watched.version, shift=1.6))


def spoilt(home, version: str, *, shift: float) -> str:
    """Add to the log-odds that a version announces, and crown it again."""
    bundle = open_version(home / "models" / version)
    win = bundle.json("win.json")
    win["platt"]["intercept"] += shift
    made = save_version(home / "models", {**bundle.contents, "win.json": as_json(win).encode()}, as_of=bundle.as_of)
    set_champion(home / "models", made)
    return made


def test_a_champion_too_sure_is_recalibrated_promoted_and_rolled_back(too_sure, monkeypatch):
    kept = []
    monkeypatch.setattr(flow, "record_run", lambda home, run: kept.append(run))
    monkeypatch.setattr("winworth.flows.promote.set_alias", lambda *args: None)
    models = too_sure.home / "models"
    done = recalibrate(too_sure.settings, as_of=END, home=too_sure.home)
    before, after = (open_version(models / version) for version in (too_sure.version, done.version))
    assert challenger(models) == done.version == kept[0].model_version
    assert kept[0].tags["mode"] == "recalibrated"
    assert after.as_of == END
    assert after.json("metrics.json")["recalibrated"]["from"] == too_sure.version
    assert after.json("metrics.json")["recalibrated"]["trained_on"] == ON.isoformat()
    assert done.record["intercept"]["value"] < -0.5
    assert {name for name in before.names if before.contents[name] != after.contents.get(name)} <= {
        "win.json",
        "weights.json",
        "metrics.json",
        "model_card.md",
        "calibration.json",
    }
    old, new = (json.loads(bundle.text("win.json")) for bundle in (before, after))
    assert {name for name in old if old[name] != new[name]} == {"platt"}
    assert not any(name.endswith((".pkl", ".pickle", ".joblib")) for name in after.names)
    assert promote(too_sure.home).version == done.version
    assert promote(too_sure.home, to=too_sure.version).version == champion(models) == too_sure.version


def test_too_few_deals_or_none_since_is_said(too_sure):
    with pytest.raises(DataError, match="at least 50 of each are needed"):
        recalibrate(too_sure.settings, as_of=ON + timedelta(days=30), home=too_sure.home)
    with pytest.raises(ConfigError, match="not learnt from is known"):
        recalibrate(too_sure.settings, as_of=ON, home=too_sure.home)


def test_a_refusal_leaves_no_version_behind(too_sure, monkeypatch):
    for name in ("prepare", "require_features", "observe"):
        monkeypatch.setattr(flow, name, lambda *args, **kwargs: None)
    broken = fresh(1500, 4, slope=1.0, intercept=0.0, breaks=True)
    monkeypatch.setattr(flow, "fresh_examples", lambda *args, **kwargs: broken)
    kept = sorted(path.name for path in (too_sure.home / "models").iterdir())
    with pytest.raises(GateRefused, match="calibrated: wins seen over wins expected") as refused:
        recalibrate(too_sure.settings, as_of=END, home=too_sure.home)
    assert refused.value.exit_code == 4
    assert sorted(path.name for path in (too_sure.home / "models").iterdir()) == kept
