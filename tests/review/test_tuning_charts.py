import re
import xml.etree.ElementTree as ElementTree

import pytest

from winworth.models.task import Rung
from winworth.models.tune import Search, Trial
from winworth.review.tuning_charts import history_chart, importances_chart

SHARES = {"rate": 0.2, "leaves": 0.5, "reach": 0.3}


def trial(number, *losses, is_pruned=False):
    return Trial(number, Rung("tuned", C=0.1), tuple((loss, 1.0) for loss in losses), is_pruned)


TRIALS = (
    trial(0, 0.52, 0.5),
    trial(1, 0.51, 0.49),
    trial(2, 0.9, is_pruned=True),
    trial(3, 0.505, is_pruned=True),
    trial(4, 0.5, 0.5),
)


def history(trials=TRIALS, gain=(-0.001, 0.002), is_better=False):
    found = Search(trials, {}, 0)
    return history_chart(found, default="average", default_loss=0.505, gain=gain, is_better=is_better)


def drawn(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]


@pytest.mark.parametrize("svg", [history(), importances_chart(SHARES, n_trials=5), importances_chart({}, n_trials=2)])
def test_charts_are_named_well_formed_and_stay_at_home(svg):
    assert ElementTree.fromstring(svg).get("role") == "img"
    assert "<title>" in svg and len(svg.encode()) < 60_000
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", svg)


def test_the_same_tuning_gives_the_same_bytes():
    assert history() == history()
    assert importances_chart(SHARES, n_trials=5) == importances_chart(dict(reversed(SHARES.items())), n_trials=5)


def test_the_title_says_what_was_decided_and_by_how_much():
    assert "<title>Tuning does not beat the default beyond noise: log loss -0.00100 against average, standard" in history()
    assert "<title>Tuning beats the default beyond noise" in history(is_better=True)


def test_the_history_names_the_default_the_best_and_how_many_were_tried():
    said = drawn(history())
    assert {"default 0.5050", "(average)", "best 0.5000", "(trial 1)"} <= set(said)
    assert "trial (n = 5, 2 of them given up early)" in said and "mean log loss (nats a deal)" in said


def test_what_was_given_up_is_marked_apart_within_the_frame_and_above_it():
    assert {"all folds", "given up", "given up, above the frame"} <= set(drawn(history()))
    assert "given up" not in drawn(history(TRIALS[:2]))


def test_one_trial_makes_a_history():
    assert "trial (n = 1, 0 of them given up early)" in drawn(history(TRIALS[:1]))


def test_the_importances_stand_in_their_order_with_their_unit_and_number():
    svg = importances_chart(SHARES, n_trials=5)
    said = drawn(svg)
    assert [text for text in said if text in ("leaves", "rate", "reach (trees × rate)")] == [
        "leaves",
        "reach (trees × rate)",
        "rate",
    ]
    assert "The loss hangs most on leaves: 50%" in svg
    assert "share of the loss's variance explained (%)" in said
    assert "Trials that went through every fold: n = 5" in said


def test_too_few_trials_draw_no_bar_and_say_so():
    assert "Too few trials to say which settings matter" in drawn(importances_chart({}, n_trials=2))
