"""Expected value: win probability x value if won, for deals and for the accounts they belong to."""

import numpy as np
import pandas as pd


def by_account(deals: pd.DataFrame) -> pd.DataFrame:
    """Make one row an account of one row a scored deal.

    The account shows its deal of highest expected value; its win probability is that any open deal is won, and what it is
    worth if won counts once. Where values are unknown deals are put in order by win probability. Rows are sorted by
    account; deals without an account are left out.
    """
    known = deals[deals["account_id"].notna()]
    rank = known["expected_value"].fillna(known["win_probability"])
    ordered = known.assign(_rank=rank).sort_values(["account_id", "_rank", "deal_id"], ascending=[True, False, True])
    best = ordered.drop_duplicates("account_id").drop(columns="_rank").set_index("account_id")
    none_won = np.log1p(-known["win_probability"].clip(upper=1 - 1e-12)).groupby(known["account_id"]).sum()
    any_won = -np.expm1(none_won.reindex(best.index))
    best = best.assign(win_probability=any_won, expected_value=any_won * best["lifetime_value"])
    return best.reset_index()
