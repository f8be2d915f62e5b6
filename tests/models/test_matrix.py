import json

import numpy as np
import pandas as pd
import pytest

from winworth.errors import DataError
from winworth.models.matrix import MISSING, OTHER, FeatureMatrix, MatrixColumn


@pytest.fixture
def table():
    """Return forty rows: a full number, a number that may be missing, and sectors of which one is rare."""
    rng = np.random.default_rng(0)
    sector = ["it"] * 20 + ["steel"] * 15 + ["rare"] * 2 + [None] * 3
    return pd.DataFrame({"size": rng.normal(size=40), "visits": [np.nan, 2.0] * 20, "sector": sector})


@pytest.fixture
def matrix(table):
    return FeatureMatrix().fit(table)


def as_table(matrix, X):
    return pd.DataFrame(matrix.transform(X), columns=[c.level or c.feature for c in matrix.columns_])


def test_columns_are_found_by_name_whatever_their_order(matrix, table):
    shuffled = table[["sector", "size", "visits"]].assign(unknown=1.0)
    assert np.array_equal(matrix.transform(shuffled), matrix.transform(table), equal_nan=True)


def test_a_level_has_one_column_and_rare_ones_share_one(matrix, table):
    assert matrix.columns_[2:] == [MatrixColumn("sector", level) for level in ("it", "steel", OTHER, MISSING)]
    assert as_table(matrix, table)[["it", "steel", OTHER, MISSING]].sum().tolist() == [20, 15, 2, 3]


def test_a_level_never_seen_becomes_other_and_is_counted(matrix, table):
    strange = table.assign(sector=["moon"] * 4 + ["it"] * 36)
    assert as_table(matrix, strange)[OTHER].sum() == 4
    assert matrix.unseen_levels(strange) == {"sector": 4}
    assert matrix.unseen_levels(table) == {"sector": 2}


@pytest.mark.parametrize("word", [OTHER, MISSING])
def test_a_level_may_be_called_as_ours_are(word):
    table = pd.DataFrame({"sector": [word] * 10 + ["it"] * 10})
    matrix = FeatureMatrix().fit(table)
    assert as_table(matrix, table)[[word, "it"]].sum().tolist() == [10, 10]


def test_a_missing_number_stays_missing_only_where_training_had_missing_ones(matrix, table):
    lacking = table.assign(size=np.nan, visits=np.nan)
    found = as_table(matrix, lacking)
    assert (found["size"] == table["size"].median()).all()
    assert found["visits"].isna().all()


def test_an_integer_column_with_gaps_is_read_as_numbers(matrix, table):
    found = matrix.transform(table.assign(visits=pd.array([None, 2] * 20, dtype="Int64")))
    assert np.array_equal(found, matrix.transform(table), equal_nan=True)


def test_a_column_without_any_value_can_be_learnt_and_used(table):
    empty = table.assign(visits=np.nan, sector=pd.Series([None] * 40, dtype="str"))
    found = as_table(FeatureMatrix().fit(empty), empty)
    assert found["visits"].isna().all()
    assert found[MISSING].tolist() == [1.0] * 40


def test_a_lacking_column_is_named(matrix, table):
    with pytest.raises(DataError, match=r"lacks 2 columns the model was trained on: size, sector\."):
        matrix.transform(table[["visits"]])


@pytest.mark.parametrize("n", [0, 1])
def test_no_rows_and_one_row_are_tables_too(matrix, table, n):
    found = matrix.transform(table[:n])
    assert found.shape == (n, 6)
    assert np.array_equal(found, matrix.transform(table)[:n], equal_nan=True)


def test_the_matrix_survives_json(matrix, table):
    again = FeatureMatrix.from_dict(json.loads(json.dumps(matrix.to_dict(), allow_nan=False)))
    assert again.columns_ == matrix.columns_
    assert np.array_equal(again.transform(table), matrix.transform(table), equal_nan=True)


def test_fit_writes_nothing_into_its_table(table):
    before = table.copy()
    FeatureMatrix().fit(table).transform(table)
    pd.testing.assert_frame_equal(table, before)
