"""One Tweedie model of value: totals hold, attributions are exact, and it is chosen only where it is surely better."""

import json

import numpy as np
import pandas as pd
import pytest

from winworth.errors import DataError
from winworth.models.tweedie import TweedieValue
from winworth.models.value import choose_form, fit_value, read_value


def world(n, *, seed=0, zeros=0.3, spread=0.7):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    buys = rng.random(n) >= zeros
    return X, np.where(buys, np.exp(8 + 0.8 * X[:, 0] + spread * rng.normal(size=n)), 0.0)


@pytest.fixture(scope="module")
def fitted():
    X, y = world(1500)
    return TweedieValue(threads=1).fit(X, y), X


def test_the_total_holds_on_fresh_rows(fitted):
    X, y = world(8000, seed=1)
    assert fitted[0].predict(X).sum() == pytest.approx(y.sum(), rel=0.1)


def test_attributions_and_base_add_up_to_the_log_value(fitted):
    model, X = fitted
    parts, base = model.contributions(X)
    assert np.abs(parts.sum(axis=1) + base - model.log_value(X)).max() < 1e-9


def test_ten_times_the_money_is_ten_times_the_value(fitted):
    X, y = world(1500)
    tenfold = TweedieValue(threads=1).fit(X, 10 * y)
    assert np.allclose(tenfold.predict(X), 10 * fitted[0].predict(X), rtol=1e-9)


def test_one_mistyped_amount_is_held_and_counted(fitted):
    X, y = world(1500)
    far = y.copy()
    far[np.flatnonzero(y > 0)[0]] = 1e12
    model = TweedieValue(threads=1).fit(X, far)
    assert model.n_held_ == fitted[0].n_held_ + 1
    assert model.predict(X).sum() == pytest.approx(fitted[0].predict(X).sum(), rel=0.1)


def test_it_survives_its_files(fitted):
    model, X = fitted
    files = model.to_files("value")
    read = read_value(json.loads(json.dumps(files["value.json"])), files["value_trees.txt"])
    assert isinstance(read, TweedieValue)
    assert np.array_equal(read.predict(X), model.predict(X))
    assert np.array_equal(read.interval(X), model.interval(X))


def test_too_few_values_and_missing_ones_are_refused():
    X, y = world(40, zeros=0.6)
    with pytest.raises(DataError, match="won deals have a value above 0; 30 are needed"):
        TweedieValue().fit(X, y)
    with pytest.raises(ValueError, match="1 values are NaN"):
        TweedieValue().fit(X, np.r_[np.nan, y[1:]])


def forms(y, features, n):
    return choose_form(features, y, np.ones(n), np.arange(n), seed=0, threads=1)


def test_two_parts_stay_where_they_are_right_and_tweedie_takes_over_where_the_logs_mislead():
    n = 900
    X, lognormal = world(n, zeros=0.0, spread=1.2)
    features = pd.DataFrame(X, columns=list("abc"))
    assert forms(lognormal, features, n)[0] == "two_part"
    rng = np.random.default_rng(5)
    mean = np.where(X[:, 0] > 0, 1000.0, 300.0)
    nearly_nothing = np.where(rng.random(n) < 0.5, mean, 1.0)  # an amount of 1 is far away in logs, and worth nothing
    form, (gain, error) = forms(nearly_nothing, features, n)
    assert form == "tweedie" and gain < -error
    chosen = fit_value(features, nearly_nothing, np.ones(n), np.arange(n), form=form, seed=0, threads=1)
    assert isinstance(chosen.model, TweedieValue)
