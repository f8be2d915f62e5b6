import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, poisson

from winworth.kpi import measures
from winworth.kpi.measures import Terms, hidden
from winworth.kpi.survival import OPEN

TERMS = Terms(horizon=120, seed=0, n_boot=400)


def rows_of(**columns):
    frame = pd.DataFrame(columns)
    return frame if "account_id" in frame else frame.assign(account_id=range(len(frame)))


def test_a_share_has_wilsons_interval():
    told = measures.share(rows_of(case=[1.0] * 12 + [0.0] * 28), TERMS)
    p, n, z = 0.3, 40, 1.959963984540054
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    assert (told.low, told.high) == pytest.approx((middle - half, middle + half))
    assert (told.value, told.numerator, told.denominator, told.n) == (0.3, 12, 40, 40)


def test_what_repeats_within_accounts_tells_less_than_its_rows():
    case = np.repeat([1.0] * 12 + [0.0] * 28, 3)
    apart, together = (measures.share(rows_of(case=case, account_id=a), TERMS) for a in (range(120), np.repeat(range(40), 3)))
    assert together.value == apart.value
    assert together.high - together.low > 1.6 * (apart.high - apart.low)


def test_fewer_than_ten_rows_are_counted_and_nothing_else_is_told():
    told = hidden(measures.share(rows_of(case=[1.0] * 9), TERMS))
    assert (told.n, told.mark) == (9, "n<10")
    assert np.isnan([told.value, told.low, told.high, told.numerator, told.denominator]).all()


def test_a_cost_each_is_doubted_as_a_count_is():
    told = measures.cost_each(rows_of(case=np.ones(25)), 1000.0)
    assert told.value == 40
    assert poisson.sf(24, 1000 / told.high) == pytest.approx(0.025)
    assert poisson.cdf(25, 1000 / told.low) == pytest.approx(0.025)


def test_the_median_drawn_anew_is_that_of_repeating_rows():
    amount = np.array([5.0, 1.0, 9.0, 3.0, 7.0])
    rows, times = rows_of(amount=amount), np.random.default_rng(0).multinomial(5, np.full(5, 0.2), size=400)
    drawn = [np.sort(np.repeat(amount, counts))[2] for counts in times]
    told = measures.median(rows, TERMS)
    assert told.value == 5
    assert (told.low, told.high) == tuple(np.quantile(drawn, [0.025, 0.975]))


def test_the_mean_of_clustered_amounts_is_as_wide_as_its_formula():
    rng = np.random.default_rng(1)
    accounts = np.repeat(np.arange(150), 2)
    amount = np.exp(rng.normal(0, 0.5, 150))[accounts] * 100
    told = measures.mean(rows_of(amount=amount, account_id=accounts), Terms(120, 0, 2000))
    error = np.std(amount[::2]) / np.sqrt(150)
    assert told.value == pytest.approx(amount.mean())
    assert (told.high - told.low) / (2 * 1.96) == pytest.approx(error, rel=0.08)


def test_a_share_of_turnover_that_nothing_was_lost_of_has_no_interval():
    told = measures.ratio(rows_of(part=np.zeros(20), whole=np.ones(20)), TERMS)
    assert told.value == 0
    assert np.isnan([told.low, told.high]).all()


def pipeline(seed, n, *, day=500, clustered=False):
    """Draw deals of a stationary pipeline: 35 % won, lognormal days and amounts; clustered: two alike to an account."""
    rng = np.random.default_rng(seed)
    m = n // 2 if clustered else n
    opened = rng.integers(day - 365, day, m)
    lasted = np.ceil(np.exp(rng.normal(4, 0.6, m))).astype(int)
    won, amount = rng.random(m) < 0.35, np.exp(rng.normal(9, 0.6, m))
    of = np.repeat(np.arange(m), n // m)
    opened, lasted, won, amount = (part[of] for part in (opened, lasted, won, amount))
    ended = np.where(opened + lasted <= day, opened + lasted, OPEN)
    is_open = ended > day
    rows = {"account_id": of, "opened": opened, "ended": ended, "won": won & ~is_open, "day": day, "is_open": is_open}
    return pd.DataFrame(rows | {"is_cohort": True, "amount": np.where(won & ~is_open, amount, np.nan)})


def true_rate(n_open):
    """Return the velocity of that world by its truth, for so many open deals; a cycle is in whole days, rounded up."""
    median = np.ceil(np.exp(4))
    return n_open * 0.35 * norm.cdf((np.log(120) - 4) / 0.6) * np.exp(9 + 0.18) / median


def test_velocity_is_its_four_factors():
    rows = pipeline(0, 200)
    told = measures.velocity(rows, TERMS)
    won = measures.won_in_time(rows, TERMS)
    days = measures.cycle(rows, TERMS)
    basket = rows["amount"].mean()
    assert told.value == pytest.approx(rows["is_open"].sum() * won.value * basket / days.value)
    assert told.low < told.value < told.high
    assert told.value / told.low == pytest.approx(told.high / told.value)


def test_deals_that_come_in_pairs_make_velocity_less_sure():
    rows = pipeline(0, 400, clustered=True)
    paired, apart = (measures.velocity(own, TERMS) for own in (rows, rows.assign(account_id=range(400))))
    assert np.log(paired.high / paired.low) / np.log(apart.high / apart.low) == pytest.approx(np.sqrt(2), rel=0.03)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.slow
def test_the_interval_of_velocity_holds_the_truth_as_often_as_announced(clustered):
    for n in (60, 200):
        worlds = [pipeline(seed, n, clustered=clustered) for seed in range(600)]
        told = [(measures.velocity(rows, TERMS), true_rate(rows["is_open"].sum())) for rows in worlds]
        assert 0.925 <= np.mean([cell.low <= truth <= cell.high for cell, truth in told if not np.isnan(cell.value)]) <= 0.98


def test_deals_too_young_to_have_been_won_in_time_are_too_early_to_tell():
    young = pipeline(0, 60).assign(opened=450)
    assert measures.won_in_time(young, TERMS).mark == "too early"
    assert measures.velocity(young, TERMS).mark == "too early"


def test_nothing_to_count_is_counted_as_nothing():
    empty = pipeline(0, 60).iloc[:0].assign(case=0.0, part=0.0, whole=0.0)
    for measure in (measures.share, measures.won_in_time, measures.cycle, measures.ratio, measures.median, measures.top_share):
        told = hidden(measure(empty, TERMS))
        assert (told.n, told.mark) == (0, "n<10")
        assert np.isnan(told.value)
