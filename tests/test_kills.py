"""Runs killed at any instant, and runs at the same time: a reader finds the old or the new, whole, and a rerun ends well.

A small company, its champion and its scores stand; then another seed is trained, promoted and scored. Half the instants are
drawn from the whole run, half from when something is being written.
"""

import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import AS_OF
from small_company import Company, held, new_home, small_company
from winworth.atomic import restore
from winworth.bundle import challenger, champion, open_version, versions

OTHER = {"train": ("--set", "seed=2"), "promote": (), "predict": ()}
SCORES = f"scores/{AS_OF}"


@dataclass(frozen=True)
class Stage:
    """A verb's home before it and after it, and how long it took, in seconds."""

    verb: str
    before: Path
    after: Path
    seconds: float


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> Company:
    return small_company(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def stages(company, tmp_path_factory, migrated) -> dict[str, Stage]:
    """Take the company the whole way twice; keep a copy of its home before each verb of the second time."""
    folder = tmp_path_factory.mktemp("homes")
    home, found = new_home(folder / "0", migrated), {}
    for verb in ("train", "promote", "predict"):
        company.run(verb, home)
    for at, verb in enumerate(OTHER, start=1):
        after = folder / str(at)
        shutil.copytree(home, after)
        started = time.monotonic()
        company.run(verb, after, *OTHER[verb])
        found[verb] = Stage(verb, home, after, time.monotonic() - started)
        home = after
    return found


def kill(company: Company, stage: Stage, home: Path, dice: random.Random) -> bool:
    """Start a verb and kill it at an instant; tell whether it was still at work."""
    instant, in_the_writes = dice.uniform(0, stage.seconds), dice.random() < 0.5
    run = company.start(stage.verb, home, *OTHER[stage.verb])
    began = time.monotonic()
    while run.poll() is None and time.monotonic() - began < (120 if in_the_writes else instant):
        if in_the_writes and any(home.glob("*/.*.winworth-*")):
            time.sleep(dice.uniform(0, 0.03))
            break
        time.sleep(0.0005)
    run.kill()
    run.communicate()
    return run.returncode == -9


def must_be_whole(stage: Stage, home: Path) -> None:
    """Every model version, both pointers and the scores are what they were before the verb, or after it."""
    for version in versions(home / "models"):
        assert open_version(home / "models" / version).version == version
    before, after = stage.before / "models", stage.after / "models"
    assert champion(home / "models") in {champion(before), champion(after)}
    assert open_version(home / "models" / champion(home / "models"))
    assert open_version(home / "models" / challenger(home / "models"))
    restore(home / SCORES)
    assert held(home, SCORES) in (held(stage.before, SCORES), held(stage.after, SCORES))


def killed_often(company: Company, stage: Stage, folder: Path, n: int, *, seed: int) -> int:
    """Kill a verb `n` times; every fifth time let it run to its end, compare, begin anew. Return how often it was at work."""
    dice, n_at_work = random.Random(f"{stage.verb} {seed}"), 0
    for at in range(n):
        home = folder / f"{stage.verb}-{at // 5}"
        if at % 5 == 0:
            shutil.copytree(stage.before, home)
        n_at_work += kill(company, stage, home, dice)
        must_be_whole(stage, home)
        if at % 5 == 4 or at == n - 1:
            company.run(stage.verb, home, *OTHER[stage.verb])
            assert held(home, "models", "scores", "archive") == held(stage.after, "models", "scores", "archive")
            assert [path for path in home.rglob(".*.winworth-*") if path.name != ".winworth.lock"] == []
            shutil.rmtree(home)
    return n_at_work


@pytest.mark.long
@pytest.mark.parametrize(("verb", "n"), [("train", 80), ("promote", 50), ("predict", 70)])
def test_a_run_killed_at_any_instant_leaves_old_or_new_and_its_rerun_the_bytes_of_one_that_was_not(
    company, stages, tmp_path, verb, n
):
    assert killed_often(company, stages[verb], tmp_path, n, seed=1) > 0.8 * n


@pytest.mark.long
@pytest.mark.parametrize("verb", ["train", "predict"])
def test_of_four_runs_at_once_one_wins_and_the_others_end_with_6(company, stages, tmp_path, verb):
    stage = stages[verb]
    home = Path(shutil.copytree(stage.before, tmp_path / "home"))
    runs = [company.start(verb, home, *OTHER[verb]) for _ in range(4)]
    said = [run.communicate(timeout=600)[1].decode() for run in runs]
    codes = [run.returncode for run in runs]
    assert sorted(codes) == [0, 6, 6, 6], said
    assert all("LockedError: another run holds" in text for code, text in zip(codes, said, strict=True) if code == 6)
    assert held(home, "models", "scores") == held(stage.after, "models", "scores")


@pytest.mark.long
def test_first_trains_at_once_in_homes_of_one_store_all_are_on_record(company, stages, tmp_path):
    """Each home has its own lock, MLflow's store is theirs together and has no tables yet: its first starts do not collide."""
    env = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    homes = [tmp_path / str(at) for at in range(4)]
    runs = [company.start("train", home, "--set", f"seed={at}", env=env) for at, home in enumerate(homes)]
    said = [run.communicate(timeout=600)[1].decode() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0, 0], said
    assert [home for home in homes if (home / "mlflow_pending.json").exists()] == []
