import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.crm.synthetic.growth import AS_OF, growing_pipeline
from winworth.kpi.survival import OPEN, clustered, median_cycle, share_won
from winworth.models.censoring import Histories

FIXED = settings(deadline=None, derandomize=True, max_examples=40)
deals = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 25), st.booleans(), st.booleans()), min_size=3, max_size=15)


def histories(rows):
    """Make deals of (opened, days until the end, won, still open)."""
    opened, lasted, won, is_open = (np.array(column) for column in zip(*rows, strict=True))
    return Histories(opened, np.where(is_open, OPEN, opened + lasted), won & ~is_open)


def weighted_share(known, weight, *, day, horizon):
    """Follow weighted deals day by day."""
    is_closed = known.ended <= day
    lasted = np.where(is_closed, known.ended, day) - known.observed
    won, still_open = 0.0, 1.0
    for age in range(horizon + 1):
        at_risk = weight[lasted >= age].sum()
        if at_risk == 0:
            break
        ends = is_closed & (lasted == age)
        won += still_open * weight[ends & known.won].sum() / at_risk
        still_open *= 1 - weight[ends].sum() / at_risk
    return won


@FIXED
@given(deals, st.integers(21, 50), st.integers(3, 30))
def test_a_rows_influence_is_how_the_share_moves_with_its_weight(rows, day, horizon):
    known, n = histories(rows), len(rows)
    told = share_won(known, np.arange(n), day=day, horizon=horizon)
    assert told.value == pytest.approx(weighted_share(known, np.ones(n), day=day, horizon=horizon))
    for row in range(n):
        moves = [weighted_share(known, 1 + step * np.eye(n)[row], day=day, horizon=horizon) for step in (1e-5, -1e-5)]
        assert told.influence[row] == pytest.approx((moves[0] - moves[1]) / 2e-5, abs=1e-6)


def sixty():
    """Sixty deals opened on one day without ties: a quarter open, the others won or lost."""
    rows = np.arange(60)
    lasted = (rows * 37) % 97 + 3
    is_open = rows % 4 == 0
    return lasted, is_open, ~is_open & (rows % 3 == 0)


@pytest.mark.parametrize(
    ("horizon", "won", "variance", "closed"),
    [
        (20, 0.06941166982577211, 0.0011225836555263462, 0.1390699456720879),
        (50, 0.16613724455887816, 0.002578867323241735, 0.4077870888729433),
        (80, 0.2575206040119256, 0.0038965740251831952, 0.6981618694434201),
    ],
)
def test_shares_and_their_variance_are_those_of_lifelines(horizon, won, variance, closed):
    # AalenJohansenFitter and KaplanMeierFitter of lifelines 0.30.3 on these sixty deals; its variance is Aalen's, ours the
    # jackknife's, which agree as deals grow many
    lasted, is_open, is_won = sixty()
    opened = np.where(is_open, 100 - lasted, 0)
    known = Histories(opened, np.where(is_open, OPEN, lasted), is_won)
    told = share_won(known, np.arange(60), day=100, horizon=horizon)
    assert told.value == pytest.approx(won)
    assert clustered(told.influence, np.arange(60)) == pytest.approx(variance, rel=0.05)
    ends = Histories(opened, known.ended, np.ones(60, bool))
    assert share_won(ends, np.arange(60), day=100, horizon=horizon).value == pytest.approx(closed)
    assert median_cycle(known, np.arange(60), day=100).value == 60  # lifelines' median_survival_time_


def test_with_every_deal_followed_the_share_is_known_as_one_of_as_many():
    known = Histories(np.zeros(40, int), np.arange(1, 41), np.arange(40) < 12)
    told = share_won(known, np.arange(40), day=99, horizon=60)
    assert told.value == pytest.approx(12 / 40)
    assert told.effective_n == pytest.approx(40)


def test_deals_of_one_account_that_end_alike_tell_as_much_as_one():
    once = Histories(np.zeros(40, int), np.arange(1, 41), np.arange(40) < 12)
    twice = Histories(*(np.repeat(part, 2) for part in (once.observed, once.ended, once.won)))
    told = share_won(twice, np.repeat(np.arange(40), 2), day=99, horizon=60)
    assert told.effective_n == pytest.approx(39)  # the factor n / (n - 1) of clusters takes one


def test_where_the_pipeline_grows_the_median_cycle_is_the_truth_and_that_of_closed_deals_is_not():
    world = growing_pipeline(n_deals=6000, wins="slower", seed=3)
    is_closed = world.ended <= AS_OF
    known = Histories(world.opened, np.where(is_closed, world.ended, OPEN), world.won & is_closed)
    days = world.ended - world.opened
    truth = np.median(days)
    told = median_cycle(known, np.arange(6000), day=AS_OF)
    assert told.value == pytest.approx(truth, rel=0.05)
    assert told.low <= truth <= told.high
    assert np.median(days[is_closed]) < 0.85 * truth


def test_a_median_that_half_have_not_reached_is_not_told():
    known = Histories(np.zeros(10, int), np.array([3, 4, 5, *[OPEN] * 7]), np.ones(10, bool))
    assert np.isnan(median_cycle(known, np.arange(10), day=90).value)


@pytest.mark.slow
def test_the_median_is_in_its_interval_about_as_often_as_announced():
    held = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        opened = rng.integers(0, 200, 60)
        lasted = np.ceil(np.exp(rng.normal(4, 0.7, 60))).astype(int)
        ended = np.where(opened + lasted <= 200, opened + lasted, OPEN)
        told = median_cycle(Histories(opened, ended, np.ones(60, bool)), np.arange(60), day=200)
        high = told.high if np.isfinite(told.high) else np.inf
        held.append(told.low <= np.ceil(np.exp(4)) <= high)
    assert 0.92 <= np.mean(held) <= 0.985
