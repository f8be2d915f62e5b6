import os
import signal
import subprocess
import sys

import pytest

from winworth.errors import LockedError
from winworth.lock import LOCK_NAME, run_lock

HOLDS = """
import sys, time
from winworth.lock import run_lock
with run_lock(sys.argv[1], "train"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_run_is_told_who_holds_the_lock(tmp_path, other):
    with (
        pytest.raises(LockedError, match=rf"winworth train, process {other.pid} on .*since 20") as raised,
        run_lock(tmp_path, "x"),
    ):
        pass
    assert raised.value.exit_code == 6


def test_the_lock_of_a_killed_run_is_free(tmp_path, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    with run_lock(tmp_path, "predict"):
        assert f"winworth predict, process {os.getpid()} " in (tmp_path / LOCK_NAME).read_text()


def test_the_lock_is_free_after_a_run_that_raised(tmp_path):
    with pytest.raises(ZeroDivisionError), run_lock(tmp_path, "train"):
        raise ZeroDivisionError
    with run_lock(tmp_path, "train"), pytest.raises(LockedError), run_lock(tmp_path, "train"):
        pass


def test_two_homes_do_not_wait_for_each_other(tmp_path):
    with run_lock(tmp_path / "a", "train"), run_lock(tmp_path / "b", "train"):
        pass


def test_a_lock_file_that_is_a_link_is_not_written_through(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / LOCK_NAME).symlink_to(tmp_path / "precious")
    with pytest.raises(Exception, match="cannot write"), run_lock(tmp_path, "train"):
        pass
    assert (tmp_path / "precious").read_text() == "kept"
