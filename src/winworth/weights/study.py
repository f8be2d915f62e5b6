"""What is weighed, and how: both models apart from the accounts they explain, criteria shrunk, contributions in one unit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.features.catalog import Catalog
from winworth.models.track import Track
from winworth.weights.attribution import Apart, Attributions, Population, Side, cross_fitted
from winworth.weights.criteria import PARTS, CriteriaWeights, criteria_weights, owned
from winworth.weights.shrinkage import Outcomes, Slopes, shrunk_slopes

Both = dict[str, Apart]


@dataclass(frozen=True)
class Study:
    """Both models' questions, the population to read weights on, its mean win probability, and how it is all computed.

    `worth` is None where too few won deals have a value; `n_deals` is how long the history is. Results depend on `seed` and
    not on `threads`.
    """

    winning: Side
    worth: Side | None
    population: Population
    catalog: Catalog
    mean_probability: float
    n_deals: int
    seed: int
    threads: int = 1

    @property
    def sides(self) -> dict[str, Side]:
        """The questions there are."""
        return {name: getattr(self, name) for name in PARTS if getattr(self, name) is not None}

    @property
    def own(self) -> dict[str, list[str]]:
        """Each criterion's features, and each context's."""
        return owned(self.catalog, self.population.measured)

    @property
    def criteria(self) -> list[str]:
        """The criteria, without context."""
        return [name for name in self.own if self.catalog.criteria[name].family != "context"]

    @property
    def unit(self) -> dict[str, float]:
        """What turns each side's part into log expected value."""
        return {"winning": 1 - self.mean_probability, "worth": 1.0}


def cross_fit(study: Study, *, n_repeats: int, track: Track) -> Both:
    """Explain training rows and population by models apart from their accounts, in `n_repeats` partitions."""
    how = {"seeds": repeat_seeds(study.seed, n_repeats), "threads": study.threads, "track": track}
    return {name: cross_fitted(side, study.population, **how) for name, side in study.sides.items()}


def weigh(study: Study, apart: Both, *, is_shrunk: bool = True) -> CriteriaWeights:
    """Weigh the criteria by attributions apart, multiplied by their slopes where `is_shrunk`."""
    parts = population_parts(apart)
    return criteria_weights(
        parts,
        study.catalog,
        mean_probability=study.mean_probability,
        measured=study.population.measured.set_axis(parts.winning.index),
        features=study.population.features.set_axis(parts.winning.index),
        slopes=slopes(study, apart) if is_shrunk else None,
    )


def population_parts(apart: Both) -> Attributions:
    """Return the population's attributions; of worth they are 0 where too few won deals have a value."""
    winning = apart["winning"].population
    return Attributions(winning, apart["worth"].population if "worth" in apart else winning * 0.0)


def slopes(study: Study, apart: Both) -> pd.DataFrame:
    """Return the slopes by criterion, one column a side."""
    found = {name: side_slopes(study, name, parts).shrunk for name, parts in apart.items()}
    return pd.DataFrame(found, index=list(study.own))


def side_slopes(study: Study, name: str, apart: Apart) -> Slopes:
    """Measure one side's slopes on the training rows that were explained."""
    parts = np.column_stack([apart.train[features].to_numpy().sum(axis=1) for features in study.own.values()])
    return shrunk_slopes(parts, outcomes_at(study.sides[name], apart.train.index))


def outcomes_at(side: Side, rows: pd.Index) -> Outcomes:
    """Return what came of some training rows."""
    whole = side.outcomes
    return Outcomes(whole.y[rows], whole.weight[rows], whole.accounts[rows], whole.is_chance)


def contributed(study: Study, apart: Both, held: pd.DataFrame, prefix: str = "") -> pd.DataFrame:
    """Return the population's contributions by criterion, in log expected value; NaN where a row can have none of it.

    `held` has the slopes; `prefix` picks other features of the same names, with that before them.
    """
    places = apart["winning"].population.index
    found = {}
    for name in study.criteria:
        can = study.population.measured[study.own[name]].to_numpy()[places]
        columns = [prefix + feature for feature in study.own[name]]
        parts = [
            study.unit[side] * held[side][name] * np.where(can, one.population[columns].to_numpy(), 0.0).sum(axis=1)
            for side, one in apart.items()
        ]
        found[name] = np.where(can.any(axis=1), sum(parts), np.nan)
    return pd.DataFrame(found, index=places)


def dispersions(contributions: pd.DataFrame) -> pd.Series:
    """Return each column's mean distance from its median, over the rows that have it."""
    return (contributions - contributions.median()).abs().mean().fillna(0.0)


def repeat_seeds(seed: int, n: int) -> tuple[int, ...]:
    """Return the seeds of `n` partitions; the first is `seed` itself."""
    return (seed, *(int(child.generate_state(1)[0]) for child in np.random.SeedSequence(seed).spawn(n - 1)))
