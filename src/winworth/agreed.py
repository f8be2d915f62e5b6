"""The record of what was agreed: one line a change, each with the hash of the one before, so that none can be altered."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from winworth.atomic import write_file
from winworth.errors import IntegrityError

NAME = "overrides.jsonl"
_FIRST = "0" * 64


def read_record(path: Path) -> list[dict]:
    """Return the entries of a record, oldest first; none where there is no file.

    Raises IntegrityError, naming the first line, where a line was altered, put in, or removed from before another.
    """
    if not path.exists():
        return []
    entries, before = [], _FIRST
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            told = entry.pop("hash")
        except (ValueError, KeyError, AttributeError) as error:
            raise IntegrityError(f"{path} line {number} is no entry of the record. Restore the file from a copy.") from error
        if entry.get("before") != before or told != _hash(entry):
            raise IntegrityError(
                f"{path} line {number} does not follow from the lines before it: the record was altered. Restore a copy."
            )
        entries.append(entry | {"hash": told})
        before = told
    return entries


def append_record(path: Path, changes: Iterable[dict]) -> list[dict]:
    """Add changes to a record, verified first, and return all its entries."""
    entries = read_record(path)
    written = path.read_text(encoding="utf-8") if entries else ""
    before = entries[-1]["hash"] if entries else _FIRST
    for change in changes:
        entry = {**change, "before": before}
        before = _hash(entry)
        written += json.dumps({**entry, "hash": before}, sort_keys=True, ensure_ascii=False) + "\n"
        entries.append(entry | {"hash": before})
    write_file(path, written)
    return entries


def holding(entries: Iterable[dict]) -> list[dict]:
    """Return the overrides that were agreed and not withdrawn, as their entries tell them."""
    kept: list[dict] = []
    for entry in entries:
        told = entry["override"]
        kept = [one for one in kept if one != told]
        if entry["change"] == "agreed":
            kept.append(told)
    return kept


def _hash(entry: dict) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
