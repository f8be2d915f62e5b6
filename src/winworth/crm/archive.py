"""What an extract was made of: each training keeps the hashes of its files, and the files where that is asked for."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath

from winworth.atomic import naming_the_disk, write_file
from winworth.crm.database import as_files
from winworth.crm.mapping import CrmMap
from winworth.crm.read import read_crm
from winworth.errors import ConfigError, DataError, IntegrityError
from winworth.tables import CrmTables, ReadReport

MANIFEST, FILES = "extract.json", "files"
LEAST_DAYS = 28  # between two extracts for their difference to say much


@dataclass(frozen=True)
class Extract:
    """The tables of an extract and the day as of which it was used."""

    crm: CrmTables
    as_of: date


@dataclass(frozen=True)
class Archived:
    """An extract that was kept: its day, its folder, the SHA-256 of each file, and whether the files are there too."""

    as_of: date
    folder: Path
    hashes: Mapping[str, str]
    has_files: bool


def archive_extract(home: Path, report: ReadReport, *, as_of: date, files_from: Path | None = None) -> Archived:
    """Keep the hashes of an extract below `home`/archive/<as_of>, and copies of its files where their folder is given.

    The list of hashes is written last: a folder without one is what a killed run left, and counts for nothing. An
    extract of the same day and the same files stays as it is. Raises ConfigError for a file outside the folder, DataError
    for one that is no longer what was read, ResourceError where the disk refuses.
    """
    hashes = {count.file: count.sha256 for count in report.files}
    folder = Path(home) / "archive" / as_of.isoformat()
    kept = _opened(folder)
    if kept is not None and kept.hashes == hashes and (kept.has_files or files_from is None):
        return kept
    with naming_the_disk(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # the files name people
        (folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder / FILES, ignore_errors=True)
        if files_from is not None:
            for name, sha256 in hashes.items():
                _copy(Path(files_from), folder / FILES, name, sha256)
    found = {"as_of": as_of.isoformat(), "hashes": hashes, "has_files": files_from is not None}
    write_file(folder / MANIFEST, json.dumps(found, indent=1, sort_keys=True) + "\n")
    return Archived(as_of, folder, hashes, files_from is not None)


def latest_older(home: Path, report: ReadReport, *, as_of: date) -> Archived | None:
    """Return the latest extract whose files were kept at least 28 days before `as_of`, or else the oldest one before it.

    An extract of the very same files as `report` is passed over: it could show no difference.
    """
    hashes = {count.file: count.sha256 for count in report.files}
    every = [_opened(folder) for folder in sorted((Path(home) / "archive").glob("????-??-??"))]
    older = [kept for kept in every if kept and kept.has_files and kept.as_of < as_of and kept.hashes != hashes]
    apart = [kept for kept in older if (as_of - kept.as_of).days >= LEAST_DAYS]
    return apart[-1] if apart else next(iter(older), None)


def read_archived(archived: Archived, mapping: CrmMap, *, threads: int = 2) -> Extract:
    """Read an extract that was kept, by the map of today; raises IntegrityError where a file is not what was kept."""
    kept = replace(as_files(mapping), folder=str((archived.folder / FILES).absolute()))
    crm = read_crm(kept, root=archived.folder, threads=threads)
    for count in crm.report.files:
        if archived.hashes.get(count.file) != count.sha256:
            raise IntegrityError(
                f"{count.file} in {archived.folder} is not the file that was kept on {archived.as_of}. "
                f"Restore it, or remove {archived.folder}."
            )
    return Extract(crm, archived.as_of)


def _opened(folder: Path) -> Archived | None:
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return None
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
        day, hashes, has_files = date.fromisoformat(found["as_of"]), dict(found["hashes"]), bool(found["has_files"])
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{manifest} is not a list of hashes. Remove {folder}, or restore it.") from error
    return Archived(day, folder, hashes, has_files)


def _copy(source: Path, target: Path, name: str, sha256: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ConfigError(f"{name} lies outside the folder of exports and cannot be archived. Move it there, or unset archive.")
    (target / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / path, target / path)
    with (target / path).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise DataError(f"{name} changed after it was read. Wait for the export to end and run again.")
