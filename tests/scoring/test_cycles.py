import json

import numpy as np
import pandas as pd
import pytest

from winworth.crm.synthetic.growth import AS_OF, growing_pipeline
from winworth.scoring.cycles import cycles_and_baskets, cycles_record


def drawn(n=4000, seed=0, *, growth=100.0):
    """Return deals of a growing pipeline as known on its last day, and the true median of their days."""
    world = growing_pipeline(n_deals=n, growth=growth, wins="slower", seed=seed)
    known = world.ended <= AS_OF
    deals = pd.DataFrame(
        {
            "group": np.where(np.arange(n) % 2, "PME", "ETI"),
            "account": np.arange(n) // 2,
            "opened": world.opened.astype(float),
            "ended": np.where(known, world.ended, np.nan),
            "won": world.won & known,
            "amount": np.exp(np.random.default_rng(seed).normal(9, 1, n)),
        }
    )
    return deals, float(np.median(world.ended - world.opened))


def test_the_cycle_is_the_true_one_where_closed_deals_alone_say_less():
    deals, truth = drawn()
    told = cycles_and_baskets(deals.assign(group="all"), day=AS_OF, seed=0).loc["all", "cycle_days"]
    closed_only = (deals["ended"] - deals["opened"]).median()
    assert told.value == pytest.approx(truth, rel=0.05)
    assert told.low < truth < told.high
    assert closed_only < 0.9 * truth


@pytest.mark.slow
def test_intervals_of_the_cycle_hold_the_truth():
    truth = drawn(60_000, 1)[1]
    held = 0
    for seed in range(100):
        told = cycles_and_baskets(drawn(300, seed + 2)[0].assign(group="all"), day=AS_OF, seed=seed, n_boot=100)
        figure = told.loc["all", "cycle_days"]
        held += figure.low <= truth <= figure.high
    assert held >= 88


def test_baskets_are_those_of_won_deals_of_known_amount():
    deals, _ = drawn()
    deals.loc[deals.index[:200], "amount"] = 0.0
    told = cycles_and_baskets(deals, day=AS_OF, seed=0)
    for group in ("ETI", "PME"):
        amounts = deals.loc[(deals["group"] == group) & deals["won"] & (deals["amount"] > 0), "amount"]
        own = told.loc[group]
        assert own["basket_mean"].value == pytest.approx(amounts.mean())
        assert own["basket_median"].value == pytest.approx(amounts.median())
        assert own["top_share"].value == pytest.approx(amounts.max() / amounts.sum())
        assert own["basket_mean"].low < amounts.mean() < own["basket_mean"].high
        assert own["basket_mean"].n == len(amounts)


def test_fewer_than_ten_deals_are_hidden_and_counted():
    deals, _ = drawn(60)
    few = pd.concat([deals[deals["group"] == "ETI"].head(9), deals[deals["group"] == "PME"]])
    record = cycles_record(cycles_and_baskets(few, day=AS_OF, seed=0))
    assert record["ETI"]["cycle_days"] == {"value": None, "low": None, "high": None, "n": 9}
    assert record["ETI"]["n_deals"] == 9
    assert record["PME"]["cycle_days"]["value"] > 0
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize(("n_accounts", "is_told"), [(1, False), (9, False), (10, True)])
def test_a_figure_that_few_accounts_are_behind_has_no_interval(n_accounts, is_told):
    deals = pd.DataFrame({"group": "PME", "account": np.arange(20) % n_accounts, "opened": 0.0, "ended": 60.0, "won": True})
    own = cycles_and_baskets(deals.assign(amount=np.arange(20) + 1.0), day=90, seed=0, n_boot=50).loc["PME"]
    assert own["cycle_days"].value == 60 and own["basket_mean"].value == 10.5
    for name in ("cycle_days", "basket_mean", "basket_median"):
        assert np.isfinite([own[name].low, own[name].high]).all() == is_told


def test_a_cycle_that_most_deals_have_not_ended_is_not_told():
    open_ones = drawn(400)[0].assign(opened=AS_OF - 20.0, ended=np.nan, group="all")
    figure = cycles_and_baskets(open_ones, day=AS_OF, seed=0).loc["all", "cycle_days"]
    assert np.isnan([figure.value, figure.low, figure.high]).all()


def test_an_end_after_the_day_changes_nothing():
    deals, _ = drawn(600)
    later = deals.assign(ended=deals["ended"].fillna(AS_OF + 50.0))
    one, two = (cycles_and_baskets(d, day=AS_OF, seed=0)["cycle_days"].tolist() for d in (deals, later))
    assert one == two


def test_no_deals_have_no_groups():
    assert cycles_record(cycles_and_baskets(drawn(100)[0][:0], day=AS_OF, seed=0)) == {}
