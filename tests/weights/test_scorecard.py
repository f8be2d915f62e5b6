import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
from card_world import CATALOG, DEAL_LEVEL, drawn, fitted, random_rows, weights_of

from winworth.errors import DataError
from winworth.models.metrics import spearman
from winworth.weights.bins import NumberBins
from winworth.weights.fit_card import CardLimits, CardRows, fit_scorecard
from winworth.weights.scorecard import Scorecard


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return fitted()


def test_the_score_follows_the_sum_of_contributions_on_rows_it_was_not_learnt_from(card):
    features, parts, _ = drawn(seed=7, noise=0.0)
    assert spearman(parts.sum(axis=1).to_numpy(), card.score(features).to_numpy()) > 0.95


def test_criterion_scores_are_whole_numbers_from_0_to_100(card):
    features, has_no_deal = random_rows(card)
    scores = card.criteria(features, has_no_deal)
    assert scores.dtypes.unique().tolist() == [np.dtype("int64")]
    assert scores.to_numpy().min() >= 0
    assert scores.to_numpy().max() <= 100
    assert list(scores.columns) == list(card.weights)
    assert "season" not in scores


def test_the_reference_contribution_scores_about_50(card):
    features, parts, _ = drawn(noise=0.0)
    weights, scores = weights_of(parts, features), card.criteria(features)
    for name in ("need", "place"):
        contribution = parts[list(CATALOG.criteria[name].features)].sum(axis=1)
        usual = (contribution - weights["centre"][name]).abs() < 0.2 * weights["dispersion"][name]
        assert abs(scores.loc[usual, name].mean() - 50) < 3


def test_points_and_start_add_up_to_the_criterion_before_it_is_held(card):
    features, has_no_deal = random_rows(card, 500)
    parts = card.points(features, has_no_deal)
    for name, scores in card.criteria(features, has_no_deal).items():
        own = parts[[key for key in parts.columns if key[0] == name]]
        assert ((50 + own.sum(axis=1)).clip(0, 100) == scores).all()


@pytest.mark.parametrize("seed", [0, 28, 40])
def test_more_of_what_helps_never_lowers_a_criterion_pairs_included(seed):
    card = fitted(CardLimits(pairs_pay=-1.0), n=600, seed=seed, noise=0.5)
    assert len(card.pairs) == 3
    features, has_no_deal = random_rows(card, 300)
    for table in card.tables:
        direction = CATALOG.features[table.bins.feature].direction
        if direction:
            ladder = sorted([*table.bins.edges, *(e for p in card.pairs for b in (p.first, p.second) for e in _edges(b))])
            steps = [-1e9, *ladder] if direction == "up" else [*reversed(ladder), -1e9]
            scores = [card.criteria(features.assign(**{table.bins.feature: step}), has_no_deal) for step in steps]
            for lower, higher in zip(scores[:-1], scores[1:], strict=True):
                assert (higher >= lower).all(axis=None)


def _edges(bins) -> tuple[float, ...]:
    return bins.edges if isinstance(bins, NumberBins) else ()


def test_features_that_work_together_across_two_criteria_share_a_pair(card):
    assert [set(pair.features) for pair in card.pairs] == [{"headcount", 'da"ys'}]
    assert set(card.pairs[0].points) == {"size", "speed"}
    n = np.array(card.pairs[0].n)
    assert (n.sum(axis=1) > 0).sum() <= 6
    assert (n.sum(axis=0) > 0).sum() <= 6


def test_both_halves_of_a_pair_are_worth_the_same_in_the_score(card):
    pair = card.pairs[0]
    halves = [card.weights[name] * np.array(cells) for name, cells in pair.points.items()]
    assert np.corrcoef(halves[0].ravel(), halves[1].ravel())[0, 1] > 0.8


def test_without_interplay_there_is_no_pair():
    features, parts, groups = drawn()
    flat = parts.assign(headcount=0.5 * np.log1p(features["headcount"]), **{'da"ys': -0.01 * features['da"ys']})
    card = fit_scorecard(CardRows(features, flat, groups), CATALOG, weights_of(flat, features), seed=0)
    assert card.pairs == ()


def test_no_more_pairs_and_bins_than_allowed():
    card = fitted(CardLimits(bins=4, most_bins=4, max_pairs=0))
    assert card.pairs == ()
    assert max(len(_edges(table.bins)) for table in card.tables) == 3
    assert max(len(_edges(table.bins)) for table in fitted().tables) == 9


def test_a_pair_inside_a_criterion_belongs_to_it():
    features, parts, groups = drawn()
    together = (features["headcount"] > 20) * (features["size class"] == "TPE") * 1.5
    parts = parts.assign(headcount=parts["headcount"] + together)
    card = fit_scorecard(CardRows(features, parts, groups), CATALOG, weights_of(parts, features), seed=0)
    assert {("headcount", "size class"): ["size"]}.items() <= {pair.features: list(pair.points) for pair in card.pairs}.items()


