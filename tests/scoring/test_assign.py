import itertools
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.scoring.assign import assign_sellers

FIXED = settings(deadline=None, derandomize=True, max_examples=60)
HOURS = {"A": 5.0, "B": 2.0, "C": 0.5}


def table(tiers: str, worth, owner=None) -> pd.DataFrame:
    n = len(tiers)
    ids = [f"a{k:03d}" for k in range(n)]
    return pd.DataFrame({"account_id": ids, "tier": list(tiers), "worth": worth, "owner": owner or [None] * n})


def taken(accounts, found) -> dict:
    return accounts["tier"].map(HOURS).groupby(found["seller"]).sum().to_dict()


def brute(accounts, sellers, hours=HOURS) -> float:
    """Return the highest total worth of any feasible assignment, by trying each."""
    work = accounts[accounts["tier"] != "C"]
    needs, worth, best = work["tier"].map(hours).tolist(), work["worth"].tolist(), 0.0
    for given_to in itertools.product([None, *sellers], repeat=len(work)):
        load = {name: sum(n for n, to in zip(needs, given_to, strict=True) if to == name) for name in sellers}
        if all(load[name] <= sellers[name] + 1e-9 for name in sellers):
            best = max(best, sum(w for w, to in zip(worth, given_to, strict=True) if to is not None))
    return best


cases = st.tuples(
    st.lists(st.tuples(st.sampled_from("AABBC"), st.integers(1, 30), st.sampled_from(["V1", "V2", None, "gone"])), max_size=7),
    st.tuples(st.integers(0, 14), st.integers(0, 14), st.integers(0, 7)),
    st.sampled_from([(5.0, 2.0), (6.0, 2.0), (5.0, 3.0), (1.5, 0.7), (3.0, 0.0), (0.0, 0.0)]),
)


@FIXED
@given(cases)
def test_what_is_worked_is_worth_as_much_as_the_best_of_all_assignments_and_nobody_is_over_capacity(case):
    rows, capacity, (need_a, need_b) = case
    hours = {"A": need_a, "B": need_b, "C": 0.0}
    sellers = dict(zip(("V1", "V2", "V3"), map(float, capacity), strict=True))
    accounts = table("".join(r[0] for r in rows), [float(r[1]) for r in rows], [r[2] for r in rows])
    found = assign_sellers(accounts, sellers, hours=hours)
    assert accounts["worth"][found["seller"].notna()].sum() == pytest.approx(brute(accounts, sellers, hours))
    used = accounts["tier"].map(hours).groupby(found["seller"]).sum()
    assert all(used[name] <= sellers[name] + 1e-9 for name in used.index)
    assert found["seller"][accounts["tier"] == "C"].isna().all()


