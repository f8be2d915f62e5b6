"""How long deals take and what they bring, by group of accounts: open deals censored, intervals by account."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from winworth.models.censoring import Histories
from winworth.models.incidence import cumulative_incidence
from winworth.models.metrics import Figure, account_draws

LEAST = 10  # deals below which a figure is hidden, and accounts below which it has no interval
_OPEN = 2**40


def cycles_and_baskets(deals: pd.DataFrame, *, day: int, seed: int, n_boot: int = 200) -> pd.DataFrame:
    """Return by group how many deals there are, their median cycle and what those won brought.

    `deals` has one row a deal: group, account (any codes), opened and ended (days since 1970, NaN while open), won (bool) and
    amount (NaN unknown; 0 counts as unknown). `cycle_days` is the median days from opening to the end, won or lost, by Kaplan
    and Meier, deals still open on `day` censored: the median of closed deals alone is too short. `basket_mean` and
    `basket_median` are of the amounts of won deals, `top_share` the largest one's share of their total. Each is a Figure, the
    first three with a 95 % interval over accounts, or none over fewer than ten; NaN where fewer than ten deals are behind it,
    or where half of them never ended.

    >>> deals = pd.DataFrame({"group": "PME", "account": range(20), "opened": 0.0, "won": [True] * 11 + [False] * 9,
    ...                       "ended": [10.0] * 9 + [30.0] * 2 + [np.nan] * 9, "amount": 100.0})
    >>> told = cycles_and_baskets(deals, day=90, seed=0).loc["PME"]
    >>> told["cycle_days"].value, told["basket_mean"].value, round(told["top_share"].value, 2), int(told["n_deals"])
    (30.0, 100.0, 0.09, 20)
    """
    told = {}
    for group, own in deals[deals["opened"].notna()].groupby("group", sort=True):
        won = own[own["won"] & (own["amount"] > 0)]
        amount, whose = won["amount"].to_numpy(dtype=float), won["account"].to_numpy()
        how = {"seed": seed, "n_boot": n_boot}
        told[group] = {
            "n_deals": len(own),
            "n_won": int(own["won"].sum()),
            "cycle_days": _cycle(own, day, **how),
            "basket_mean": by_account(lambda rows, amount=amount: float(amount[rows].mean()), whose, **how),
            "basket_median": by_account(lambda rows, amount=amount: float(np.median(amount[rows])), whose, **how),
            "top_share": _top_share(amount),
        }
    return pd.DataFrame.from_dict(told, orient="index")


def cycles_record(table: pd.DataFrame) -> dict[str, dict]:
    """Return what `cycles_and_baskets` told for metrics.json, by group."""
    return {str(group): {n: _plain(v) for n, v in row.items()} for group, row in table.to_dict("index").items()}


def _cycle(deals: pd.DataFrame, day: int, *, seed: int, n_boot: int) -> Figure:
    opened = deals["opened"].to_numpy().astype(np.int64)
    ended = deals["ended"].fillna(_OPEN).to_numpy().astype(np.int64)
    histories = Histories(opened, ended, deals["won"].to_numpy(dtype=bool))

    def median(rows: np.ndarray) -> float:
        found = cumulative_incidence(histories.take(rows), day=day)
        closed = np.flatnonzero(found.won + found.lost >= 0.5 - 1e-12)
        return float(found.days[closed[0]]) if len(closed) else np.nan

    return by_account(median, deals["account"].to_numpy(), seed=seed, n_boot=n_boot)


def _top_share(amount: np.ndarray) -> Figure:
    """Return the largest amount's share; it has no interval, as a bootstrap never draws a larger one than was seen."""
    n = len(amount)
    return Figure(float(amount.max() / amount.sum()) if n >= LEAST else np.nan, np.nan, np.nan, n)


def by_account(measure: Callable[[np.ndarray], float], accounts: np.ndarray, *, seed: int, n_boot: int) -> Figure:
    """Measure rows by their places, and whole accounts drawn with replacement: a Figure, hidden below ten rows and without
    an interval below ten accounts.
    """
    n = len(accounts)
    if n < LEAST:
        return Figure(np.nan, np.nan, np.nan, n)
    draws = account_draws(accounts, seed=seed, n_boot=n_boot)
    drawn = np.array([measure(np.repeat(np.arange(n), counts.astype(int))) for counts in draws])
    finite = drawn[np.isfinite(drawn)]
    is_told = len(finite) > 0.9 * n_boot and len(np.unique(accounts)) >= LEAST
    low, high = np.quantile(finite, [0.025, 0.975]) if is_told else (np.nan, np.nan)
    return Figure(measure(np.arange(n)), float(low), float(high), n)


def _plain(value: Figure | Mapping | float) -> object:
    return value.to_dict() if isinstance(value, Figure) else int(value)
