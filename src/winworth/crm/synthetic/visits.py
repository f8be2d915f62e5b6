"""Distributors that order as they are visited: hours by account and quarter, and what is ordered in answer to them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.crm.synthetic import market
from winworth.crm.synthetic.billing import DAYS_IN_QUARTER
from winworth.crm.synthetic.plays import SEGMENT, Rollout

ELASTICITY = {"Fort": 0.45, "Moyen": 0.25, "Faible": 0.08}  # by how many per cent orders grow for one per cent more hours
LEVEL = {"Fort": 1.3, "Moyen": 1.0, "Faible": 0.75}  # of orders
GIVING = "Faible"  # the segment that hours are taken from
LOG_HOURS = (1.7, 0.5)  # a quarter and account; and how accounts differ
WITHIN = 0.5  # how an account's quarters differ, in the log of hours
NOISE = 0.35  # and of orders
SEASON = (1.0, 1.05, 0.8, 1.15)  # of orders, January first
HOURS_A_VISIT = 2.5
MISSED = {"held": 0.84, "cancelled": 0.09, "no_show": 0.07}
ORDERS = {"Mensuelle": 3, "Trimestrielle": 1}  # a quarter


@dataclass(frozen=True)
class Visited:
    """Hours and orders of each customer and calendar quarter: account, cadence, first and last day in it, hours, orders.

    `given` is by what share the orders of the giving segment move, as hours are taken from it.
    """

    quarters: pd.DataFrame
    given: float


def draw_quarters(
    rng: np.random.Generator, subscriptions: pd.DataFrame, accounts: pd.DataFrame, rollout: Rollout, today: int
) -> Visited:
    """Draw what each customer is visited and orders in each calendar quarter while it stays.

    Orders answer hours by the elasticity of the zone. The rollout moves the hours that bring the orders it promises, and takes
    as many from the giving segment, whose orders fall as its own small elasticity says.
    """
    start = subscriptions["start"].to_numpy()
    end = np.minimum(start + DAYS_IN_QUARTER * subscriptions["n_quarters"].to_numpy() - 1, today)
    bounds = _quarter_starts(int(start.min()), today)
    of, at = np.nonzero((start[:, None] < bounds[1:]) & (end[:, None] >= bounds[:-1]))
    account = subscriptions["account"].to_numpy()[of]
    own = accounts.iloc[account]
    elasticity = own["potential"].map(ELASTICITY).to_numpy()
    usual = np.exp(rng.normal(*LOG_HOURS, len(accounts)))[account] * own["potential"].map(LEVEL).to_numpy()
    moved, left = _moved_hours(rollout, own[SEGMENT].to_numpy(), usual, elasticity, bounds[at])
    times = np.exp(rng.normal(0, WITHIN, len(of))) * moved
    first, last = np.maximum(start[of], bounds[at]), np.minimum(end[of], bounds[at + 1] - 1)
    share = (last - first + 1) / (bounds[at + 1] - bounds[at])
    season = np.take(SEASON, bounds[at].astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 // 3)
    level = subscriptions["amount"].to_numpy()[of] / 4 * own["potential"].map(LEVEL).to_numpy()
    orders = level * season * share * times**elasticity * np.exp(rng.normal(-(NOISE**2) / 2, NOISE, len(of)))
    rows = {"account": account, "first": first, "last": last, "hours": usual * times * share, "orders": orders}
    return Visited(pd.DataFrame(rows).assign(cadence=own["cadence"].to_numpy()), left ** ELASTICITY[GIVING] - 1)


def draw_orders(rng: np.random.Generator, quarters: pd.DataFrame) -> pd.DataFrame:
    """Cut each quarter's orders into the invoices of its cadence: account, day, amount."""
    n = quarters["cadence"].map(ORDERS).to_numpy()
    of = np.repeat(np.arange(len(quarters)), n)
    part = rng.gamma(8.0, 1.0, len(of))
    part /= np.bincount(of, part)[of]
    first, last = (quarters[name].to_numpy()[of] for name in ("first", "last"))
    day = first + (rng.random(len(of)) * (last - first + 1)).astype(int)
    amount = (quarters["orders"].to_numpy()[of] * part).round(2)
    return pd.DataFrame({"account": quarters["account"].to_numpy()[of], "day": day, "amount": amount})


def draw_visits(rng: np.random.Generator, quarters: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Draw the visits that the hours of each quarter were spent on, and some that were cancelled or found nobody.

    They are rows of activities, entered on their day; whom they were with is the account's first contact, if known by then.
    """
    n_held = np.maximum(np.ceil(quarters["hours"].to_numpy() / HOURS_A_VISIT), 1).astype(int)
    n_missed = rng.poisson(n_held * (1 / MISSED["held"] - 1))
    of = np.repeat(np.arange(len(quarters)), n_held + n_missed)
    place = np.arange(len(of)) - np.searchsorted(of, of)
    is_held = place < n_held[of]
    first, last = (quarters[name].to_numpy()[of] for name in ("first", "last"))
    no_show = rng.random(len(of)) < MISSED["no_show"] / (1 - MISSED["held"])
    account, day = quarters["account"].to_numpy()[of], first + (rng.random(len(of)) * (last - first + 1)).astype(int)
    someone = contacts.drop_duplicates("account").set_index("account")[["contact_id", "known"]].reindex(account)
    visits = pd.DataFrame(
        {
            "account": account,
            "day": day,
            "kind": "meeting",
            "outcome": np.where(is_held, "held", np.where(no_show, "no_show", "cancelled")),
            "hours": np.where(is_held, (quarters["hours"].to_numpy() / n_held)[of].round(2), np.nan),
            "deal_id": None,
            "contact_id": someone["contact_id"].where(someone["known"] <= day).to_numpy(),
        }
    ).sort_values(["day", "account"], kind="stable", ignore_index=True)
    on = market.dates(visits["day"])
    return visits.assign(activity_id=market.numbered("V", len(visits)), happened_on=on, known_on=on)


def _moved_hours(
    rollout: Rollout, segment: np.ndarray, usual: np.ndarray, elasticity: np.ndarray, day: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return by what hours are multiplied in each quarter, and what share the giving segment keeps; their sum stays."""
    times = rollout.times("revenue", segment, day) ** (1 / elasticity)
    gives = (day >= market.epoch_day(rollout.split)) & (segment == GIVING)
    left = 1 - float((usual * (times - 1)).sum()) / max(float(usual[gives].sum()), 1e-9)
    return np.where(gives, left, times), left


def _quarter_starts(first: int, last: int) -> np.ndarray:
    """Return the first days of the calendar quarters from that of `first` to the one after that of `last`."""
    months = np.array([first, last], dtype="datetime64[D]").astype("datetime64[M]").astype(int) // 3 * 3
    return np.arange(months[0], months[1] + 4, 3).astype("datetime64[M]").astype("datetime64[D]").astype(int)
