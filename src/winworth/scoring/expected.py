"""Expected value: what a customer still brings, and win probability x value if won of its deals, counted once."""

import numpy as np
import pandas as pd


def by_account(deals: pd.DataFrame) -> pd.DataFrame:
    """Make one row an account of one row a scored deal.

    The account shows its deal of highest expected value; its win probability is that any open deal is won. What it is
    worth counts once, as the highest value among the deals won: expected value is the sum over deals, from the highest
    value down, of value x win probability x the chance that none above is won; `lifetime_value` is that over the win
    probability. Where values are unknown deals are put in order by win probability. Rows are sorted by account; deals
    without an account are left out.

    >>> deals = pd.DataFrame({"account_id": ["A", "A"], "deal_id": ["D1", "D2"], "win_probability": [0.5, 0.5],
    ...                       "lifetime_value": [100.0, 60.0], "expected_value": [50.0, 30.0]})
    >>> by_account(deals)[["win_probability", "lifetime_value", "expected_value"]].round(2).values.tolist()
    [[0.75, 86.67, 65.0]]
    """
    known = deals[deals["account_id"].notna()]
    rank = known["expected_value"].fillna(known["win_probability"])
    ordered = known.assign(_rank=rank).sort_values(["account_id", "_rank", "deal_id"], ascending=[True, False, True])
    best = ordered.drop_duplicates("account_id").drop(columns="_rank").set_index("account_id")
    by_value = known.sort_values(["account_id", "lifetime_value", "deal_id"], ascending=[True, False, True])
    log_lost = np.log1p(-by_value["win_probability"].clip(upper=1 - 1e-12))
    none_above = np.exp(log_lost.groupby(by_value["account_id"]).cumsum() - log_lost)
    expected = (by_value["lifetime_value"] * by_value["win_probability"] * none_above).groupby(by_value["account_id"])
    any_won = -np.expm1(log_lost.groupby(by_value["account_id"]).sum().reindex(best.index))
    worth = expected.sum(min_count=1).reindex(best.index)
    return best.assign(win_probability=any_won, expected_value=worth, lifetime_value=worth / any_won).reset_index()


def with_residual(accounts: pd.DataFrame, residual: pd.Series) -> pd.DataFrame:
    """Add to each account what it still brings as a customer, whatever becomes of its deals.

    `residual` is money by account_id. Returns the accounts with `residual_value` (0 for who was never invoiced),
    `expected_value` = residual value + win probability x lifetime value, and `basis` customer where a customer has no open
    deal. Where no value is known for deals, `expected_value` stays empty.

    >>> accounts = pd.DataFrame({"account_id": ["A", "B"], "basis": ["next_deal", "open_deal"], "expected_value": [10.0, 65.0]})
    >>> with_residual(accounts, pd.Series({"A": 40.0}))
      account_id      basis  expected_value  residual_value
    0          A   customer            50.0            40.0
    1          B  open_deal            65.0             0.0
    """
    still = residual.reindex(accounts["account_id"]).fillna(0.0).to_numpy()
    is_idle = (accounts["basis"] == "next_deal") & (still > 0)
    basis = accounts["basis"].mask(is_idle, "customer")
    return accounts.assign(basis=basis, expected_value=accounts["expected_value"] + still, residual_value=still)
