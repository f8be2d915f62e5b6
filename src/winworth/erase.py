"""What names something is taken out of a stored file, whatever its kind; the file is replaced whole, or goes."""

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from winworth.atomic import write_file

if TYPE_CHECKING:
    import pyarrow as pa

LINES = (".csv", ".txt", ".tsv")
NOTES = (".json", ".jsonl", ".md")
PACKED = (".zip", ".gz")
MASK = b"(forgotten)"


@dataclass(frozen=True)
class Words:
    """What is looked for, as whole words in UTF-8 or cp1252: an id in a cell counts, a longer id that begins alike does not."""

    pattern: re.Pattern[bytes]

    @classmethod
    def of(cls, words: Iterable[str]) -> "Words":
        """Look for any of these words.

        >>> bool(Words.of(["A1"]).pattern.search(b"D1;A1;won")), bool(Words.of(["A1"]).pattern.search(b"D1;A12;won"))
        (True, False)
        """
        written = {form for word in words for codec in ("utf-8", "cp1252") if (form := _written(word, codec))}
        found = b"|".join(re.escape(word) for word in sorted(written, key=lambda word: (-len(word), word)))
        return cls(re.compile(rb"(?<![\w-])(?:" + found + rb")(?![\w-])"))

    def are(self, text: str | None) -> bool:
        """Whether a cell is one of the words."""
        return bool(text) and bool(self.pattern.fullmatch(text.encode()))


def _written(word: str, codec: str) -> bytes:
    """Return a word as a codec writes it, or nothing where it cannot: the letters that are left would be another word."""
    try:
        return word.encode(codec)
    except UnicodeEncodeError:
        return b""


def erase(path: Path, ids: Words, words: Words) -> int | None:
    """Take out the rows of a table, or the words of a note, and return how many; None where the file had to go as a whole.

    `ids` are looked for in tables, `words` (the ids and names) in all else. A packed file cannot be looked into, and goes.
    """
    if path.suffix == ".parquet":
        return _out_of_parquet(path, ids)
    if path.suffix in LINES:
        return _out_of_lines(path, ids)
    if path.suffix in NOTES:
        return _masked(path, words)
    if not mentions(path, words):
        return 0
    path.unlink()
    return None


def mentions(path: Path, words: Words) -> bool:
    """Whether a file holds one of the words; a packed file counts as if it did."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return any(_held(pq.read_table(path), words))
    if path.suffix == ".xlsx":
        from openpyxl import load_workbook

        rows = (row for sheet in load_workbook(path, read_only=True) for row in sheet.values)
        return any(words.pattern.search(str(cell).encode()) for row in rows for cell in row if cell is not None)
    return path.suffix in PACKED or bool(words.pattern.search(path.read_bytes()))


def _out_of_parquet(path: Path, ids: Words) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    held = _held(table, ids)
    if any(held):
        out = io.BytesIO()
        pq.write_table(table.filter(pa.array([not one for one in held])), out)
        write_file(path, out.getvalue())
    return sum(held)


def _held(table: "pa.Table", words: Words) -> list[bool]:
    held = [False] * table.num_rows
    for column in table.columns:
        if str(column.type) in ("string", "large_string"):
            held = [one or words.are(cell) for one, cell in zip(held, column.to_pylist(), strict=True)]
    return held


def _out_of_lines(path: Path, ids: Words) -> int:
    """Take records out of delimited text of any encoding that keeps ASCII; line breaks within quotes stay in their record."""
    records = list(_records(path.read_bytes()))
    kept = [record for record in records if not ids.pattern.search(record)]
    if len(kept) < len(records):
        write_file(path, b"".join(kept))
    return len(records) - len(kept)


def _records(text: bytes) -> Iterator[bytes]:
    record = b""
    for line in text.splitlines(keepends=True):
        record += line
        if record.count(b'"') % 2 == 0:
            yield record
            record = b""
    if record:
        yield record


def _masked(path: Path, words: Words) -> int:
    found, n = words.pattern.subn(MASK, path.read_bytes())
    if n:
        write_file(path, found)
    return n
