"""When customers left, as far as the as-of date tells: by the end of their contract, or by a silence too long for them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.errors import DataError, listed
from winworth.models.purchases import DAYS_IN_MONTH, Purchases

NEVER = float("inf")


@dataclass(frozen=True)
class Endings:
    """By account: the day it left (days since 1970, infinite where it has not), and the day until which that is known.

    `basis` is "contract", "silence", or "purchases" where leaving cannot be told and only what is bought counts.
    """

    basis: str
    day: np.ndarray
    known_until: np.ndarray


def by_contract(purchases: Purchases, contract_ends: pd.Series) -> Endings:
    """Read the ends of contracts by account_id (NaT: it runs); an end after the as-of date is not known yet.

    Raises DataError where an account of the log has no entry.
    """
    lacking = purchases.accounts.difference(contract_ends.index)
    if len(lacking):
        raise DataError(
            f"contract_ends lacks {len(lacking)} of {len(purchases.accounts)} accounts of the log: {listed(lacking)}. Give "
            "each account one entry, NaT where its contract runs."
        )
    if twice := contract_ends.index[contract_ends.index.duplicated()].tolist():
        raise DataError(f"contract_ends names {len(twice)} accounts twice: {listed(twice)}. Keep the latest end of each.")
    ends = contract_ends.reindex(purchases.accounts)
    days = ends.where(ends <= purchases.as_of).to_numpy().astype("datetime64[D]")
    day = np.where(np.isnat(days), NEVER, days.astype(np.int64).astype(float))
    return Endings("contract", day, np.full(len(day), float(purchases.day_of(0))))


def by_silence(purchases: Purchases, *, least_months: float) -> Endings:
    """Let an account have left at its last purchase where it has been silent for longer than its own rhythm allows.

    Allowed is the 95 % point of its gaps, or `least_months` where that is longer or there is no gap. Whether it
    had left by a day is known only where the allowed silence has passed since that day.
    """
    today = float(purchases.day_of(0))
    allowed = np.fmax(purchases.longest_gap, least_months * DAYS_IN_MONTH)
    last = last_purchase(purchases, 0)
    return Endings("silence", np.where(today - last > allowed, last, NEVER), today - allowed)


def by_purchases(purchases: Purchases) -> Endings:
    """Let nobody leave: what a customer buys next, often nothing, is learnt as it is."""
    n = len(purchases.accounts)
    return Endings("purchases", np.full(n, NEVER), np.full(n, float(purchases.day_of(0))))


def last_purchase(purchases: Purchases, month: int) -> np.ndarray:
    """Return the day of each account's last purchase up to the end of a month, NaN without one."""
    starts, ends = purchases.starts(), purchases.position(month)
    bounds = np.column_stack([starts, np.maximum(ends, starts)]).ravel()
    last = np.fmax.reduceat(np.append(purchases.last_day, np.nan), bounds)[::2] if len(bounds) else np.zeros(0)
    return np.where(ends > starts, last, np.nan)
