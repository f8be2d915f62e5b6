import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.models.by_name import ByName
from winworth.models.matrix import FeatureMatrix
from winworth.models.track import untracked
from winworth.models.win import WinModel
from winworth.weights.attribution import Population, Side
from winworth.weights.noise import Noise, measure_noise
from winworth.weights.shrinkage import Outcomes
from winworth.weights.stability import draw_apart, draw_weights
from winworth.weights.study import Study, contributed, cross_fit, weigh


def test_noise_planted_in_draws_comes_back_whatever_moves_all_accounts_alike():
    rng = np.random.default_rng(0)
    level, sd = np.linspace(0, 5, 1000), np.repeat(np.linspace(0.2, 0.6, 10), 100)
    logs = level + sd * rng.normal(size=(80, 1000)) + rng.normal(size=(80, 1))
    left_out = pd.DataFrame(logs).mask(rng.random(logs.shape) < 0.63)
    assert measure_noise(left_out).sd == pytest.approx(np.linspace(0.2, 0.6, 10), rel=0.08)


def test_too_few_draws_or_accounts_tell_no_noise():
    assert measure_noise(pd.DataFrame(np.zeros((1, 50)))) is None
    assert measure_noise(pd.DataFrame(np.zeros((20, 9)))) is None
    assert measure_noise(pd.DataFrame()) is None


def test_noise_goes_by_place_and_survives_json():
    noise = Noise(tuple(np.linspace(1.0, 0.1, 10)), 30)
    worth = np.random.default_rng(1).lognormal(size=500)
    assert np.all(np.diff(noise.at(worth)[np.argsort(worth)]) <= 0)
    assert noise.at(10 * worth) == pytest.approx(noise.at(worth))
    assert Noise.from_dict(json.loads(json.dumps(noise.to_dict()))) == noise and Noise.from_dict(None) is None


CATALOG = Catalog({name: Criterion("firmographic", {}, {name: Feature(value=f"accounts.{name}")}) for name in ("a", "b")})


def drawn(n, seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"])
    z = 0.8 * table["a"] - 0.5 * table["b"]
    return table, (rng.random(n) < 1 / (1 + np.exp(-z))).to_numpy().astype(float)


def fitted_on(table, won):
    def fit(features, rows):
        matrix = FeatureMatrix().fit(features.iloc[rows])
        return ByName(matrix, WinModel(1.0, threads=1).fit(matrix.transform(features.iloc[rows]), won[rows]))

    return fit


@pytest.fixture(scope="module")
def study():
    table, won = drawn(600, 0)
    side = Side(fitted_on(table, won), table, Outcomes(won, np.ones(600), np.arange(600), True), np.arange(600))
    return Study(side, None, Population(table, np.arange(600), table.notna()), CATALOG, 0.5, 600, seed=1)


def noise_of(study, n_boot=60):
    apart = cross_fit(study, n_repeats=1, track=untracked)
    published = contributed(study, apart, weigh(study, apart).slopes)
    return draw_weights(study, published, n_boot=n_boot, track=untracked).logs.reindex(columns=range(600))


def test_draws_tell_the_log_expected_value_that_their_models_predict(study):
    logs = noise_of(study, 3)
    assert logs.notna().to_numpy().mean() == pytest.approx(0.37, abs=0.05)
    apart = draw_apart(study, 0)["winning"]
    drawn = np.random.default_rng([study.seed, 0]).choice(np.arange(600), 600)
    model = study.winning.fit(study.winning.features, np.sort(drawn))
    p = model.model.predict_proba(model.matrix.transform(study.population.features.loc[apart.population.index]))[:, 1]
    assert np.exp(logs.loc[0].dropna()).to_numpy() == pytest.approx(p, rel=1e-6)


def test_noise_from_draws_is_that_of_other_histories_of_the_same_company(study):
    """The referee draws new companies, which no user has, and asks how far the same accounts' values lie apart."""
    told = []
    for seed in range(1, 41):
        table, won = drawn(600, seed)
        model = fitted_on(table, won)(table, np.arange(600))
        told.append(np.log(model.model.predict_proba(model.matrix.transform(study.population.features))[:, 1]))
    true = measure_noise(pd.DataFrame(told))
    assert np.mean(measure_noise(noise_of(study)).sd) == pytest.approx(np.mean(true.sd), rel=0.25)


def test_what_a_row_cannot_have_moves_it_no_further_than_the_rows_that_have_it(study):
    measured = study.population.measured.assign(b=np.arange(600) % 2 == 0)
    blind = replace(study, population=replace(study.population, measured=measured))
    logs = noise_of(blind, 10)
    assert logs.loc[:, ~measured["b"].to_numpy()].std(axis=1).mean() < logs.loc[:, measured["b"].to_numpy()].std(axis=1).mean()
