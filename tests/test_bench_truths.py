"""The benches that hold truths to account pass in their short form; in full they run by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
SHORT = [["gate.py", "--worlds", "10"], ["growth.py", "--seeds", "2"]]
LONG = [["fresh_deals.py"], ["gate.py", "--worlds", "100"]]


def held(command: list[str]) -> None:
    done = subprocess.run([sys.executable, str(BENCH / command[0]), *command[1:]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", SHORT, ids=lambda command: command[0])
def test_a_bench_of_truths_holds_in_short(command):
    held(command)


@pytest.mark.long
@pytest.mark.parametrize("command", LONG, ids=lambda command: command[0])
def test_a_bench_of_truths_holds_in_full(command):
    held(command)
