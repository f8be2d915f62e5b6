"""A model version on disk: plain files, a manifest with the SHA-256 of each, and the pointers to the versions in use."""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from winworth.atomic import checked_name, publish_folder, restore, write_file
from winworth.errors import ConfigError, IntegrityError, did_you_mean, listed

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
_KEYS = {"as_of", "files", "format_version", "version"}
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}", re.ASCII)
_MEND = "Restore the folder from a copy, or run winworth train again."


@dataclass(frozen=True)
class Bundle:
    """A verified model version, held in memory: what is read is what was verified."""

    folder: Path
    version: str
    as_of: date
    contents: Mapping[str, bytes] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its files, sorted, without the manifest."""
        return tuple(sorted(self.contents))

    def text(self, name: str) -> str:
        """Return a file as text."""
        try:
            return self.bytes(name).decode()
        except UnicodeDecodeError as error:
            raise IntegrityError(f"{name} in {self.folder} is not UTF-8 text. {_MEND}") from error

    def json(self, name: str) -> Any:
        """Return what a JSON file says."""
        return _parsed(self.text(name), f"{name} in {self.folder}")

    def bytes(self, name: str) -> bytes:
        """Return a file as it is."""
        if name not in self.contents:
            raise IntegrityError(f"model version {self.version} has no {name}. {did_you_mean(name, self.contents)}")
        return self.contents[name]


def save_version(models: Path, files: Mapping[str, bytes], *, as_of: date) -> str:
    """Publish `files` as a model version and return its name: the as-of date and a digest of the contents.

    The same files saved again give the same version and the same bytes; a damaged folder of that name is replaced.
    """
    if MANIFEST in files:
        raise IntegrityError(f"{MANIFEST} is written here; a model version cannot bring its own.")
    digests = {checked_name(name): _sha256(content) for name, content in files.items()}
    version = _version(digests, as_of=as_of)
    folder = Path(models) / version
    try:
        if open_version(folder).version == version:
            return version
    except IntegrityError:
        publish_folder(folder, {**files, MANIFEST: _manifest(digests, version, as_of=as_of)})
    return version


def open_version(folder: Path) -> Bundle:
    """Read a model version whole, and return it only where every byte is what its manifest says.

    Raises IntegrityError for a changed, missing or unknown file, a link, a name that leaves the folder, a newer format, and
    another version than the folder's name says: a manifest written anew for other files gives them away.
    """
    folder = Path(folder)
    restore(folder)
    if not folder.is_dir():
        raise IntegrityError(f"no model version at {folder}. {_MEND}")
    found = _listing(folder)
    if MANIFEST not in found:
        raise IntegrityError(f"{folder} has no {MANIFEST}: it is no model version, or not a whole one. {_MEND}")
    written = _read(found.pop(MANIFEST))
    manifest = _checked_manifest(written, folder)
    digests = manifest["files"]
    if missing := sorted(digests.keys() - found.keys()):
        raise IntegrityError(f"{folder} lacks {len(missing)} files of its manifest: {listed(missing)}. {_MEND}")
    if unknown := sorted(found.keys() - digests.keys()):
        raise IntegrityError(f"{folder} holds {len(unknown)} files not in its manifest: {listed(unknown)}. Remove them.")
    contents = {name: _read(path) for name, path in sorted(found.items())}
    if changed := [name for name, content in contents.items() if _sha256(content) != digests[name]]:
        raise IntegrityError(f"{len(changed)} files of {folder} are not what was saved: {listed(changed)}. {_MEND}")
    as_of = date.fromisoformat(manifest["as_of"])
    version = _version(digests, as_of=as_of)
    if written != _manifest(digests, version, as_of=as_of):
        raise IntegrityError(f"{folder / MANIFEST} is not what was saved. {_MEND}")
    if folder.name != version and _VERSION.fullmatch(folder.name):
        raise IntegrityError(f"{folder} holds another version than its name says, {version}. {_MEND}")
    return Bundle(folder, version, as_of, contents)


def versions(models: Path) -> list[str]:
    """Return the names of the model versions in `models`, oldest as-of date first."""
    models = Path(models)
    return sorted(path.name for path in models.iterdir() if _VERSION.fullmatch(path.name)) if models.is_dir() else []


def champion(models: Path) -> str:
    """Return the version in use. Raises ConfigError where there is none yet."""
    return _pointed(Path(models), "champion", "Run winworth train, then winworth promote.")


def challenger(models: Path) -> str:
    """Return the version that wants the champion's place. Raises ConfigError where there is none yet."""
    return _pointed(Path(models), "challenger", "Run winworth train.")


