from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.errors import DataError
from winworth.models.buy_till_die import Buyers, BuyTillDie, buyers_of, expected_margin, gap_variation
from winworth.models.purchases import net_purchases

AS_OF = date(2024, 6, 30)


def world(n, *, seed=0, r=0.8, alpha=6.0, a=0.9, b=2.5, age=52.0, ahead=52.0):
    """Draw customers by the model's own story: what is known at `age` weeks, and purchases in the weeks `ahead`."""
    rng = np.random.default_rng(seed)
    rate, drop = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    mean = 1 / rng.gamma(4.0, 1 / 270.0, n)
    repeats, recency, later, spend = np.zeros(n), np.zeros(n), np.zeros(n), np.full(n, np.nan)
    for at in range(n):
        time, paid = 0.0, []
        while True:
            time += rng.exponential(1 / rate[at])
            if time > age + ahead:
                break
            if time <= age:
                repeats[at], recency[at] = repeats[at] + 1, time
                paid.append(rng.gamma(5.0, mean[at] / 5.0))
            else:
                later[at] += 1
            if rng.random() < drop[at]:
                break
        spend[at] = np.mean(paid) if paid else np.nan
    return Buyers(repeats, recency, np.full(n, age), spend), later


def test_planted_parameters_come_back():
    model = BuyTillDie().fit(world(6000)[0])
    assert model.fallback_ == ""
    assert model.buying_ == pytest.approx((0.8, 6.0, 0.9, 2.5), rel=0.35)
    assert model.buying_[0] / model.buying_[1] == pytest.approx(0.8 / 6.0, rel=0.12)


def test_purchases_to_come_are_right_in_total_and_by_how_often_was_bought():
    buyers, later = world(6000)
    expected = BuyTillDie().fit(buyers).purchases(buyers, 52.0)
    for group in (buyers.repeats == 0, (buyers.repeats > 0) & (buyers.repeats < 4), buyers.repeats >= 4):
        assert expected[group].sum() == pytest.approx(later[group].sum(), rel=0.15)


def test_the_unit_of_time_changes_nothing():
    buyers, _ = world(1500)
    days = Buyers(buyers.repeats, buyers.recency * 7, buyers.age * 7, buyers.spend)
    assert BuyTillDie().fit(days).predict(days, 364.0) == pytest.approx(
        BuyTillDie().fit(buyers).predict(buyers, 52.0), rel=2e-3
    )


def test_spend_is_shrunk_towards_all_where_few_purchases_tell():
    buyers, _ = world(3000)
    model = BuyTillDie().fit(buyers)
    one, many = (Buyers(np.full(1, n), np.full(1, 50.0), np.full(1, 52.0), np.full(1, 300.0)) for n in (1.0, 40.0))
    mean = model.spend(Buyers(np.zeros(1), np.zeros(1), np.full(1, 52.0), np.full(1, np.nan)))[0]
    assert mean < model.spend(one)[0] < model.spend(many)[0] < 300


DEGENERATE = {
    "nobody buys again": Buyers(np.zeros(200), np.zeros(200), np.full(200, 30.0), np.full(200, np.nan)),
    "a single customer": Buyers(np.ones(1), np.ones(1), np.full(1, 2.0), np.full(1, 5.0)),
    "bought on the as-of date": Buyers(np.zeros(50), np.zeros(50), np.zeros(50), np.full(50, np.nan)),
    "billed every month": Buyers(np.full(300, 24.0), np.full(300, 104.0), np.full(300, 104.5), np.full(300, 50.0)),
    "margins not positive": Buyers(np.full(300, 3.0), np.linspace(5, 50, 300), np.full(300, 60.0), np.full(300, np.nan)),
}


SAID = {
    "nobody buys again": "BG/NBD does not hold (0 of 200 customers bought again): mean rate",
    "a single customer": "BG/NBD does not hold (1 of 1 customers",
    "bought on the as-of date": "BG/NBD does not hold (0 of 50 customers",
    "billed every month": "BG/NBD does not hold (300 of 300 customers",
    "margins not positive": "Gamma-Gamma does not hold: mean spend",
}


