import json

import numpy as np
import pandas as pd
import pytest

from winworth.errors import DataError
from winworth.models.value import LEAST, ValueIfWon, fit_value, value_metrics
from winworth.models.win import WinModel


def worlds(n, *, seed=0, noise=1.2, zeros=0.0):
    """Draw lognormal values of a known mean; where `zeros` is above 0 that share, on average, buys nothing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    mean_log = 8 + 0.8 * X[:, 0] - 0.5 * X[:, 1]
    buys = rng.random(n) >= np.where(zeros > 0, np.clip(zeros - 0.2 * X[:, 2], 0, 1), 0)
    return X, np.where(buys, np.exp(mean_log + noise * rng.normal(size=n)), 0.0)


@pytest.fixture(scope="module")
def plain():
    X, y = worlds(1500)
    return ValueIfWon(threads=1).fit(X, y), X, y


@pytest.fixture(scope="module")
def two_part():
    X, y = worlds(1500, zeros=0.4)
    return ValueIfWon(threads=1).fit(X, y), X, y


def test_smearing_brings_the_total_right_where_the_mean_of_logs_is_low(plain):
    X, y = worlds(8000, seed=1)
    model = plain[0]
    without = np.exp(model.log_value(X) - model.balance_.shift)
    assert model.predict(X).sum() == pytest.approx(y.sum(), rel=0.1)
    assert without.sum() < 0.6 * y.sum()


def test_zeros_lower_the_value_by_their_share_and_the_total_holds(two_part):
    X, y = worlds(8000, seed=1, zeros=0.4)
    assert isinstance(two_part[0].buys_, WinModel)
    assert two_part[0].predict(X).sum() == pytest.approx(y.sum(), rel=0.12)


def test_too_few_zeros_are_a_share_and_contributions_stay_exact():
    X, y = worlds(200)
    y[:10] = 0
    model = ValueIfWon(threads=1).fit(X, y)
    parts, base = model.contributions(X)
    assert model.buys_ == pytest.approx(0.95)
    assert np.abs(parts.sum(axis=1) + base - model.log_value(X)).max() < 1e-9


def test_the_interval_holds_four_of_five_values(plain):
    X, y = worlds(3000, seed=2)
    low, high = plain[0].interval(X)
    assert 0.74 < np.mean((y >= low) & (y <= high)) < 0.86


def test_contributions_and_base_are_the_log_value_where_all_buy(plain):
    model, X, _ = plain
    parts, base = model.contributions(X)
    assert np.abs(parts.sum(axis=1) + base - model.log_value(X)).max() < 1e-9


def test_contributions_are_near_the_log_value_where_buying_is_learnt(two_part):
    model, X, _ = two_part
    parts, base = model.contributions(X)
    off = parts.sum(axis=1) + base - model.log_value(X)
    assert np.abs(off).mean() < 0.1 < model.log_value(X).std()


@pytest.mark.parametrize("kind", ["plain", "two_part"])
def test_a_value_model_survives_its_files(kind, request):
    model, X, _ = request.getfixturevalue(kind)
    files = model.to_files("value")
    again = ValueIfWon.from_files(json.loads(json.dumps(files["value.json"], allow_nan=False)), files["value_trees.txt"])
    assert again.log_value(X) == pytest.approx(model.log_value(X), abs=1e-12)
    assert np.array(again.interval(X)) == pytest.approx(np.array(model.interval(X)), rel=1e-12)


def test_too_few_values_are_refused():
    X, y = worlds(100)
    y[LEAST - 1 :] = 0
    with pytest.raises(DataError, match=f"29 won deals have a value above 0; {LEAST} are needed"):
        ValueIfWon(threads=1).fit(X, y)


def test_values_that_are_not_known_are_not_taken_for_zero():
    X, y = worlds(100)
    y[3] = np.nan
    with pytest.raises(ValueError, match="1 values are NaN"):
        ValueIfWon(threads=1).fit(X, y)


def test_twins_within_an_account_do_not_shrink_the_interval():
    X, y = worlds(120, noise=1.5)
    X, y, accounts = np.tile(X, (4, 1)), np.tile(y, 4), np.tile(np.arange(120), 4)
    whole, parted = ValueIfWon(threads=1).fit(X, y, groups=accounts).balance_, ValueIfWon(threads=1).fit(X, y).balance_
    assert whole.high - whole.low > 1.1 * (parted.high - parted.low)


def test_columns_are_found_by_name():
    X, y = worlds(200)
    table = pd.DataFrame(X, columns=list("abcd"))
    fitted = fit_value(table, y, np.ones(200), np.arange(200), form="two_part", seed=0, threads=1)
    told = [fitted.model.predict(fitted.matrix.transform(t)) for t in (table, table[list("dbca")])]
    assert np.array_equal(*told)


def test_a_perfect_prediction_has_perfect_figures():
    y = np.random.default_rng(0).lognormal(size=50)
    found = value_metrics(y, y, (y * 0.9, y * 1.1), np.arange(50), seed=0)
    told = {name: figure.value for name, figure in found.items()}
    exact = {"mae": 0, "spearman": 1, "gini": 1, "coverage_80": 1, "total_ratio": 1, "decile_wape": 0}
    highest = {"top_share": np.sort(y)[-5:].sum() / y.sum(), "largest_share": y.max() / y.sum()}
    assert told == pytest.approx(exact | highest)
    assert found["total_ratio"].low == found["total_ratio"].high == pytest.approx(1)


def test_no_deals_have_no_figures():
    none = np.empty(0)
    assert all(
        figure.to_dict() == {"value": None, "low": None, "high": None, "n": 0}
        for figure in value_metrics(none, none, (none, none), none, seed=0).values()
    )


def test_one_mistyped_amount_does_not_move_the_others():
    X, y = worlds(600)
    clean = ValueIfWon().fit(X, y).predict(X)
    y_typo = y.copy()
    y_typo[0] = 1e12
    typo = ValueIfWon().fit(X, y_typo)
    assert typo.n_held_ == 1
    assert typo.predict(X).sum() == pytest.approx(clean.sum(), rel=0.25)


def test_intervals_of_value_figures_draw_whole_accounts():
    rng = np.random.default_rng(1)
    y = np.repeat(rng.lognormal(size=40), 10)
    predicted, accounts = np.full(400, y.mean()), np.repeat(np.arange(40), 10)
    apart = value_metrics(y, predicted, (y, y), np.arange(400), seed=0)["total_ratio"]
    whole = value_metrics(y, predicted, (y, y), accounts, seed=0)["total_ratio"]
    assert whole.high - whole.low > 2 * (apart.high - apart.low)