def test_an_account_without_a_deal_is_neutral_in_what_only_a_deal_has(card):
    features, _ = random_rows(card, 200)
    without = card.points(features, np.ones(200, dtype=bool))
    for key in without.columns:
        if set(key[1:]) & set(DEAL_LEVEL):
            assert (without[key] == 0).all()
    assert (card.criteria(features, np.ones(200, dtype=bool))["need"] == 50).all()


def test_rows_that_cannot_have_a_feature_teach_nothing_of_it():
    features, parts, groups = drawn()
    nobody = np.arange(len(features)) % 2 == 0
    blank = parts.assign(**{name: parts[name].mask(nobody) for name in DEAL_LEVEL})
    spoilt = features.assign(budget=features["budget"].mask(nobody, 1e9))
    weights = weights_of(blank, features)
    cards = [fit_scorecard(CardRows(f, blank, groups), CATALOG, weights, seed=0) for f in (features, spoilt)]
    found = [{table.bins.feature: table for table in card.tables}["budget"] for card in cards]
    assert found[0] == found[1]
    assert sum(found[0].n) == (~nobody).sum()


def test_the_same_rows_and_columns_in_another_order_give_the_same_card(card):
    features, parts, groups = drawn()
    weights = weights_of(parts, features)
    order = np.random.default_rng(5).permutation(len(features))
    features, parts = features.iloc[order, ::-1], parts.iloc[order].sample(frac=1, axis=1, random_state=1)
    assert fit_scorecard(CardRows(features, parts, groups[order]), CATALOG, weights, seed=0) == card


def test_renamed_levels_change_nothing(card):
    features, parts, groups = drawn()
    renamed = features.assign(region="zone " + features["region"].str[::-1])
    other = fit_scorecard(CardRows(renamed, parts, groups), CATALOG, weights_of(parts, features), seed=0)
    assert (other.score(renamed) == card.score(features)).all()


def test_the_card_comes_back_from_json(card):
    text = json.dumps(card.to_dict(), sort_keys=True, allow_nan=False)
    back = Scorecard.from_dict(json.loads(text))
    assert back == card
    assert list(back.weights) == list(card.weights)
    features, has_no_deal = random_rows(card, 500)
    assert back.score(features, has_no_deal).equals(card.score(features, has_no_deal))


def test_the_order_of_columns_and_what_else_stands_in_the_table_does_not_matter(card):
    features, _ = random_rows(card, 300)
    assert card.score(features.assign(more=1)[[*reversed(features.columns), "more"]]).equals(card.score(features))


def test_losses_are_published_and_small(card):
    losses = card.losses
    assert losses.r2_of_points > 0.99
    assert losses.rounding < 1
    assert losses.share_clipped < 0.02
    assert 0.8 < losses.r2_of_bins < 1


def test_skewed_criteria_widen_the_reach_instead_of_losing_their_best_rows():
    features, parts, groups = drawn()
    parts = parts.assign(visits=np.where(features["visits"] > 9, 20.0, parts["visits"]), budget=0.0, headcount=0.0)
    card = fit_scorecard(CardRows(features, parts, groups), CATALOG, weights_of(parts, features), seed=0)
    assert card.losses.reach > 3


def test_other_weights_make_another_score_of_the_same_criteria(card):
    features, _ = random_rows(card, 100)
    names = list(card.weights)
    weights = {name: 100 if name == names[-1] else 0 for name in names}
    other = card.with_weights(weights)
    assert (other.score(features) == card.criteria(features)[names[-1]]).all()
    with pytest.raises(DataError, match="summing to 100"):
        card.with_weights({**weights, names[0]: 7})


def test_a_table_that_lacks_a_feature_is_refused_by_name(card):
    features, _ = random_rows(card, 3)
    with pytest.raises(DataError, match="lacks 1 columns of the scorecard: visits"):
        card.score(features.drop(columns="visits"))


def test_no_rows_give_no_card_and_say_so():
    features, parts, groups = drawn(10)
    with pytest.raises(DataError, match="there are none"):
        fit_scorecard(CardRows(features[:0], parts[:0], groups[:0]), CATALOG, weights_of(parts, features), seed=0)


def test_a_feature_without_variation_and_rows_of_one_account_still_give_a_card():
    features, parts, _ = drawn(200)
    for still, groups in product((features, features.assign(visits=np.nan, region=None)), (np.arange(200), np.arange(200) % 2)):
        card = fit_scorecard(CardRows(still, parts, groups), CATALOG, weights_of(parts, features), seed=0)
        assert card.score(still).between(0, 100).all()


def test_where_nothing_weighs_every_criterion_scores_50():
    features, parts, groups = drawn(300)
    parts = parts * 0
    card = fit_scorecard(CardRows(features, parts, groups), CATALOG, weights_of(parts, features), seed=0)
    assert (card.criteria(features) == 50).all(axis=None)
    assert (card.score(features) == 0).all()
    assert isinstance(pd.Series(card.losses.__dict__).sum(), float)
