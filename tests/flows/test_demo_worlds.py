"""The demo of each world: the whole way from dirty exports, what was found beside what was planted, or a refusal."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from winworth.cli.app import app
from winworth.config import load_settings
from winworth.crm.synthetic import USE_CASES
from winworth.errors import GateRefused
from winworth.flows.check import Checked
from winworth.flows.demo import NULL, WorldShown, demo_world, draw_world
from winworth.flows.scorecard import QUICK
from winworth.printed import worlds

AS_OF = date(2026, 6, 30)
CONF = Path(__file__).parents[2] / "conf"


def test_the_worlds_are_the_use_cases_the_demo_company_and_its_null_twin():
    null, plain = (draw_world(name, as_of=AS_OF, seed=1) for name in (NULL, ""))
    assert null.truth.sum() == 0
    assert plain.truth.sum() == pytest.approx(1)
    assert plain.split is None


@pytest.fixture
def refused(monkeypatch):
    """Let the demo of any world end with the gate's refusal, without training one."""
    count = {"table": "deals", "n_read": 9, "n_used": 8, "n_quarantined": 1, "n_duplicate": 0, "n_out_of_scope": 0}
    win = {"out_of_time": None, "cross_validated": None, "new_accounts": None, "baselines": {}, "period": "a quarter"}
    trained = type("Trained", (), {"metrics": {"win": win}})()
    checked = Checked([count], {"F41-date": 1}, {"won": 8}, [], (), 180, None)
    shown = WorldShown(checked, trained, GateRefused("there is nothing to rank by"))
    asked = []
    monkeypatch.setattr("winworth.flows.demo.demo_world", lambda *args, **options: asked.append((args, options)) or shown)
    return asked


def test_a_refused_world_is_shown_and_ends_with_exit_code_4(refused, tmp_path):
    done = CliRunner().invoke(
        app, ["demo", "--as-of", "2026-06-30", "--world", "null", "--conf", str(CONF), "--home", str(tmp_path)]
    )
    assert done.exit_code == 4
    assert "there is nothing to rank by" in done.output
    assert "F41-date 1" in done.output
    (_, world), options = refused[0]
    assert (world, options["home"], options["is_dirty"]) == ("null", tmp_path / "null", False)


def test_a_world_is_read_by_the_configuration_of_its_name(refused, tmp_path):
    line = [
        "demo",
        "--as-of",
        "2026-06-30",
        "--world",
        "services",
        "--dirty",
        "--json",
        "--conf",
        str(CONF),
        "--home",
        str(tmp_path),
    ]
    done = CliRunner().invoke(app, line)
    assert json.loads(done.stdout)["refused"] == "there is nothing to rank by"
    (settings, world), options = refused[0]
    assert (settings.folder, world, options["is_dirty"]) == (CONF / "services", "services", True)


@pytest.mark.long
@pytest.mark.parametrize("world", [*USE_CASES, NULL])
def test_each_world_goes_the_whole_way_from_dirty_exports(world, tmp_path):
    settings = load_settings(CONF / world if world in USE_CASES else CONF)
    training = replace(settings.training, n_boot=60, leak_tax=False, weights=QUICK)
    done = demo_world(replace(settings, training=training), world, as_of=AS_OF, home=tmp_path, is_dirty=True)
    report = worlds.world_shown(done)
    assert sum(count["n_quarantined"] for count in done.checked.read) > 50
    if world == NULL:
        assert "nothing to rank by" in report.document["refused"]
        return
    assert done.refused is None
    found = {(segment, one.outcome) for segment, told in done.found.differences.items() for one in told}
    assert set(USE_CASES[world].planted) <= found
    assert {(row["segment"], row["outcome"]) for row in report.document["planted"]} >= set(USE_CASES[world].planted)
