"""Pieces become one table whatever types pandas gave each of them."""

import numpy as np
import pandas as pd
import pytest

from winworth.merged import Merged, write_merged
from winworth.sheets import to_csv, to_parquet


@pytest.fixture
def merge(tmp_path):
    """Return a function that merges columns `n` of pieces of one row each, and returns the Parquet and the CSV."""

    def run(*pieces):
        paths = [tmp_path / f"{at}.parquet" for at in range(len(pieces))]
        for path, frame in zip(paths, pieces, strict=True):
            path.write_bytes(to_parquet(frame))
        parquet, csv = tmp_path / "whole.parquet", tmp_path / "whole.csv"
        write_merged(Merged(paths, ["a"]), parquet, csv, scratch=tmp_path)
        return pd.read_parquet(parquet), csv.read_bytes()

    return run


@pytest.mark.parametrize(
    ("one", "other"), [([1], [1.5]), ([1.5], [1]), ([None], ["b"]), ([np.nan], ["b"]), (["b"], [np.nan]), ([1], [np.nan])]
)
def test_pieces_of_other_types_keep_every_value(merge, one, other):
    pieces = [pd.DataFrame({"a": [name], "n": cells}) for name, cells in (("x", one), ("y", other))]
    found, csv = merge(*pieces)
    assert found["n"].astype(object).fillna("").tolist() == [cell if pd.notna(cell) else "" for cell in one + other]
    assert csv == to_csv(found)


def test_pieces_without_a_row_are_a_table_without_a_row(merge):
    none = pd.DataFrame({"a": ["x"], "n": [1]}).iloc[:0]
    found, csv = merge(none, none)
    assert (list(found), len(found), csv) == (["a", "n"], 0, b'"a","n"\n')
