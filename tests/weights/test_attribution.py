import numpy as np
import pandas as pd

from winworth.models.by_name import ByName
from winworth.models.matrix import FeatureMatrix
from winworth.models.win import WinModel
from winworth.weights.attribution import Population, Side, cross_fitted, out_of_bag
from winworth.weights.shrinkage import Outcomes


class Spy:
    """A fitted model that remembers which groups it learnt from, and which it explained."""

    def __init__(self, seen):
        self.seen = set(seen)
        self.explained = []

    def attributions(self, features):
        self.explained += list(features["group"])
        return features.assign(n_seen=float(len(self.seen))), 0.0


def spied(train_groups, reference_groups):
    """Return a side whose models are spies, a population, and the list that the spies are put in."""
    spies = []

    def fit(features, rows):
        spies.append(Spy(features["group"].to_numpy()[rows]))
        return spies[-1]

    n = len(train_groups)
    outcomes = Outcomes(np.zeros(n), np.ones(n), train_groups, True)
    side = Side(fit, pd.DataFrame({"group": train_groups}), outcomes, np.arange(0, n, 2))
    table = pd.DataFrame({"group": reference_groups}, index=np.arange(len(reference_groups))[::-1] + 7)
    return side, Population(table, reference_groups, table.notna()), spies


def explained_by_spies(train_groups, reference_groups, seeds=(0,)):
    side, population, spies = spied(train_groups, reference_groups)
    return spies, population.features, cross_fitted(side, population, seeds=seeds)


def test_no_row_is_explained_by_a_model_that_saw_its_group():
    rng = np.random.default_rng(0)
    spies, _, _ = explained_by_spies(rng.integers(0, 40, 300), rng.integers(20, 60, 80))
    assert len(spies) == 5
    assert sum(len(spy.explained) for spy in spies) == 80 + 150
    for spy in spies:
        assert spy.seen and spy.seen.isdisjoint(spy.explained)


def test_each_row_of_the_population_and_each_row_asked_is_explained_in_its_place():
    rng = np.random.default_rng(1)
    train, outside = rng.integers(0, 40, 300), rng.integers(20, 60, 80)
    _, _, found = explained_by_spies(train, outside, seeds=(0, 1))
    assert found.population["group"].tolist() == outside.tolist()
    assert found.train["group"].tolist() == train[::2].tolist()
    assert found.train.index.tolist() == list(range(0, 300, 2))


def test_a_group_that_was_never_trained_on_is_explained_too():
    _, _, found = explained_by_spies(np.arange(20), np.arange(100, 110))
    assert len(found.population) == 10 and found.population["n_seen"].between(10, 20).all()


def test_out_of_the_bag_a_model_explains_only_accounts_that_were_not_drawn():
    rng = np.random.default_rng(3)
    side, population, spies = spied(rng.integers(0, 40, 300), rng.integers(20, 60, 80))
    drawn = np.bincount(rng.integers(0, 40, 40), minlength=60)
    out_of_bag(side, population, drawn)
    assert spies[0].seen == set(np.flatnonzero(drawn)) & set(side.outcomes.accounts)
    assert spies[0].explained and spies[0].seen.isdisjoint(spies[0].explained)


def test_an_account_drawn_twice_counts_twice():
    side, population, _ = spied(np.array([0, 0, 1]), np.array([2]))
    taken = []
    counting = Side(lambda features, rows: taken.extend(rows) or Spy([]), side.features, side.outcomes, side.asked)
    out_of_bag(counting, population, np.array([2, 1, 0]))
    assert sorted(taken) == [0, 0, 1, 1, 2]


def test_an_effect_planted_in_one_feature_is_attributed_to_it():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(600, 2)), columns=["budget", "noise"])
    won = (rng.random(600) < 1 / (1 + np.exp(-1.5 * table["budget"]))).to_numpy().astype(float)

    def fit(features, rows):
        matrix = FeatureMatrix().fit(features.iloc[rows])
        return ByName(matrix, WinModel(0.1).fit(matrix.transform(features.iloc[rows]), won[rows]))

    every = np.arange(600)
    side = Side(fit, table, Outcomes(won, np.ones(600), every, True), every)
    found = cross_fitted(side, Population(table, every, table.notna()), seeds=(0,)).population
    assert found["budget"].corr(table["budget"]) > 0.99
    assert found["budget"].abs().mean() > 5 * found["noise"].abs().mean()
