"""A person or an account is removed from all that is stored: scores, texts, pages, sheets, archived exports."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd

from winworth.atomic import write_file
from winworth.crm.archive import FILES, MANIFEST
from winworth.erase import Words, erase, mentions
from winworth.errors import ConfigError
from winworth.lock import run_lock

FOLDERS = ("scores", "reviews", "validation", "archive", "kpi", "advice", "backtest", "compared", "cadence")
SHORTEST = 3


@dataclass(frozen=True)
class Forgotten:
    """What was taken out below `home`: rows or words by file, and whole files that could not be rewritten.

    `versions` are the model versions that scored the account or were trained on an archived extract that held the id; what
    they keep of their training has numbers in place of ids.
    """

    id: str
    rows: dict[str, int]
    removed: tuple[str, ...]
    versions: tuple[str, ...]


def forget(identifier: str, *, home: Path) -> Forgotten:
    """Remove an account, a contact or a deal from what is stored below `home`, and with an account its deals.

    Rows that hold the id leave their tables; a page or a workbook that holds the id or the account's name is removed. Each
    file is replaced whole, so that a run that was stopped can be started again. Raises ConfigError for an id that is too
    short to be looked for, or that nothing holds.
    """
    if len(identifier.strip()) < SHORTEST:
        raise ConfigError(f'"{identifier}" is too short to be looked for. Give the whole id.')
    with run_lock(home, "forget"):
        known, names = _known_as(identifier.strip(), home)
        ids, words = Words.of(known), Words.of(known | names)
        versions = _versions(home, ids)
        done = {path.relative_to(home).as_posix(): erase(path, ids, words) for path in _stored(home)}
        rows, removed = {name: n for name, n in done.items() if n}, tuple(name for name, n in done.items() if n is None)
        if not rows and not removed:
            raise ConfigError(f"Nothing below {home} holds {identifier}. Look the id up in the CRM, or name another --home.")
        _hash_anew(home, {*rows, *removed})
    return Forgotten(identifier, rows, removed, versions)


def _known_as(identifier: str, home: Path) -> tuple[set[str], set[str]]:
    """Return the id with its deals' ids, and the names that scores know it by."""
    ids, names = {identifier}, set()
    for path in sorted((home / "scores").glob("*/*_scores.parquet")):
        table = pd.read_parquet(path)
        own = table[table["account_id"] == identifier] if "account_id" in table else table[:0]
        for column, found in (("deal_id", ids), ("name", names)):
            found.update(own[column].dropna() if column in own else ())
    return ids, {name for name in names if len(name) >= SHORTEST}


def _stored(home: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted(path for path in (home / folder).rglob("*") if path.is_file() and path.name != MANIFEST)


def _versions(home: Path, ids: Words) -> tuple[str, ...]:
    """Return the model versions that scored one of the ids, or were trained on an archived extract that holds one."""
    found = set()
    for path in (home / "scores").glob("*/account_scores.parquet"):
        table = pd.read_parquet(path, columns=["account_id", "model_version"])
        found |= set(table.loc[table["account_id"].map(ids.are), "model_version"])
    for folder in (home / "archive").glob("*"):
        if any(mentions(path, ids) for path in (folder / FILES).rglob("*") if path.is_file()):
            found |= {path.name for path in (home / "models").glob(f"{folder.name}-*")}
    return tuple(sorted(found))


def _hash_anew(home: Path, changed: set[str]) -> None:
    """Write the hashes of archived files that were changed; an archive that lost a file has no files to compare with."""
    for manifest in sorted((home / "archive").glob(f"*/{MANIFEST}")):
        folder, told = manifest.parent / FILES, json.loads(manifest.read_text(encoding="utf-8"))
        ours = [folder / name for name in told["hashes"] if (folder / name).relative_to(home).as_posix() in changed]
        left = {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in ours if path.exists()}
        if ours:
            is_whole = told["has_files"] and len(left) == len(ours)
            found = told | {"hashes": told["hashes"] | left, "has_files": is_whole}
            write_file(manifest, json.dumps(found, indent=1, sort_keys=True) + "\n")
