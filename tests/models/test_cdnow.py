"""CDNOW: published parameters, and what our model reaches on 39 weeks it has not seen."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from winworth.models.buy_till_die import Buyers, BuyTillDie

BENCH = Path(__file__).parents[2] / "bench" / "cdnow.py"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif("WINWORTH_REAL_DATA" not in os.environ, reason="WINWORTH_REAL_DATA names no folder of real data"),
]


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("bench_cdnow", BENCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def buyers(bench):
    """Return all customers by the literature's own reckoning: every day in the file is a purchase, even of nothing."""
    log = bench.read_cdnow()
    end = pd.Timestamp(bench.AS_OF)
    days = log[log["bought_on"] <= end].groupby(["account_id", "bought_on"], as_index=False)["amount"].sum()
    by = days.groupby("account_id")["bought_on"]
    first, last, n = by.min(), by.max(), by.size()
    repeats = days[days["bought_on"] > days["account_id"].map(first)]
    spend = repeats.groupby("account_id")["amount"].mean().reindex(first.index)
    weeks = [((last - first).dt.days / 7).to_numpy(), ((end - first).dt.days / 7).to_numpy()]
    return Buyers((n - 1).to_numpy(dtype=float), *weeks, spend.where(spend > 0).to_numpy())


def test_bg_nbd_finds_the_published_parameters(buyers):
    model = BuyTillDie().fit(buyers)
    assert len(buyers.age) == 23_570
    assert model.buying_ == pytest.approx((0.252, 4.789, 0.723, 2.161), abs=0.0016)
    assert model.fallback_ == ""


def test_a_tenth_of_the_customers_tells_much_the_same(buyers):
    tenth = Buyers(*(column[::10] for column in vars(buyers).values()))
    assert len(tenth.age) == 2357
    r, alpha, a, b = BuyTillDie().fit(tenth).buying_
    assert (r, alpha) == pytest.approx((0.243, 4.414), rel=0.15)
    assert a / (a + b) == pytest.approx(0.793 / (0.793 + 2.426), rel=0.2)


@pytest.mark.slow
def test_ours_reaches_its_targets_on_weeks_it_has_not_seen(bench):
    table, model = bench.compared(bench.read_cdnow())
    for name, (low, high) in bench.TARGETS.items():
        value = table.loc["ours", name]
        assert (low or -np.inf) <= value <= (high or np.inf), name
    assert model.basis_ == "purchases"
    assert table["gini"].idxmax() == "ours"
    assert table.loc["BG/NBD + Gamma-Gamma", "mae"] == pytest.approx(32.7, abs=0.1)
