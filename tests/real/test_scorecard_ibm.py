"""The scorecard on IBM's deals, whose models live on interactions: the bench's figures, held."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "scorecard_ibm.py"
pytestmark = [
    pytest.mark.real,
    pytest.mark.long,
    pytest.mark.skipif("WINWORTH_REAL_DATA" not in os.environ, reason="WINWORTH_REAL_DATA names no folder of real data"),
]


def test_ibm_s_scorecard_reaches_79_and_its_gate_refuses_by_its_figure():
    done = subprocess.run([sys.executable, str(BENCH)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gate refused: the scorecard keeps 9" in done.stdout
    assert "is_round_amount, up to ten bins, three pairs" in done.stdout
