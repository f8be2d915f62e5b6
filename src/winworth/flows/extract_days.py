"""What the days of an extract say of the as-of date: rows that come after it, and silence before it."""

from datetime import date

import numpy as np
import pandas as pd

from winworth.crm.snapshot import Snapshot, available_on
from winworth.tables import TABLES, CrmTables

LONGEST_SILENCE = 2.0  # times the longest one of the two years before
FEWEST_DAYS = 14
LOOKED_BACK = 730


def day_warnings(crm: CrmTables, snapshot: Snapshot) -> list[str]:
    """Say how many rows are later than the as-of date, and whether the extract seems to have been made long before it."""
    if not snapshot.has_dates:
        return []
    days = _days(crm)
    return [*_later(days, snapshot.as_of), *_silent(days, snapshot.as_of)]


def last_day(crm: CrmTables, snapshot: Snapshot) -> tuple[date | None, bool]:
    """Return the latest day on record up to the as-of date, and whether the silence since is longer than ever."""
    days = [found[found <= pd.Timestamp(snapshot.as_of)] for found in _days(crm).values()]
    latest = [found.max() for found in days if len(found)]
    return (max(latest).date() if latest else None), bool(_silent(_days(crm), snapshot.as_of))


def _days(crm: CrmTables) -> dict[str, pd.Series]:
    """Return the days of what happened, by what it is."""
    deals = crm["deals"]
    days = {f"deals.{name}": deals[name].dropna() for name in ("opened_on", "closed_on") if name in deals}
    for name, table in TABLES.items():
        if table.is_event and name in crm and name != "rates":
            days[name] = available_on(crm[name], table.happened_on).dropna()
    return days


def _later(days: dict[str, pd.Series], as_of: date) -> list[str]:
    later = {name: found[found > pd.Timestamp(as_of)] for name, found in days.items()}
    later = {name: found for name, found in later.items() if len(found)}
    if not later:
        return []
    counts = ", ".join(f"{len(found):,} of {name}" for name, found in later.items())
    last = max(found.max() for found in later.values())
    return [
        f"Later than {as_of} and so not known are {counts}; the latest day is {last:%Y-%m-%d}. A deal that ends "
        "later counts as open. If the extract was made on the as-of date, these days are mistyped."
    ]


def _silent(days: dict[str, pd.Series], as_of: date) -> list[str]:
    """Say where nothing has happened for longer than ever: what ended since the extract was made would count as open."""
    known = np.unique(np.concatenate([found.to_numpy().astype("datetime64[D]") for found in days.values()]).astype(np.int64))
    day = int(np.datetime64(as_of, "D").astype(np.int64))
    known = known[(known <= day) & (known > day - LOOKED_BACK)]
    if len(known) < 2:
        return []
    silence, longest = day - known[-1], np.diff(known).max()
    if silence < FEWEST_DAYS or silence <= LONGEST_SILENCE * longest:
        return []
    return [
        f"Nothing is on record for the {silence} days up to {as_of}, where {longest} was the longest silence before: the "
        f"extract seems to be of {np.datetime64(int(known[-1]), 'D')}. What ended since counts as open. Export again, or give "
        "that day as the as-of date."
    ]
