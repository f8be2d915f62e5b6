import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.crm.synthetic.growth import AS_OF, growing_pipeline
from winworth.models.censoring import Histories
from winworth.models.incidence import cumulative_incidence, proposed_horizon

FIXED = settings(deadline=None, derandomize=True)
OPEN = 2**40
deals = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 25), st.booleans(), st.booleans()), min_size=1, max_size=40)


def histories(rows):
    """Make deals of (opened, days until the end, won, still open)."""
    opened, lasted, won, is_open = (np.array(column) for column in zip(*rows, strict=True))
    return Histories(opened, np.where(is_open, OPEN, opened + lasted), won & ~is_open)


def by_brute_force(history, *, day):
    """Return the shares won and lost within 0, 1, 2... days by following each deal day by day."""
    won_by, lost_by, won, lost, still_open = [], [], 0.0, 0.0, 1.0
    known = [(o, e, w) for o, e, w in zip(history.observed, history.ended, history.won, strict=True) if o <= day]
    for age in range(day + 2):
        at_risk = [deal for deal in known if deal[1] - deal[0] >= age and day - deal[0] >= age]
        now = [w for o, e, w in at_risk if e - o == age and e <= day]
        if at_risk:
            won += still_open * sum(now) / len(at_risk)
            lost += still_open * (len(now) - sum(now)) / len(at_risk)
            still_open = 1 - won - lost
        won_by.append(won)
        lost_by.append(lost)
    return won_by, lost_by


@FIXED
@given(deals, st.integers(0, 60))
def test_the_curves_are_those_of_following_deals_day_by_day(rows, day):
    found = cumulative_incidence(histories(rows), day=day)
    won, lost = by_brute_force(histories(rows), day=day)
    ages = np.arange(day + 2)
    assert found.won_by(ages) == pytest.approx(won)
    assert found.lost_by(ages) == pytest.approx(lost)


def test_with_every_deal_closed_the_curves_are_plain_shares():
    found = cumulative_incidence(histories([(0, 3, True, False), (1, 3, False, False), (2, 9, True, False)]), day=50)
    assert found.won_by(np.array([2, 3, 9])).tolist() == pytest.approx([0, 1 / 3, 2 / 3])
    assert found.lost_by(np.array([9])).tolist() == pytest.approx([1 / 3])


@pytest.mark.parametrize("wins", ["slower", "faster"])
def test_where_the_pipeline_grows_the_share_won_in_time_is_the_truth(wins):
    world = growing_pipeline(n_deals=8000, wins=wins, seed=0)
    known = Histories(world.opened, np.where(world.ended <= AS_OF, world.ended, OPEN), world.won & (world.ended <= AS_OF))
    found = cumulative_incidence(known, day=AS_OF).won_by(np.array([180]))[0]
    assert found == pytest.approx(world.chance(np.zeros(8000), 180).mean(), rel=0.05)


def test_the_proposed_horizon_is_that_of_all_wins_where_closed_deals_alone_say_less():
    world = growing_pipeline(n_deals=8000, wins="slower", seed=1)
    is_closed = world.ended <= AS_OF
    known = Histories(world.opened, np.where(is_closed, world.ended, OPEN), world.won & is_closed)
    days = world.ended - world.opened
    truth = np.quantile(days[world.won], 0.8)
    assert proposed_horizon(known, day=AS_OF) == pytest.approx(truth, rel=0.08)
    assert np.quantile(days[world.won & is_closed], 0.8) < 0.9 * truth


def test_the_proposed_horizon_covers_four_wins_in_five():
    assert proposed_horizon(histories([(0, lasted, True, False) for lasted in (10, 20, 30, 40, 50)]), day=99) == 40


def test_a_win_that_ends_after_the_day_changes_nothing():
    rows = [(0, 5, True, False), (0, 9, False, False), (3, 20, True, False)]
    later = [*rows[:2], (3, 90, False, False)]
    found, moved = (cumulative_incidence(histories(deals), day=12) for deals in (rows, later))
    assert found.won.tolist() == moved.won.tolist()
    assert found.days.tolist() == [5, 9]


@pytest.mark.parametrize("rows", [[(0, 4, False, False)], [(0, 4, True, True)]], ids=["lost", "open"])
def test_no_horizon_is_proposed_without_a_win(rows):
    assert proposed_horizon(histories(rows), day=50) is None
