"""An input damaged anywhere is read, or refused with an error of ours: no traceback, no signal, no hang, no run on memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest

from small_company import new_home, small_company
from winworth.bundle import challenger

N = 1000
ENDS = {"read", "ConfigError", "DataError", "IntegrityError", "ResourceError"}


@pytest.mark.parametrize("kind", [kind for kind in fuzz.KINDS if kind not in ("version", "resigned")])
def test_a_damaged_input_is_read_or_refused_with_a_sentence(kind):
    quick = ("gz", "zip", "parquet")
    assert set(fuzz.tried(kind, seed=1, n=30 if kind in quick else 5)) <= ENDS


@pytest.fixture(scope="module")
def version(tmp_path_factory, migrated) -> Path:
    """Train a small company that has trees, and return its model version."""
    folder = tmp_path_factory.mktemp("version")
    home = new_home(folder / "home", migrated)
    small_company(folder / "company", n_deals=600).run("train", home)
    return home / "models" / challenger(home / "models")


def told(kind: str, env: dict | None = None) -> dict:
    """Run the kind's cases in a process of its own, to its end."""
    command = [sys.executable, fuzz.__file__, kind, "2", str(N)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3000, env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"{kind} ended with {done.returncode}: {done.stderr[-1000:]}"
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.long
@pytest.mark.parametrize("kind", [kind for kind in fuzz.KINDS if kind not in ("version", "resigned")])
def test_of_a_thousand_damaged_inputs_each_is_read_or_refused(kind):
    found = told(kind)
    assert set(found["ended"]) <= ENDS
    assert sum(found["ended"].values()) == N
    assert found["most_bytes"] < 2 << 30


@pytest.mark.long
def test_a_thousand_damaged_versions_are_refused_by_their_hashes_before_anything_reads_them(version):
    found = told("version", {"FUZZ_VERSION": str(version)})
    assert set(found["ended"]) <= {"IntegrityError", "read"}  # read: what was put in place of a byte was that byte
    assert found["ended"]["IntegrityError"] > 0.99 * N


@pytest.mark.long
def test_a_thousand_damaged_versions_signed_anew_end_no_process_and_in_no_traceback(version):
    found = told("resigned", {"FUZZ_VERSION": str(version)})
    assert set(found["ended"]) <= {"IntegrityError", "read"}
    assert found["most_bytes"] < 2 << 30
