"""What the ledger reads: the extract as known on any day up to the as-of date, and the scores that were published."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from winworth.crm.snapshot import Snapshot, take_snapshot
from winworth.errors import ConfigError
from winworth.kpi.measures import Terms
from winworth.kpi.survival import OPEN
from winworth.scoring.settings import KpiSettings
from winworth.tables import CrmTables


@dataclass(frozen=True)
class Scored:
    """Scores of one day: accounts by account_id (tier, segment, score, residual_value, expected_value), open deals by deal_id
    (win_probability).
    """

    accounts: pd.DataFrame
    deals: pd.DataFrame


@dataclass(frozen=True)
class Book:
    """An extract as known on `as_of`, the scores published by day, and how figures are defined.

    `exclude_kinds` are left out wherever new business is counted.
    """

    crm: CrmTables
    as_of: date
    terms: Terms
    rules: KpiSettings = KpiSettings()
    exclude_kinds: tuple[str, ...] = ()
    waived: frozenset[tuple[str, str]] = frozenset()
    scores: Mapping[date, Scored] = field(default_factory=dict)
    _known: dict = field(default_factory=dict, repr=False, compare=False)  # what has been read once, by day

    def __post_init__(self):
        if not self.crm.has_dates:
            raise ConfigError("deals has no opened_on, and nothing can be told by quarter. Map it in conf/crm.yaml.")

    def at(self, day: pd.Timestamp | date) -> Snapshot:
        """Return the extract as known on a day; raises ConfigError for a day after the as-of date."""
        on = pd.Timestamp(day).date()
        if on > self.as_of:
            raise ConfigError(f"The ledger of {self.as_of} cannot know {on}.")
        if on not in self._known:
            self._known[on] = take_snapshot(self.crm, as_of=on, waived=self.waived)
        return self._known[on]

    @property
    def snapshot(self) -> Snapshot:
        """The extract as known on the as-of date."""
        return self.at(self.as_of)

    def deals(self, day: pd.Timestamp | date) -> pd.DataFrame:
        """Return deals as known on a day, excluded kinds left out, one row each.

        deal_id, account_id (its own id where it has none), opened and ended (days since 1970; open: far away), won, amount
        (NaN where unknown or 0), and the `day` they are known on. Deals whose opening is unknown are left out.
        """
        key = "deals", pd.Timestamp(day)
        if key not in self._known:
            self._known[key] = self._deals(day)
        return self._known[key]

    def _deals(self, day: pd.Timestamp | date) -> pd.DataFrame:
        deals = self.at(day)["deals"]
        deals = deals[deals["opened_on"].notna()]
        if "kind" in deals:
            deals = deals[~deals["kind"].isin(self.exclude_kinds)]
        amount = deals["amount"] if "amount" in deals else pd.Series(np.nan, deals.index)
        ended, is_open = days_of(deals["closed_on"]), deals["closed_on"].isna()
        rows = {
            "deal_id": deals["deal_id"],
            "account_id": _accounts(deals),
            "opened": days_of(deals["opened_on"]),
            "ended": np.where(is_open, OPEN, ended),
            "won": (deals["status"] == "won").to_numpy(),
            "amount": amount.where(amount > 0),
            "day": int(days_of(pd.Series([pd.Timestamp(day)]))[0]),
        }
        return pd.DataFrame(rows).reset_index(drop=True)

    def customer_since(self) -> pd.Series:
        """Return, by account_id, the day an account became a customer: its first win or its first invoice."""
        if "since" not in self._known:
            self._known["since"] = self._since()
        return self._known["since"]

    def _since(self) -> pd.Series:
        deals = self.snapshot["deals"]
        won = deals[deals["status"] == "won"]
        firsts = [won.assign(account_id=_accounts(won))[["account_id", "closed_on"]].set_axis(["account_id", "on"], axis=1)]
        if "invoices" in self.snapshot:
            invoices = self.snapshot["invoices"]
            invoices = invoices[invoices["amount"] > 0]
            firsts.append(invoices[["account_id", "invoiced_on"]].set_axis(["account_id", "on"], axis=1))
        return pd.concat(firsts).dropna().groupby("account_id")["on"].min()

    def scored_within(self, start: pd.Timestamp, end: pd.Timestamp) -> tuple[date, Scored] | None:
        """Return the latest scores of a day from start to end, None where there are none."""
        days = [day for day in self.scores if start <= pd.Timestamp(day) <= end and day <= self.as_of]
        return (max(days), self.scores[max(days)]) if days else None


def days_of(dates: pd.Series) -> np.ndarray:
    """Return days since 1970; a missing date is 0."""
    return dates.fillna(pd.Timestamp(0)).to_numpy().astype("datetime64[D]").astype(np.int64)


def _accounts(deals: pd.DataFrame) -> pd.Series:
    own = deals["deal_id"].astype("str") if "deal_id" in deals else pd.Series(deals.index.astype("str"), deals.index)
    return deals["account_id"].fillna(own) if "account_id" in deals else own
