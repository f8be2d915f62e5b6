"""Where each row of a table came from and what became of it: used, put aside with a rule, a duplicate, out of scope."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from winworth.crm.cells import Cells
from winworth.crm.masking import without_people
from winworth.crm.parquet import as_text, read_whole
from winworth.crm.source import PlainFile
from winworth.crm.wording import printable
from winworth.errors import DataError

FATES = ("used", "quarantined", "duplicate", "out_of_scope")
USED, QUARANTINED, DUPLICATE, OUT_OF_SCOPE = range(len(FATES))
QUARANTINE_COLUMNS = ["table", "file", "row", "rule", "column", "value", "raw_line"]
OF_PEOPLE = ("contacts",)
WITHHELD = "(withheld: it names a person)"
_CASES = 3


@dataclass(frozen=True)
class FileRows:
    """One file and where its rows stand in it; `starts` are the lines where any row begins, in order."""

    plain: PlainFile
    n_read: int
    starts: np.ndarray


class Ledger:
    """The book of one table. Rows are named by their position among the rows that have a shape, over all files."""

    def __init__(self, table: str, files: Sequence[tuple[PlainFile, Cells]]):
        self.table = table
        self.files = [
            FileRows(plain, cells.n_read, np.sort(np.append(cells.line, cells.rejects["line"]).astype(np.int64)))
            for plain, cells in files
        ]
        sizes = [len(cells.text) for _, cells in files]
        self.file = np.repeat(np.arange(len(files)), sizes)
        self.line = np.concatenate([cells.line for _, cells in files])
        before = np.cumsum([0, *(cells.n_read for _, cells in files)])[:-1]
        self.place = np.concatenate([cells.place for _, cells in files]) + before[self.file]
        self.fate = np.full(len(self.file), USED, dtype=np.uint8)
        self.warnings = [warning for plain, _ in files for warning in plain.warnings]
        self._faults = [cells.rejects.assign(file=at, row=-1, column="", value="") for at, (_, cells) in enumerate(files)]

    @property
    def is_used(self) -> np.ndarray:
        """Mark the rows that nothing has put aside so far."""
        return self.fate == USED

    def set_fate(self, chosen: np.ndarray, fate: int) -> int:
        """Give the chosen rows that are still in use another fate, and return how many they are."""
        chosen = chosen & self.is_used
        self.fate = np.where(chosen, np.uint8(fate), self.fate)
        return int(chosen.sum())

    def quarantine(self, broken: np.ndarray, rule: str, column: str, values: pd.Series | None = None) -> int:
        """Put rows aside under a rule, the first one that a row breaks, and return how many were new."""
        rows = np.flatnonzero(broken & self.is_used)
        if len(rows):
            value = "" if values is None else values.iloc[rows].fillna("").astype("str").to_numpy()
            fault = {
                "file": self.file[rows],
                "row": rows,
                "line": self.line[rows],
                "rule": rule,
                "column": column,
                "value": value,
            }
            self._faults.append(pd.DataFrame(fault))
        return self.set_fate(broken, QUARANTINED)

    def where(self, row: int) -> str:
        """Say the file and the line of a row."""
        return f"{self.files[self.file[row]].plain.name}, line {self.line[row]}"

    def cases(self, chosen: np.ndarray, values: pd.Series | None = None) -> str:
        """Show the first chosen rows for a message, with their values where these are given."""
        rows = np.flatnonzero(chosen)
        shown = [
            self.where(row) if values is None else f'"{printable(values.iloc[row])}" ({self.where(row)})'
            for row in rows[:_CASES]
        ]
        return ", ".join(shown) + (f" and {len(rows) - _CASES:,} more" if len(rows) > _CASES else "")

    @property
    def faults(self) -> pd.DataFrame:
        """Return file (its position), row, line, rule, column and value of every row put aside, in file order."""
        return pd.concat(self._faults, ignore_index=True).sort_values(["file", "line"], kind="stable", ignore_index=True)

    def quarantined(self) -> pd.DataFrame:
        """Return the faults as a person reads them, each with the line of the file, people's addresses masked.

        A name cannot be told from other words, so that lines of contacts are withheld.
        """
        parts = []
        for at, fault in self.faults.groupby("file", sort=True):
            rows = self.files[at]
            lines = [WITHHELD] * len(fault) if self.table in OF_PEOPLE else _raw_lines(rows, fault["line"])
            masked = {"value": fault["value"].map(without_people), "raw_line": [without_people(line) for line in lines]}
            named = fault.assign(table=self.table, file=rows.plain.name, **masked)
            parts.append(named.drop(columns="row").rename(columns={"line": "row"})[QUARANTINE_COLUMNS])
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=QUARANTINE_COLUMNS)

    def refuse_many(self, max_share: float) -> None:
        """Raise DataError where more than a share of a file's rows is in quarantine."""
        for at, faults in self.faults.groupby("file", sort=True):
            file = self.files[at]
            if len(faults) <= max_share * file.n_read:
                continue
            rules = ", ".join(
                f"{rule} {len(lines)} (line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines.head(_CASES)))})"
                for rule, lines in faults.groupby("rule")["line"]
            )
            first = faults.iloc[0]
            column = f', column {first["column"]}: "{printable(first["value"])}"' if first["column"] else ""
            raise DataError(
                f"{file.plain.name}: {len(faults):,} of {file.n_read:,} rows ({len(faults) / file.n_read:.0%}) are faulty, "
                f"more than {max_share:.0%}: {rules}. First: line {first['line']}{column} ({first['rule']}). "
                f"Mend the export, or raise tables.{self.table}.max_quarantine_share in conf/crm.yaml."
            )


def _raw_lines(rows: FileRows, lines: pd.Series) -> list[str]:
    if rows.plain.is_parquet:
        taken = read_whole(rows.plain.path, rows.plain.name).take(lines.to_numpy() - 1)
        told = [_told(column, rows.plain.name) for column in taken.columns]
        return [
            ", ".join(f"{name}={cell}" for name, cell in zip(taken.column_names, row, strict=True))
            for row in zip(*told, strict=True)
        ]
    offsets = np.insert(rows.plain.line_ends, 0, 0)
    ends = np.append(rows.starts[1:], len(offsets))
    at = np.searchsorted(rows.starts, lines.to_numpy())
    with rows.plain.path.open("rb") as file:
        return [_slice(file, offsets[rows.starts[i] - 1], offsets[ends[i] - 1]) for i in at]


def _told(column: pa.ChunkedArray, name: str) -> list[str | None]:
    """Return a column's cells as text; what has none (a list, a picture) is left out."""
    try:
        return as_text(column, name).to_pylist()
    except DataError:
        return ["(no text)"] * len(column)


def _slice(file, start: int, end: int) -> str:
    file.seek(start)
    return file.read(end - start).decode(errors="replace").rstrip("\n")
