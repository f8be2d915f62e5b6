"""Customers who started at different times: what each brings in two years is known here, and mostly not yet on the day.

Customers started 1 to 36 months ago. A total observed to date is too low for all who started less than two years ago; by
how much more for large accounts depends on whether they are the recent ones.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

AS_OF = date(2025, 12, 31)
N_MONTHS = 36  # in which customers start, up to the as-of date
MONTHS = 24  # of the value that is asked for
LEAVES = 0.02  # monthly chance to leave of an account of middle size, past its first half year
EARLY = 2.0  # how many times higher that chance is in the first half year
ANNIVERSARY = 4.0  # and in the month in which a contract's year ends
SPREAD_OF_LEVELS = 0.5  # standard deviation of the log of what accounts of one size bring a month
SPREAD_OF_MONTHS = 0.25  # and of what one account brings from month to month


@dataclass(frozen=True)
class StaggeredCustomers:
    """An invoice log that runs on after the as-of date, what is known of each account, and the truth.

    `log` has account_id, invoiced_on, amount and margin, an invoice a month; `accounts` has `size` and `sector` by
    account_id; `contract_ends` the day each account's contract ended, NaT where it outlives the world; `total` the margin
    of the first 24 months by account_id, undiscounted, and `residual` that of the 24 months after the as-of date.
    """

    log: pd.DataFrame
    accounts: pd.DataFrame
    contract_ends: pd.Series
    total: pd.Series
    residual: pd.Series


def staggered_customers(*, n_accounts: int = 2000, big_are_recent: bool = False, seed: int) -> StaggeredCustomers:
    """Draw customers who start evenly over 36 months; `big_are_recent` lets large accounts start last, by and large.

    >>> world = staggered_customers(n_accounts=500, seed=1)
    >>> known = world.log[world.log["invoiced_on"] <= pd.Timestamp(AS_OF)]
    >>> bool(known["margin"].sum() < 0.9 * world.total.sum())
    True
    """
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n_accounts)
    start = _starts(rng, size, big_are_recent)
    n_paid = _months_paid(rng, size)
    level = np.exp(6 + 0.8 * size + SPREAD_OF_LEVELS * rng.normal(size=n_accounts))
    of = np.repeat(np.arange(n_accounts), n_paid)
    since = np.arange(len(of)) - np.searchsorted(of, of)
    amount = (level[of] * np.exp(SPREAD_OF_MONTHS * rng.normal(size=len(of)))).round(2)
    ids = np.array([f"A{at:05d}" for at in range(n_accounts)])
    day = rng.integers(1, 28, n_accounts)
    margin = (0.7 * amount).round(2)
    log = pd.DataFrame(
        {"account_id": ids[of], "invoiced_on": _on(start[of] + since, day[of]), "amount": amount, "margin": margin}
    )
    ends = pd.Series(_on(start + n_paid, day), ids).where(n_paid < N_MONTHS + 2 * MONTHS)
    accounts = pd.DataFrame({"size": size, "sector": np.where(size + rng.normal(size=n_accounts) > 0, "steel", "retail")}, ids)
    month = start[of] + since
    total = np.bincount(of, margin * (since < MONTHS), minlength=n_accounts)
    residual = np.bincount(of, margin * ((month > 0) & (month <= MONTHS)), minlength=n_accounts)
    return StaggeredCustomers(log, accounts, ends, pd.Series(total, ids), pd.Series(residual, ids))


def _starts(rng: np.random.Generator, size: np.ndarray, big_are_recent: bool) -> np.ndarray:
    """Return the month in which each account starts: 0 is the month that ends on the as-of date, -35 the first."""
    by = size + 0.7 * rng.normal(size=len(size)) if big_are_recent else rng.random(len(size))
    rank = np.argsort(np.argsort(by))
    return rank * N_MONTHS // len(size) - (N_MONTHS - 1)


def _months_paid(rng: np.random.Generator, size: np.ndarray) -> np.ndarray:
    """Return how many months each account pays before it leaves, as far as the world lasts."""
    month = np.arange(1, N_MONTHS + 2 * MONTHS + 1)
    rate = LEAVES * np.where(month <= 6, EARLY, 1.0) * np.where(month % 12 == 0, ANNIVERSARY, 1.0)
    stays = rng.random((len(size), len(month))) >= np.exp(-0.3 * size)[:, None] * rate
    return np.where(stays.all(axis=1), len(month), 1 + np.argmin(stays, axis=1))


def _on(month: np.ndarray, day: np.ndarray) -> np.ndarray:
    first = (np.datetime64(AS_OF, "M") + month).astype("datetime64[D]")
    return (first + (day - 1)).astype("datetime64[s]")
