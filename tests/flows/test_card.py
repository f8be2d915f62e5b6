"""The model card says what was measured, and of the rest that it was not."""

import json

import pytest

from winworth.flows.card import model_card
from winworth.flows.record import labelled_weights


@pytest.fixture
def card(demo):
    trained = demo.done.trained
    return model_card(trained.metrics, labelled_weights(trained.scorer.weights, trained.scorer, "en"))


def test_the_card_names_the_period_the_ladder_and_what_more_deals_would_buy(card):
    assert "- Period: deals opened from 2022-07-" in card
    assert "telling deals may try: base rate, ridge, average, trees" in card
    assert "Another 500 closed deals would take off the log loss: 0.0" in card


def test_the_card_says_what_was_done_for_each_of_the_eight_kinds_of_leakage(card):
    rows = card.split("## Leakage, by kind")[1].split("##")[0].strip().splitlines()[2:]
    assert len(rows) == 8
    assert any("a random split would have reported AUC 0." in row and "forward in time gave 0." in row for row in rows)


def test_baselines_that_the_export_does_not_allow_are_named_as_not_measured(card):
    assert "- Baseline stage: auc 0." in card
    assert "- Baseline the CRM's or the seller's own chance: not measured, there is none" in card
    assert "- Baseline the champion's recipe: not measured, there is none" in card


def test_what_was_not_measured_is_said_not_left_out(demo):
    trained = demo.done.trained
    bare = json.loads(json.dumps(trained.metrics))
    bare |= {"value": None, "slices": None, "leak_tax": None, "leaks": None, "opened": None}
    bare["win"] |= {
        "out_of_time": None,
        "new_accounts": None,
        "learning_curve": None,
        "reliability": None,
        "random_split_auc": None,
    }
    card = model_card(bare, labelled_weights(trained.scorer.weights, trained.scorer, "en"))
    assert card.count("not measured") >= 10
