"""Writing to disk so that a reader finds the old or the new, whole, whatever happens meanwhile."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from winworth.errors import IntegrityError, ResourceError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHT = {errno.EROFS, errno.EACCES, errno.EPERM}
# Network drives do not lock folders; there the run's own lock keeps writers apart.
_NO_FOLDER_LOCK = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
TEMPORARY, _NEW, _OLD = ".winworth-tmp", ".winworth-new", ".winworth-old"


def write_file(path: Path, content: bytes | str) -> None:
    """Put `content` (text as UTF-8) at `path`: a killed or failed write leaves what was there before.

    Raises ResourceError where the disk refuses.
    """
    path = Path(path)
    staged = path.with_name(f".{path.name}{TEMPORARY}")
    with naming_the_disk(path), _holding(path.parent) as folder:
        _remove(staged)
        try:
            _write_through(staged, content.encode() if isinstance(content, str) else content)
            staged.replace(path)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
        os.fsync(folder)


def publish_folder(target: Path, files: Mapping[str, bytes | Path]) -> None:
    """Make `target` a folder of exactly these files, in one rename; what was there before goes.

    A name may have subfolders ("figures/weights.svg"). A content may be a file, which is moved. A reader
    sees the old folder, the new one, or for an instant none: a run killed in that instant leaves it to `restore`, or to the
    next publish, to bring the old one back.
    Raises ResourceError where the disk refuses, IntegrityError for a name that leaves the folder.
    """
    target = Path(target)
    files = {checked_name(name): content for name, content in files.items()}
    staged = _staged(target)
    with naming_the_disk(target), _holding(target.parent) as parent:
        _sweep(target.parent)
        try:
            _stage(staged, files)
            _swap(staged, target)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        os.fsync(parent)
        shutil.rmtree(_aside(target), ignore_errors=True)  # the next publish removes what stays


def restore(target: Path) -> None:
    """Bring back the folder that a killed publish had set aside; without one, do nothing."""
    target = Path(target)
    if os.path.lexists(target) or not _aside(target).is_dir():
        return
    with naming_the_disk(target), _holding(target.parent):
        _bring_back(target)


def tidy(home: Path) -> None:
    """Bring back what killed runs had set aside in `home` and its folders, and remove what they left half written.

    Nobody else may be writing there: the run's lock is held.
    """
    with naming_the_disk(home):
        rests = [*home.glob(f".*{TEMPORARY}"), *home.glob(f"*/.*{TEMPORARY}")]
        rests += [*home.glob(f"*/.*{_OLD}"), *home.glob(f"*/.*{_NEW}")]
        for folder in sorted({rest.parent for rest in rests}):
            with _holding(folder):
                _sweep(folder)
                for rest in list(folder.glob(f".*{TEMPORARY}")):
                    _remove(rest)


def checked_name(name: str) -> str:
    """Return a file's name within a folder, refusing one that could leave it.

    >>> checked_name("figures/weights.svg")
    'figures/weights.svg'
    """
    parts = PurePosixPath(name).parts
    if not parts or "/".join(parts) != name or ".." in parts or parts[0] == "/" or "\\" in name or "\0" in name:
        raise IntegrityError(f"{name!r} is not a file name within a folder. Use plain names, with / for subfolders.")
    return name


@contextmanager
def naming_the_disk(path: Path) -> Iterator[None]:
    """Turn what the system says about a failed write into a ResourceError with the path and the way out."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResourceError(f"cannot write {path}: {reason}. {_way_out(path, error)}") from error


def _way_out(path: Path, error: OSError) -> str:
    if error.errno in _NO_SPACE:
        return "What was there before is intact. Free some disk space, or raise the quota, and run again."
    if error.errno in _NO_RIGHT:
        return f"Give this user the right to write in {path.parent}, or choose another folder."
    return f"Check that {path.parent} is a folder on a healthy disk and run again."


@contextmanager
def _holding(folder: Path) -> Iterator[int]:
    """Make the folder where it is missing and keep other writers out of it; yield its descriptor."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_FOLDER_LOCK:
                raise
        yield descriptor
    finally:
        os.close(descriptor)


def _staged(target: Path) -> Path:
    return target.with_name(f".{target.name}{_NEW}")


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}{_OLD}")


def _stage(staged: Path, files: Mapping[str, bytes | Path]) -> None:
    """Write all files under `staged`, down to the disk, folders included."""
    staged.mkdir()
    folders = {staged}
    for name, content in files.items():
        path = staged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.move(content, path)
            _sync(path)
        else:
            _write_through(path, content)
        folders.update(parent for parent in path.parents if parent.is_relative_to(staged))
    for folder in sorted(folders, reverse=True):
        _sync(folder)


def _swap(staged: Path, target: Path) -> None:
    """Rename `staged` to `target`, the old one aside; on failure put the old one back."""
    if not os.path.lexists(target):
        staged.rename(target)
        return
    target.rename(_aside(target))
    try:
        staged.rename(target)
    except OSError:
        _aside(target).rename(target)
        raise


def _sweep(parent: Path) -> None:
    """Undo or finish what killed publishes left in `parent`, which is held: nobody else is at work there."""
    for aside in list(parent.glob(f".*{_OLD}")):
        _bring_back(parent / aside.name[1:].removesuffix(_OLD))
    for staged in list(parent.glob(f".*{_NEW}")):
        _remove(staged)


def _bring_back(target: Path) -> None:
    """Let the set-aside folder take its place again, or go where a newer one has it."""
    if os.path.lexists(target):
        _remove(_aside(target))
    else:
        with suppress(FileNotFoundError):
            _aside(target).rename(target)


def _write_through(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
