"""A company of a trade whose plays change on a day: what is different from the demo company, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from winworth.crm.synthetic import billing
from winworth.crm.synthetic.plays import SEGMENT, Rollout, new_business
from winworth.crm.synthetic.trades import Trade
from winworth.crm.synthetic.truth import LOG_AMOUNT
from winworth.crm.synthetic.upsells import bill_upsells, draw_upsells
from winworth.crm.synthetic.visits import GIVING, Visited, draw_orders, draw_quarters


@dataclass(frozen=True)
class Plan:
    """A trade, and the change of its plays."""

    trade: Trade
    rollout: Rollout


@dataclass(frozen=True)
class Sold:
    """What customers buy after their first deal: upsells as deals, what is billed, who is visited, and all that moved."""

    bills: pd.DataFrame
    upsells: tuple[pd.DataFrame, ...] = ()
    visited: Visited | None = None
    planted: Mapping[tuple[str, str], float] = field(default_factory=dict)


def moved_outcomes(plan: Plan | None, accounts: pd.DataFrame, attempts: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return by what the chance to win an attempt, and the days it stays open, are multiplied; nothing without a plan."""
    if plan is None:
        return {}
    segment, opened = accounts[SEGMENT].to_numpy()[attempts["account"]], attempts["opened"].to_numpy()
    return {outcome: plan.rollout.times(outcome, segment, opened) for outcome in ("won", "days_open")}


def kept_attempts(plan: Plan | None, attempts: pd.DataFrame) -> pd.DataFrame:
    """Leave out attempts at accounts that are customers already where the trade sells on to them in another way."""
    if plan is None or not plan.trade.sells_on:
        return attempts
    return attempts[new_business(attempts)].reset_index(drop=True)


def with_established(rng: np.random.Generator, subscriptions: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Add to the subscriptions those of accounts that were customers before the first deal, from the day they were created."""
    old = np.flatnonzero(accounts["established"])
    amount = np.exp(rng.normal(*LOG_AMOUNT, len(old))).round()
    start = accounts["created"].to_numpy()[old]
    known = pd.DataFrame({"account": old, "start": start, "n_quarters": billing.quarters_paid(rng, len(old)), "amount": amount})
    return pd.concat([subscriptions[list(known)], known], ignore_index=True)


def sell_on(
    plan: Plan | None, rng: np.random.Generator, subscriptions: pd.DataFrame, accounts: pd.DataFrame, today: int
) -> Sold:
    """Sell on to customers as the trade does."""
    if plan is None:
        return Sold(billing.bill_subscriptions(subscriptions))
    planted = dict(plan.rollout.planted)
    if plan.trade.has_visits:
        visited = draw_quarters(rng, with_established(rng, subscriptions, accounts), accounts, plan.rollout, today)
        planted[GIVING, "revenue"] = visited.given
        return Sold(draw_orders(rng, visited.quarters), visited=visited, planted=planted)
    bills = billing.bill_subscriptions(subscriptions)
    if not plan.trade.upsells:
        return Sold(bills, planted=planted)
    segment = accounts[SEGMENT].to_numpy()
    upsells = draw_upsells(rng, subscriptions, segment, plan.trade.upsells, plan.rollout, today)
    return Sold(pd.concat([bills, bill_upsells(upsells)], ignore_index=True), (upsells,), planted=planted)
