"""Equal challengers stay challengers, better ones pass, newer ones need only be no worse, another horizon is a new lineage."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from winworth.bundle import save_version
from winworth.flows.reigning import Reigning, better_than_champion, leaves_out, segments_written
from winworth.models.evaluate import Judged, WinReport
from winworth.models.task import Rung
from winworth.scoring.find_segments import find_segments
from winworth.scoring.scorer import as_json
from winworth.weights.effort import Effort

KING = Reigning("2026-03-31-00000000", date(2026, 3, 31), 180, Rung("champion", C=0.1, only=("x",)))
SAME, LATER = KING.as_of, date(2026, 6, 30)


def report(seed: int, gain: float = 0.0, n_accounts: int = 240) -> WinReport:
    """Judge two models of 480 rows whose log-odds err by as much, but for a `gain` of the first."""
    rng = np.random.default_rng(seed)
    n = 2 * n_accounts
    z = rng.normal(-1, 1.2, n)
    y = (rng.random(n) < expit(z)).astype(float)
    p = {"average": expit(z + rng.normal(0, 0.5 * (1 - gain), n)), "champion": expit(z + rng.normal(0, 0.5, n))}
    judged = Judged(np.arange(n), y, np.ones(n), np.repeat(np.arange(n_accounts), 2), p)
    return WinReport("average", "2025 Q4", True, judged, {}, None)


def passes(seed: int, as_of: date, gain: float = 0.0) -> bool:
    return better_than_champion(report(seed, gain), KING, as_of=as_of, horizon_days=180).passed


def test_of_equal_challengers_on_the_same_data_at_most_eight_in_a_hundred_are_promoted():
    assert np.mean([passes(seed, SAME) for seed in range(600)]) <= 0.08


def test_a_real_gain_on_the_same_data_is_found_more_often_than_not():
    assert np.mean([passes(seed, SAME, gain=0.9) for seed in range(200)]) > 0.59


def test_on_newer_data_a_challenger_that_is_much_worse_is_refused():
    worse = np.mean([passes(seed, LATER, gain=-1.0) for seed in range(200)])
    better = np.mean([passes(seed, LATER, gain=0.9) for seed in range(200)])
    assert worse < 0.05 < 0.8 < better


def test_without_a_champion_there_is_nothing_to_beat():
    assert better_than_champion(report(0), None, as_of=SAME, horizon_days=180).passed


def test_another_horizon_is_another_lineage():
    check = better_than_champion(report(0), KING, as_of=SAME, horizon_days=90)
    assert check.passed
    assert "a new lineage: the horizon was 180 days and is 90" in check.says


def test_a_challenger_made_as_the_champion_was_passes():
    same = report(0)
    same.judged.p["average"] = same.judged.p["champion"]
    check = better_than_champion(same, KING, as_of=SAME, horizon_days=180)
    assert check.passed
    assert check.says == "made as 2026-03-31-00000000 was"


def test_a_challenger_that_drops_what_the_champion_reads_is_refused_by_name():
    """Made again without them the champion would be as weak as the challenger, and the check would pass."""
    check = leaves_out(KING, ["y", "z"], horizon_days=180)
    assert check is not None and not check.passed
    assert check.says.startswith("1 of the 1 features that 2026-03-31-00000000 reads are left out (x)")
    assert leaves_out(KING, ["x", "y"], horizon_days=180) is None
    assert leaves_out(KING, ["y"], horizon_days=90) is None
    assert leaves_out(None, ["y"], horizon_days=180) is None


def test_a_refusal_names_its_numbers():
    check = better_than_champion(report(1), KING, as_of=SAME, horizon_days=180)
    assert not check.passed
    assert "95% is asked on the same data" in check.says


def test_the_next_quarter_meets_the_champion(demo, tmp_path):
    import shutil

    from winworth.flows.train import train

    shutil.copytree(demo.home / "models", tmp_path / "models")
    training = replace(demo.settings.training, weights=Effort(10, 1, 1))
    settings = replace(demo.settings, training=training)
    found = train(settings, as_of=date(2026, 6, 30), home=tmp_path).metrics
    checks = {check["name"]: check for check in found["gate"]["checks"]}
    assert checks["better_than_champion"]["says"].startswith("made as 2026-06-30-")
    assert found["win"]["baselines"]["champion"]["auc"] == pytest.approx(found["win"]["out_of_time"]["auc"])
    kept = found["segments"]["ids"]
    assert list(kept["kept"]) == list(found["segments"]["segments"]) and not kept["births"] and not kept["deaths"]


def test_segments_of_all_versions_that_are_whole_are_read_with_or_without_a_part_in_the_reign(tmp_path):
    one = find_segments(pd.DataFrame({"x": np.arange(9.0)}), pd.Series({"x": 1.0}), None, seed=0).segments
    names = []
    for month, n_born in ((1, 4), (2, 9), (3, 7)):
        files = {"segments.json": as_json(replace(one, n_born=n_born).to_dict()).encode()}
        names.append(save_version(tmp_path, files, as_of=date(2026, month, 1)))
    save_version(tmp_path, {"metrics.json": b"{}"}, as_of=date(2026, 4, 1))
    assert [segments.n_born for segments in segments_written(tmp_path)] == [4, 9, 7]
    (tmp_path / names[1] / "segments.json").write_text("{}")
    assert [segments.n_born for segments in segments_written(tmp_path)] == [4, 7]
