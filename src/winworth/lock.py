"""One run at a time in a home folder: a lock that the operating system lets go when its run dies."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from winworth.atomic import naming_the_disk, tidy
from winworth.errors import LockedError

LOCK_NAME = ".winworth.lock"


@contextmanager
def run_lock(home: Path, verb: str) -> Iterator[None]:
    """Hold `home` for one run of `verb`, and clear away what a killed one left.

    Raises LockedError, naming who holds it, where another run does.
    """
    path = Path(home) / LOCK_NAME
    with _opened(path) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"another run holds {path.parent}: {_holder(descriptor)}. Wait until it ends, or end it, then run again."
            ) from None
        with naming_the_disk(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _signature(verb).encode(), 0)
        tidy(path.parent)
        yield


@contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, waiting for whoever holds it."""
    with _opened(Path(path)) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    # The file stays: removing a lock file lets two runs hold two files of the same name.
    with naming_the_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _signature(verb: str) -> str:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return f"winworth {verb}, process {os.getpid()} on {socket.gethostname()}, since {started}"


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 300, 0).decode(errors="replace")
    return "".join(letter for letter in text if letter.isprintable()) or "a run that has just started"