@settings(FIXED, max_examples=25)
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(case, random):
    rows, capacity, _ = case
    sellers = dict(zip(("V1", "V2", "V3"), map(float, capacity), strict=True))
    accounts = table("".join(r[0] for r in rows), [float(r[1] // 3) for r in rows], [r[2] for r in rows])
    order = random.sample(range(len(accounts)), len(accounts))
    moved = assign_sellers(accounts.iloc[order], sellers, hours=HOURS)
    pd.testing.assert_frame_equal(moved.sort_index(), assign_sellers(accounts, sellers, hours=HOURS))


def test_an_owner_keeps_what_fits():
    accounts = table("AABB", [9.0, 8.0, 7.0, 6.0], ["V2", "V1", "V1", "V2"])
    found = assign_sellers(accounts, {"V1": 100, "V2": 100}, hours=HOURS)
    assert found["seller"].tolist() == ["V2", "V1", "V1", "V2"]


def test_owners_keep_most_where_capacity_is_short():
    accounts = table("AAAA", [9.0, 8.0, 7.0, 6.0], ["V2", "V1", "V1", "V2"])
    found = assign_sellers(accounts, {"V1": 10, "V2": 5}, hours=HOURS)
    assert found["seller"].fillna("").tolist() == ["V2", "V1", "V1", ""]


def test_who_has_too_much_hands_on_the_accounts_worth_least():
    accounts = table("AAA", [9.0, 8.0, 7.0], ["V1", "V1", "V1"])
    found = assign_sellers(accounts, {"V1": 10, "V2": 10}, hours=HOURS)
    assert found["seller"].tolist() == ["V1", "V1", "V2"]


def test_accounts_of_nobody_level_the_worth_for_the_hours():
    rng = np.random.default_rng(0)
    accounts = table("B" * 300, rng.lognormal(3, 1, 300).round(2))
    sellers = {f"V{k}": hours for k, hours in enumerate([200.0, 200.0, 200.0, 100.0])}
    found = assign_sellers(accounts, sellers, hours=HOURS)
    held = accounts["worth"].groupby(found["seller"]).sum()
    per_hour = held / pd.Series(sellers)
    assert per_hour.max() / per_hour.min() < 1.02
    assert max(taken(accounts, found)[name] / sellers[name] for name in sellers) <= 1


def test_a_new_seller_is_brought_level_with_the_others():
    accounts = table("B" * 40, [10.0] * 40, ["V1"] * 10 + ["V2"] * 10 + [None] * 20)
    found = assign_sellers(accounts, {"V1": 100, "V2": 100, "V3": 100}, hours=HOURS)
    assert found["seller"].value_counts().to_dict() == {"V1": 14, "V2": 13, "V3": 13}


def test_without_the_sellers_hours_owners_keep_all_and_the_rest_is_levelled():
    accounts = table("A" * 8 + "BB", range(10, 0, -1), ["V1"] * 6 + ["V2", None, None, "V2"])
    found = assign_sellers(accounts, {}, hours=HOURS)
    assert found["seller"].tolist() == ["V1"] * 6 + ["V2"] * 4


def test_without_any_owner_nobody_is_named_and_all_a_and_b_are_ranked():
    found = assign_sellers(table("ABC", [1.0, 5.0, 9.0]), {}, hours=HOURS)
    assert found["seller"].isna().all() and found["rank_in_seller"].isna().all()
    assert found["rank"].fillna(0).tolist() == [2, 1, 0]


def test_ranks_count_what_is_worked_from_the_highest_worth_down_by_seller_and_territory():
    accounts = table("AABBC", [5.0, 9.0, 9.0, 4.0, 99.0], ["V1", "V2", "V1", "V2", "V1"])
    found = assign_sellers(accounts, {"V1": 7, "V2": 5}, hours=HOURS, territory=pd.Series(list("NNSSN")))
    assert found["rank_in_seller"].fillna(0).tolist() == [2, 1, 1, 0, 0]
    assert found["rank"].fillna(0).tolist() == [2, 1, 1, 0, 0]


def test_no_accounts_have_no_seller():
    assert assign_sellers(table("", []), {"V1": 5}, hours=HOURS).shape == (0, 3)


@pytest.mark.parametrize("n", [0, 2])
@pytest.mark.parametrize("owner", ["V1", None])
def test_where_no_account_is_a_or_b_owners_have_nothing_to_keep(n, owner):
    accounts = table("CC", [1.0, 2.0], [owner] * 2)[:n].astype({"tier": "str", "owner": "str"})
    assert assign_sellers(accounts, {}, hours=HOURS).isna().all(axis=None)


@pytest.mark.parametrize("capacity", [240.0, 421.0, 4000.0])
def test_two_hundred_thousand_accounts_are_assigned_in_seconds(capacity):
    rng = np.random.default_rng(0)
    tiers = np.repeat(["A", "B", "C"], [40_000, 60_000, 100_000])
    worth = np.sort(rng.lognormal(10, 1.5, 200_000))[::-1]
    names = [f"V{k:03d}" for k in range(200)]
    owner = rng.choice([*names, None], 200_000)
    accounts = pd.DataFrame({"account_id": np.arange(200_000).astype(str), "tier": tiers, "worth": worth, "owner": owner})
    hours = {"A": 12, "B": 5, "C": 0.5}
    started = time.perf_counter()
    found = assign_sellers(accounts, dict.fromkeys(names, capacity), hours=hours)
    assert time.perf_counter() - started < 20
    used = accounts["tier"].map(hours).groupby(found["seller"]).sum()
    assert (used <= capacity).all()
    assert used.sum() > 0.98 * min(capacity * 200, accounts["tier"].map(hours)[tiers != "C"].sum())
