"""Columns of a look-up file are added to a table: product lines to products, regions to sellers."""

from collections.abc import Sequence
from dataclasses import replace

from winworth.crm.intake import Intake
from winworth.crm.wording import printable, rows
from winworth.errors import DataError

_SHOWN_VALUES = 10


def look_up(intake: Intake, found: Intake, keys: Sequence[str]) -> Intake:
    """Add the columns of `found` to the rows whose `keys` equal its own, and name the values that it does not have.

    Raises DataError where a key stands on two rows of the look-up file.
    """
    keys = list(keys)
    known = found.used.dropna(subset=keys)
    twice = known[known.duplicated(keys, keep=False)]
    if len(twice):
        first = " and ".join(found.ledger.where(row) for row in twice.index[:2])
        raise DataError(
            f"{first}: {', '.join(keys)} {_said(twice[keys].iloc[0])} stands twice in the look-up file. Keep one row for each."
        )
    joined = intake.frame[keys].merge(known, on=keys, how="left", indicator="_found")
    unknown = intake.frame.loc[(joined["_found"] == "left_only").to_numpy() & intake.ledger.is_used, keys].dropna()
    counts = unknown.value_counts()
    if len(counts):
        shown = ", ".join(
            f'"{printable(" / ".join(value))}" ({count:,})' for value, count in counts.head(_SHOWN_VALUES).items()
        )
        more = f" and {len(counts) - _SHOWN_VALUES} more" if len(counts) > _SHOWN_VALUES else ""
        name = found.ledger.files[0].plain.name
        intake.ledger.warnings.append(
            f"{intake.name}: {rows(len(unknown))} find no {', '.join(keys)} in {name}: {shown}{more}. Mend the spellings with "
            f"`aliases` in conf/crm.yaml under tables.{intake.name}.columns."
        )
    added = {column: joined[column] for column in known.columns if column not in keys}
    return replace(intake, frame=intake.frame.assign(**added), look_ups=(*intake.look_ups, found))


def _said(values) -> str:
    return '"' + " / ".join(printable(value) for value in values) + '"'
