"""Columns of deals that are filled in when a deal ends: their being empty would tell the outcome."""

import pandas as pd

from winworth.crm.snapshot import Snapshot
from winworth.features.catalog import Catalog

LARGEST_GAP = 0.2
LEAST_OPEN = 20


def filled_late(snapshot: Snapshot, catalog: Catalog) -> dict[str, tuple[float, float]] | None:
    """Return the columns that features lean on whose missing share differs by more than .2 between open and closed deals.

    By column: the share missing among open deals, and among closed ones. The account a deal belongs to counts as soon as
    any feature reads past it. Returns None, not measured, where fewer than 20 deals are open.
    """
    deals = snapshot["deals"]
    is_open = deals["status"] == "open"
    if is_open.sum() < LEAST_OPEN or not (~is_open).any():
        return None
    specs = catalog.features.values()
    columns = {spec.column for spec in specs if spec.verb == "value" and spec.reads == "deals"}
    if any(spec.reads not in ("deals", "example") or spec.verb != "value" for spec in specs):
        columns.add("account_id")
    late = {}
    for column in sorted(columns & set(deals.columns)):
        missing: pd.Series = deals[column].isna()
        shares = float(missing[is_open].mean()), float(missing[~is_open].mean())
        if abs(shares[0] - shares[1]) > LARGEST_GAP:
            late[column] = shares
    return late
