"""What customers pay and what selling costs: subscriptions, their renewals and invoices, and costs by month."""

import numpy as np
import pandas as pd

from winworth.crm.synthetic import market
from winworth.crm.synthetic.plays import SEGMENT, Rollout, new_business

CHURN = np.array([0.02, 0.02, 0.02, 0.09] * 6)  # chance to leave at the end of each quarter; contracts last a year
DAYS_IN_QUARTER = 91
DAYS_IN_YEAR = 4 * DAYS_IN_QUARTER
RENEWAL_DAYS = 75  # a renewal is opened so long before the year ends
RENEWAL_SHARE = 0.06  # of all deals
DAY_WORKED = 16.0  # what a deal with a new account costs a day
MARGIN = (0.72, 0.06)  # mean and standard deviation of the share that is gross margin
COSTS = {"Salaires commerciaux": 62_000.0, "Marketing": 21_000.0, "Salons": 8_000.0, "Outils": 4_500.0}


def subscribe(rng: np.random.Generator, attempts: pd.DataFrame, today: int) -> pd.DataFrame:
    """Start a subscription with each deal won: from which day, for how many quarters it is paid, at what yearly amount."""
    won = attempts[attempts["won"] & (attempts["opened"] + attempts["days"] <= today)].reset_index(drop=True)
    return won.assign(start=won["opened"] + won["days"], n_quarters=quarters_paid(rng, len(won)))


def quarters_paid(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw for how many quarters each of `n` customers stays."""
    return 1 + (rng.random(n)[:, None] < np.cumprod(1 - CHURN)).sum(axis=1)


def draw_renewals(rng: np.random.Generator, subscriptions: pd.DataFrame, n: int, today: int) -> pd.DataFrame:
    """Draw up to `n` renewals, opened before the first year of a subscription ends; won where it goes on."""
    due = subscriptions["start"] + DAYS_IN_YEAR
    candidates = subscriptions[(subscriptions["n_quarters"] >= 4) & (due - RENEWAL_DAYS <= today)]
    picked = np.sort(rng.choice(len(candidates), min(n, len(candidates)), replace=False))
    renewals = candidates.iloc[picked].assign(
        opened=lambda of: of["start"] + DAYS_IN_YEAR - RENEWAL_DAYS,
        days=RENEWAL_DAYS,
        won=lambda of: of["n_quarters"] > 4,
        amount=lambda of: (of["amount"] * 1.03).round(),
        budget=lambda of: of["amount"],
        source="Client",
    )
    return renewals.assign(deal_id=market.numbered("R", len(renewals))).reset_index(drop=True)


def bill_subscriptions(subscriptions: pd.DataFrame) -> pd.DataFrame:
    """Bill each quarter that is paid, in advance: account, day, amount."""
    of = np.repeat(np.arange(len(subscriptions)), subscriptions["n_quarters"])
    quarter = np.arange(len(of)) - np.searchsorted(of, of)
    subscription = subscriptions.iloc[of]
    day = subscription["start"].to_numpy() + 10 + DAYS_IN_QUARTER * quarter
    amount = (subscription["amount"].to_numpy() / 4 * 1.03 ** (quarter // 4)).round(2)
    return pd.DataFrame({"account": subscription["account"].to_numpy(), "day": day, "amount": amount})


def draw_invoices(rng: np.random.Generator, bills: pd.DataFrame, today: int) -> pd.DataFrame:
    """Draw an invoice for each bill up to today, with its margin."""
    margin = (bills["amount"].to_numpy() * np.clip(rng.normal(*MARGIN, len(bills)), 0.4, 0.95)).round(2)
    invoices = bills.assign(margin=margin)
    sent = invoices[invoices["day"] <= today].sort_values(["day", "account"], kind="stable")
    return sent.assign(invoice_id=market.numbered("F", len(sent)), invoiced_on=market.dates(sent["day"]))


def draw_costs(rng: np.random.Generator, n_deals: int, today: int) -> pd.DataFrame:
    """Draw what selling cost in each month, growing with the business; the amounts are those of 6,000 deals.

    >>> draw_costs(np.random.default_rng(1), 6000, 20_634).tail(2)
             month    item    amount
    190 2026-06-01  Salons  19278.81
    191 2026-06-01  Outils  12409.59
    """
    last = np.datetime64(today, "D").astype("datetime64[M]")
    month = np.arange(last - 47, last + 1).astype("datetime64[D]").astype(int)
    growth = market.GROWTH ** np.linspace(0, 1, len(month)) * n_deals / 6000
    amount = np.outer(growth, list(COSTS.values())) * np.exp(rng.normal(0, 0.08, (len(month), len(COSTS))))
    return pd.DataFrame(
        {
            "month": market.dates(np.repeat(month, len(COSTS))),
            "item": list(COSTS) * len(month),
            "amount": amount.round(2).ravel(),
        }
    )


def draw_segment_costs(
    rng: np.random.Generator, attempts: pd.DataFrame, segment: np.ndarray, rollout: Rollout, today: int
) -> pd.DataFrame:
    """Draw what winning customers cost by month and segment: so much for each day that a deal with a new account is worked.

    A segment's cost of a day worked moves as the rollout says of its acquisition cost; each month has noise of its own.
    """
    new = attempts[new_business(attempts)]
    first = int(new["opened"].min())
    names, of = np.unique(segment[new["account"]], return_inverse=True)
    worked = np.zeros((len(names), today - first + 2))
    np.add.at(worked, (of, new["opened"].to_numpy() - first), 1)
    np.add.at(worked, (of, np.minimum(new["opened"] + new["days"], today + 1).to_numpy() - first), -1)
    days = np.cumsum(worked, axis=1)[:, :-1]
    month = np.arange(first, today + 1).astype("datetime64[D]").astype("datetime64[M]")
    months, at = np.unique(month, return_inverse=True)
    start = months.astype("datetime64[D]").astype(int)
    rows = []
    for name, own in zip(names, days, strict=True):
        amount = DAY_WORKED * np.bincount(at, own) * rollout.times("acquisition_cost", np.full(len(start), name), start)
        noise = np.exp(rng.normal(0, 0.08, (len(start), len(COSTS))))
        by_item = np.outer(amount, np.array(list(COSTS.values())) / sum(COSTS.values())) * noise
        rows.append(
            pd.DataFrame(
                {
                    "month": market.dates(np.repeat(start, len(COSTS))),
                    "item": list(COSTS) * len(start),
                    SEGMENT: name,
                    "amount": by_item.round(2).ravel(),
                }
            )
        )
    return pd.concat(rows, ignore_index=True).sort_values(["month", SEGMENT], kind="stable", ignore_index=True)
