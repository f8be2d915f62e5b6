"""WinModel is an estimator as scikit-learn means it, and works where scikit-learn's own work."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from winworth.models.folds import GroupedFolds
from winworth.models.trees import TreeSize
from winworth.models.win import WinModel

SMALL = TreeSize(4, 30, 0.2, min_rows=3)
CATEGORY = TreeSize(4, 30, 0.2, min_rows=3, encoding="category")
KINDS = [
    WinModel(None),
    WinModel(threads=1),
    WinModel(None, SMALL, threads=1),
    WinModel(0.1, SMALL, threads=1),
    WinModel(None, CATEGORY, threads=1, blocks=()),
]


def expected_failures(model):
    """Return the checks that cannot hold, each with the reason."""
    if model.size is None:
        return {}
    return {"check_sample_weight_equivalence_on_dense_data": "LightGBM counts rows, not weights, in leaves and in bins"}


@parametrize_with_checks(KINDS, expected_failed_checks=expected_failures)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def deals():
    """Return a plain NumPy matrix with gaps, outcomes in words, and whose deals they are."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    won = rng.random(300) < 1 / (1 + np.exp(-2 * X[:, 0]))
    X[rng.random((300, 4)) < 0.1] = np.nan
    return X, np.where(won, "won", "lost"), rng.integers(0, 60, 300)


def test_a_plain_matrix_and_outcomes_in_words_are_enough(deals):
    X, y, _ = deals
    model = WinModel(0.1, SMALL, threads=1).fit(X, y)
    assert model.classes_.tolist() == ["lost", "won"]
    assert model.score(X, y) > 0.75
    assert ((model.predict_proba(X)[:, 1] > 0.5) == (model.predict(X) == "won")).all()


def test_the_last_step_of_a_pipeline_can_be_a_win_model(deals):
    X, y, groups = deals
    model = make_pipeline(StandardScaler(), WinModel(0.1, threads=1))
    assert cross_val_score(model, X, y, groups=groups, cv=GroupedFolds(3), scoring="roc_auc").min() > 0.7


def test_a_grid_search_in_grouped_folds_finds_the_strength_and_the_size(deals):
    X, y, groups = deals
    grid = {"C": [None, 0.1], "size": [None, SMALL]}
    search = GridSearchCV(WinModel(threads=1), grid, cv=GroupedFolds(3), scoring="neg_log_loss")
    search.fit(X, y, groups=groups)
    assert search.best_params_ != {"C": None, "size": None}
    assert search.best_estimator_.score(X, y) > 0.75


def test_every_setting_is_a_parameter_and_a_clone_has_them_all():
    settings = {"C": 0.3, "size": CATEGORY, "monotone": (1, 0), "seed": 4, "threads": 1, "blocks": (-1, 1)}
    assert clone(WinModel(**settings)).get_params() == settings


def test_other_columns_than_those_learnt_are_refused(deals):
    X, y, _ = deals
    with pytest.raises(ValueError, match="X has 3 features, but WinModel is expecting 4"):
        WinModel().fit(X, y).predict_proba(X[:, :3])


@pytest.mark.parametrize(("weight", "says"), [(np.zeros(300), "zero on every row"), (np.ones(7), r"inconsistent.*300, 7")])
def test_weights_that_cannot_be_are_refused(deals, weight, says):
    with pytest.raises(ValueError, match=says):
        WinModel().fit(*deals[:2], sample_weight=weight)
