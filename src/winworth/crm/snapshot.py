"""The only gate in time: what had been entered by the as-of date, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from winworth.errors import ConfigError, DataError, listed
from winworth.tables import TABLES, CrmTables, Known

_OUTCOME = frozenset({("deals", "status"), ("deals", "opened_on"), ("deals", "closed_on")})  # cut by day, whatever is declared


@dataclass(frozen=True)
class Snapshot:
    """The tables as known at the end of `as_of`. Event tables gain `available_on`, the day their rows became known."""

    tables: Mapping[str, pd.DataFrame]
    known: Mapping[tuple[str, str], Known]
    as_of: date

    def __contains__(self, name: object) -> bool:
        return name in self.tables

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    @property
    def has_dates(self) -> bool:
        """Whether deals say when they opened."""
        return "opened_on" in self["deals"].columns

    @property
    def has_accounts(self) -> bool:
        """Whether deals say whose they are."""
        return "account_id" in self["deals"].columns


def take_snapshot(crm: CrmTables, *, as_of: date, waived: frozenset[tuple[str, str]] = frozenset()) -> Snapshot:
    """Keep what was known at the end of `as_of`.

    Rows that came later go; a deal that ended later is open again; what is known only when a deal ends is blank until
    then; columns overwritten in place are blank unless someone signed for them (`waived`). Without dates on deals
    nothing can be ordered, and deals pass as they are. Raises DataError where a deal or an account stands on two rows, and
    ConfigError where deals say when they opened and not when they ended.
    """
    _check(crm)
    day = pd.Timestamp(as_of)
    tables = {name: _as_known(name, frame, day) for name, frame in crm.tables.items()}
    declared = {pair: known for pair, known in crm.known.items() if pair not in _OUTCOME}
    for (table, column), known in declared.items():
        if known == "latest_only" and (table, column) not in waived and column in tables.get(table, ()):
            tables[table] = tables[table].assign(**{column: _blank(tables[table][column])})
    late = sorted(column for (table, column), known in declared.items() if table == "deals" and known == "at_close")
    tables["deals"] = _reopen(tables["deals"], day, late)
    return Snapshot(tables, crm.known, as_of)


def available_on(frame: pd.DataFrame, happened_on: str) -> pd.Series:
    """Return the day on which each event could be known: when it happened, or when it was entered if that was later."""
    happened = frame[happened_on]
    if "known_on" not in frame.columns or happened_on == "known_on":
        return happened
    return happened.where(~(frame["known_on"] > happened), frame["known_on"])


def _check(crm: CrmTables) -> None:
    if crm.has_dates and "closed_on" not in crm["deals"]:
        raise ConfigError(
            "deals has opened_on and no closed_on, so that no deal would ever end. Map both in conf/crm.yaml, or none."
        )
    for name, key in (("deals", "deal_id"), ("accounts", "account_id")):
        ids = crm[name][key].dropna() if name in crm else pd.Series(dtype="str")
        twice = ids[ids.duplicated()].unique()
        if len(twice):
            raise DataError(
                f"{name}: {len(twice):,} values of {key} stand on more than one row: {listed(twice)}. "
                f"Set tables.{name}.key: true in conf/crm.yaml and mend the export."
            )


def _as_known(name: str, frame: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    contract = TABLES[name]
    frame = frame.drop(columns="modified_on", errors="ignore")
    if contract.is_event:
        known = available_on(frame, contract.happened_on)
        is_known = known <= day
        frame = frame.assign(available_on=known)
        return frame if is_known.all() else frame[is_known].reset_index(drop=True)
    born = {"deals": "opened_on", "accounts": "created_on", "costs": "month"}[name]
    if born not in frame.columns:
        return frame
    return frame[~(frame[born] > day)].reset_index(drop=True)


def _reopen(deals: pd.DataFrame, day: pd.Timestamp, known_at_close: list[str]) -> pd.DataFrame:
    """Blank out the end of deals that had not ended, and what is only known at the end."""
    is_open = deals["status"] == "open"
    if "closed_on" in deals.columns:
        is_open |= ~(deals["closed_on"] <= day)
        deals = deals.assign(closed_on=deals["closed_on"].where(~is_open), status=deals["status"].where(~is_open, "open"))
    late = {name: deals[name].where(~is_open) for name in known_at_close if name in deals.columns}
    return deals.assign(**late)


def _blank(column: pd.Series) -> pd.Series:
    return column.where(pd.Series(False, index=column.index))
