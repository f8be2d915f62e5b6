"""A, B and C by the shares of accounts that the team has the capacity to work."""

from collections.abc import Mapping

import numpy as np
import pandas as pd


def assign_tiers(
    rank_by: pd.Series, account_ids: pd.Series, *, shares: Mapping[str, float], cost: Mapping[str, float] | None = None
) -> pd.Series:
    """Return each account's tier: the highest share A is A, the next share B is B, the rest C.

    Ties are put in order by account id, so that the same accounts always get the same tiers. Shares are of all accounts;
    the number of A accounts is rounded down. Where `rank_by` is money and serving an account of a tier costs more than it is
    expected to bring, the account stands in the next tier that it pays for; nobody moves up in its place.

    >>> assign_tiers(pd.Series([5.0, 9.0, 5.0, 1.0]), pd.Series(list("bacd")), shares={"A": 0.25, "B": 0.25}).tolist()
    ['B', 'A', 'C', 'C']
    >>> half = {"A": 0.5, "B": 0.5}
    >>> assign_tiers(pd.Series([900.0, 80.0]), pd.Series(list("ab")), shares=half, cost={"A": 500, "B": 100}).tolist()
    ['A', 'C']
    """
    order = np.lexsort((account_ids.to_numpy(dtype=object).astype(str), -rank_by.to_numpy(dtype=float)))
    n_a = int(shares["A"] * len(order) + 1e-9)
    n_b = int((shares["A"] + shares["B"]) * len(order) + 1e-9) - n_a
    tiers = np.empty(len(order), dtype=object)
    tiers[order] = ["A"] * n_a + ["B"] * n_b + ["C"] * (len(order) - n_a - n_b)
    worth = rank_by.to_numpy(dtype=float)
    for tier, below in (("A", "B"), ("B", "C")) if cost else ():
        tiers[(tiers == tier) & (worth < cost[tier])] = below
    return pd.Series(tiers, index=rank_by.index, dtype="str")
