"""The one clean CRM of the corpus, as files that a fault may spoil, and what each kind of verdict must leave behind."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from winworth.crm.mapping import ColumnMap, CrmMap, TableMap
from winworth.crm.read import read_crm
from winworth.crm.snapshot import take_snapshot
from winworth.crm.synthetic import software_company
from winworth.errors import DataError, WinworthError
from winworth.flows.extract_days import day_warnings
from winworth.tables import TABLES, CrmTables

AS_OF = date(2026, 6, 30)
KEYS = {name: table.key for name, table in TABLES.items() if table.key}


@cache
def clean_lines() -> dict[str, list[str]]:
    """Return the lines of every table of a company of 120 deals, its header first."""
    tables = software_company(n_deals=120, as_of=AS_OF, seed=3).tables
    return {name: frame.to_csv(index=False).splitlines() for name, frame in tables.items()}


@cache
def clean() -> CrmTables:
    """Return what the clean files hold."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        return Crm(Path(folder)).read(*clean_lines())


def cells_of(line: str) -> list[str]:
    return next(csv.reader(io.StringIO(line)))


def line_of(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().removesuffix("\n")


@dataclass
class Crm:
    """The clean files in a folder and their map. Lines count from 1, the header's being the first."""

    folder: Path
    lines: dict[str, list[str]] = field(default_factory=lambda: {name: list(lines) for name, lines in clean_lines().items()})
    tables: dict[str, TableMap] = field(default_factory=lambda: {name: _mapped(name) for name in clean_lines()})
    options: dict = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    def header(self, table: str) -> list[str]:
        return cells_of(self.lines[table][0])

    def cell(self, table: str, line: int, column: str) -> str:
        return cells_of(self.lines[table][line - 1])[self.header(table).index(column)]

    def spoil(self, table: str, line: int, column: str, text: str) -> None:
        """Put `text` into one cell."""
        cells = cells_of(self.lines[table][line - 1])
        cells[self.header(table).index(column)] = text
        self.lines[table][line - 1] = line_of(cells)

    def spoil_all(self, table: str, column: str, change: Callable[[str], str]) -> None:
        """Change every filled cell of a column."""
        for line in range(2, len(self.lines[table]) + 1):
            text = self.cell(table, line, column)
            if text:
                self.spoil(table, line, column, change(text))

    def with_column(self, table: str, column: str, texts: Callable[[int], str], **options) -> None:
        """Add a column whose cell on each line is `texts(line)`."""
        self.lines[table][0] += f",{column}"
        for line in range(2, len(self.lines[table]) + 1):
            self.lines[table][line - 1] += "," + texts(line)
        self.column(table, column, **options)

    def find(self, table: str, column: str, text: str) -> int:
        """Return the first line whose cell in a column is `text`."""
        return next(at for at in range(2, len(self.lines[table]) + 1) if self.cell(table, at, column) == text)

    def n_rows(self, table: str) -> int:
        """Return how many rows a table has; a blank line is none."""
        return sum(1 for line in self.lines[table] if line) - 1

    def write(self, file: str, content: str | bytes) -> Path:
        """Put a file there; the table of that name is then not written from its lines."""
        path = self.folder / file
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.written.add(file)
        return path

    def text(self, table: str) -> str:
        return "\n".join(self.lines[table]) + "\n"

    def option(self, table: str, **options) -> None:
        self.tables[table] = replace(self.tables[table], **options)

    def column(self, table: str, column: str, **options) -> None:
        known = dict(self.tables[table].columns)
        known[column] = replace(known.get(column, ColumnMap(column)), **options)
        self.option(table, columns=known)

    def add(self, table: str, lines: list[str]) -> None:
        """Add a table that the clean CRM does not have."""
        self.lines[table] = lines
        self.tables[table] = TableMap(f"{table}.csv", {name: ColumnMap(name) for name in lines[0].split(",")})

    def read(self, *names: str) -> CrmTables:
        for name in names:
            if f"{name}.csv" not in self.written:
                (self.folder / f"{name}.csv").write_bytes(self.text(name).encode())
        tables = {name: self.tables[name] for name in names}
        return read_crm(CrmMap("Clean", tables, **self.options), root=self.folder, threads=1)


def _mapped(name: str) -> TableMap:
    """Map each column under its own name; those that are not canonical are levels or numbers."""
    canonical, frame = TABLES[name].columns, cells_of(clean_lines()[name][0])
    numbers = {"budget", "automation_level", "billing_day", "health_score"}
    kinds = {column: None if column in canonical else "number" if column in numbers else "level" for column in frame}
    return TableMap(f"{name}.csv", {column: ColumnMap(column, kind=kind) for column, kind in kinds.items()})


@dataclass(frozen=True)
class Verdict:
    """What a fault must end in, and the tables that are read to see it."""

    tables: tuple[str, ...] = ("deals",)

    def check(self, crm: Crm) -> None:
        raise NotImplementedError

    def and_tables(self, *names: str) -> "Verdict":
        return replace(self, tables=names)


@dataclass(frozen=True)
class Refused(Verdict):
    """Nothing is read: an error of a class and its exit code, whose sentence matches each of `says`."""

    says: tuple[str, ...] = ()
    error: type[WinworthError] = DataError
    exit_code: int = 3

    def check(self, crm: Crm) -> None:
        with pytest.raises(WinworthError) as caught:
            crm.read(*self.tables)
        assert type(caught.value) is self.error, caught.value
        assert caught.value.exit_code == self.exit_code
        for pattern in self.says:
            assert re.search(pattern, str(caught.value)), (pattern, str(caught.value))


@dataclass(frozen=True)
class PutAside(Verdict):
    """Rows go to quarantine under a rule, each a (line, column, value); rows and amounts are conserved, the rest unchanged."""

    rule: str = ""
    table: str = "deals"
    rows: tuple[tuple[int, str, str], ...] = ()
    gone: tuple[str, ...] = ()
    warning: str = ""
    raw_lines: tuple[str, ...] | None = None

    def check(self, crm: Crm) -> None:
        found = crm.read(*self.tables)
        told = found.report.quarantine
        assert set(told["rule"]) == {self.rule}, told
        assert set(told["table"]) == {self.table}
        assert set(told["file"]) == {f"{self.table}.csv"}
        rows = list(told[["row", "column", "value"]].itertuples(index=False, name=None))
        assert rows == list(self.rows)
        raw_lines = self.raw_lines or tuple(crm.lines[self.table][line - 1] for line, _, _ in self.rows)
        assert tuple(told["raw_line"]) == raw_lines
        count = next(count for count in found.report.files if count.table == self.table)
        assert (count.n_quarantined, count.n_read) == (len(self.rows), crm.n_rows(self.table))
        conserved(found)
        warned(found, self.warning)
        unchanged(found, but={self.table: self.gone})


@dataclass(frozen=True)
class Mended(Verdict):
    """The tables are those of the clean files; `duplicates` rows more were dropped, and `warning` is said where there is one.

    `but` names by table the rows (by key) that the fault itself changes for good: they are there, and nothing else moved.
    """

    warning: str = ""
    duplicates: int = 0
    but: dict[str, tuple[str, ...]] = field(default_factory=dict)
    holds: Callable[[CrmTables], bool] | None = None

    def check(self, crm: Crm) -> None:
        found = crm.read(*self.tables)
        assert found.report.quarantine.empty, found.report.quarantine
        assert sum(count.n_duplicate for count in found.report.files) == self.duplicates
        conserved(found)
        warned(found, self.warning)
        unchanged(found, but=self.but)
        assert self.holds is None or self.holds(found)


@dataclass(frozen=True)
class SaidOfDays(Verdict):
    """The files are read, rows conserved and those not in `but` unchanged, and as of a day one warning of `prepare` matches."""

    pattern: str = ""
    as_of: date = AS_OF
    but: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def check(self, crm: Crm) -> None:
        found = crm.read(*self.tables)
        conserved(found)
        unchanged(found, but=self.but)
        assert day_warnings(clean(), take_snapshot(clean(), as_of=AS_OF)) == []
        (said,) = day_warnings(found, take_snapshot(found, as_of=self.as_of))
        assert re.search(self.pattern, said), said


def conserved(found: CrmTables) -> None:
    """Rows and amounts read are those used and put aside, file by file."""
    for count in found.report.files:
        assert count.n_read == count.n_used + count.n_quarantined + count.n_duplicate + count.n_out_of_scope
        for parts in count.amounts.values():
            rest = parts["used"] + parts["quarantined"] + parts["duplicate"] + parts["out_of_scope"]
            assert rest == pytest.approx(parts["read"], rel=1e-9)


def warned(found: CrmTables, pattern: str) -> None:
    """One warning matches; without a pattern there is none."""
    if pattern:
        assert any(re.search(pattern, text) for text in found.report.warnings), (pattern, found.report.warnings)
    else:
        assert found.report.warnings == ()


def unchanged(found: CrmTables, *, but: dict[str, tuple[str, ...]]) -> None:
    """Every row of every table is that of the clean CRM, in its order, but for the rows whose keys are named."""
    for name in found.tables:
        if name not in clean().tables:
            continue
        frames = []
        for frame in (found[name], clean()[name]):
            kept = frame[~frame[KEYS[name]].isin(but.get(name, ()))] if name in KEYS else frame
            frames.append(kept.reset_index(drop=True)[[column for column in clean()[name] if column in found[name]]])
        assert_frame_equal(*frames)
