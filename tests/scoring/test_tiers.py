from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.config import load_settings
from winworth.errors import ConfigError
from winworth.scoring.seats import Seats, seats_for
from winworth.scoring.settings import Scoring, Serving
from winworth.scoring.tiers import assign_tiers, cut_tiers

FIXED = settings(deadline=None, derandomize=True)

SHARES = {"A": 0.2, "B": 0.3}


def tiers(rank, ids=None, shares=SHARES):
    ids = [f"a{k:03d}" for k in range(len(rank))] if ids is None else ids
    return assign_tiers(pd.Series(rank, dtype=float), pd.Series(ids, dtype="str"), shares=shares).tolist()


def test_the_highest_share_is_a_the_next_b_and_the_rest_c():
    assert tiers([1, 10, 3, 8, 5, 6, 7, 4, 9, 2]) == list("CACBCBBCAC")


def test_accounts_that_tie_are_put_in_order_by_id():
    assert tiers([1.0] * 5, ids=["e", "b", "d", "a", "c"]) == ["C", "B", "C", "A", "C"]


@FIXED
@given(st.lists(st.integers(0, 5), max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_tier(rank, random):
    ids = [f"a{k:03d}" for k in range(len(rank))]
    order = random.sample(range(len(rank)), len(rank))
    moved = tiers([rank[k] for k in order], [ids[k] for k in order])
    assert dict(zip([ids[k] for k in order], moved, strict=True)) == dict(zip(ids, tiers(rank, ids), strict=True))


@FIXED
@given(st.lists(st.floats(0, 1e6), max_size=60))
def test_the_numbers_in_a_and_b_are_their_shares_rounded_down_and_tiers_follow_the_rank(rank):
    found = np.array(tiers(rank))
    n = len(rank)
    assert ((found == "A").sum(), (found != "C").sum()) == (n * 2 // 10, n * 5 // 10)
    ordered = found[np.lexsort((np.arange(n), -np.array(rank, dtype=float)))]
    assert list(ordered) == sorted(ordered)


@pytest.mark.parametrize(("n", "n_a"), [(5, 1), (10, 2), (15, 3), (35, 7), (4, 0)])
def test_a_fifth_of_five_is_one_in_spite_of_floats(n, n_a):
    assert tiers(range(n)).count("A") == n_a


def test_an_unknown_rank_is_last():
    assert tiers([np.nan, 1, 2, 3, 4]) == ["C", "C", "C", "B", "A"]


def test_tiers_keep_the_index_of_the_accounts():
    rank = pd.Series([3.0, 1.0], index=[7, 5])
    assert assign_tiers(rank, pd.Series(["a", "b"]), shares={"A": 0.5, "B": 0.5}).to_dict() == {7: "A", 5: "B"}


HOURS = {"A": 12.0, "B": 4.0, "C": 0.5}
CONF = Path(__file__).parents[2] / "conf"


def by_hours(hourly_cost=0.0, **capacity):
    return Scoring(serving=Serving(hourly_cost, HOURS, capacity or None))


@settings(FIXED, max_examples=50)
@given(st.lists(st.floats(0, 1e6), max_size=60), st.floats(0, 300), st.floats(0, 300), st.floats(0, 100))
def test_hours_are_never_exceeded_no_seat_pays_less_than_it_costs_and_none_that_pays_is_left_empty(worth, a, b, hourly):
    scoring = by_hours(hourly, A=a, B=b)
    ids = pd.Series([f"a{k:03d}" for k in range(len(worth))], dtype="str")
    found = cut_tiers(pd.Series(worth, dtype=float), ids, seats_for(scoring, len(worth)))
    tier, worth = found.table["tier"].to_numpy(), np.array(worth, dtype=float)
    for letter, hours, free in (("A", a, tier != "A"), ("B", b, tier == "C")):
        used, cost = HOURS[letter] * (tier == letter).sum(), HOURS[letter] * hourly
        assert used <= hours + 1e-6
        assert (worth[tier == letter] >= cost * (1 - 1e-12)).all()
        assert used + HOURS[letter] > hours or not (worth[free] >= cost * (1 + 1e-12)).any()


def test_without_hours_the_shares_stay_and_with_them_they_win():
    assert seats_for(by_hours(), 100).n == {"A": 20, "B": 30}
    assert seats_for(by_hours(A=30, B=10), 100).n == {"A": 2, "B": 2}


def test_where_a_is_not_published_its_hours_are_those_of_b_and_where_b_is_not_they_are_left():
    scoring = by_hours(A=24, B=8)
    assert seats_for(scoring, 100, published=("B", "C")).n == {"A": 0, "B": 8}
    assert seats_for(scoring, 100, published=("A", "C")).n == {"A": 2, "B": 0}
    assert seats_for(by_hours(), 100, published=("B", "C")).n == {"A": 0, "B": 50}
    assert seats_for(by_hours(), 100, published=("C",)).n == {"A": 0, "B": 0}


def test_hours_can_be_set_on_the_command_line_and_faults_in_them_are_named():
    found = load_settings(CONF, overrides=("serving.capacity_hours={A: 2400, B: 1600}",)).scoring
    assert seats_for(found, 3000).n == {"A": 200, "B": 400}
    assert load_settings(CONF).scoring.serving.capacity_hours is None
    with pytest.raises(ConfigError, match="hours a quarter for A and for B"):
        load_settings(CONF, overrides=("serving.capacity_hours={A: 2400}",))
    with pytest.raises(ConfigError, match="else they hold everyone"):
        load_settings(CONF, overrides=("serving.capacity_hours={A: 2400, B: 10}", "serving.hours={A: 1, B: 0, C: 0}"))


def test_the_cut_tells_what_the_last_account_in_brings_and_how_many_tie_there():
    worth, seats = [9.0, 5, 5, 5, 1], Seats({"A": 2, "B": 1}, {"A": 0.0, "B": 0.0})
    found = cut_tiers(pd.Series(worth), pd.Series(list("abcde")), seats, noise=np.full(5, 0.2))
    a, b = found.cuts["A"], found.cuts["B"]
    assert (a.threshold, a.marginal, a.n_tied) == (5, 5, 3) and b.n_tied == 3
    assert (a.low, a.high) == pytest.approx((5 * np.exp(-0.25632), 5 * np.exp(0.25632)))
    assert len(found.ties()) == 2 and "3 of 5 accounts tie at the cut of tier A" in found.ties()[0]
    none = cut_tiers(pd.Series(worth), pd.Series(list("abcde")), Seats({"A": 0, "B": 0}, seats.cost)).cuts["A"]
    assert none.to_dict() == {"threshold": None, "marginal": None, "low": None, "high": None, "noise": None, "n_tied": 0}


def test_where_the_hours_last_longer_than_what_pays_the_cut_is_the_cost():
    found = cut_tiers(pd.Series([900.0, 80, 70]), pd.Series(list("abc")), Seats({"A": 2, "B": 1}, {"A": 500.0, "B": 75.0}))
    assert found.table["tier"].tolist() == ["A", "B", "C"]
    assert found.table["tier_change_reason"].tolist() == ["", "cost", ""]
    assert found.cuts["A"].threshold == 500


@pytest.mark.slow
def test_two_hundred_thousand_accounts_are_tiered_in_seconds():
    from time import perf_counter

    n, rng = 200_000, np.random.default_rng(0)
    ids = pd.Series([f"A{k:07d}" for k in rng.permutation(n)])
    worth, seats = pd.Series(rng.lognormal(8, 1.5, n)), Seats({"A": 2000, "B": 8000}, {"A": 0.0, "B": 0.0})
    start = perf_counter()
    cut_tiers(worth, ids, seats, noise=np.full(n, 0.3), previous=pd.Series(rng.choice(list("ABC"), n)))
    assert perf_counter() - start < 4


def at_the_cost_line(worth, before, *, noise=0.2):
    """Cut tiers of which A takes three at a cost of 100 and B three at a cost of 50, with tiers of last time."""
    seats, index = Seats({"A": 3, "B": 3}, {"A": 100.0, "B": 50.0}), list("abcdefgh")[: len(worth)]
    return cut_tiers(pd.Series(worth), pd.Series(index), seats, noise=np.full(len(worth), noise), previous=pd.Series(before))


def test_who_rises_is_not_told_that_it_does_not_pay_for_more():
    found = at_the_cost_line([200.0, 80.0, 20.0], ["A", "C", "C"]).table
    assert found["tier"].tolist() == ["A", "B", "C"]
    assert found["tier_change_reason"].tolist() == ["", "rose", "cost"]


def test_who_is_held_below_its_cost_by_noise_is_told_so_and_not_that_it_is_poor():
    found = at_the_cost_line([200.0, 105.0, 20.0], ["A", "C", "C"]).table
    assert (found["tier"][1], found["tier_change_reason"][1]) in (("B", "rose"), ("C", "held"))


def test_where_nobody_pays_the_cut_is_the_cost_and_who_is_held_is_in_doubt_by_its_distance():
    found = at_the_cost_line([95.0, 20.0], ["A", "C"])
    assert found.cuts["A"].threshold == 100 and found.table["tier"][0] == "A"
    assert 0.5 < found.table["tier_doubt"][0] < 0.75


def test_a_shift_moves_the_order_while_the_cut_still_tells_what_the_last_account_brings():
    worth, seats = pd.Series([100.0, 90.0, 10.0]), Seats({"A": 1, "B": 1}, {"A": 50.0, "B": 0.0})
    found = cut_tiers(worth, pd.Series(list("abc")), seats, shift=np.log([1.0, 2.0, 1.0]))
    assert found.table["tier"].tolist() == ["B", "A", "C"]
    assert found.cuts["A"].marginal == 90 and found.cuts["A"].threshold > 100
    lifted = cut_tiers(worth, pd.Series(list("abc")), seats, shift=np.log([1.0, 1.0, 1000.0]))
    assert lifted.table["tier"][2] != "A"  # leadership ranks; what an account brings still has to pay for it
