"""What the page is made from: all that a review shows, as of a day, and a drawing with what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from winworth.features.catalog import Catalog
from winworth.review.decided import Outcome
from winworth.review.moved import Moved
from winworth.review.workshop import Workshop
from winworth.weights.scorecard import Scorecard

CADENCES = ("quarterly", "monthly")


@dataclass(frozen=True)
class Review:
    """All that the page shows, as of a day; what is None or empty was not made, and the page says so.

    `metrics` is the model version's metrics.json. `weights` has one row a criterion (label, family, weight, through_winning,
    through_worth, direction; where doubt was measured low, high, is_clear and more), context last; it may be empty.
    `accounts` has one row an account; values are NaN where none could be learnt. `overrides` and `tiering` are what the
    scores' run.json says of weights that leadership set, and of tiers. `catalog` names the features of `card`. `plays` has a
    row for each segment and tier, in the page's language. `kpis` is the ledger of `kpis_on`. `pictures` is the version's
    pictures.json. `documents` are compare.json, backtest.json and advice.json, the newest of each by its name.
    `workshop` is what other weights are tried on. `monitored` is monitor.json of the day, where that advises anything
    but to go on.
    """

    company: str
    currency: str
    as_of: date
    model_version: str
    model_as_of: str
    metrics: dict
    weights: pd.DataFrame
    accounts: pd.DataFrame
    warnings: list[str]
    overrides: dict | None = None
    cadence: str = "quarterly"
    tiering: Mapping = field(default_factory=dict)
    moved: Moved | None = None
    card: Scorecard | None = None
    catalog: Catalog | None = None
    plays: pd.DataFrame | None = None
    kpis: pd.DataFrame | None = None
    kpis_on: date | None = None
    pictures: Mapping = field(default_factory=dict)
    documents: Mapping[str, Mapping] = field(default_factory=dict)
    decisions: tuple[Outcome, ...] = ()
    workshop: Workshop | None = None
    monitored: Mapping | None = None

    @property
    def publishes_weights(self) -> bool:
        """Whether any weight is published: where nothing could be learnt, none is."""
        weights = self.weights
        return bool(self.metrics["weights_published"] and not weights.empty and weights["weight"].sum() > 0)


@dataclass(frozen=True)
class Chart:
    """A drawing with the sentence it illustrates and the number it rests on."""

    svg: str
    caption: str
    n: str
