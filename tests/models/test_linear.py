import json

import numpy as np
import pytest

from winworth.models.linear import Linear, Standardiser


@pytest.fixture(scope="module")
def rows():
    """Return 300 rows: a normal column, a skewed one, one with gaps, one constant; a number to predict, and weights."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(5, 2, 300), rng.lognormal(2, 1.5, 300), rng.normal(size=300), np.full(300, 0.1)])
    y = X[:, 0] + np.log1p(X[:, 1]) + rng.normal(size=300)
    X[rng.random(300) < 0.2, 2] = np.nan
    return X, y, rng.integers(1, 4, 300).astype(float)


def fitted(kind, X, y, weight):
    if kind == "logit":
        return Linear.fit_logit(X, (y > 7).astype(float), weight, C=0.1)
    return Linear.fit_ridge(X, y, weight, alpha=3.0)


@pytest.mark.parametrize("kind", ["logit", "ridge"])
def test_contributions_and_intercept_add_up_to_the_margin(rows, kind):
    model = fitted(kind, *rows)
    total = model.contributions(rows[0]).sum(axis=1) + model.intercept
    assert np.abs(total - model.margin(rows[0])).max() < 1e-9


def test_contributions_are_zero_on_the_weighted_average(rows):
    X, y, weight = rows
    parts = fitted("ridge", X, y, weight).contributions(X)
    assert np.average(parts, axis=0, weights=weight) == pytest.approx(0, abs=1e-9)


def test_columns_are_centred_scaled_and_logged_where_skewed(rows):
    X, _, weight = rows
    scale = Standardiser.learn(X, weight)
    z = scale.transform(X)
    assert scale.log.tolist() == [False, True, False, False]
    assert np.average(z, axis=0, weights=weight) == pytest.approx(0, abs=1e-9)
    assert np.average(z[:, :3] ** 2, axis=0, weights=weight) == pytest.approx(1)
    assert not z[:, [3, 4, 5, 7]].any()


def test_a_missing_number_is_flagged_and_read_as_the_median(rows):
    X, _, weight = rows
    scale = Standardiser.learn(X, weight)
    gap, median = X[:1].copy(), X[:1].copy()
    gap[0, 2], median[0, 2] = np.nan, np.nanmedian(X[:, 2])
    assert scale.transform(gap)[0, :4].tolist() == scale.transform(median)[0, :4].tolist()
    assert scale.transform(gap)[0, 6] > 0 > scale.transform(median)[0, 6]


@pytest.mark.parametrize("kind", ["logit", "ridge"])
def test_a_row_of_weight_two_is_two_rows(rows, kind):
    X, y, weight = rows
    X = X[:, [0, 1, 3]]
    often = np.repeat(np.arange(300), weight.astype(int))
    once, twice = fitted(kind, X, y, weight), fitted(kind, X[often], y[often], np.ones(len(often)))
    assert once.margin(X) == pytest.approx(twice.margin(X), abs=2e-4 if kind == "logit" else 1e-9)


@pytest.mark.parametrize("kind", ["logit", "ridge"])
def test_a_linear_model_survives_json_to_the_last_digit(rows, kind):
    model = fitted(kind, *rows)
    again = Linear.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
    assert again.margin(rows[0]).tolist() == model.margin(rows[0]).tolist()


def test_a_column_without_any_value_says_nothing(rows):
    X, y, weight = rows
    empty = np.column_stack([X, np.full(300, np.nan)])
    model = fitted("ridge", empty, y, weight)
    assert not model.contributions(empty)[:, 4].any()
    assert model.margin(empty) == pytest.approx(fitted("ridge", X, y, weight).margin(X))


def test_a_row_has_the_same_margin_to_the_last_bit_whatever_stands_beside_it():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 40))
    model = fitted("ridge", X, X[:, 0] + rng.normal(size=500), np.ones(500))
    whole = model.margin(X)
    for size in (1, 2, 3, 7, 100):
        assert (np.concatenate([model.margin(X[at : at + size]) for at in range(0, 500, size)]) == whole).all()


@pytest.mark.parametrize("n", [0, 3, 5])
def test_rows_of_fewer_or_more_columns_are_refused(rows, n):
    model = fitted("ridge", *rows)
    wide = np.column_stack([rows[0], rows[0]])
    with pytest.raises(ValueError, match="shorter|longer"):
        model.margin(wide[:, :n])
