"""The split of a change in a rate, against hand counts and by its own sum."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.errors import DataError
from winworth.kpi.kitagawa import split_figures, split_rate


def table(won, n, names="abcdefgh"):
    return pd.DataFrame({"won": won, "n": n}, index=list(names)[: len(n)])


def test_a_rise_from_20_5_to_24_4_percent_without_a_better_group_is_all_mix():
    """Rates of 10, 20 and 45 % in both periods; only the shares move."""
    n_before, n_after, rates = np.array([575, 175, 250]), np.array([435, 215, 350]), np.array([0.10, 0.20, 0.45])
    found = split_rate(table(n_before * rates, n_before), table(n_after * rates, n_after))
    assert found.before == pytest.approx(0.205)
    assert found.after == pytest.approx(0.244)
    assert (found.rate, found.interaction) == pytest.approx((0, 0), abs=1e-12)
    assert found.mix == pytest.approx(found.after - found.before)


def test_each_part_is_what_is_counted_by_hand():
    """40 and 60 deals, then 50 and 50; rates 10 and 30 %, then 20 and 30 %."""
    found = split_rate(table([4, 18], [40, 60]), table([10, 15], [50, 50]))
    assert found.rate == pytest.approx(0.4 * 0.1)
    assert found.mix == pytest.approx(0.1 * 0.1 + -0.1 * 0.3)
    assert found.interaction == pytest.approx(0.1 * 0.1)


counts = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=4, max_size=4)


@given(counts, counts)
@settings(max_examples=60, deadline=None)
def test_the_parts_add_up_exactly_whatever_groups_come_and_go(old, new):
    before, after = (table([min(w, n) for w, n in rows], [n for _, n in rows]) for rows in (old, new))
    if before["n"].sum() == 0 or after["n"].sum() == 0:
        return
    found = split_rate(before, after)
    assert found.rate + found.mix + found.interaction == pytest.approx(found.after - found.before, abs=1e-12)
    assert found.groups[["rate", "mix", "interaction"]].sum().sum() == pytest.approx(found.after - found.before, abs=1e-12)


def test_a_group_that_comes_is_all_mix_and_an_average_one_changes_nothing():
    found = split_rate(table([20], [100]), table([20, 10], [100, 50]))
    assert (found.rate, found.mix, found.interaction) == pytest.approx((0, 0, 0))
    better = split_rate(table([20], [100]), table([20, 40], [100, 50])).groups.loc["b"]
    assert better["mix"] == pytest.approx(1 / 3 * 0.6)
    assert better["rate"] == 0


def test_a_period_without_deals_is_an_error():
    with pytest.raises(DataError, match="has no deals"):
        split_rate(table([0], [0]), table([1], [2]))


def test_the_split_is_written_for_json():
    told = split_rate(table([4, 18], [40, 60]), table([10, 15], [50, 50])).to_dict()
    assert [group["group"] for group in told["groups"]] == ["a", "b"]
    parts = {name: told[name] for name in ("before", "after", "rate", "mix", "interaction")}
    assert parts == pytest.approx({"before": 0.22, "after": 0.25, "rate": 0.04, "mix": -0.02, "interaction": 0.01})


def deals(seed, rates, n=400):
    """Two deals of each account, in one of three groups; `rates` are those of the groups before and after."""
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(n), 2)
    group, is_after = rng.integers(3, size=n)[account], np.tile([False, True], n)
    won = rng.random(2 * n) < np.array(rates)[is_after.astype(int), group]
    return pd.DataFrame({"account_id": account, "group": group, "is_after": is_after, "won": won.astype(float)})


def test_the_figures_of_a_split_are_its_own_and_its_draws_those_of_whole_accounts():
    rows = deals(0, [[0.1, 0.2, 0.4], [0.2, 0.2, 0.4]])
    found = split_figures(rows, seed=0, n_boot=300)
    counts = [rows[rows["is_after"] == after].groupby("group")["won"].agg(won="sum", n="count") for after in (False, True)]
    split = split_rate(*counts)
    assert {name: figure.value for name, figure in found.items()} == pytest.approx(
        {name: getattr(split, name) for name in found}
    )
    rng, drawn = np.random.default_rng(1), []
    for _ in range(300):
        picked = pd.DataFrame({"account_id": rng.integers(400, size=400)}).merge(rows, on="account_id")
        drawn.append(picked.loc[picked["is_after"], "won"].mean())
    assert (found["after"].low, found["after"].high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.012)


def test_the_interval_of_each_part_covers_the_truth():
    """Only the rate of the first group, a third of all, changes: by 15 points, so that 5 points are rate and none is mix."""
    found = [split_figures(deals(seed, [[0.1, 0.2, 0.4], [0.25, 0.2, 0.4]]), seed=0, n_boot=100) for seed in range(60)]
    for name, truth in (("rate", 0.05), ("mix", 0.0)):
        assert np.mean([f[name].low - 1e-9 <= truth <= f[name].high + 1e-9 for f in found]) >= 0.85
