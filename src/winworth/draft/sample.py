"""The files of a folder, how each parts its cells, and enough rows of each to judge by."""

import csv
import fnmatch
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from winworth.crm.header import SEPARATORS, Dialect, read_header
from winworth.crm.source import TEXT_SUFFIXES, PlainFile, unpack
from winworth.crm.wording import printable
from winworth.errors import WinworthError

WHOLE_ROWS = 50_000  # up to so many rows a file is looked at whole
FIRST_ROWS = 10_000  # of a longer one its first rows,
BLOCKS, BLOCK_ROWS = 20, 1_000  # and so many stretches of rows spread over the rest
MAX_FILES = 200
_EXCEL = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_READ = (*TEXT_SUFFIXES, ".parquet", ".zip", ".gz")
_OF_THE_SYSTEM = re.compile(r"\.|~\$|readme|licen[cs]e|__macosx|thumbs\.db|desktop\.ini", re.IGNORECASE)


@dataclass(frozen=True)
class Exported:
    """One export: `cells` holds the rows looked at as text (empty is empty text), `n_rows` how many the file has or about.

    `is_whole` says that every row was looked at. `encoding` is named where the file is not UTF-8. `n_files` files
    have been put together; `plain` is the first of them.
    """

    file: str
    cells: pd.DataFrame
    n_rows: int
    is_whole: bool
    dialect: Dialect
    encoding: str | None
    plain: PlainFile
    typed: frozenset[str] = frozenset()
    n_files: int = 1

    @property
    def headers(self) -> list[str]:
        """The names above the columns."""
        return list(self.cells.columns)


@dataclass(frozen=True)
class Refused:
    """A file that cannot be read, and the way out."""

    file: str
    why: str


def look_through(folder: Path, scratch: Path) -> tuple[list[Exported], list[Refused]]:
    """Look at each file of a folder, in the order of their names; what cannot be read is refused with the way out."""
    exports, refused = [], []
    for path in sorted(path for path in folder.iterdir() if not _OF_THE_SYSTEM.match(path.name))[:MAX_FILES]:
        if path.is_dir():
            refused.append(Refused(path.name, "a folder inside the folder: run `winworth init` on it by itself."))
        elif path.suffix.lower() in _EXCEL:
            refused.append(Refused(path.name, "an Excel workbook. Open it and save each sheet as CSV UTF-8, then run again."))
        elif path.suffix.lower() in _READ:
            found = _looked_at(path, scratch / f"{len(exports) + len(refused)}")
            (exports if isinstance(found, Exported) else refused).append(found)
        else:
            refused.append(Refused(path.name, "of no kind that is read. Export it as .csv, .txt, .tsv, .zip, .gz or .parquet."))
    return put_together(exports), refused


def put_together(exports: list[Exported]) -> list[Exported]:
    """Make one export of files with the same headers and dialect whose names differ by digits only, as a year each."""
    groups: dict[tuple, list[Exported]] = {}
    for export in exports:
        pattern = re.sub(r"\d+", "*", export.file)
        groups.setdefault((pattern, tuple(export.headers), export.dialect, export.encoding), []).append(export)
    names = [export.file for export in exports]
    found: list[Exported] = []
    for (pattern, *_), group in groups.items():
        is_a_pattern = len(group) > 1 and len(fnmatch.filter(names, pattern)) == len(group)
        found += [_as_one(pattern, group)] if is_a_pattern else group
    return found


def _as_one(pattern: str, group: list[Exported]) -> Exported:
    """Put files together, in the order of their names."""
    cells = pd.concat([export.cells for export in group], ignore_index=True)
    is_whole = all(export.is_whole for export in group)
    return replace(
        group[0],
        file=pattern,
        cells=cells,
        n_rows=sum(export.n_rows for export in group),
        is_whole=is_whole,
        n_files=len(group),
    )


def _looked_at(path: Path, target: Path) -> Exported | Refused:
    try:
        plain = unpack(path, target, name=path.name, encoding=None)
        if plain.is_parquet:
            return _of_parquet(plain)
        if plain.is_empty:
            return Refused(path.name, "empty.")
        return _of_text(plain, path)
    except (WinworthError, csv.Error, OSError, ValueError) as error:
        return Refused(path.name, printable(str(error).splitlines()[0], limit=300))


