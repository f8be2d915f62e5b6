"""The weights of a retrain: both models' questions put as a study, weighed, and doubted."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from winworth.features.build import is_deal_level
from winworth.features.catalog import Catalog
from winworth.flows.learn import Recipe, Reference
from winworth.flows.worth import Worth
from winworth.models.by_name import ByName
from winworth.models.matrix import FeatureMatrix
from winworth.models.outliers import held_within_reason
from winworth.models.task import WinTask
from winworth.models.track import Track
from winworth.models.tweedie import TweedieValue
from winworth.models.value import LEAST, ValueIfWon
from winworth.weights.attribution import Attributions, Population, Side
from winworth.weights.criteria import CriteriaWeights, contributions, criteria_weights
from winworth.weights.doubt import measure_doubt
from winworth.weights.effort import Effort
from winworth.weights.shrinkage import Outcomes
from winworth.weights.study import Study, cross_fit, population_parts, weigh


@dataclass(frozen=True)
class Question:
    """What the criteria are weighed for: winning, what won deals bring, how the win model is made, the criteria, and from how
    many deals.
    """

    task: WinTask
    worth: Worth
    recipe: Recipe
    catalog: Catalog
    n_deals: int


@dataclass(frozen=True)
class Weighed:
    """The weights, and each feature's contribution on each reference row: log expected value, NaN where it can have none."""

    weights: CriteriaWeights
    contributions: pd.DataFrame


def weigh_criteria(question: Question, reference: Reference, *, effort: Effort, track: Track) -> Weighed:
    """Weigh the criteria on the reference population, and measure how surely; draws are spared where nothing weighs."""
    study = study_of(question, reference, most_asked=effort.most_asked)
    apart = cross_fit(study, n_repeats=effort.n_repeats, track=track)
    weights = weigh(study, apart)
    parts = contributions(population_parts(apart), study.catalog, weights).where(study.population.measured)
    if effort.n_boot == 0 or weights.table["weight"].sum() == 0:
        return Weighed(weights, parts)
    doubt = measure_doubt(study, apart, weights, effort=effort, track=track)
    return Weighed(replace(weights, doubt=doubt), parts)


def study_of(question: Question, reference: Reference, *, most_asked: int = Effort.most_asked) -> Study:
    """Put both models' questions and the reference population as a study."""
    task, names = question.task, question.task.features.columns
    win = question.recipe.fit(task)
    probability = win.model.predict_proba(win.matrix.transform(reference.features))[:, 1].mean()
    deal_level = np.array([is_deal_level(question.catalog.features[name]) for name in names])
    measured = pd.DataFrame(~np.outer(reference.has_no_deal, deal_level), reference.features.index, names)
    return Study(
        winning=_winning(question, most_asked),
        worth=_worth(question, most_asked),
        population=Population(reference.features, reference.account, measured),
        catalog=question.catalog,
        mean_probability=float(probability),
        n_deals=question.n_deals,
        seed=task.seed,
        threads=task.threads,
    )


def no_weights(catalog: Catalog, features: list[str]) -> CriteriaWeights:
    """Return weights of 0 for every criterion: what stands where nothing could be learnt."""
    still = pd.DataFrame(np.zeros((2, len(features))), columns=features)
    return criteria_weights(Attributions(still, still), catalog, mean_probability=0.5, measured=still == 0, features=still)


def _winning(question: Question, most_asked: int) -> Side:
    task, recipe = replace(question.task, threads=1), question.recipe
    y, weight = task.outcomes(np.arange(len(task.won)), recipe.day)

    def fit(features: pd.DataFrame, rows: np.ndarray) -> ByName:
        return recipe.fit(task.with_features(features), rows)

    return Side(
        fit,
        task.features,
        Outcomes(y, weight, task.accounts, True),
        _asked(weight > 0, task.seed, most_asked),
        "Explaining who wins",
    )


def _worth(question: Question, most_asked: int) -> Side | None:
    task, money = question.task, question.worth.money
    rows = np.flatnonzero(~np.isnan(money))
    money, weight, accounts = money[rows], task.weight[rows], task.accounts[rows]
    if (money > 0).sum() < 2 * LEAST:
        return None

    def fit(features: pd.DataFrame, at: np.ndarray) -> ByName:
        matrix = FeatureMatrix().fit(features.iloc[at])
        form = TweedieValue if question.worth.form == "tweedie" else ValueIfWon
        model = form(seed=task.seed, threads=1, is_balanced=False)
        return ByName(matrix, model.fit(matrix.transform(features.iloc[at]), money[at], weight[at], groups=accounts[at]))

    bought = money > 0
    logs = np.zeros(len(money))
    logs[bought] = held_within_reason(np.log(money[bought]))
    features = task.features.iloc[rows].reset_index(drop=True)
    return Side(
        fit,
        features,
        Outcomes(logs, weight, accounts, False),
        _asked(bought, task.seed, most_asked),
        "Explaining what they bring",
    )


def _asked(known: np.ndarray, seed: int, most: int) -> np.ndarray:
    rows = np.flatnonzero(known)
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])
