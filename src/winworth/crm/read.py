"""The door to a company's exports: files in, canonical tables and an account of every row out."""

from pathlib import Path

import pandas as pd

from winworth.crm.columns import cell_rules, check_mapping, key_of, known_columns, look_up_rules
from winworth.crm.conserve import count_files
from winworth.crm.currencies import in_home_currency, set_rates
from winworth.crm.database import as_files, check_database, fetch_tables
from winworth.crm.doubts import say_doubts
from winworth.crm.header import Dialect
from winworth.crm.intake import Desk, Export, Intake, take_in
from winworth.crm.ledger import QUARANTINE_COLUMNS
from winworth.crm.lookup import look_up
from winworth.crm.mapping import CrmMap, Join
from winworth.crm.people import drop_people
from winworth.crm.relations import MAX_ORPHAN_SHARE, drop_duplicates, drop_orphans, refuse_circles
from winworth.crm.rows import apply_row_rules
from winworth.crm.salesforce import with_long_ids
from winworth.crm.scratch import scratch_folder
from winworth.crm.size_class import with_size_class
from winworth.errors import DataError
from winworth.tables import TABLES, CrmTables, ReadReport


def read_crm(mapping: CrmMap, *, root: Path, threads: int = 2, is_part: bool = False) -> CrmTables:
    """Read the exports that `mapping` names, its folder taken from `root`, into the canonical tables.

    Rows keep the order of the files. A part of an extract (`is_part`) may have tables without rows, which stay, and what
    share of its rows is faulty is for others to judge (`seen_whole`). Raises ConfigError where the map asks for what the
    tables do not know, DataError where a file is not what the map says or holds too many faults, and ResourceError where it
    passes a limit.

    >>> from tempfile import TemporaryDirectory
    >>> from winworth.crm.mapping import ColumnMap, TableMap
    >>> columns = {"status": ColumnMap("Stage", values={"Gagné": "won", "Perdu": "lost"}), "amount": ColumnMap("Montant")}
    >>> mapping = CrmMap("Acme", {"deals": TableMap("deals.csv", columns, separator=";", locale="fr")})
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "deals.csv").write_text("Stage;Montant\\nGagné;1 250,50\\nPerdu;\\n", encoding="utf-8")
    ...     crm = read_crm(mapping, root=Path(folder))
    >>> crm["deals"]
      status  amount deal_id
    0    won  1250.5       1
    1   lost     NaN       2
    """
    check_mapping(mapping)
    check_database(mapping)
    with scratch_folder() as scratch:
        mapping = _fetched(mapping, Path(root), scratch)
        desk = Desk(Path(root) / mapping.folder, scratch, threads, is_part)
        intakes = {name: _read_table(name, mapping, desk) for name in TABLES if name in mapping.tables}
        present = {name: intake for name, intake in intakes.items() if len(intake.frame) or (is_part and name != "rates")}
        present = with_long_ids(present)
        drop_orphans(present, max_share=1.0 if is_part else MAX_ORPHAN_SHARE)
        say_doubts(present)
        home, rates = mapping.currency, set_rates(present, home=mapping.currency)
        used = {name: intake.used for name, intake in present.items() if name != "rates"}
        tables = {name: in_home_currency(name, frame, rates.get(name), home=home) for name, frame in used.items()}
        crm = CrmTables(
            tables={name: frame.reset_index(drop=True) for name, frame in tables.items()},
            known={(name, column): known for (name, column), known in known_columns(mapping).items() if name in tables},
            report=_report(intakes, currency=mapping.currency),
        )
        return with_size_class(crm, currency=home)


def _fetched(mapping: CrmMap, root: Path, scratch: Path) -> CrmMap:
    """Fetch what stands in a database and return the map that reads it as files, kept where extracts are archived."""
    if mapping.database is None:
        return mapping
    folder = root / mapping.folder if mapping.archive else scratch / "fetched"
    folder.mkdir(parents=True, exist_ok=True)
    fetch_tables(mapping, folder)
    return as_files(mapping, None if mapping.archive else folder)


def _read_table(name: str, mapping: CrmMap, desk: Desk) -> Intake:
    table_map = mapping.tables[name]
    rules = cell_rules(name, mapping)
    dialect = Dialect(table_map.separator, table_map.quote)
    export = Export(name, table_map.file, dialect, table_map.encoding, rules, f"tables.{name}")
    intake = take_in(export, desk)
    if len(intake.frame) == 0 and not desk.is_part:
        return _without_rows(intake, table_map.max_quarantine_share)
    for join in table_map.joins:
        rules |= {column: rule for column, rule in look_up_rules(name, join, mapping).items() if column in join.columns}
        intake = look_up(intake, _read_look_up(name, join, mapping, desk), tuple(join.on))
    intake, rules = drop_people(apply_row_rules(intake, rules), rules)
    if not desk.is_part:
        intake.ledger.refuse_many(table_map.max_quarantine_share)
    drop_duplicates(intake, key_of(name, table_map))
    if name == "accounts":
        refuse_circles(intake)
    return intake


def _without_rows(intake: Intake, max_quarantine_share: float) -> Intake:
    intake.ledger.refuse_many(max_quarantine_share)
    names = ", ".join(file.plain.name for file in intake.ledger.files)
    if intake.name in ("deals", "accounts"):
        raise DataError(f"{names} has no rows, and {intake.name} cannot be empty. Export it again.")
    intake.ledger.warnings.append(f"{intake.name}: {names} has no rows, so what reads {intake.name} is left out.")
    return intake


def _read_look_up(name: str, join: Join, mapping: CrmMap, desk: Desk) -> Intake:
    table_map = mapping.tables[name]
    rules = look_up_rules(name, join, mapping)
    dialect = Dialect(join.separator or table_map.separator, table_map.quote)
    export = Export(f"{name} look-up", join.file, dialect, join.encoding or table_map.encoding, rules, f"tables.{name}.joins")
    found = apply_row_rules(take_in(export, desk), rules)
    found.ledger.refuse_many(table_map.max_quarantine_share)
    return found


def _report(intakes: dict[str, Intake], *, currency: str) -> ReadReport:
    every = [part for intake in intakes.values() for part in (intake, *intake.look_ups)]
    quarantines = [part.ledger.quarantined() for part in every]
    filled = [quarantine for quarantine in quarantines if len(quarantine)] or [pd.DataFrame(columns=QUARANTINE_COLUMNS)]
    return ReadReport(
        files=tuple(count for part in every for count in count_files(part, part.used, currency=currency)),
        quarantine=pd.concat(filled, ignore_index=True).sort_values(["table", "file", "row"], kind="stable", ignore_index=True),
        warnings=tuple(warning for part in every for warning in part.ledger.warnings),
    )