def _of_text(plain: PlainFile, path: Path) -> Exported | Refused:
    if _is_aligned_by_blanks(plain):
        csv_name = f"{path.stem}.csv"
        return Refused(
            path.name,
            "its columns are parted by runs of blanks, which no one separator cuts. Write it as CSV and run again: "
            f"tr -s ' ' ',' < '{path.name}' | sed 's/^,//' > '{csv_name}'",
        )
    dialect = sniffed(plain)
    header = read_header(plain, dialect, (), option="tables")
    names = [name for name in header.names if name.strip()]
    if len(header.names) < 2 and len(plain.line_ends) > 1:
        return Refused(path.name, "has one column only, or a separator that is none of comma, semicolon, tab and bar.")
    n_rows = len(plain.line_ends) - header.n_lines
    rows = [row for row in _rows(plain, dialect, header.n_lines) if len(row) == header.n_cells]
    if not rows:
        return Refused(path.name, "has a header and no rows.")
    cells = pd.DataFrame([row[: len(header.names)] for row in rows], columns=list(header.names), dtype="str")
    encoding = "cp1252" if any("cp1252" in warning for warning in plain.warnings) else None
    is_whole = n_rows <= WHOLE_ROWS
    return Exported(path.name, cells[names], len(rows) if is_whole else n_rows, is_whole, dialect, encoding, plain)


def _of_parquet(plain: PlainFile) -> Exported:
    table = pq.ParquetFile(plain.path)
    n_rows = table.metadata.num_rows
    batches, taken = [], 0
    for batch in table.iter_batches(batch_size=10_000):
        batches.append(batch.to_pandas())
        taken += len(batch)
        if taken >= WHOLE_ROWS:
            break
    frame = pd.concat(batches, ignore_index=True) if batches else pd.DataFrame()
    typed = frozenset(name for name in frame if not pd.api.types.is_string_dtype(frame[name]) and frame[name].dtype != object)
    text = pd.DataFrame({name: _as_written(frame[name]) for name in frame}, dtype="str")
    return Exported(plain.name, text, n_rows, taken >= n_rows, Dialect(",", '"'), None, plain, typed)


def _as_written(column: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime("%Y-%m-%d").fillna("").astype("str")
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        return column.astype("Int64").astype("str").where(column.notna(), "").astype("str")
    return column.astype("str").where(column.notna(), "").astype("str")


def sniffed(plain: PlainFile) -> Dialect:
    """Return the separator and quote by which most of the first lines have as many cells as the header, and most cells."""
    first = list(_first_lines(plain))
    if first and re.fullmatch("(?i)sep=.", first[0].strip("\n")):
        return Dialect(first[0][4], '"')
    tried = [Dialect(separator, quote) for quote in ('"', "'", "") for separator in SEPARATORS]
    return max(tried, key=lambda dialect: (*_fit(first, dialect), -tried.index(dialect)))


def _fit(lines: list[str], dialect: Dialect) -> tuple[float, float, int]:
    """Return the share of rows as wide as the header, whether a quote is used at all, and the width."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows += (row for row in _parsed(io.StringIO("".join(lines)), dialect) if row)
    width = len(rows[0]) if rows else 0
    if len(rows) < 2 or width < 2:
        return (0.0, 0.0, width)
    fitting = sum(len(row) == width or (len(row) == width + 1 and not row[-1]) for row in rows[1:])
    share = fitting / (len(rows) - 1)
    text = "".join(lines)
    opens = dialect.quote and re.search(rf"(^|{re.escape(dialect.separator)}){dialect.quote}", text, re.M)
    return (round(share, 2), float(bool(opens) or dialect.quote == '"'), width)


def _first_lines(plain: PlainFile, n: int = 200) -> Iterator[str]:
    with plain.path.open(encoding="utf-8", newline="\n") as lines:
        for line, _ in zip(lines, range(n), strict=False):
            yield line


def _is_aligned_by_blanks(plain: PlainFile) -> bool:
    """Tell whether lines hold no separator, and as many words as each other once runs of blanks are one."""
    lines = [line for line in _first_lines(plain, 50) if line.strip()]
    if len(lines) < 2 or any(mark in line for line in lines for mark in SEPARATORS):
        return False
    return len({len(line.split()) for line in lines}) == 1 and len(lines[0].split()) > 1


def _rows(plain: PlainFile, dialect: Dialect, n_header: int) -> Iterator[list[str]]:
    """Yield all rows of a short file; of a long one its first rows and stretches spread over the rest."""
    ends = plain.line_ends
    n_lines = len(ends) - n_header
    if n_lines <= WHOLE_ROWS:
        stretches = [(n_header, len(ends))]
    else:
        starts = np.linspace(n_header + FIRST_ROWS, len(ends) - BLOCK_ROWS, BLOCKS).astype(int)
        stretches = [(n_header, n_header + FIRST_ROWS), *((int(at), int(at) + BLOCK_ROWS) for at in starts)]
    with plain.path.open("rb") as file:
        for start, stop in stretches:
            begin = int(ends[start - 1]) if start else 0
            file.seek(begin)
            text = file.read(int(ends[stop - 1]) - begin).decode("utf-8", errors="replace")
            with suppress(csv.Error):  # a quote left open: what was cut so far is enough to judge by
                yield from _parsed(io.StringIO(text, newline="\n"), dialect)


def _parsed(lines: io.StringIO, dialect: Dialect) -> Iterator[list[str]]:
    if not dialect.quote:
        return csv.reader(lines, delimiter=dialect.separator, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=dialect.separator, quotechar=dialect.quote)