@pytest.mark.parametrize("kind", DEGENERATE)
def test_nothing_predicted_is_nan_and_what_stands_in_is_said(kind):
    model = BuyTillDie().fit(DEGENERATE[kind])
    predicted = model.predict(DEGENERATE[kind], 26.0)
    assert np.isfinite(predicted).all()
    assert (predicted >= 0).all()
    assert SAID[kind] in model.fallback_


def test_a_customer_beyond_the_series_gets_the_mean_rate_and_is_counted():
    buyers, _ = world(600)
    heavy = Buyers(
        *(np.append(part, extra) for part, extra in zip(vars(buyers).values(), (5000.0, 52.0, 52.0, 9.0), strict=True))
    )
    model = BuyTillDie().fit(heavy)
    assert np.isfinite(model.predict(heavy, 52.0)).all()
    assert model.fallback_ == "BG/NBD does not converge for 1 of 601 customers: mean rate for those"


def test_no_customers_are_refused():
    none = np.zeros(0)
    with pytest.raises(DataError, match="was given no customers. Give a log"):
        BuyTillDie().fit(Buyers(none, none, none, none))


def bought(gaps, n=60, seed=0):
    """Return a log of accounts whose days between purchases are drawn by `gaps`."""
    rng = np.random.default_rng(seed)
    rows = []
    for at in range(n):
        days = np.cumsum(np.maximum(gaps(rng, 8), 1)).astype(int)
        rows.append(
            pd.DataFrame({"account_id": f"A{at:02d}", "bought_on": pd.Timestamp("2023-01-01") + pd.to_timedelta(days, "D")})
        )
    return net_purchases(pd.concat(rows).assign(amount=10.0), as_of=AS_OF)


def test_gaps_drawn_at_random_vary_and_those_of_billing_do_not():
    billed, random = bought(lambda rng, n: rng.normal(30, 3, n)), bought(lambda rng, n: rng.exponential(30, n))
    assert gap_variation(billed) < 0.2
    assert gap_variation(random) == pytest.approx(1, abs=0.2)


def test_margins_are_expected_by_account_of_the_log_in_its_order():
    purchases = bought(lambda rng, n: rng.exponential(30, n))
    value, fallback = expected_margin(purchases, weeks=52)
    model, buyers = BuyTillDie(), buyers_of(purchases)
    assert value == pytest.approx(model.fit(buyers).predict(buyers, 52))
    assert np.isfinite(value).all() and fallback == model.fallback_


def test_an_account_that_never_bought_brings_nothing_and_takes_nobodys_place():
    bought_on = pd.to_datetime(["2023-01-01", "2023-02-01", "2023-05-01", "2023-03-01"])
    log = pd.DataFrame({"account_id": ["A", "A", "C", "B"], "bought_on": bought_on, "amount": [10.0, 10.0, 10.0, -5.0]})
    purchases = net_purchases(log, as_of=AS_OF)
    value, _ = expected_margin(purchases, weeks=52)
    assert purchases.accounts.tolist() == ["A", "B", "C"]
    assert value[1] == 0 and value[0] > 0 and value[2] > 0


def test_few_gaps_each_do_not_make_buying_look_regular():
    pairs = bought(lambda rng, n: rng.exponential(30, 3), n=2000)
    assert gap_variation(pairs) == pytest.approx(1, abs=0.15)


def test_buyers_are_counted_by_day_and_their_first_purchase_is_no_repeat():
    rows = [
        ("a", "2024-01-01", 10),
        ("a", "2024-01-01", 5),
        ("a", "2024-02-05", 30),
        ("a", "2024-03-11", 50),
        ("b", "2024-06-02", 9),
    ]
    log = pd.DataFrame(rows, columns=["account_id", "bought_on", "amount"]).assign(
        bought_on=lambda t: pd.to_datetime(t["bought_on"])
    )
    buyers = buyers_of(net_purchases(log, as_of=AS_OF))
    assert buyers.repeats.tolist() == [2, 0]
    assert buyers.recency.tolist() == [10, 0]
    assert buyers.age.tolist() == pytest.approx([181 / 7, 4])
    assert buyers.spend[0] == 40
    assert np.isnan(buyers.spend[1])
