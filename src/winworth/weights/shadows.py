"""What noise would weigh: every criterion beside a copy of itself that has been shuffled."""

from dataclasses import replace

import numpy as np
import pandas as pd

from winworth.models.track import Track, in_order
from winworth.weights.attribution import Side
from winworth.weights.shrinkage import shrunk_slopes
from winworth.weights.stability import draw_apart
from winworth.weights.study import Both, Study, contributed, dispersions, outcomes_at, slopes

SHADOW = "shadow of "
CERTAINTY = 0.95


def noise_floor(study: Study, *, n_repeats: int, track: Track) -> pd.Series:
    """Return what each criterion would weigh, at most and in 19 cases of 20, if it were noise: points of 100.

    A criterion's features are shuffled together (as shadow features in Boruta, Kursa and Rudnicki 2010), once for the
    training rows and once for the population, and both models are fitted once on criteria and shadows. A shadow's slope is
    drawn towards the common slope of the criteria, as theirs are.
    """

    def once(k: int) -> pd.Series:
        shadowed = _shadowed(study, np.random.default_rng([study.seed, k]))
        apart = draw_apart(shadowed, k)
        real = dispersions(contributed(study, apart, slopes(study, apart)))
        shadow = dispersions(contributed(study, apart, _shadow_slopes(study, apart), SHADOW))
        return 100 * shadow / real.sum() if real.sum() > 0 else shadow * 0.0

    made = in_order(once, n_repeats, study.threads, track, "Weighing noise")
    return pd.DataFrame(list(made)).quantile(CERTAINTY)


def _shadowed(study: Study, rng: np.random.Generator) -> Study:
    """Put shuffled copies beside the features; a row of the population that cannot have a criterion cannot have its shadow."""
    everyone = {name: np.ones(len(side.features), dtype=bool) for name, side in study.sides.items()}
    sides = {name: _with_shadows(study, side, everyone[name], rng) for name, side in study.sides.items()}
    population, copies = study.population, {}
    for features in (study.own[name] for name in study.criteria):
        can = population.measured[features].any(axis=1).to_numpy()
        copies |= _shuffled(population.features[features], can, rng)
    table = pd.concat([population.features, pd.DataFrame(copies, index=population.features.index)], axis=1)
    return replace(study, **sides, population=replace(population, features=table))


def _with_shadows(study: Study, side: Side, can: np.ndarray, rng: np.random.Generator) -> Side:
    copies = {}
    for name in study.criteria:
        copies |= _shuffled(side.features[study.own[name]], can, rng)
    return replace(side, features=pd.concat([side.features, pd.DataFrame(copies, index=side.features.index)], axis=1))


def _shuffled(features: pd.DataFrame, can: np.ndarray, rng: np.random.Generator) -> dict[str, pd.Series]:
    order = np.arange(len(features))
    order[can] = rng.permutation(order[can])
    return {SHADOW + name: column.iloc[order].set_axis(column.index) for name, column in features.items()}


def _shadow_slopes(study: Study, apart: Both) -> pd.DataFrame:
    found = {}
    for name, one in apart.items():
        outcomes = outcomes_at(study.sides[name], one.train.index)
        real = [one.train[features].to_numpy().sum(axis=1) for features in study.own.values()]
        shadow = [one.train[[SHADOW + f for f in study.own[g]]].to_numpy().sum(axis=1) for g in study.criteria]
        like = shrunk_slopes(np.column_stack(real), outcomes)
        found[name] = shrunk_slopes(np.column_stack(real + shadow), outcomes, like).shrunk[len(real) :]
    return pd.DataFrame(found, index=study.criteria)
