"""What happens around accounts and deals: contacts, technologies, activities and stages, none dated after today.

What the buyers do follows their interest and never the outcome; the outcome follows the interest too.
"""

import numpy as np
import pandas as pd

from winworth.crm.synthetic import market
from winworth.crm.synthetic.truth import SIGNALS

ROLES = {"user": 0.24, "decider": 0.22, "influencer": 0.18, "it": 0.14, "buyer": 0.10, "finance": 0.08, "legal": 0.04}
SENIOR = ("decider", "finance")
TOOLS = ("ERP", "CRM", "BI", "iPaaS", "RPA", "EDI", "Entrepôt de données", "Marketing automation")
OF_BUYERS = {"page_view": 0.52, "email_reply": 0.28, "meeting": 0.20}
OF_SELLERS = {"email_out": 0.6, "call": 0.4}
SELLER_RATE = 0.03  # mails and calls a day
MEETINGS = {"held": 0.82, "cancelled": 0.11, "no_show": 0.07}
HOURS = {"meeting": 1.5, "call": 0.4, "email_out": 0.1, "email_reply": 0.1}
LOGGED_LATE = 0.12  # share of activities entered 1 to 20 days after they happened
NEXT_INTEREST = -0.5  # accounts that nobody sells to now are a little less keen
STAGES = ("discovery", "qualification", "proposal", "negotiation")
DAYS_IN_STAGE = 13.0
_FAR = 10**6  # more days than any date, so that account and day fit one sorted key


def draw_contacts(rng: np.random.Generator, accounts: pd.DataFrame, attempts: pd.DataFrame, today: int) -> pd.DataFrame:
    """Draw the people known at each account: some from the start, some around the opening of a deal."""
    first = np.repeat(np.arange(len(accounts)), 1 + rng.poisson(2.4, len(accounts)))
    met = np.repeat(np.arange(len(attempts)), rng.poisson(0.6, len(attempts)))
    account = np.concatenate([first, attempts["account"].to_numpy()[met]])
    created = accounts["created"].to_numpy()[first] + rng.exponential(40, len(first)).astype(int)
    around = attempts["opened"].to_numpy()[met] + rng.integers(-20, 40, len(met))
    role = market.level(rng, ROLES, len(account))
    contacts = pd.DataFrame({"account": account, "role": role, "known": np.concatenate([created, around])})
    seniority = np.where(np.isin(role, SENIOR), "Direction", np.where(role == "user", "Équipe", "Encadrement"))
    known = contacts.assign(seniority=seniority).query("known <= @today").sort_values(["known", "account"], kind="stable")
    return known.assign(contact_id=market.numbered("C", len(known)), known_on=market.dates(known["known"]))


def count_deciders(contacts: pd.DataFrame, attempts: pd.DataFrame) -> np.ndarray:
    """Count the deciders known at each attempt's account when it opened."""
    deciders = contacts[contacts["role"] == "decider"]
    keys = np.sort(deciders["account"].to_numpy() * _FAR + deciders["known"].to_numpy())
    start = attempts["account"].to_numpy() * _FAR
    return np.searchsorted(keys, start + attempts["opened"].to_numpy(), "right") - np.searchsorted(keys, start)


def draw_technologies(rng: np.random.Generator, accounts: pd.DataFrame, today: int) -> pd.DataFrame:
    """Draw the tools seen at each account: the more automated, the more of them."""
    chance = 0.08 + 0.15 * (accounts["automation_level"].to_numpy() - 1)
    account, tool = np.nonzero(rng.random((len(accounts), len(TOOLS))) < chance[:, None])
    seen = accounts["created"].to_numpy()[account] + rng.exponential(30, len(account)).astype(int)
    technologies = pd.DataFrame({"account": account, "technology": np.array(TOOLS)[tool], "seen_on": market.dates(seen)})
    return technologies[seen <= today]


def draw_lead_up(rng: np.random.Generator, attempts: pd.DataFrame) -> pd.DataFrame:
    """Draw what happened in the 90 days up to the opening of each attempt, its day included."""
    start = attempts["opened"].to_numpy() - market.LOOK_AHEAD_DAYS + 1
    return _happenings(rng, attempts, start, np.full(len(attempts), market.LOOK_AHEAD_DAYS)).assign(deal_id=None)


def draw_follow_up(rng: np.random.Generator, attempts: pd.DataFrame, today: int) -> pd.DataFrame:
    """Draw what happened from the day after the opening to the end of each attempt."""
    n_days = np.minimum(attempts["days"], today - attempts["opened"]).to_numpy()
    happenings = _happenings(rng, attempts, attempts["opened"].to_numpy() + 1, n_days)
    return happenings.assign(deal_id=attempts["deal_id"].to_numpy()[happenings["of"]])


