"""The rows: deals observed at a few ages to learn from, and what is open on the as-of date to score."""

import numpy as np
import pandas as pd

from winworth.crm.snapshot import Snapshot

COLUMNS = ["deal_id", "account_id", "observed_on", "age_days", "quarter"]


def training_examples(
    snapshot: Snapshot, *, observe_at_days: tuple[int, ...] = (0, 30, 90, 180), exclude_kinds: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Observe each deal on the day it opened and at later ages while it was still open.

    One row an example, sorted by account, deal and day: deal_id, account_id, observed_on, age_days, quarter, weight. Every
    example weighs 1: a weight shared by a deal's examples would depend on how long the deal went on to live, and the young
    examples of those that were won late would count too little. Intervals draw whole accounts. A deal that ended on the
    day it opened has no example. Without dates each closed deal is one example with observed_on missing.
    """
    deals = _in_scope(snapshot["deals"], exclude_kinds)
    if not snapshot.has_dates:
        rows = _observed(deals[deals["status"] != "open"], None)
        return rows.assign(weight=1.0).sort_values(["account_id", "deal_id"], ignore_index=True)
    ages = [_observed(deals, days) for days in sorted(observe_at_days)]
    rows = pd.concat(ages, ignore_index=True)
    rows = rows[rows["observed_on"] <= pd.Timestamp(snapshot.as_of)]
    rows = rows.sort_values(["account_id", "deal_id", "observed_on"], ignore_index=True)
    return rows.assign(weight=1.0)


def scoring_examples(snapshot: Snapshot, *, exclude_kinds: tuple[str, ...] = ()) -> pd.DataFrame:
    """List what can be scored on the as-of date: each open deal, and each account without one as its next deal.

    The rows have the columns of `training_examples` but weight, and `basis`: open_deal, or next_deal with deal_id missing.
    """
    deals = _in_scope(snapshot["deals"], exclude_kinds)
    rows = _observed(deals[deals["status"] == "open"], None).assign(basis="open_deal")
    day = pd.Timestamp(snapshot.as_of)
    if snapshot.has_dates:
        opened = deals.set_index("deal_id")["opened_on"].reindex(rows["deal_id"]).to_numpy()
        rows = rows.assign(observed_on=day.as_unit("s"), age_days=(day - pd.Series(opened)).dt.days.astype(float))
    if "accounts" in snapshot:
        accounts = snapshot["accounts"]["account_id"]
        idle = accounts[~accounts.isin(rows["account_id"])]
        following = pd.DataFrame({"account_id": idle, "observed_on": day.as_unit("s"), "age_days": 0.0, "basis": "next_deal"})
        rows = pd.concat([rows, following.assign(deal_id=pd.Series(np.nan, index=idle.index, dtype="str"))], ignore_index=True)
    rows = rows.assign(quarter=_quarter(rows["observed_on"]))
    return rows.sort_values(["account_id", "deal_id"], ignore_index=True)


def closed_on_first_day(snapshot: Snapshot) -> int:
    """Count the deals that ended on the day they opened: there was no day on which to predict them."""
    if not snapshot.has_dates:
        return 0
    deals = snapshot["deals"]
    return int((deals["closed_on"] <= deals["opened_on"]).sum())


def _in_scope(deals: pd.DataFrame, exclude_kinds: tuple[str, ...]) -> pd.DataFrame:
    if "account_id" not in deals.columns:
        deals = deals.assign(account_id=pd.Series(np.nan, index=deals.index, dtype="str"))
    return deals[~deals["kind"].isin(exclude_kinds)] if "kind" in deals.columns else deals


def _observed(deals: pd.DataFrame, age: int | None) -> pd.DataFrame:
    """Observe deals that are still open at an age; at no age in particular where there are no dates."""
    rows = deals[["deal_id", "account_id"]].reset_index(drop=True)
    if age is None:
        none = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[s]")
        return rows.assign(observed_on=none, age_days=np.nan, quarter=_quarter(none))
    observed_on = (deals["opened_on"] + pd.Timedelta(days=age)).reset_index(drop=True)
    ended = deals["closed_on"].reset_index(drop=True)
    rows = rows.assign(observed_on=observed_on, age_days=float(age), quarter=_quarter(observed_on))
    return rows[~(ended <= observed_on)]


def _quarter(days: pd.Series) -> pd.Series:
    quarter = days.dt.quarter
    return ("Q" + quarter.astype("Int64").astype("str")).where(quarter.notna()).astype("str")
