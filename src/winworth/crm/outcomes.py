"""What came of the deals behind the examples, as far as the snapshot knows."""

import numpy as np
import pandas as pd

from winworth.crm.snapshot import Snapshot


def attach_outcomes(examples: pd.DataFrame, snapshot: Snapshot) -> pd.DataFrame:
    """Add what became of each example's deal: ended_on (NaT while open), won, and amount (missing unless won).

    The snapshot decides what is known: a deal that ends after its as-of date is still open here.
    """
    deals = snapshot["deals"].set_index("deal_id")
    of = deals.reindex(examples["deal_id"])
    won = (of["status"] == "won").to_numpy()
    ended = of["closed_on"] if "closed_on" in of else pd.Series(pd.NaT, index=of.index, dtype="datetime64[s]")
    amount = of["amount"] if "amount" in of else pd.Series(float("nan"), index=of.index)
    return examples.assign(
        status=of["status"].to_numpy(),
        ended_on=ended.to_numpy(),
        won=won,
        amount=amount.where(won).to_numpy(),
    )


def invoices_by_deal(snapshot: Snapshot, *, exclude_kinds: tuple[str, ...] = ()) -> pd.DataFrame:
    """Share each invoice among the account's deals won by its day, in proportion to their amounts.

    Deals of `exclude_kinds` take no share: what a renewal brings belongs to the deal that began it. Where a deal of the
    account has no amount above 0, its deals share alike. One row an invoice and deal: deal_id, account_id, invoiced_on,
    amount, and margin where the export has it. Invoices of accounts without a won deal by then are nobody's and left out;
    the others are shared to the last cent.

    >>> days = pd.to_datetime(["2026-01-05", "2026-02-01", "2026-03-01"]).astype("datetime64[s]")
    >>> deals = pd.DataFrame({"deal_id": ["D1", "D2"], "account_id": "A", "status": "won", "closed_on": days[[0, 2]],
    ...                       "amount": [100.0, 300.0]})
    >>> invoices = pd.DataFrame({"account_id": "A", "invoiced_on": days[1:], "amount": [50.0, 40.0]})
    >>> known = Snapshot({"deals": deals, "invoices": invoices}, {}, days[2].date())
    >>> invoices_by_deal(known)[["deal_id", "invoiced_on", "amount"]]
      deal_id invoiced_on  amount
    0      D1  2026-02-01    50.0
    1      D1  2026-03-01    10.0
    2      D2  2026-03-01    30.0
    """
    deals, money = snapshot["deals"], [name for name in ("amount", "margin") if name in snapshot["invoices"]]
    won = deals[(deals["status"] == "won") & deals["account_id"].notna()]
    won = won[~won["kind"].isin(exclude_kinds)] if "kind" in won else won
    size = won["amount"] if "amount" in won else pd.Series(np.nan, index=won.index)
    is_sized = (size > 0).groupby(won["account_id"]).transform("all")
    won = pd.DataFrame({"deal_id": won["deal_id"], "account_id": won["account_id"], "won_on": won["closed_on"]})
    won = won.assign(size=size.where(is_sized, 1.0))
    invoices = snapshot["invoices"][["account_id", "invoiced_on", *money]].reset_index(drop=True)
    shared = invoices.assign(invoice=invoices.index).merge(won, on="account_id")
    shared = shared[shared["won_on"] <= shared["invoiced_on"]]
    share = shared["size"] / shared.groupby("invoice")["size"].transform("sum")
    shared = shared.assign(**{name: shared[name] * share for name in money})
    shared = shared.sort_values(["invoice", "won_on", "deal_id"], ignore_index=True)
    return shared[["deal_id", "account_id", "invoiced_on", *money]]
