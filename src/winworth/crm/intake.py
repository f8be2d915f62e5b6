"""One table of the map becomes one typed table, with a book of where each row came from and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.crm.cells import Cells, read_cells
from winworth.crm.columns import CellRule
from winworth.crm.convert import Converted, convert
from winworth.crm.header import Dialect
from winworth.crm.ledger import Ledger
from winworth.crm.mapping import LOCALES
from winworth.crm.masking import MASKS
from winworth.crm.proof import column_faults
from winworth.crm.source import PlainFile, unpack
from winworth.errors import DataError


@dataclass(frozen=True)
class Desk:
    """Where exports are found, where they may be unpacked, and how many threads may work on them."""

    folder: Path
    scratch: Path
    threads: int
    is_part: bool = False


@dataclass(frozen=True)
class Export:
    """What is read as one table: files, their dialect, the rules of their columns, and their part of conf/crm.yaml."""

    table: str
    file: str
    dialect: Dialect
    encoding: str | None
    rules: Mapping[str, CellRule]
    option: str


@dataclass(frozen=True)
class Intake:
    """A table while it is read: `frame` has every row with a shape, `ledger` says which of them are used."""

    name: str
    frame: pd.DataFrame
    ledger: Ledger
    look_ups: tuple["Intake", ...] = ()

    @property
    def used(self) -> pd.DataFrame:
        """The rows in use, under the positions that the ledger knows them by."""
        return self.frame[self.ledger.is_used]


def take_in(export: Export, desk: Desk) -> Intake:
    """Read the files of an export and convert their columns; raises DataError with all columns that do not fit."""
    files = [_read(path, export, desk) for path in paths_of(desk.folder, export.file)]
    ledger = Ledger(export.table, files)
    for plain, cells in files:
        if cells.n_read == 0 and not desk.is_part:
            ledger.warnings.append(f"{plain.name} has no rows.")
    text = pd.concat([cells.text for _, cells in files], ignore_index=True)
    return Intake(export.table, _typed(text, _by_type(export, files), ledger), ledger)


def paths_of(folder: Path, file: str) -> Sequence[Path]:
    """Return the files that a name or a pattern names, in order: of a folder, as Spark writes a table, its Parquet files.

    Raises DataError where a pattern or a folder has none.
    """
    path = folder / file
    if path.is_dir():
        found = sorted(path.glob("[!._]*.parquet"))
        if not found and path.suffix:
            return [path]  # a folder that bears a file's name is refused as what it is
        if not found:
            raise DataError(f"{path} is a folder without Parquet files. Name files in it, as {file.rstrip('/')}/*.csv.")
        return found
    if path.exists() or not any(mark in file for mark in "*?["):
        return [path]
    found = sorted(folder.glob(file))
    if not found:
        raise DataError(f"No file is named like {path}. Put the exports there or mend `file` in conf/crm.yaml.")
    return found


def _read(path: Path, export: Export, desk: Desk) -> tuple[PlainFile, Cells]:
    name = path.name if path.is_relative_to(desk.scratch) else path.as_posix()  # what a database gave lies in scratch
    if path.is_relative_to(desk.folder):
        name = path.relative_to(desk.folder).as_posix()
    target = desk.scratch / f"{sum(1 for _ in desk.scratch.iterdir())}"
    plain = unpack(path, target, name=name, encoding=export.encoding)
    sources = {column: rule.source for column, rule in export.rules.items()}
    return plain, read_cells(plain, export.dialect, sources, option=export.option, threads=desk.threads)


def _by_type(export: Export, files: Sequence[tuple[PlainFile, Cells]]) -> Export:
    """Return the export with ISO in place of any locale where its columns have types; a format holds for dates in text."""
    kinds = {plain.is_parquet for plain, _ in files}
    if len(kinds) > 1:
        raise DataError(
            f"{export.file} names Parquet and text files, which cannot be one table. Keep one kind in conf/crm.yaml."
        )
    if kinds == {False}:
        return export
    typed = frozenset().union(*(cells.typed for _, cells in files))
    rules = {
        name: rule
        if rule.format_is_declared and name not in typed
        else replace(
            rule, locale_name="iso", locale=LOCALES["iso"], format_is_declared=False, decimal_is_declared=name in typed
        )
        for name, rule in export.rules.items()
    }
    return replace(export, rules=rules)


def _typed(text: pd.DataFrame, export: Export, ledger: Ledger) -> pd.DataFrame:
    columns, messages = {}, []
    for name, rule in export.rules.items():
        converted = convert(text[name], rule)
        messages += column_faults(converted, rule, ledger, option=export.option)
        for fault in converted.rules.dropna().unique():
            ledger.quarantine(converted.holds(converted.rules == fault), fault, name, text[name])
        _say_masked(converted, rule, ledger)
        columns[name] = converted.take()
    if messages:
        raise DataError("\n".join(messages))
    return pd.DataFrame(columns)


def _say_masked(converted: Converted, rule: CellRule, ledger: Ledger) -> None:
    """Count the cells whose address or number was masked: a code of ten figures may look like one."""
    if rule.kind != "level" or rule.personal:
        return
    held = np.zeros(len(converted.words), dtype=bool)
    for mask in MASKS.values():
        held |= converted.words.str.contains(mask, regex=False, na=False).to_numpy(dtype=bool)
    n = int(converted.count(held).sum())
    if n:
        ledger.warnings.append(
            f"{ledger.table}: {n:,} cell{'s' * (n > 1)} of {rule.name} hold an e-mail address or a phone number, which is "
            "masked. Where they are codes, keep them as they are with `personal: true` in conf/crm.yaml."
        )
