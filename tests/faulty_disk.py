"""A disk whose n-th call fails: every open, write, fsync, rename and new folder that a run asks the system for is counted."""

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

CALLS = ("open", "mkdir", "rename", "replace", "fsync", "ftruncate", "pwrite")


def full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def failing_at(n: int, fail: Callable[[], None] = full) -> Iterator[list[int]]:
    """Let the n-th call fail, counted from 1; yield how many there were so far."""
    asked, opens = [0], os.open

    def counted(real):
        def call(*args, **kwargs):
            if real is opens and not args[1] & (os.O_CREAT | os.O_DIRECTORY):
                return real(*args, **kwargs)  # a file to read
            asked[0] += 1
            if asked[0] == n:
                fail()
            return real(*args, **kwargs)

        return call

    class Written(io.BufferedWriter):
        def write(self, content):
            asked[0] += 1
            if asked[0] == n:
                super().write(content[: len(content) // 2])
                fail()
            return super().write(content)

    opened = io.open

    def opening(file, mode="r", *args, **kwargs):
        if "x" not in mode and "w" not in mode:
            return opened(file, mode, *args, **kwargs)
        return Written(counted(io.FileIO)(file, mode.replace("b", "")))

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, counted(getattr(os, name)))
        patch.setattr(io, "open", opening)
        yield asked


def killed_at(n: int, work: Callable[[], object]) -> bool:
    """Do `work` in a process that dies at its n-th call, as by kill -9; tell whether it came to its end before that."""
    child = os.fork()
    if child == 0:
        try:
            with failing_at(n, lambda: os._exit(9)):
                work()
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), code
    return code == 0
