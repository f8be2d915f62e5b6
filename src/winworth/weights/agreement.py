"""Two looks from elsewhere: criteria that say the same, and what the models lose without each."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import log_expit

from winworth.models.by_name import ByName
from winworth.models.folds import fold_of_groups
from winworth.weights.attribution import N_SPLITS, Side
from winworth.weights.criteria import CriteriaWeights, shares
from winworth.weights.shrinkage import Outcomes
from winworth.weights.study import Both, Study, contributed, dispersions

TOGETHER = 0.6
LEAST_RANK_CORRELATION = 0.6
MOST_POINTS = 10.0


@dataclass(frozen=True)
class Pair:
    """Two criteria whose contributions go together, how much, and the points the two weigh as one."""

    first: str
    second: str
    correlation: float
    weight: float


def pairs_together(contributions: pd.DataFrame) -> tuple[Pair, ...]:
    """Return the pairs of criteria whose contributions correlate by more than .6, either way, the closest first.

    Such a pair shares its signal between the two by accident: what the two weigh as one is surer than either.
    """
    spread, correlation = dispersions(contributions), contributions.corr()
    total, found = spread.sum(), []
    for k, first in enumerate(contributions):
        for second in contributions.columns[k + 1 :]:
            r = correlation.loc[first, second]
            if abs(r) > TOGETHER and total > 0:
                both = contributions[first].fillna(0.0) + contributions[second].fillna(0.0)
                found.append(Pair(first, second, float(r), float(100 * (both - both.median()).abs().mean() / total)))
    return tuple(sorted(found, key=lambda pair: -abs(pair.correlation)))


def weights_by_permutation(study: Study, apart: Both, weights: CriteriaWeights) -> pd.Series:
    """Weigh criteria by what the models lose on rows out of fold when a criterion is shuffled: points of 100.

    For a model that adds up, log loss then rises by p(1 - p) x the variance of the criterion's part, and squared error of
    logs by twice that variance: from either the part's deviation is read. The two sides add up as their parts
    go together on the population.
    """
    deviation = {name: _lost(study, side) * study.unit[name] for name, side in study.sides.items()}
    if "worth" not in deviation:
        return shares(deviation["winning"])
    alone = {name: contributed(study, {"winning": one}, weights.slopes.assign(winning=1.0)) for name, one in apart.items()}
    together = alone["winning"].corrwith(alone["worth"]).fillna(0.0)
    a, b = deviation["winning"], deviation["worth"]
    return shares(np.sqrt(np.maximum(a**2 + b**2 + 2 * together * a * b, 0.0)))


def disagree(weights: pd.Series, by_permutation: pd.Series) -> bool:
    """Say whether the other method ranks criteria otherwise, or puts one more than ten points elsewhere."""
    other = by_permutation.reindex(weights.index)
    if len(weights) < 3:
        return bool((weights - other).abs().max() > MOST_POINTS)
    return bool(weights.corr(other, method="spearman") < LEAST_RANK_CORRELATION or (weights - other).abs().max() > MOST_POINTS)


def _lost(study: Study, side: Side) -> pd.Series:
    """Return the deviation of each criterion's part of one side, in its own unit, as told by the loss without it."""
    fold = fold_of_groups(side.outcomes.accounts, n_splits=N_SPLITS, seed=study.seed)
    rng, lost, total = np.random.default_rng(study.seed), {name: 0.0 for name in study.criteria}, 0.0
    for k in range(N_SPLITS):
        fitted = side.fit(side.features, np.flatnonzero(fold != k))
        rows = side.asked[fold[side.asked] == k]
        features, weight = side.features.iloc[rows], side.outcomes.weight[rows]
        intact = _loss(side.outcomes, rows, _told(fitted, features))
        total += weight.sum()
        for name in study.criteria:
            own = study.own[name]
            shuffled = features[own].iloc[rng.permutation(len(rows))].set_axis(features.index)
            lost[name] += weight @ (_loss(side.outcomes, rows, _told(fitted, features.assign(**shuffled))) - intact)
    rate = np.average(side.outcomes.y, weights=side.outcomes.weight)
    curvature = rate * (1 - rate) if side.outcomes.is_chance else 2.0
    return np.sqrt(pd.Series(lost).clip(lower=0) / max(total, 1e-12) / curvature)


def _told(fitted: ByName, features: pd.DataFrame) -> np.ndarray:
    """Return the log-odds of winning, or the log value."""
    X = fitted.matrix.transform(features)
    return fitted.model.decision_function(X) if hasattr(fitted.model, "decision_function") else fitted.model.log_value(X)


def _loss(outcomes: Outcomes, rows: np.ndarray, told: np.ndarray) -> np.ndarray:
    y = outcomes.y[rows]
    if outcomes.is_chance:
        return -(y * log_expit(told) + (1 - y) * log_expit(-told))
    return (y - told) ** 2
