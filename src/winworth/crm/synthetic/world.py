"""A whole company: its tables as a CRM would hold them on the as-of date, and the truth behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from winworth.crm.synthetic import billing, events, market, plans, truth
from winworth.crm.synthetic.plans import Plan
from winworth.crm.synthetic.plays import SEGMENT
from winworth.crm.synthetic.visits import draw_visits
from winworth.errors import ConfigError
from winworth.tables import TABLES, Kind

EXTRA_COLUMNS: dict[tuple[str, str], Kind] = {
    ("accounts", "automation_level"): "number",
    ("accounts", "billing_day"): "number",
    ("accounts", "postcode"): "level",
    ("accounts", "health_score"): "number",
    ("accounts", "market_segment"): "level",
    ("accounts", "crm_stack"): "level",
    ("accounts", "regulatory_maturity"): "number",
    ("accounts", "digital_level"): "number",
    ("accounts", "potential"): "level",
    ("accounts", "cadence"): "level",
    ("costs", "market_segment"): "level",
    ("deals", "budget"): "number",
    ("deals", "loss_reason"): "level",
}
FEWEST_DEALS = 100
LOSS_REASONS = {"Prix": 0.35, "Concurrent": 0.30, "Pas de budget": 0.20, "Sans suite": 0.15}
NO_LOSS_REASON = 0.08  # share of lost deals whose reason nobody entered
NO_HEADCOUNT = 0.03  # share of accounts whose headcount nobody entered
_DTYPES = {"id": "str", "level": "str", "number": "float64", "date": "datetime64[s]"}


@dataclass(frozen=True)
class World:
    """A company whose truth is known.

    `tables` are canonical tables with a few columns more. `truth` is each criterion's true weight (sum 1; all 0 in a
    world without signal). `deals_truth` tells for each deal that is not a renewal what an oracle says on the day it opened:
    deal_id, win_probability (within 180 days), value_if_won, log_expected_value. `planted` tells by (market segment, outcome)
    by what share it moved from `split` on, where plays were changed.
    """

    tables: dict[str, pd.DataFrame]
    truth: pd.Series
    deals_truth: pd.DataFrame
    planted: Mapping[tuple[str, str], float] = field(default_factory=dict)
    split: date | None = None


def software_company(*, n_deals: int = 6000, as_of: date, seed: int, signal: bool = True) -> World:
    """Draw a software vendor's four years up to `as_of`, with `n_deals` deals and half as many accounts.

    Without `signal` the same accounts are sold to on the same days, and outcomes and amounts depend on nothing.

    >>> world = software_company(n_deals=400, as_of=date(2026, 6, 30), seed=1)
    >>> world.tables["deals"][["deal_id", "account_id", "opened_on", "closed_on", "status", "kind"]].head(3)
       deal_id account_id  opened_on  closed_on status kind
    0  D000001    A000013 2022-07-07 2022-09-19   lost  new
    1  D000002    A000011 2022-07-11 2022-09-08   lost  new
    2  D000003    A000151 2022-07-15 2022-08-08   lost  new
    >>> world.deals_truth.head(2).round(2)
       deal_id  win_probability  value_if_won  log_expected_value
    0  D000001             0.12      40904.58                8.48
    1  D000002             0.05      25185.59                7.12
    >>> world.truth.round(2).head(3).to_dict()
    {'company_size': 0.29, 'automation_maturity': 0.23, 'engagement': 0.16}
    """
    return draw_company(n_deals=n_deals, as_of=as_of, seed=seed, signal=signal)


def draw_company(
    plan: Plan | None = None, *, n_deals: int, as_of: date, seed: int, signal: bool = True, is_whole: bool = True
) -> World:
    """Draw a company's four years up to `as_of`: a software vendor's, or by a plan that of another trade, whose plays change.

    Unless `is_whole` only deals, accounts, invoices and costs are drawn, the same as in the whole world.
    """
    if n_deals < FEWEST_DEALS:
        raise ConfigError(f"A company of {n_deals} deals is too small to draw. Ask for {FEWEST_DEALS} or more.")
    today = market.epoch_day(as_of)
    sellers, people, buyers, fate, money, forms, *extra = np.random.default_rng(seed).spawn(11)
    accounts, n_renewals = market.draw_accounts(sellers, max(n_deals // 2, 1)), round(billing.RENEWAL_SHARE * n_deals)
    accounts = plan.trade.dress(extra[0], accounts) if plan else accounts
    accounts, attempts = _attempts(sellers, accounts, n_deals - n_renewals, today)
    contacts, lead_up = events.draw_contacts(people, accounts, attempts, today), events.draw_lead_up(buyers, attempts)
    n_signals, n_deciders = events.count_signals(lead_up, len(attempts)), events.count_deciders(contacts, attempts)
    attempts = attempts.assign(n_signals=n_signals, n_deciders=n_deciders)
    moved = plans.moved_outcomes(plan, accounts, attempts)
    attempts, known = truth.draw_outcomes(fate, accounts, attempts, signal=signal, moved=moved)
    oracle = truth.oracle_table(attempts, known, signal=signal)
    attempts = plans.kept_attempts(plan, attempts)
    subscriptions = billing.subscribe(money, attempts, today)
    renewals = billing.draw_renewals(money, subscriptions, n_renewals, today)
    sold = plans.sell_on(plan, extra[1], subscriptions, accounts, today)
    deals = pd.concat([attempts, renewals, *sold.upsells]).sort_values(["opened", "deal_id"], ignore_index=True)
    drawn = {"deals": _deals_table(forms, deals, today)}
    drawn["accounts"] = _accounts_table(extra[4] if plan else forms, accounts, subscriptions)
    drawn["invoices"] = billing.draw_invoices(money, sold.bills, today)
    if plan:
        drawn["costs"] = billing.draw_segment_costs(extra[2], attempts, accounts[SEGMENT].to_numpy(), plan.rollout, today)
    else:
        drawn["costs"] = billing.draw_costs(money, n_deals, today)
    if is_whole:
        drawn["contacts"] = contacts
        drawn["activities"] = _activities(buyers, (accounts, attempts, contacts), lead_up, today)
        drawn["stage_changes"] = events.draw_stages(people, deals, today)
        drawn["technologies"] = events.draw_technologies(people, accounts, today)
    if is_whole and sold.visited is not None:
        visits = draw_visits(extra[3], sold.visited.quarters, contacts)
        drawn["activities"] = pd.concat([drawn["activities"], visits], ignore_index=True)
    tables = _tables(drawn, accounts, plan)
    weights = known.weights.rename(plan.trade.names if plan else {})
    return World(tables, weights, oracle, sold.planted, plan.rollout.split if plan else None)


def _attempts(rng: np.random.Generator, accounts: pd.DataFrame, n: int, today: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw attempts to sell to accounts, and return the accounts with the day on which each was entered, and the attempts."""
    attempts = market.draw_attempts(rng, accounts, n, today)
    return accounts.assign(created=market.created_days(rng, len(accounts), attempts, today)), attempts


