from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.scoring.movement import ALL_CAUSES, CAUSES, in_cents, ledger, level_at, shapley

FIXED = settings(deadline=None, derandomize=True)
WORLDS = list(product((False, True), repeat=4))
CUTS = ({"A": 500.0, "B": 200.0}, {"A": 450.0, "B": 220.0})


def by_every_order(worlds):
    """Replace old by new in each of the 24 orders and take the mean of what each step changes: brute force."""
    found = np.zeros((len(next(iter(worlds.values()))), 4))
    for order in permutations(range(4)):
        at = [False] * 4
        for k in order:
            before = worlds[tuple(at)]
            at[k] = True
            found[:, k] += (worlds[tuple(at)] - before) / 24
    return found


@FIXED
@given(st.lists(st.floats(-1e6, 1e6), min_size=16, max_size=16))
def test_the_split_is_the_mean_over_every_order(values):
    worlds = {which: np.array([value]) for which, value in zip(WORLDS, values, strict=True)}
    found = shapley(lambda *which: worlds[which])
    assert found.to_numpy() == pytest.approx(by_every_order(worlds), abs=1e-6)
    assert found.to_numpy().sum() == pytest.approx(values[-1] - values[0], abs=1e-6)


@FIXED
@given(
    st.lists(st.tuples(*[st.floats(-1e7, 1e7)] * 4), min_size=1, max_size=8),
    st.floats(0, 1e7),
    st.floats(0, 1e7),
)
def test_cents_add_up_to_what_was_published(parts, old, new):
    n = len(parts)
    told = [np.full(n, old), np.full(n, new)]
    found = in_cents(pd.DataFrame(parts, columns=CAUSES), told)
    assert (found.sum(axis=1) == round(np.rint(new * 100)) - round(np.rint(old * 100))).all()


def scored(n=400, seed=0, noise=0.4):
    """Return two scorings of a company, and how worth is replayed: data and model both move it, and more so together."""
    rng = np.random.default_rng(seed)
    ids = [f"A{k:03d}" for k in range(n)]
    base, data, model = np.exp(rng.normal(5.5, 0.8, n)), noise * rng.normal(size=n), noise * rng.normal(size=n)

    def worth(new_data, new_model, new_weights):
        seen = base * np.exp(data * new_data + model * new_model + 0.2 * (new_data and new_model))
        return pd.Series(seen, ids)[: n if new_data else n - 20]

    tables = []
    for k, new in enumerate((False, True)):
        told = worth(new, new, new)
        tier = np.array(["C", "B", "A"], dtype=object)[level_at(told.to_numpy(), CUTS[k]).astype(int)]
        tables.append(pd.DataFrame({"account_id": told.index, "tier": tier, "expected_value": told.to_numpy()}))
    return *tables, worth


def test_every_sum_checks_to_the_cent():
    before, now, worth = scored()
    found = ledger(before, now, worth, CUTS)
    cents = found.accounts[list(ALL_CAUSES)].to_numpy() * 100
    assert np.rint(cents.sum(axis=1)) == pytest.approx(np.rint(found.accounts["change"] * 100))
    assert np.rint(found.causes["money"] * 100).sum() == np.rint(found.accounts["change"] * 100).sum()
    assert found.matrix["value_now"].sum() == pytest.approx(found.accounts["value_now"].sum(), abs=0.005)
    assert found.to_dict()["totals"]["change"] == pytest.approx(found.causes["money"].sum(), abs=0.005)
    told = np.rint(100 * now["expected_value"]).sum() - np.rint(100 * before["expected_value"]).sum()
    assert np.rint(found.causes["money"] * 100).sum() == told