def set_champion(models: Path, version: str) -> None:
    """Make a version the one in use, once it has opened without fault."""
    _point(Path(models), "champion", version)


def set_challenger(models: Path, version: str) -> None:
    """Make a version the one that wants the champion's place, once it has opened without fault."""
    _point(Path(models), "challenger", version)


def _pointed(models: Path, role: str, way_out: str) -> str:
    pointer = models / role
    if not os.path.lexists(pointer):
        raise ConfigError(f"no {role} in {models}. {way_out}")
    return _checked_version(_read(pointer).decode(errors="replace").removesuffix("\n"), str(pointer))


def _point(models: Path, role: str, version: str) -> None:
    folder = models / _checked_version(version, f"the new {role}")
    restore(folder)
    if version not in versions(models):
        raise ConfigError(f"no model version {version} in {models}. {did_you_mean(version, versions(models))}")
    open_version(folder)
    write_file(models / role, f"{version}\n")


def _checked_version(version: str, where: str) -> str:
    if not _VERSION.fullmatch(version):
        raise IntegrityError(f"{where} says {version[:80]!r}, which is no version name. Run winworth promote again.")
    return version


def _checked_manifest(written: bytes, folder: Path) -> dict[str, Any]:
    where = f"{MANIFEST} in {folder}"
    manifest = _parsed(written.decode(errors="replace"), where)
    spoken = manifest.get("format_version") if isinstance(manifest, dict) else None
    if type(spoken) is int and spoken > FORMAT_VERSION:
        raise IntegrityError(
            f"{where} has format {spoken}, and this winworth reads up to {FORMAT_VERSION}. Install the winworth that wrote it."
        )
    if spoken != FORMAT_VERSION or manifest.keys() != _KEYS or not isinstance(manifest["files"], dict):
        raise IntegrityError(f"{where} lacks what a manifest says. {_MEND}")
    for name in manifest["files"]:
        checked_name(name)
    try:
        date.fromisoformat(manifest["as_of"])
    except (TypeError, ValueError) as error:
        raise IntegrityError(f"{where} has no as-of date. {_MEND}") from error
    return manifest


def _manifest(digests: Mapping[str, str], version: str, *, as_of: date) -> bytes:
    says = {"as_of": f"{as_of:%Y-%m-%d}", "files": dict(digests), "format_version": FORMAT_VERSION, "version": version}
    return (json.dumps(says, indent=2, sort_keys=True) + "\n").encode()


def _version(digests: Mapping[str, str], *, as_of: date) -> str:
    lines = "".join(f"{json.dumps(name)} {digests[name]}\n" for name in sorted(digests))
    return f"{as_of:%Y-%m-%d}-{_sha256(lines.encode())[:8]}"


def _listing(folder: Path) -> dict[str, Path]:
    try:
        return {path.relative_to(folder).as_posix(): path for path in _regular_files(folder)}
    except OSError as error:
        raise IntegrityError(f"cannot read {error.filename}: {error.strerror}. {_MEND}") from error


def _regular_files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        mode = entry.lstat().st_mode
        if stat.S_ISDIR(mode):
            yield from _regular_files(entry)
        elif stat.S_ISREG(mode):
            yield entry
        else:
            raise IntegrityError(f"{entry} is a link or no regular file, which no model version holds. Remove it.")


def _read(path: Path) -> bytes:
    # No link is followed and no pipe waited for, even where one took the file's place since it was listed.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise IntegrityError(f"cannot read {path}: {error.strerror}. {_MEND}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise IntegrityError(f"{path} is no regular file. Remove it.")
        return file.read()


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{where} is not JSON. {_MEND}") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
