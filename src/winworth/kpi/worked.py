"""How much each account was worked and what it brought, quarter by quarter."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from winworth.errors import DataError
from winworth.kpi import facts
from winworth.kpi.book import Book
from winworth.kpi.quarters import Period

WON, MARGIN, TURNOVER = "won", "margin", "turnover"


@dataclass(frozen=True)
class Effort:
    """What sellers logged, one row an activity (account_id, happened_on, amount), in hours or in meetings held."""

    unit: str
    rows: pd.DataFrame

    def within(self, period: Period) -> pd.Series:
        """Return the effort of a period by account_id, of accounts that had any."""
        rows = self.rows[period.holds(self.rows["happened_on"])]
        return rows.groupby("account_id")["amount"].sum()


def logged_effort(book: Book) -> Effort | None:
    """Return the hours that activities log, or where none do the meetings held; None where neither is logged."""
    if "activities" not in book.snapshot:
        return None
    rows = book.snapshot["activities"].dropna(subset="account_id")
    if "hours" in rows and (rows["hours"] > 0).any():
        worked, unit = rows[rows["hours"] > 0], "hours"
        return Effort(unit, worked[["account_id", "happened_on"]].assign(amount=worked["hours"].to_numpy()))
    if "outcome" in rows and (rows["outcome"] == "held").any():
        held = rows[rows["outcome"] == "held"]
        return Effort("meetings", held[["account_id", "happened_on"]].assign(amount=1.0))
    return None


def basis_of(book: Book, *first: str) -> str:
    """Return which of the ways to read what accounts bring comes first among those the extract has.

    `won` are amounts of won deals, `margin` and `turnover` are invoiced. Raises DataError where it has none.
    """
    has = {WON: book.deals(book.as_of)["amount"].notna().any()}
    if "invoices" in book.snapshot:
        invoices = book.snapshot["invoices"]
        has |= {MARGIN: "margin" in invoices and invoices["margin"].notna().any(), TURNOVER: len(invoices) > 0}
    for basis in first:
        if has.get(basis):
            return basis
    raise DataError("Neither amounts of deals nor invoices are known: nothing can be told in money. Map them in crm.yaml.")


def brought(book: Book, period: Period, basis: str) -> pd.Series:
    """Return by account_id what was won or invoiced in a period, as known on the as-of date, of accounts with any."""
    if basis == WON:
        return facts.paid_deals(book, period).groupby("account_id")["amount"].sum()
    invoices = book.snapshot["invoices"]
    rows = invoices[period.holds(invoices["invoiced_on"])]
    return rows.groupby("account_id")["margin" if basis == MARGIN else "amount"].sum()


def is_followed(rows: pd.DataFrame, book: Book, quarters: Sequence[Period], basis: str) -> pd.Series:
    """Tell in which rows (account_id, period: the place of a quarter) an account was a customer all through the quarter.

    Of turnover these are the quarters that lie whole between its first and its last invoice above 0: in the others hours and
    revenue start and stop together, which would be taken for hours that bring revenue. A win has no such duration: all are.
    """
    if basis == WON:
        return pd.Series(True, rows.index)
    invoices = book.snapshot["invoices"]
    ends = invoices[invoices["amount"] > 0].groupby("account_id")["invoiced_on"].agg(["min", "max"]).reindex(rows["account_id"])
    start, end = (rows["period"].map({at: getattr(one, name) for at, one in enumerate(quarters)}) for name in ("start", "end"))
    return (ends["min"].to_numpy() < start) & (ends["max"].to_numpy() > end)


def with_open_deal(book: Book, period: Period) -> set[str]:
    """Return the accounts that had an open deal when a period began: they are worked, and bring money, whatever their score."""
    last = period.start - pd.Timedelta(days=1)
    deals = book.at(last)["deals"]
    return set(deals.loc[deals["status"] == "open", "account_id"].dropna())


def activity_before(book: Book, period: Period, *, days: int = 90) -> pd.Series:
    """Return by account_id how many activities of the days before a period were known when it began, of accounts with any."""
    last = period.start - pd.Timedelta(days=1)
    known = book.at(last)
    if "activities" not in known:
        return pd.Series(dtype=float)
    rows = known["activities"]
    recent = rows[rows["happened_on"] > last - pd.Timedelta(days=days)]
    return recent.groupby("account_id").size().astype(float)