def test_the_parts_of_movers_add_up_to_their_number():
    found = ledger(*scored(), CUTS)
    was, now = (found.accounts[name].map({"A": 2, "B": 1, "C": 0}) for name in ("previous_tier", "tier"))
    assert found.causes["n_rose"].sum() == pytest.approx((now > was).sum())
    assert found.causes["n_fell"].sum() == pytest.approx((now < was).sum())
    assert found.to_dict()["n_rose"] == (now > was).sum()
    assert found.causes.loc["cuts", ["n_rose", "n_fell"]].abs().sum() > 0 and found.causes.loc["cuts", "money"] == 0
    assert found.causes.loc["weights"].tolist() == [0, 0, 0, 0]
    assert found.causes["n_mainly"].sum() == (now != was)[was.notna() & now.notna()].sum()


def test_the_matrix_counts_who_stood_where_and_who_came_and_went():
    before, now, worth = scored()
    found = ledger(before, now.iloc[5:], worth, CUTS)
    assert found.matrix["n"].sum() == 400
    came, went = (found.matrix[found.matrix[name] == "none"]["n"].sum() for name in ("previous_tier", "tier"))
    assert (came, went) == (20, 5)
    moved = found.movers
    assert len(moved) == found.matrix.query("previous_tier != tier")["n"].sum()
    assert (moved["change"].abs().diff().dropna() <= 0).all()
    assert (moved.query("previous_tier != 'none' and tier != 'none'")["cause"] != "").all()


def test_what_only_one_cause_changes_is_all_its_own():
    before, now, worth = scored()
    same = (CUTS[0], CUTS[0])
    only_data = ledger(before, now, lambda data, model, weights: worth(data, data, weights), same)
    assert (only_data.causes.drop(["data", "held", "restated"])[["money", "n_rose"]] == 0).all(axis=None)
    only_model = ledger(before, before, lambda data, model, weights: worth(False, False, weights), CUTS)
    assert (only_model.causes["money"] == 0).all()


def test_what_the_extract_says_anew_of_the_earlier_day_is_restated():
    before, now, worth = scored()
    published = before.assign(expected_value=before["expected_value"] - 100)
    found = ledger(published, now, worth, CUTS)
    assert found.causes.loc["restated", "money"] == pytest.approx(100 * len(before), abs=len(before) * 0.01)


def test_a_tier_kept_within_noise_is_held():
    before = pd.DataFrame({"account_id": ["a", "b"], "tier": ["A", "B"], "expected_value": [510.0, 490.0]})
    now = before.assign(expected_value=[490.0, 510.0])

    def worth(data, model, weights):
        return pd.Series([490.0, 510.0] if data else [510.0, 490.0], ["a", "b"])

    kept = ledger(before, now, worth, (CUTS[0], CUTS[0]))
    assert kept.movers.empty and kept.causes[["n_rose", "n_fell"]].sum().sum() == 0
    released = ledger(
        now.assign(tier=["A", "B"]), now.assign(tier=["B", "A"]), lambda *_: worth(True, 0, 0), (CUTS[0], CUTS[0])
    )
    assert released.movers["cause"].tolist() == ["held", "held"]


def test_the_order_of_rows_changes_nothing():
    before, now, worth = scored()
    first = ledger(before, now, worth, CUTS)
    again = ledger(before[::-1], now.sample(frac=1, random_state=1), lambda *which: worth(*which)[::-1], CUTS)
    pd.testing.assert_frame_equal(first.accounts, again.accounts)
    pd.testing.assert_frame_equal(first.movers, again.movers)


@pytest.mark.parametrize(("n_before", "n_now"), [(0, 0), (0, 2), (2, 0)])
def test_a_scoring_of_nobody_has_moved_from_or_to_nothing(n_before, n_now):
    two = pd.DataFrame({"account_id": ["a", "b"], "tier": ["A", "C"], "expected_value": [500.0, 100.0]})
    worth = two.set_index("account_id")["expected_value"]
    found = ledger(two[:n_before], two[:n_now], lambda data, *_: worth[: n_now if data else n_before], CUTS)
    assert found.accounts["change"].sum() == 300.0 * (n_now - n_before)
    assert len(found.movers) == n_before + n_now
    assert found.to_dict()["n_rose"] == found.to_dict()["n_fell"] == 0
