import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.models.censoring import MOST, Histories, outcomes_by, uncensored_share

FIXED = settings(deadline=None, derandomize=True)

OPEN = 2**40
HORIZON = 180
deals = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40), st.booleans(), st.booleans()), min_size=1, max_size=40)


def histories(rows):
    """Make deals of (observed, days until the end, won, still open)."""
    observed, lasted, won, is_open = (np.array(column) for column in zip(*rows, strict=True))
    return Histories(observed, np.where(is_open, OPEN, observed + lasted), won & ~is_open)


def known_by_hand(history, *, horizon, day):
    """Return, deal by deal, the days it was followed, whether it is settled, and whether it was won in time."""
    found = []
    for observed, ended, won in zip(history.observed, history.ended, history.won, strict=True):
        last = min(day, observed + horizon)
        in_time = ended <= last
        found.append((min(ended, last) - observed, bool(in_time or observed + horizon <= day), bool(won and in_time)))
    return found


def censored_later_by_hand(seen, censored, at):
    """Return P(censoring comes at or after a day) by going through the days one by one."""
    share = 1.0
    for day in range(int(at)):
        n_at_risk = sum(s > day or (s == day and c) for s, c in zip(seen, censored, strict=True))
        n_censored = sum(s == day and c for s, c in zip(seen, censored, strict=True))
        share *= 1 - n_censored / n_at_risk if n_at_risk else 1.0
    return max(share, 1 / MOST)


def planted_world(n=8000, seed=0):
    """Draw deals entered ever more often, 40 % won, and wins slower than losses; return them, the day and the truth."""
    rng = np.random.default_rng(seed)
    day = 720
    observed = (day * rng.random(n) ** 0.4).astype(int)
    won = rng.random(n) < 0.4
    lasted = np.where(won, rng.uniform(40, 220, n), rng.exponential(45, n)).astype(int)
    ended = observed + lasted
    known = Histories(observed, np.where(ended <= day, ended, OPEN), won & (ended <= day))
    return known, day, float(np.mean(won & (lasted <= HORIZON)))


@FIXED
@given(deals, st.integers(0, 110))
def test_outcomes_and_weights_are_those_told_deal_by_deal(rows, day):
    history = histories(rows)
    won, weight = outcomes_by(history, horizon=20, day=day)
    told = known_by_hand(history, horizon=20, day=day)
    usable = [t for t in told if t[0] >= 0]
    seen, censored = [t[0] for t in usable], [not t[1] for t in usable]
    for i, (followed, is_settled, was_won) in enumerate(told):
        assert won[i] == was_won
        expected = 1 / censored_later_by_hand(seen, censored, followed) if is_settled and followed >= 0 else 0.0
        assert weight[i] == pytest.approx(expected)


def test_an_open_deal_counts_as_not_won_only_once_followed_for_the_horizon():
    history = histories([(0, 0, False, True), (1, 0, False, True), (0, 5, False, False), (0, 30, True, False)])
    won, weight = outcomes_by(history, horizon=20, day=20)
    assert (weight > 0).tolist() == [True, False, True, True]
    assert won.tolist() == [0, 0, 0, 0]


def test_a_deal_observed_after_the_day_has_no_weight():
    weight = outcomes_by(histories([(0, 3, True, False), (9, 1, True, False)]), horizon=20, day=8)[1]
    assert weight[1] == 0


def test_weighted_wins_are_the_truth_where_closed_only_and_open_as_lost_are_not():
    history, day, truth = planted_world()
    won, weight = outcomes_by(history, horizon=HORIZON, day=day)
    is_closed = history.ended <= day
    closed_only = (history.won & (history.ended - history.observed <= HORIZON))[is_closed].mean()
    open_as_lost = won.mean()
    assert abs(np.average(won, weights=weight) - truth) < 0.02
    assert closed_only < truth - 0.03
    assert open_as_lost < truth - 0.06


def test_the_weights_restore_the_number_of_deals():
    history, day, _ = planted_world()
    assert outcomes_by(history, horizon=HORIZON, day=day)[1].sum() == pytest.approx(len(history.won), rel=0.02)


@FIXED
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=30))
def test_the_uncensored_share_is_kaplan_and_meiers(rows):
    seen, censored = (np.array(column) for column in zip(*rows, strict=True))
    found = uncensored_share(seen, censored, seen)
    assert found == pytest.approx([censored_later_by_hand(seen, censored, at) for at in seen])


def test_without_censoring_every_deal_weighs_one():
    rows = [(day, 4, day % 2 == 0, False) for day in range(10)]
    assert outcomes_by(histories(rows), horizon=20, day=50)[1].tolist() == [1.0] * 10


def test_no_weight_is_above_the_limit():
    rows = [(100 - age, 0, False, True) for age in range(1, 40)] * 20 + [(0, 39, True, False)]
    weight = outcomes_by(histories(rows), horizon=40, day=100)[1]
    assert weight.max() == MOST


@FIXED
@given(deals, st.integers(0, 100), st.randoms(use_true_random=False))
def test_what_happens_after_a_day_changes_no_label_of_that_day(rows, day, random):
    history = histories(rows)
    later = history.ended > day
    moved = np.array([random.choice([day + 1, day + 7, OPEN]) for _ in rows])
    flipped = np.array([random.random() < 0.5 for _ in rows])
    changed = Histories(
        history.observed, np.where(later, moved, history.ended), np.where(later, flipped, history.won).astype(bool)
    )
    for before, after in zip(*(outcomes_by(h, horizon=20, day=day) for h in (history, changed)), strict=True):
        assert before.tolist() == after.tolist()
