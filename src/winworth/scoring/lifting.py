"""What would move an account a tier up: the smallest changes of what can be changed, by the models' own reckoning."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from winworth.features.catalog import Catalog
from winworth.weights.bins import NumberBins
from winworth.weights.scorecard import Scorecard

MOST_TOGETHER = 3  # features changed at once
MOST_SHOWN = 3  # ways told
MOST_STEPS = 4  # bins away from where the account is
_WHOLE = ("count", "distinct", "days_since_last")


@dataclass(frozen=True)
class Step:
    """A feature at another value, so many bins of the scorecard away."""

    feature: str
    value: float
    n_bins: int


def steps_of(values: pd.Series, card: Scorecard, catalog: Catalog) -> dict[str, list[Step]]:
    """Return, for each feature that a sales team can change, the values within reach, nearest first.

    `values` are the account's own. A value is the nearest of a bin of the card; directions that are declared to hurt are
    left out, and so is what an account is (its size, its sector), which no one changes.
    """
    found = {}
    for table in card.tables:
        name, bins = table.bins.feature, table.bins
        if not isinstance(bins, NumberBins) or not catalog.criteria[table.criterion].can_change(name):
            continue
        here, spec = int(bins.places_of(values[[name]].astype(float))[0]), catalog.features[name]
        is_known = here < bins.n_ordered
        steps = []
        for place in range(bins.n_ordered):
            is_up = place > here if is_known else True
            wrong = is_known and spec.direction is not None and is_up != (spec.direction == "up")
            n_bins = abs(place - here) if is_known else 1 + (place if spec.direction != "down" else bins.n_ordered - 1 - place)
            if place == here or wrong or n_bins > MOST_STEPS:
                continue
            steps.append(Step(name, _nearest(bins, place, from_below=is_up, whole=spec.verb in _WHOLE), n_bins))
        if steps:
            found[name] = sorted(steps, key=lambda step: step.n_bins)
    return found


def smallest_changes(
    row: pd.DataFrame, steps: Mapping[str, Sequence[Step]], worth: Callable[[pd.DataFrame], np.ndarray], *, goal: float
) -> list[tuple[Step, ...]]:
    """Return up to three of the smallest sets of steps by which `worth` of the row reaches the goal; none where no set does.

    `row` is a feature table of one row. A set of fewer features is smaller, then one of fewer bins; sets that hold another
    that suffices are left out.
    """
    ways: list[tuple[Step, ...]] = []
    for n in range(1, MOST_TOGETHER + 1):
        sets = [s for names in combinations(sorted(steps), n) for s in product(*(steps[name] for name in names))]
        sets = sorted(sets, key=lambda s: (sum(step.n_bins for step in s), [step.feature for step in s]))
        if not sets:
            break
        own = {
            name: [next((step.value for step in s if step.feature == name), row[name].iloc[0]) for s in sets] for name in steps
        }
        rows = row.iloc[np.zeros(len(sets), dtype=int)].reset_index(drop=True).assign(**own)
        enough = worth(rows) >= goal
        ways = [s for s, is_enough in zip(sets, enough, strict=True) if is_enough]
        if ways:
            break
    told, seen = [], set()
    for way in ways:  # one way a set of features: the smallest
        names = tuple(step.feature for step in way)
        if names not in seen:
            seen.add(names)
            told.append(way)
    return told[:MOST_SHOWN]


def _nearest(bins: NumberBins, place: int, *, from_below: bool, whole: bool) -> float:
    """Return the value of a bin nearest to one below it, or to one above it."""
    low = bins.edges[place - 1] if place > 0 else None
    high = bins.edges[place] if place < len(bins.edges) else None
    if from_below and low is not None:
        return float(np.ceil(low)) if whole else float(low)
    if high is None:
        return float(low)
    if whole:
        return float(max(np.ceil(high) - 1, 0))
    return float(high - abs(high) * 1e-6 if low is None else (low + high) / 2)
