import numpy as np
import pandas as pd

from winworth.models.by_name import ByName
from winworth.models.matrix import FeatureMatrix
from winworth.models.win import WinModel
from winworth.weights.attribution import cross_fitted


class Spy:
    """A fitted model that remembers which groups it learnt from, and refuses to explain one of them."""

    def __init__(self, seen):
        self.seen = set(seen)
        self.explained = []

    def attributions(self, features):
        self.explained += list(features["group"])
        return features.assign(n_seen=float(len(self.seen))), 0.0


def explained_by_spies(train_groups, reference_groups, **options):
    """Cross-fit spies on a training set numbered from 1000, and return them with what they said."""
    spies, rows = [], np.arange(len(train_groups)) + 1000

    def fit(chosen):
        assert np.isin(chosen, rows).all()
        spies.append(Spy(train_groups[chosen - 1000]))
        return spies[-1]

    reference = pd.DataFrame({"group": reference_groups}, index=np.arange(len(reference_groups))[::-1] + 7)
    both = np.concatenate([train_groups, reference_groups])
    return spies, reference, cross_fitted(fit, rows, reference, both, **{"seed": 0, **options})


def test_no_row_is_explained_by_a_model_that_saw_its_group():
    rng = np.random.default_rng(0)
    spies, _, _ = explained_by_spies(rng.integers(0, 40, 300), rng.integers(20, 60, 80))
    assert len(spies) == 5
    assert sum(len(spy.explained) for spy in spies) == 80
    for spy in spies:
        assert spy.seen and spy.seen.isdisjoint(spy.explained)


def test_each_reference_row_is_explained_once_and_in_its_place():
    rng = np.random.default_rng(1)
    _, reference, found = explained_by_spies(rng.integers(0, 40, 300), rng.integers(20, 60, 80))
    pd.testing.assert_frame_equal(found[["group"]], reference)


def test_a_group_that_was_never_trained_on_is_explained_too():
    _, _, found = explained_by_spies(np.arange(20), np.arange(100, 110))
    assert len(found) == 10 and found["n_seen"].between(10, 20).all()


def test_an_effect_planted_in_one_feature_is_attributed_to_it():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(600, 2)), columns=["budget", "noise"])
    won = (rng.random(600) < 1 / (1 + np.exp(-1.5 * table["budget"]))).to_numpy().astype(float)

    def fit(rows):
        matrix = FeatureMatrix().fit(table.iloc[rows])
        return ByName(matrix, WinModel(0.1).fit(matrix.transform(table.iloc[rows]), won[rows]))

    groups = np.r_[np.arange(600), np.arange(600)]
    found = cross_fitted(fit, np.arange(600), table, groups, seed=0)
    assert found["budget"].corr(table["budget"]) > 0.99
    assert found["budget"].abs().mean() > 5 * found["noise"].abs().mean()
