"""Who changed tier since the last scoring, by how much, and mainly why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from winworth.scoring.seats import TIERS

NOBODY = "none"


@dataclass(frozen=True)
class Moved:
    """What changed since the scoring of `since`.

    `movers`: account_id, name, previous_tier and tier ("none" where it was not scored), before, now, change (money, NaN
    where not known) and cause ("" where changes are not split), most money first. `matrix`: accounts by tier before (rows)
    and now (columns). `causes`: what the movement ledger says of each cause, empty where changes are not split.
    """

    since: date
    movers: pd.DataFrame
    matrix: pd.DataFrame
    causes: tuple[Mapping, ...] = ()

    @property
    def n_in(self) -> int:
        """How many accounts came into tier A."""
        return int((self.movers["tier"] == "A").sum())

    @property
    def n_out(self) -> int:
        """How many accounts left tier A."""
        return int((self.movers["previous_tier"] == "A").sum())


def moved_between(
    before: pd.DataFrame,
    now: pd.DataFrame,
    *,
    since: date,
    causes: tuple[Mapping, ...] = (),
    cause: Mapping[str, str] | None = None,
) -> Moved:
    """Set two scorings side by side (account_id, name, tier, expected_value); `cause` is each mover's main one.

    >>> before = pd.DataFrame({"account_id": ["a"], "name": ["Acme"], "tier": ["B"], "expected_value": [50.0]})
    >>> now = before.assign(tier="A", expected_value=80.0)
    >>> found = moved_between(before, now, since=date(2026, 3, 31))
    >>> found.movers[["name", "previous_tier", "tier", "change"]].values.tolist(), found.n_in
    ([['Acme', 'B', 'A', 30.0]], 1)
    """
    then, today = (table.set_index("account_id")[["name", "tier", "expected_value"]] for table in (before, now))
    both = then.add_suffix("_then").join(today, how="outer")
    table = pd.DataFrame(
        {
            "account_id": both.index,
            "name": both["name"].fillna(both["name_then"]).to_numpy(),
            "previous_tier": both["tier_then"].fillna(NOBODY).to_numpy(),
            "tier": both["tier"].fillna(NOBODY).to_numpy(),
            "before": both["expected_value_then"].to_numpy(dtype=float),
            "now": both["expected_value"].to_numpy(dtype=float),
        }
    )
    table = table.assign(change=table["now"].fillna(0.0) - table["before"].fillna(0.0))
    if both[["expected_value", "expected_value_then"]].isna().all(axis=None):
        table = table.assign(change=float("nan"))
    table = table.assign(cause=pd.Series([(cause or {}).get(key, "") for key in table["account_id"]], table.index, dtype="str"))
    movers = table[table["previous_tier"] != table["tier"]]
    movers = movers.assign(size=movers["change"].abs()).sort_values(["size", "account_id"], ascending=[False, True])
    names = [*TIERS, NOBODY]
    matrix = pd.crosstab(table["previous_tier"], table["tier"]).reindex(index=names, columns=names, fill_value=0)
    return Moved(since, movers.drop(columns="size").reset_index(drop=True), matrix, causes)
