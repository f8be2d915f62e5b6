import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.scoring.tiers import assign_tiers

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
