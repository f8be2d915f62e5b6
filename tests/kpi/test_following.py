"""Whether hours follow revenue: in companies where they are drawn by lot, bring revenue, or go where orders were."""

import numpy as np
import pandas as pd

from winworth.kpi.following import p_of_following


def company(seed, *, brings=0.0, follows=0.0, n=80):
    """Eight quarters of accounts in two groups; hours answer last quarter's surprise, revenue answers the hours of its own."""
    rng = np.random.default_rng(seed)
    level, surprise = np.exp(rng.normal(0, 0.6, n))[:, None], rng.normal(size=(n, 8))
    before = np.column_stack([np.zeros(n), surprise[:, :-1]])
    hours = 4 * np.exp(0.4 * rng.normal(size=(n, 8)) + follows * before)
    revenue = level * (1 + brings * np.log1p(hours) + 0.3 * surprise)
    account = np.repeat(np.arange(n), 8)
    rows = {"account_id": account, "group": np.where(account % 2, "Est", "Sud"), "period": np.tile(np.arange(8), n)}
    return pd.DataFrame(rows | {"hours": hours.ravel(), "revenue": revenue.ravel()})


def test_hours_that_bring_revenue_or_nothing_are_not_taken_for_followers():
    for brings in (0.0, 0.4):
        found = np.array([p_of_following(company(seed, brings=brings)) for seed in range(60)])
        assert np.mean(found < 0.05) <= 0.12 and 0.35 < found.mean() < 0.65


def test_hours_that_go_where_orders_were_are_found():
    assert np.mean([p_of_following(company(seed, follows=0.3)) < 0.05 for seed in range(10)]) >= 0.9


def test_two_quarters_cannot_tell():
    rows = company(0)
    assert np.isnan(p_of_following(rows[rows["period"] < 2]))
