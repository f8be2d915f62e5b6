"""What is known of an extract in parts only once all are seen: shares of faulty rows and of orphans, and empty tables."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pyarrow.parquet as pq

from winworth.crm.parts import Parts
from winworth.crm.relations import MAX_ORPHAN_SHARE
from winworth.errors import DataError
from winworth.tables import CrmTables

_ORPHAN, _LATE = "F31-", ("F31-", "F51-")  # rules that look at other tables, after the shares of faulty rows


def without_empty(crm: CrmTables, parts: Parts) -> CrmTables:
    """Leave out of a part the tables that have no row in any; raises DataError where deals or accounts have none."""
    empty = [name for name, origin in parts.files.items() if not sum(_n_rows(origin.paths).values())]
    said = []
    for name in empty:
        if name in ("deals", "accounts"):
            raise DataError(f"{parts.files[name].file} has no rows, and {name} cannot be empty. Export it again.")
        said.append(f"{name}: {parts.files[name].file} has no rows, so what reads {name} is left out.")
    return replace(
        crm,
        tables={name: frame for name, frame in crm.tables.items() if name not in empty},
        known={pair: known for pair, known in crm.known.items() if pair[0] not in empty},
        report=replace(crm.report, warnings=(*crm.report.warnings, *said)),
    )


def account_for(read: Sequence[dict], parts: Parts) -> None:
    """Raise RuntimeError where the parts of a table are not all the rows that its files have, each of them once.

    That what became of the rows of one part adds up to them, its reader has asserted.
    """
    counted = {count["table"]: count["n_read"] for count in read}
    for name, origin in parts.files.items():
        n_rows = sum(_n_rows(origin.paths).values())
        if counted.get(name, 0) != n_rows:
            raise RuntimeError(f"{origin.file}: {n_rows} rows stand in it, {counted.get(name, 0)} were read in parts.")


def refuse_shares(quarantine: pd.DataFrame, read: Sequence[dict], parts: Parts) -> None:
    """Raise DataError where more of a file, or of a table, was put aside than a whole extract may put aside.

    `quarantine` has the rows put aside by all parts, `read` the counts of all. A part by itself says nothing of shares: all
    rows that lack an account, and all of one that does not exist, lie in the same part.
    """
    for name, table_map in parts.mapping.tables.items():
        aside = quarantine[quarantine["table"] == name]
        is_late = aside["rule"].str.startswith(_LATE)
        n_rows = _n_rows(parts.files[name].paths)
        for file, faults in aside[~is_late].groupby("file"):
            _refuse_faulty(faults, n_rows[file], table_map.max_quarantine_share)
        orphans = aside[aside["rule"].str.startswith(_ORPHAN)]
        n_looked_at = sum(count["n_used"] for count in read if count["table"] == name) + int(is_late.sum())
        if len(orphans) > MAX_ORPHAN_SHARE * n_looked_at:
            first = orphans.iloc[0]
            raise DataError(
                f"{name}: {len(orphans):,} of {n_looked_at:,} rows name no such account or deal, first {first['file']}, row "
                f"{first['row']}. More than {MAX_ORPHAN_SHARE:.0%} is a wrong or partial file. Export all on one day."
            )


def _refuse_faulty(faults: pd.DataFrame, n_rows: int, max_share: float) -> None:
    if len(faults) <= max_share * n_rows:
        return
    first, rules = faults.iloc[0], ", ".join(f"{rule} {n}" for rule, n in faults["rule"].value_counts().items())
    raise DataError(
        f"{first['file']}: {len(faults):,} of {n_rows:,} rows ({len(faults) / n_rows:.0%}) are faulty, more than "
        f"{max_share:.0%}: {rules}. First: row {first['row']}, {first['column']} ({first['rule']}). "
        f"Mend the export, or raise tables.{first['table']}.max_quarantine_share in conf/crm.yaml."
    )


def _n_rows(paths: Sequence) -> dict[str, int]:
    counts: dict[str, int] = {}
    for path in paths:
        counts[path.name] = counts.get(path.name, 0) + pq.read_metadata(path).num_rows
    return counts
