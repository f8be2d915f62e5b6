"""A, B and C by the shares of accounts that the team has the capacity to work."""

from collections.abc import Mapping

import numpy as np
import pandas as pd


def assign_tiers(rank_by: pd.Series, account_ids: pd.Series, *, shares: Mapping[str, float]) -> pd.Series:
    """Return each account's tier: the highest share A is A, the next share B is B, the rest C.

    Ties are put in order by account id, so that the same accounts always get the same tiers. Shares are of all accounts;
    the number of A accounts is rounded down.

    >>> assign_tiers(pd.Series([5.0, 9.0, 5.0, 1.0]), pd.Series(list("bacd")), shares={"A": 0.25, "B": 0.25}).tolist()
    ['B', 'A', 'C', 'C']
    """
    order = np.lexsort((account_ids.to_numpy(dtype=object).astype(str), -rank_by.to_numpy(dtype=float)))
    n_a = int(shares["A"] * len(order) + 1e-9)
    n_b = int((shares["A"] + shares["B"]) * len(order) + 1e-9) - n_a
    tiers = np.empty(len(order), dtype=object)
    tiers[order] = ["A"] * n_a + ["B"] * n_b + ["C"] * (len(order) - n_a - n_b)
    return pd.Series(tiers, index=rank_by.index, dtype="str")
