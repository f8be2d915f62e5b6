import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.weights.attribution import Attributions
from winworth.weights.criteria import (
    CriteriaWeights,
    contributions_by_criterion,
    criteria_weights,
    criterion_scores,
    integers_to_100,
)

FIXED = settings(deadline=None, derandomize=True)

OWN = {"size": ("headcount", "turnover"), "budget": ("budget",), "engagement": ("visits",), "age": ("age_days",)}
FEATURES = [name for names in OWN.values() for name in names]
CATALOG = Catalog(
    {
        name: Criterion(
            "context" if name == "age" else "firmographic", {}, {f: Feature(value=f"accounts.{f}") for f in features}
        )
        for name, features in OWN.items()
    }
)


def drawn(seed=0, n=400, **columns):
    """Draw attributions of every feature, of which some are given."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({name: columns.get(name, rng.normal(0, 0.4 + 0.2 * k, n)) for k, name in enumerate(FEATURES)})


def weighed(winning, worth=None, *, measured=None, features=None, mean_probability=0.3):
    worth = winning * 0.0 if worth is None else worth
    return criteria_weights(
        Attributions(winning, worth),
        CATALOG,
        mean_probability=mean_probability,
        measured=winning.notna() if measured is None else measured,
        features=winning if features is None else features,
    )


def spread_by_hand(x):
    middle = sorted(x)[len(x) // 2] if len(x) % 2 else sum(sorted(x)[len(x) // 2 - 1 : len(x) // 2 + 1]) / 2
    return sum(abs(v - middle) for v in x) / len(x)


def test_cancelling_features_weigh_nothing():
    headcount = np.random.default_rng(0).normal(size=400)
    table = weighed(drawn(headcount=headcount, turnover=-headcount)).table
    assert table.loc["size", "weight"] == 0
    assert table.loc["size", "dispersion"] == pytest.approx(0, abs=1e-12)
    assert table["weight"].sum() == 100


def test_what_winning_and_worth_take_from_each_other_weighs_nothing():
    winning = drawn()
    table = weighed(winning, winning.assign(budget=-0.7 * winning["budget"])).table
    assert table.loc["budget", "weight"] == 0
    assert table.loc["engagement", "weight"] > 0


def test_a_weight_is_the_share_of_the_mean_distance_from_the_median_in_log_expected_value():
    winning, worth = drawn(1), drawn(2)
    table = weighed(winning, worth).table
    both = {name: [0.7 * winning[f] + worth[f] for f in OWN[name]] for name in OWN}
    by_hand = {name: spread_by_hand(list(sum(parts))) for name, parts in both.items()}
    total = sum(by_hand[name] for name in OWN if name != "age")
    for name in OWN:
        assert table.loc[name, "dispersion"] == pytest.approx(by_hand[name])
        if name != "age":
            assert abs(table.loc[name, "weight"] - 100 * by_hand[name] / total) < 1


@FIXED
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30).filter(lambda shares: sum(shares) > 1e-6))
def test_integers_sum_to_100_and_are_less_than_one_from_their_share(shares):
    found = integers_to_100(np.array(shares))
    assert found.sum() == 100 and found.min() >= 0
    assert np.abs(found - 100 * np.array(shares) / sum(shares)).max() < 1


def test_no_share_at_all_weighs_nothing():
    assert integers_to_100(np.zeros(3)).tolist() == [0, 0, 0]


@FIXED
@given(st.integers(0, 50))
def test_what_works_through_winning_and_through_worth_adds_up_to_the_weight(seed):
    table = weighed(drawn(seed, 60), drawn(seed + 99, 60)).table
    assert (table["through_winning"] + table["through_worth"] == table["weight"]).all()
    assert (table[["through_winning", "through_worth"]] >= 0).all(axis=None)


def test_all_weight_is_through_winning_where_no_value_is_known():
    table = weighed(drawn()).table
    assert (table["through_winning"] == table["weight"]).all()


def test_context_has_no_weight_and_stands_last():
    table = weighed(drawn(age_days=np.random.default_rng(9).normal(0, 50, 400))).table
    assert table.index[-1] == "age"
    assert (table.loc["age", "weight"], table["weight"].sum()) == (0, 100)
    assert table["weight"][:-1].is_monotonic_decreasing


def test_a_criterion_counts_only_the_rows_that_can_have_it():
    winning = drawn()
    has_deal = pd.Series(np.arange(400) < 100)
    measured = pd.DataFrame(True, winning.index, winning.columns).assign(budget=has_deal)
    spoilt = winning.assign(budget=winning["budget"].where(has_deal, 99.0))
    found = weighed(spoilt, measured=measured)
    expected = 0.7 * winning["budget"][:100]
    assert found.table.loc["budget", "dispersion"] == pytest.approx(spread_by_hand(list(expected)))
    assert found.table.loc["budget", "centre"] == pytest.approx(expected.median())
    assert found.reference.loc["budget", "winning"] == pytest.approx(winning["budget"][:100].median())


def test_a_criterion_that_no_row_can_have_weighs_nothing():
    winning = drawn()
    found = weighed(winning, measured=pd.DataFrame(True, winning.index, winning.columns).assign(budget=False))
    assert found.table.loc["budget", ["weight", "dispersion", "centre"]].tolist() == [0, 0, 0]
    assert found.reference.loc["budget"].tolist() == [0, 0]


def test_scores_are_50_at_the_reference_and_linear_until_they_are_clipped():
    table = pd.DataFrame({"dispersion": [0.2], "centre": [0.1], "family": "firmographic", "weight": 100}, index=["budget"])
    weights = CriteriaWeights(table, pd.DataFrame(), 0.7)
    contributions = pd.DataFrame({"budget": [0.1, 0.4, 0.7, 0.9, -0.2, -5.0]})
    assert criterion_scores(contributions, weights)["budget"].tolist() == pytest.approx([50, 75, 100, 100, 25, 0])


def test_a_slope_shrinks_a_criterions_weight_and_its_scores_stay_on_the_same_scale():
    winning, worth = drawn(6), drawn(7)
    slopes = pd.DataFrame({"winning": [0.0, 1.0, 0.5], "worth": [0.0, 0.3, 1.0]}, index=["size", "budget", "engagement"])
    both = Attributions(winning, worth)
    how = {"mean_probability": 0.3, "measured": winning.notna(), "features": winning}
    found = criteria_weights(both, CATALOG, slopes=slopes, **how)
    by_hand = [0.7 * winning["budget"] + 0.3 * worth["budget"], 0.35 * winning["visits"] + worth["visits"]]
    assert found.table.loc["size", ["weight", "dispersion"]].tolist() == [0, 0]
    assert found.table.loc[["budget", "engagement"], "dispersion"].tolist() == pytest.approx(
        [spread_by_hand(list(part)) for part in by_hand]
    )
    parts = contributions_by_criterion(both, CATALOG, found)
    assert parts["budget"].tolist() == pytest.approx(by_hand[0].tolist())
    assert (criterion_scores(parts, found)["size"] == 50).all()


def test_a_criterion_without_spread_scores_50():
    found = weighed(drawn(budget=np.full(400, 0.3)))
    parts = pd.DataFrame({"budget": [0.3, 2.0]})
    assert criterion_scores(parts, found)["budget"].tolist() == pytest.approx([50, 50])


def test_the_weighted_scores_are_the_models_margin_before_rounding_and_clipping():
    winning, worth = drawn(3) * 0.1, drawn(4) * 0.1
    found = weighed(winning, worth)
    criteria = found.table[found.table["family"] != "context"]
    parts = contributions_by_criterion(Attributions(winning, worth), CATALOG, found)
    scores = criterion_scores(parts, found)
    inside = ((scores > 0) & (scores < 100)).all(axis=1)
    exact = scores @ (criteria["dispersion"] / criteria["dispersion"].sum())
    expected = 50 + 50 * (parts - criteria["centre"]).sum(axis=1) / (3 * criteria["dispersion"].sum())
    assert inside.mean() > 0.8
    assert exact[inside].tolist() == pytest.approx(expected[inside].tolist())


def test_the_direction_is_that_of_the_strongest_number():
    rng = np.random.default_rng(5)
    features = pd.DataFrame({name: rng.normal(size=400) for name in FEATURES}).assign(visits=["much", "little"] * 200)
    winning = drawn(headcount=features["headcount"], turnover=0 * features["turnover"], budget=-features["budget"])
    table = weighed(winning, features=features).table
    assert table.loc[["size", "budget", "engagement"], "direction"].tolist() == ["up", "down", ""]
