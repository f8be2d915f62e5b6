"""A folder for what is unpacked while a run reads. It goes with the run, or with the next one where the run was killed."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp

from winworth.errors import ResourceError

_NAME = "winworth-scratch-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make an empty folder, which its run holds locked, and remove it in the end.

    What is unpacked names people, so that a killed run's is removed by the next: it is the one that nobody holds. Raises
    ResourceError where the disk for temporary files refuses.
    """
    try:
        _remove_what_nobody_holds()
        folder, descriptor = _made()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResourceError(
            f"no folder for temporary files: {reason}. Free some space, or set TMPDIR to another disk."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _made() -> tuple[Path, int]:
    """Make the folder under another name: it bears its own only once it is held."""
    made = Path(mkdtemp(prefix=f".{_NAME}"))
    descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
    with suppress(OSError):  # a drive that locks no folders: nobody removes what cannot be held
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return made.rename(made.with_name(made.name[1:])), descriptor


def _remove_what_nobody_holds() -> None:
    for folder in Path(gettempdir()).glob(f"{_NAME}*"):
        with suppress(OSError):  # another user's, or held by a run
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
