"""What each KPI counts: one row a deal, account, meeting or customer of a period; None where the extract cannot tell."""

import numpy as np
import pandas as pd

from winworth.kpi.book import Book, days_of
from winworth.kpi.quarters import Period
from winworth.kpi.survival import OPEN

YEAR = pd.DateOffset(years=1)


def opened_deals(book: Book, period: Period) -> pd.DataFrame:
    """Return the deals opened in the period, as known on the as-of date."""
    deals = book.deals(book.as_of)
    first, last = _bounds(period)
    return deals[deals["opened"].between(first, last)]


def worked_accounts(book: Book, period: Period) -> pd.DataFrame:
    """Return the accounts a deal was opened with in the period while they were no customers, and the day they became one."""
    entry = opened_deals(book, period).groupby("account_id")["opened"].min()
    since = book.customer_since()
    became = pd.Series(days_of(since), since.index).reindex(entry.index)
    rows = pd.DataFrame({"opened": entry, "ended": became.fillna(OPEN).astype(np.int64), "won": became.notna()})
    rows = rows[~(became < entry)].reset_index()
    return rows.assign(day=int(days_of(pd.Series([pd.Timestamp(book.as_of)]))[0]))


def meetings(book: Book, period: Period) -> pd.DataFrame | None:
    """Return the meetings of the period that were held or missed; `case` is 1 for a no-show. Cancelled ones are left out."""
    if "activities" not in book.snapshot or "outcome" not in book.snapshot["activities"]:
        return None
    rows = book.snapshot["activities"]
    rows = rows[rows["outcome"].isin(["held", "no_show"]) & period.holds(rows["happened_on"])]
    return rows[["account_id"]].fillna("").assign(case=(rows["outcome"] == "no_show").astype(float))


def new_customers(book: Book, period: Period) -> pd.DataFrame | None:
    """Return who became a customer in the period, moved by the lag between cost and win; None where it has not passed."""
    lag = pd.DateOffset(months=book.rules.cac_lag_months)
    end = (period.end + pd.Timedelta(days=1) + lag) - pd.Timedelta(days=1)
    if "costs" not in book.snapshot or end > pd.Timestamp(book.as_of):
        return None
    since = book.customer_since()
    return pd.DataFrame({"account_id": since[(since >= period.start + lag) & (since <= end)].index})


def cost(book: Book, period: Period, group: str, level: str) -> float:
    """Return what was spent in the period, on a level where the cost table has that column; NaN where it does not say."""
    costs = book.snapshot["costs"]
    costs = costs[period.holds(costs["month"])]
    if group != "all":
        if group not in costs:
            return float("nan")
        costs = costs[costs[group] == level]
    return float(costs["amount"].sum()) if len(costs) else float("nan")


def customers_worth(book: Book, period: Period) -> pd.DataFrame | None:
    """Return what each customer was expected to still bring (`amount`), by the latest scores of the period."""
    found = book.scored_within(period.start, period.end)
    if found is None or "residual_value" not in found[1].accounts:
        return None
    day, scored = found
    since = book.customer_since()
    customers = since.index[since <= pd.Timestamp(day)]
    rows = scored.accounts[scored.accounts["account_id"].isin(customers) & scored.accounts["residual_value"].notna()]
    return rows[["account_id"]].assign(amount=rows["residual_value"].to_numpy())


def customers_at_risk(book: Book, period: Period) -> pd.DataFrame | None:
    """Return who was a customer when each quarter of the period began: `case` 1 who was none at its end, `whole` what it had
    been invoiced, `part` that of who left.

    A customer is who was invoiced more than nothing in the days of silence that still count as staying, known at that time.
    """
    if "invoices" not in book.snapshot:
        return None
    invoices, silence = book.snapshot["invoices"], pd.Timedelta(days=book.rules.churn_silence_days)
    first = invoices["invoiced_on"].min()
    found = []
    for quarter in period.quarters or (period,):
        begins = quarter.start - pd.Timedelta(days=1)
        if not first <= begins - silence + pd.Timedelta(days=1):
            continue  # the log is too short to tell who was a customer
        before, after = (_invoiced(invoices, day - silence, day) for day in (begins, quarter.end))
        before = before[before > 0]
        left = (~(after.reindex(before.index).fillna(0) > 0)).to_numpy(dtype=float)
        rows = {"account_id": before.index, "case": left, "part": before.to_numpy() * left, "whole": before.to_numpy()}
        found.append(pd.DataFrame(rows))
    return pd.concat(found, ignore_index=True) if found else None


def paid_deals(book: Book, period: Period) -> pd.DataFrame:
    """Return the deals won in the period whose amount is known and above 0."""
    deals = book.deals(book.as_of)
    first, last = _bounds(period)
    return deals[deals["won"] & deals["ended"].between(first, last) & deals["amount"].notna()]


def moving_deals(book: Book, period: Period) -> pd.DataFrame:
    """Return, as known at the period's end, deals of the year up to it (of the period, if longer) and all that are open.

    `is_cohort` marks those opened in that time, `is_open` those open at its end; `amount` is that of deals won in that time.
    """
    deals = book.deals(period.end)
    first, last = _bounds(period)
    first = min(first, int(days_of(pd.Series([period.end - YEAR]))[0]) + 1)
    is_open = deals["ended"] > last
    is_cohort, is_paid = deals["opened"] >= first, deals["won"] & (deals["ended"] >= first) & ~is_open
    rows = deals.assign(is_cohort=is_cohort, is_open=is_open, amount=deals["amount"].where(is_paid))
    return rows[is_cohort | is_open | rows["amount"].notna()]


def _invoiced(invoices: pd.DataFrame, after: pd.Timestamp, until: pd.Timestamp) -> pd.Series:
    rows = invoices[(invoices["invoiced_on"] > after) & (invoices["invoiced_on"] <= until)]
    return rows.groupby("account_id")["amount"].sum()


def _bounds(period: Period) -> tuple[int, int]:
    first, last = days_of(pd.Series([period.start, period.end]))
    return int(first), int(last)
