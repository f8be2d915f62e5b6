"""What is said of a segment: once a deal, with its doubt, and not at all where there is too little."""

import numpy as np
import pandas as pd
import pytest
from segment_world import SHARES, drawn

from winworth.models.shares import wilson
from winworth.printed.profile import profiled
from winworth.scoring.find_segments import Effort, find_segments
from winworth.scoring.segment_figures import segment_figures
from winworth.scoring.segment_tests import HeldOut


@pytest.fixture(scope="module")
def segments():
    effort = Effort(most=4, n_boot=5)
    return find_segments(drawn().features, SHARES, None, seed=0, effort=effort).segments


def observed(world, times=1, account=None):
    """Return the world's deals, each observed so many times, and whose rows are one deal's."""
    rows = np.tile(np.arange(len(world.true)), times)
    account = np.arange(len(world.true)) if account is None else account
    features = world.features.iloc[rows].reset_index(drop=True)
    return HeldOut(features, world.won[rows], np.ones(len(rows)), world.value[rows], account[rows]), rows


def figures(segments, later, deal):
    return segment_figures(segments, later, deal, seed=0, n_boot=100)


def test_figures_are_those_of_the_segments_deals_with_an_interval_around_each(segments):
    world = drawn(seed=100)
    told, place = figures(segments, *observed(world)), segments.nearest(world.features)[0]
    for k, name in enumerate(segments.ids):
        won, paid = world.won[place == k], world.value[(place == k) & (world.won == 1)]
        rate, value = told[name]["win_rate"], told[name]["mean_value"]
        assert (rate["value"], rate["n"], value["n"]) == (pytest.approx(won.mean()), len(won), len(paid))
        assert (rate["low"], rate["high"]) == pytest.approx(wilson(won.sum(), len(won)))
        assert value["value"] == pytest.approx(paid.mean()) and value["low"] < paid.mean() < value["high"]
        assert value["high"] - value["low"] == pytest.approx(2 * 1.96 * paid.std() / np.sqrt(len(paid)), rel=0.35)


def test_a_deal_observed_at_four_ages_counts_once(segments):
    assert figures(segments, *observed(drawn(300, 100), times=4)) == figures(segments, *observed(drawn(300, 100)))


def test_deals_of_one_account_that_end_alike_make_the_interval_wider(segments):
    world = drawn(300, 100)
    by_outcome = np.where(world.won == 1, np.arange(300) % 8, 8 + np.arange(300) % 12)
    one, other = (figures(segments, *observed(world, account=account))["S1"] for account in (None, by_outcome))
    width = [told["win_rate"]["high"] - told["win_rate"]["low"] for told in (one, other)]
    assert one["win_rate"]["value"] == other["win_rate"]["value"] and width[1] > 1.5 * width[0]
    assert other["mean_value"]["value"] == one["mean_value"]["value"] and other["mean_value"]["low"] is None


def test_fewer_than_ten_deals_are_hidden_and_printed_as_such(segments):
    told = figures(segments, *observed(drawn(28, 100)))
    assert any(
        one["win_rate"] == {"value": None, "low": None, "high": None, "n": n} for one in told.values() for n in range(10)
    )
    label = {"en": "all", "fr": "tous"}
    found = {name: {"label": label, "rule": None, **one} for name, one in told.items()}
    table = profiled({"segments": {"segments": found, "tried": [], "ids": None, "says": ""}})[0]
    rates = pd.Series([*table.columns[3].cells])
    assert (rates == "n<10").sum() == sum(one["win_rate"]["n"] < 10 for one in told.values()) > 0
    assert rates[rates != "n<10"].str.fullmatch(r"\d+% \[\d+%-\d+%\]").all()
