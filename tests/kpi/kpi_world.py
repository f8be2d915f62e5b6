"""A small company of known deals, meetings, costs and invoices for the ledger."""

from datetime import date

import numpy as np
import pandas as pd

from winworth.kpi.book import Book
from winworth.kpi.measures import Terms
from winworth.kpi.quarters import quarters_until, whole
from winworth.scoring.settings import KpiSettings
from winworth.tables import CrmTables, ReadReport

AS_OF = date(2026, 6, 30)
KNOWN = {("deals", "amount"): "at_close", ("accounts", "size_class"): "at_creation"}


def days(values) -> pd.Series:
    return pd.Series(pd.to_datetime(values)).astype("datetime64[s]").reset_index(drop=True)


def draw_tables(n: int = 600, seed: int = 0, *, per_account: int = 2) -> dict[str, pd.DataFrame]:
    """Draw two years of deals up to the as-of date and beyond, with what belongs to them; nothing depends on the account."""
    rng = np.random.default_rng(seed)
    m = n // per_account
    ids = np.array([f"A{k:04d}" for k in range(m)])
    opened = np.datetime64("2024-05-01") + rng.integers(0, 790, n).astype("timedelta64[D]")
    lasted = np.ceil(np.exp(rng.normal(4.2, 0.6, n))).astype("timedelta64[D]")
    won = rng.random(n) < 0.35
    account = np.r_[ids[rng.integers(0, m, n)]]
    deals = pd.DataFrame({"deal_id": [f"D{k:05d}" for k in range(n)], "account_id": account, "opened_on": days(opened)})
    deals = deals.assign(
        closed_on=days(opened + lasted), status=np.where(won, "won", "lost"), amount=np.round(np.exp(rng.normal(9, 0.7, n)))
    )
    accounts = pd.DataFrame({"account_id": ids, "size_class": rng.choice(["TPE", "PME", "ETI"], m, p=[0.2, 0.5, 0.3])})
    accounts = accounts.assign(created_on=days(np.full(m, "2024-01-01")))
    k = 3 * n
    happened = np.datetime64("2024-05-01") + rng.integers(0, 900, k).astype("timedelta64[D]")
    activities = pd.DataFrame({"account_id": ids[rng.integers(0, m, k)], "kind": "meeting", "happened_on": days(happened)})
    activities = activities.assign(outcome=rng.choice(["held", "no_show", "cancelled"], k, p=[0.7, 0.1, 0.2]))
    months = pd.date_range("2024-05-01", "2026-12-01", freq="MS")
    costs = pd.DataFrame({"month": days(months), "item": "all", "amount": 9000.0})
    signed = deals[won].drop_duplicates("account_id")
    bills = [
        signed[["account_id"]].assign(invoiced_on=days(signed["closed_on"] + pd.Timedelta(days=90 * q)).to_numpy())
        for q in range(8)
    ]
    invoices = pd.concat(bills, ignore_index=True).assign(amount=500.0)
    invoices = invoices[(rng.random(len(invoices)) < 0.8)].reset_index(drop=True)
    stages = pd.DataFrame({"deal_id": deals["deal_id"], "stage": "first", "changed_on": deals["opened_on"]})
    later = stages.assign(stage="second", changed_on=stages["changed_on"] + pd.Timedelta(days=30))
    moved = later[later["changed_on"] < deals["closed_on"]]
    tables = {"deals": deals, "accounts": accounts, "activities": activities, "costs": costs, "invoices": invoices}
    return tables | {"stage_changes": pd.concat([stages, moved], ignore_index=True)}


def book_of(tables, *, scores=None, as_of=AS_OF, horizon=120, known=KNOWN, **rules) -> Book:
    crm = CrmTables(tables, known, ReadReport((), pd.DataFrame()))
    return Book(crm, as_of, Terms(horizon, 0, 40), KpiSettings(**rules), scores=scores or {})


def periods_of(book: Book, most: int = 6):
    quarters = quarters_until(book.as_of, most=most, first=pd.Timestamp("2024-05-01"))
    return (*quarters, whole(quarters))