def draw_next_up(rng: np.random.Generator, accounts: pd.DataFrame, attempts: pd.DataFrame, today: int) -> pd.DataFrame:
    """Draw what happened in the last 90 days at accounts without an open deal, as if one were to open today."""
    busy = attempts.loc[attempts["opened"] + attempts["days"] > today, "account"]
    account = np.setdiff1d(np.arange(len(accounts)), busy)
    interest = NEXT_INTEREST + 0.5 * accounts["leaning"].to_numpy()[account] + np.sqrt(0.75) * rng.normal(size=len(account))
    return draw_lead_up(rng, pd.DataFrame({"account": account, "opened": today, "interest": interest}))


def count_signals(lead_up: pd.DataFrame, n_attempts: int) -> np.ndarray:
    """Count the signs of interest that each attempt's buyers gave before it opened."""
    return np.bincount(lead_up.loc[lead_up["kind"].isin(OF_BUYERS), "of"], minlength=n_attempts)


def describe_activities(rng: np.random.Generator, happenings: pd.DataFrame, contacts: pd.DataFrame, today: int) -> pd.DataFrame:
    """Add to each happening its outcome, hours, contact, and the day it was entered; what is not entered yet is left out."""
    n = len(happenings)
    is_meeting = (happenings["kind"] == "meeting").to_numpy()
    outcome = pd.Series(market.level(rng, MEETINGS, n)).where(is_meeting)
    hours = happenings["kind"].map(HOURS).to_numpy() * rng.choice([0.5, 1.0, 1.5], n)
    late = np.where(rng.random(n) < LOGGED_LATE, rng.integers(1, 21, n), 0)
    described = happenings.assign(
        outcome=outcome.to_numpy(),
        hours=np.where(is_meeting & (outcome != "held").to_numpy(), np.nan, hours.round(2)),
        contact_id=_someone(rng, happenings, contacts),
        entered=happenings["day"].to_numpy() + late,
    )
    entered = described[described["entered"] <= today].sort_values(["day", "account"], kind="stable")
    return entered.assign(
        activity_id=market.numbered("E", len(entered)),
        happened_on=market.dates(entered["day"]),
        known_on=market.dates(entered["entered"]),
    )


def draw_stages(rng: np.random.Generator, attempts: pd.DataFrame, today: int) -> pd.DataFrame:
    """Draw the stages each deal reaches while it lives: the keener the buyers, the sooner the next."""
    pace = DAYS_IN_STAGE * np.exp(-0.35 * attempts["interest"].to_numpy())
    gaps = rng.gamma(2, 0.5, (len(attempts), len(STAGES))) * pace[:, None]
    gaps[:, 0] = 0
    day = attempts["opened"].to_numpy()[:, None] + np.cumsum(np.ceil(gaps), axis=1).astype(int)
    end = np.minimum(attempts["opened"] + attempts["days"] - 1, today).to_numpy()
    of, stage = np.nonzero(day <= end[:, None])
    deal_id = attempts["deal_id"].to_numpy()[of]
    return pd.DataFrame({"deal_id": deal_id, "stage": np.array(STAGES)[stage], "changed_on": market.dates(day[of, stage])})


def _happenings(rng: np.random.Generator, attempts: pd.DataFrame, start: np.ndarray, n_days: np.ndarray) -> pd.DataFrame:
    """Draw events spread evenly over `n_days` from `start` on: of buyers, the keener the more, and of sellers."""
    keen = SIGNALS[0] / market.LOOK_AHEAD_DAYS * np.exp(SIGNALS[1] * attempts["interest"].to_numpy())
    parts = []
    for daily, kinds in ((keen, OF_BUYERS), (SELLER_RATE, OF_SELLERS)):
        of = np.repeat(np.arange(len(start)), rng.poisson(daily * n_days))
        day = start[of] + (rng.random(len(of)) * n_days[of]).astype(int)
        parts.append(pd.DataFrame({"of": of, "day": day, "kind": market.level(rng, kinds, len(of))}))
    happenings = pd.concat(parts, ignore_index=True)
    return happenings.assign(account=attempts["account"].to_numpy()[happenings["of"]])


def _someone(rng: np.random.Generator, happenings: pd.DataFrame, contacts: pd.DataFrame) -> np.ndarray:
    """Pick a contact of each happening's account, and nobody where the one picked was not known yet."""
    by_account = contacts.sort_values("account", kind="stable").reset_index(drop=True)
    account = happenings["account"].to_numpy()
    first = np.searchsorted(by_account["account"], account)
    n = np.searchsorted(by_account["account"], account, "right") - first
    picked = by_account.iloc[np.minimum(first + (rng.random(len(account)) * n).astype(int), len(by_account) - 1)]
    is_known = (picked["account"].to_numpy() == account) & (picked["known"].to_numpy() <= happenings["day"].to_numpy())
    return picked["contact_id"].where(is_known).to_numpy()
