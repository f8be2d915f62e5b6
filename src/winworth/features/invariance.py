"""Truncation invariance: whatever is deleted or scrambled after a day, no feature measured by then may change.

The world after the day is altered here without the code that takes snapshots, so that its faults cannot hide themselves.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from winworth.crm.archive import Extract
from winworth.tables import TABLES, CrmTables

Build = Callable[[Extract, pd.DataFrame], pd.DataFrame]
MOST = 300  # examples rebuilt for each day
_REACH = 900
_OUTCOME = {"status", "opened_on", "closed_on"}


def truncation_changes(
    extract: Extract,
    examples: pd.DataFrame,
    build: Build,
    *,
    seed: int,
    n_days: int = 5,
    waived: frozenset[tuple[str, str]] = frozenset(),
) -> pd.Series:
    """Return by feature the share of cells that change when what came after a day is deleted or scrambled.

    `n_days` days are drawn by `seed` among those on which examples were observed; of each, the examples of that day and
    the nearest before it are rebuilt, at most 300. Columns that are overwritten in place and signed for (`waived`) stay:
    what they said then is not in the extract, and only an older extract can tell.
    """
    rng = np.random.default_rng(seed)
    days = examples["observed_on"].to_numpy()
    drawn = rng.permutation(days)
    drawn = np.sort(drawn[np.sort(np.unique(drawn, return_index=True)[1])][:n_days])
    changed = []
    for day in pd.DatetimeIndex(drawn):
        rows = examples[examples["observed_on"] <= day]
        rows = rows.sort_values("observed_on", kind="stable").tail(MOST).reset_index(drop=True)
        wanted = build(extract, rows)
        without = build(replace(extract, crm=without_later(extract.crm, day=day)), rows)
        other = scrambled_later(extract.crm, rows, day=day, rng=rng, waived=waived)
        changed.append(differs(without, wanted) | differs(build(replace(extract, crm=other), rows), wanted))
    return pd.concat(changed).mean()


def differs(found: pd.DataFrame, wanted: pd.DataFrame) -> pd.DataFrame:
    """Tell cell by cell whether two feature tables of the same rows differ; missing equals missing."""
    cells = {}
    for name, column in wanted.items():
        one, other = found[name].reset_index(drop=True), column.reset_index(drop=True)
        cells[name] = ~((one == other) | (one.isna() & other.isna())).to_numpy(dtype=bool)
    return pd.DataFrame(cells, index=range(len(wanted)))


def without_later(crm: CrmTables, *, day: date) -> CrmTables:
    """Return the extract without what became known after a day: no such events, and the deals of that time still open."""
    day = pd.Timestamp(day)
    tables = {name: frame[_is_known(name, frame, day)].reset_index(drop=True) for name, frame in crm.tables.items()}
    deals = tables["deals"]
    is_open = _was_open(deals, day)
    late = {name: deals[name].where(~is_open) for name in _declared(crm, "deals", "at_close")}
    ends = deals["closed_on"].where(~is_open)
    tables["deals"] = deals.assign(**late, status=deals["status"].where(~is_open, "open"), closed_on=ends)
    return replace(crm, tables=tables)


def scrambled_later(
    crm: CrmTables,
    examples: pd.DataFrame,
    *,
    day: date,
    rng: np.random.Generator,
    waived: frozenset[tuple[str, str]] = frozenset(),
) -> CrmTables:
    """Return an extract that agrees with this one in what was known on a day, and in nothing that came later.

    Every example's account and deal gets later events, some of them back-dated, some planned before and held after.
    """
    day, tables = pd.Timestamp(day), dict(crm.tables)
    for name, frame in crm.tables.items():
        if TABLES[name].is_event and len(frame):
            tables[name] = _other_events(rng, name, frame, examples, day)
    overwritten = {
        name: [c for c in _declared(crm, name, "dated", "latest_only") if (name, c) not in waived]
        for name in ("deals", "accounts")
    }
    tables["deals"] = _other_deals(rng, crm, examples, day, overwritten["deals"])
    if "accounts" in crm:
        accounts = crm["accounts"][_is_known("accounts", crm["accounts"], day)].reset_index(drop=True)
        tables["accounts"] = accounts.assign(
            **{name: _drawn(rng, accounts[name], len(accounts)) for name in overwritten["accounts"]}
        )
    return replace(crm, tables=tables)


def _other_events(
    rng: np.random.Generator, name: str, frame: pd.DataFrame, examples: pd.DataFrame, day: pd.Timestamp
) -> pd.DataFrame:
    happened, known = TABLES[name].happened_on, frame[_is_known(name, frame, day)]
    n = len(frame) - len(known) + len(examples)
    other = pd.DataFrame({column: _drawn(rng, frame[column], n) for column in frame})
    whose = examples.iloc[rng.integers(0, len(examples), n)]
    keys = {key: whose[key].to_numpy() for key in ("account_id", "deal_id") if key in frame}
    later = pd.Series(_days_after(rng, day, n))
    if "known_on" in frame and happened != "known_on":
        kind = rng.integers(0, 3, n)  # as it happened, back-dated, planned
        entered = other["known_on"].where(kind == 2, pd.Series(_days_after(rng, day, n)))
        other = other.assign(**{happened: other[happened].where(kind == 1, later), "known_on": entered})
    else:
        other = other.assign(**{happened: later})
    return pd.concat([known, other.assign(**keys).astype(frame.dtypes)], ignore_index=True)


def _other_deals(
    rng: np.random.Generator, crm: CrmTables, examples: pd.DataFrame, day: pd.Timestamp, overwritten: list[str]
) -> pd.DataFrame:
    deals = crm["deals"][_is_known("deals", crm["deals"], day)].reset_index(drop=True)
    is_open, n = _was_open(deals, day), len(deals)
    fate = pd.Series(rng.choice(["won", "lost", "open"], n))
    end = pd.Series(_days_after(rng, day, n)).where(fate != "open")
    changed = {name: _drawn(rng, deals[name], n) for name in (*_declared(crm, "deals", "at_close"), *overwritten)}
    changed |= {"status": fate, "closed_on": end}
    deals = deals.assign(**{name: deals[name].where(~is_open, column) for name, column in changed.items()})
    if "modified_on" in deals:
        deals = deals.assign(modified_on=_days_after(rng, day, n))
    more = pd.DataFrame({name: _drawn(rng, deals[name], len(examples)) for name in deals})
    opened = {name: _days_after(rng, day, len(more)) for name in ("opened_on", "closed_on")}
    more = more.assign(deal_id=[f"\0later {at}" for at in range(len(more))], **opened)
    if "account_id" in more:
        more = more.assign(account_id=examples["account_id"].to_numpy())
    return pd.concat([deals, more.astype(deals.dtypes)], ignore_index=True).astype(crm["deals"].dtypes)


def _is_known(name: str, frame: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """Tell which rows had been entered by a day; a row that does not say when is taken to have been there always."""
    happened = TABLES[name].happened_on or {"deals": "opened_on", "accounts": "created_on", "costs": "month"}[name]
    dates = [frame[column] > day for column in {happened, *(("known_on",) if TABLES[name].is_event else ())} if column in frame]
    return ~np.logical_or.reduce(dates) if dates else pd.Series(True, index=frame.index)


def _was_open(deals: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    return (deals["status"] == "open") | ~(deals["closed_on"] <= day)


def _declared(crm: CrmTables, table: str, *known: str) -> list[str]:
    names = {column for (of, column), when in crm.known.items() if of == table and when in known}
    return sorted((names - _OUTCOME) & set(crm[table].columns)) if table in crm else []


def _drawn(rng: np.random.Generator, column: pd.Series, n: int) -> pd.Series:
    """Draw values the column could hold, missing ones among them."""
    if not len(column):
        return column.reindex(range(n))
    return column.iloc[rng.integers(0, len(column), n)].reset_index(drop=True)


def _days_after(rng: np.random.Generator, day: pd.Timestamp, n: int) -> np.ndarray:
    return (day.to_datetime64().astype("datetime64[D]") + rng.integers(1, _REACH, n)).astype("datetime64[s]")
