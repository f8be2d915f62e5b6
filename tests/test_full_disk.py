"""A disk that is full, read-only or dies at any call: exit code 7 and the old result, whole; then a run goes through."""

import itertools
import json
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from faulty_disk import failing_at, killed_at
from small_company import held
from winworth.atomic import publish_folder, write_file
from winworth.bundle import champion, open_version, save_version, set_challenger, set_champion
from winworth.crm.scratch import scratch_folder
from winworth.errors import ResourceError
from winworth.flows.promote import promote
from winworth.lock import run_lock

DAY = date(2026, 6, 30)
GATE = {"passed": True, "reasons": [], "checks": []}


def version(home: Path, tag: str) -> str:
    files = {"metrics.json": json.dumps({"gate": GATE, "tag": tag}).encode(), "figures/a.svg": tag.encode() * 1000}
    return save_version(home / "models", files, as_of=DAY)


@pytest.fixture
def waiting(tmp_path, monkeypatch):
    """Return a function that makes a home with a champion, on record, and a challenger that passed its gate."""
    monkeypatch.setattr("winworth.flows.promote.set_alias", lambda *_: None)

    def made(name: str) -> Path:
        home = tmp_path / name
        set_challenger(home / "models", version(home, "one"))
        promote(home)
        set_challenger(home / "models", version(home, "two"))
        return home

    return made


def rests(home: Path) -> list[str]:
    return [path.name for path in home.rglob(".*") if ".winworth-" in path.name]


def test_a_promotion_that_fails_at_any_call_leaves_a_champion_and_goes_through_later(waiting):
    whole = waiting("whole")
    first, second = champion(whole / "models"), promote(whole).version
    for n in itertools.count(1):
        home = waiting(str(n))
        with failing_at(n) as asked:
            try:
                promote(home)
            except ResourceError as error:
                assert error.exit_code == 7 and "No space left" in str(error)
        if asked[0] < n:
            break
        assert champion(home / "models") in (first, second), n
        assert open_version(home / "models" / champion(home / "models"))
        promote(home)
        assert held(home, "models") == held(whole, "models"), n
    assert n > 15


def test_a_promotion_killed_at_any_call_leaves_a_champion_and_its_rerun_the_bytes_of_one_that_was_not(waiting):
    whole, seen = waiting("whole"), []
    first, second = champion(whole / "models"), promote(whole).version
    for n in itertools.count(1):
        home = waiting(str(n))
        if killed_at(n, lambda home=home: promote(home)):
            break
        assert open_version(home / "models" / champion(home / "models")).version in (first, second), n
        seen.append(champion(home / "models") == second)
        promote(home)
        assert held(home, "models") == held(whole, "models"), n
        assert rests(home) == [], n
    assert seen == sorted(seen) and {True, False} == set(seen)


def test_a_model_version_that_cannot_be_saved_at_any_call_leaves_the_others(waiting):
    home = waiting("home")
    before = held(home, "models")
    for n in itertools.count(1):
        with failing_at(n) as asked:
            try:
                version(home, f"number {n}")
            except ResourceError as error:
                assert error.exit_code == 7
        if asked[0] < n:
            break
        after = held(home, "models")
        assert before.items() <= after.items(), n
        assert rests(home) == [], n
    assert n > 10


def test_what_a_killed_run_left_goes_with_the_next_run_of_any_verb(tmp_path):
    aside, half = tmp_path / "scores" / ".2026-06-30.winworth-old", tmp_path / "reviews" / ".2026-03-31.winworth-new"
    for folder in (aside, half):
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("kept")
    (tmp_path / "models").mkdir()
    for path in (tmp_path / ".x.winworth-tmp", tmp_path / "models" / ".champion.winworth-tmp"):
        path.write_text("half")
    with run_lock(tmp_path, "check"):
        assert held(tmp_path, "scores", "reviews", "models") == {"scores/2026-06-30/a.csv": b"kept"}
        assert rests(tmp_path) == []


def test_what_a_killed_run_had_unpacked_is_removed_by_the_next_and_what_a_run_holds_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr("winworth.crm.scratch.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "winworth-scratch-killed"
    left.mkdir()
    (left / "0").write_text("anne.roy@acme.fr")
    with scratch_folder() as held_by_a_run, scratch_folder() as another:
        assert sorted(tmp_path.iterdir()) == sorted([held_by_a_run, another])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a disk of 256 KiB of its own, and a function that makes it read-only."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield disk, lambda: subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_leaves_the_old_scores_and_versions(small_disk):
    disk, _ = small_disk
    publish_folder(disk / "scores" / "day", {"a.csv": b"old"})
    set_champion(disk / "models", version(disk, "one"))
    before = held(disk, "scores", "models")
    with pytest.raises(ResourceError, match="No space left on device. What was there before is intact"):
        publish_folder(disk / "scores" / "day", {"a.csv": b"new", "b.csv": os.urandom(400_000)})
    with pytest.raises(ResourceError, match="No space left"):
        write_file(disk / "models" / "champion", os.urandom(400_000))
    with pytest.raises(ResourceError, match="No space left"):
        save_version(disk / "models", {"a": os.urandom(400_000)}, as_of=DAY)
    assert held(disk, "scores", "models") == before
    assert rests(disk) == []


def test_a_read_only_disk_is_refused_with_its_path(small_disk):
    disk, read_only = small_disk
    publish_folder(disk / "scores" / "day", {"a.csv": b"old"})
    read_only()
    with pytest.raises(ResourceError, match=r"scores/day: Read-only file system\. Give this user the right to write"):
        publish_folder(disk / "scores" / "day", {"a.csv": b"new"})
    with pytest.raises(ResourceError, match="Read-only"), run_lock(disk, "predict"):
        pass
    assert held(disk, "scores") == {"scores/day/a.csv": b"old"}