def _tables(drawn: dict[str, pd.DataFrame], accounts: pd.DataFrame, plan: Plan | None) -> dict[str, pd.DataFrame]:
    """Return what was drawn as canonical tables, in the words of the trade where there is one."""
    ids, names = accounts["account_id"].to_numpy(), plan.trade.names if plan else {}
    if plan and plan.trade.sectors:
        drawn = drawn | {"accounts": drawn["accounts"].assign(sector=accounts["sector"].map(plan.trade.sectors))}
    return {name: _canonical(name, drawn[name].rename(columns=names), ids) for name in TABLES if name in drawn}


def _activities(
    rng: np.random.Generator, company: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], lead_up: pd.DataFrame, today: int
) -> pd.DataFrame:
    """Draw what happened around the attempts of a company (accounts, attempts, contacts), up to today."""
    accounts, attempts, contacts = company
    follow_up = events.draw_follow_up(rng, attempts, today)
    next_up = events.draw_next_up(rng, accounts, attempts, today)
    happenings = pd.concat([lead_up, follow_up, next_up], ignore_index=True)
    return events.describe_activities(rng, happenings, contacts, today)


def _deals_table(rng: np.random.Generator, deals: pd.DataFrame, today: int) -> pd.DataFrame:
    """Say of each deal what the CRM says today: while it is open, its end is unknown and its amount the first guess."""
    closed = deals["opened"] + deals["days"]
    is_open = closed > today
    is_lost = ~is_open & ~deals["won"]
    first_win = closed.where(deals["won"] & ~is_open).groupby(deals["account"]).transform("min")
    letter = deals["deal_id"].str[0]
    is_upsell = (letter == "U") | ((letter == "D") & (first_win < deals["opened"]))
    reason = pd.Series(market.level(rng, LOSS_REASONS, len(deals)))
    is_told = is_lost & (rng.random(len(deals)) >= NO_LOSS_REASON)
    return deals.assign(
        status=np.select([is_open, is_lost], ["open", "lost"], "won"),
        closed_on=market.dates(closed.where(~is_open)),
        opened_on=market.dates(deals["opened"]),
        kind=np.select([is_upsell, letter == "R"], ["upsell", "renewal"], "new"),
        amount=deals["amount"].where(~is_open, deals["budget"]),
        currency="EUR",
        loss_reason=reason.where(is_told),
    )


def _accounts_table(rng: np.random.Generator, accounts: pd.DataFrame, subscriptions: pd.DataFrame) -> pd.DataFrame:
    """Say of each account what the CRM says today; the health score was overwritten when it became a customer."""
    is_customer = np.isin(np.arange(len(accounts)), subscriptions["account"])
    health = np.where(is_customer, rng.normal(75, 10, len(accounts)), rng.normal(45, 12, len(accounts)))
    known = accounts["headcount"].where(rng.random(len(accounts)) >= NO_HEADCOUNT)
    return accounts.assign(
        headcount=known, health_score=np.clip(health.round(), 0, 100), created_on=market.dates(accounts["created"])
    )


def _canonical(name: str, drawn: pd.DataFrame, account_ids: np.ndarray) -> pd.DataFrame:
    """Keep the columns of the contract, in its order and dtypes, and after them the extra ones."""
    kinds = {column: spec.kind for column, spec in TABLES[name].columns.items()}
    kinds |= {column: kind for (table, column), kind in EXTRA_COLUMNS.items() if table == name}
    if "account" in drawn:
        drawn = drawn.assign(account_id=account_ids[drawn["account"]])
    return pd.DataFrame({c: drawn[c].astype(_DTYPES[kind]) for c, kind in kinds.items() if c in drawn}).reset_index(drop=True)
