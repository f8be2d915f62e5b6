"""What would move an account a tier up: the smallest changes, of nothing that cannot be changed."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.scoring.lifting import MOST_STEPS, smallest_changes, steps_of
from winworth.weights.bins import LevelBins, NumberBins
from winworth.weights.scorecard import FeatureTable, Losses, Scorecard

CATALOG = Catalog(
    {
        "size": Criterion("firmographic", {}, {"headcount": Feature(value="accounts.headcount", direction="up")}),
        "sector": Criterion("firmographic", {}, {"sector": Feature(value="accounts.sector")}),
        "engagement": Criterion(
            "behavioural",
            {},
            {
                "meetings": Feature(count="activities", direction="up"),
                "days_since_reply": Feature(days_since_last="activities", direction="down"),
            },
        ),
        "deciders": Criterion("purchase_maturity", {}, {"deciders": Feature(count="contacts", direction="up")}),
    }
)


def table(criterion, feature, *edges):
    bins = NumberBins(feature, edges)
    return FeatureTable(criterion, bins, tuple(range(len(bins.places))), (1,) * len(bins.places))


CARD = Scorecard(
    {"engagement": 50, "size": 30, "deciders": 20, "sector": 0},
    (
        table("size", "headcount", 50.0, 500.0),
        FeatureTable("sector", LevelBins("sector", ("it",)), (0, 1, 2), (1, 1, 1)),
        table("engagement", "meetings", 0.5, 2.5, 5.5),
        table("engagement", "days_since_reply", 7.5, 30.5),
        table("deciders", "deciders", 0.5, 1.5),
    ),
    (),
    (),
    Losses(3.0, 1.0),
)
VALUES = pd.Series({"headcount": 10.0, "sector": "steel", "meetings": 1.0, "days_since_reply": 60.0, "deciders": 0.0})


def worth(rows):
    return (100 * rows["headcount"] + 10 * rows["meetings"] - rows["days_since_reply"] + 20 * rows["deciders"]).to_numpy()


def test_only_what_can_be_changed_is_moved_and_only_the_way_that_helps():
    steps = steps_of(VALUES, CARD, CATALOG)
    assert {name: [step.value for step in own] for name, own in steps.items()} == {
        "meetings": [3.0, 6.0],
        "days_since_reply": [30.0, 7.0],
        "deciders": [1.0, 2.0],
    }
    assert [step.n_bins for step in steps["meetings"]] == [1, 2]


def test_a_value_that_is_missing_may_become_any():
    steps = steps_of(VALUES.where(VALUES.index != "days_since_reply", np.nan), CARD, CATALOG)["days_since_reply"]
    assert [(step.n_bins, step.value) for step in steps] == [(1, 31.0), (2, 8.0), (3, 7.0)]
    assert max(step.n_bins for step in steps) <= MOST_STEPS


@pytest.mark.parametrize("gain", [5, 20, 40, 60, 90, 110, 130, 200])
def test_the_smallest_sets_are_those_of_a_search_through_all(gain):
    now = worth(VALUES.to_frame().T)[0]
    steps = steps_of(VALUES, CARD, CATALOG)
    found = smallest_changes(VALUES.to_frame().T, steps, worth, goal=now + gain)
    best = None
    for n in (1, 2, 3):
        enough = []
        for names in combinations(steps, n):
            for own in product(*(steps[name] for name in names)):
                row = VALUES.copy()
                for step in own:
                    row[step.feature] = step.value
                if worth(row.to_frame().T)[0] >= now + gain:
                    enough.append(sum(step.n_bins for step in own))
        if enough:
            best = (n, min(enough))
            break
    assert (None if not found else (len(found[0]), sum(step.n_bins for step in found[0]))) == best
    sets = [{step.feature for step in way} for way in found]
    assert all(a != b for a, b in combinations(sets, 2))


def test_where_nothing_can_be_changed_there_is_no_way():
    assert smallest_changes(VALUES.to_frame().T, {}, worth, goal=1e9) == []
