import csv
import io
from datetime import date

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.errors import DataError
from winworth.sheets import from_csv, to_csv, to_parquet

STARTS = "=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"
DANGEROUS = [blank + start + "1+1" for start in STARTS for blank in ("", " ", "\ufeff", "\u200b", "\u00a0 ")]


def cells(content, delimiter=","):
    """Read as the standard library does: it shares no code with ours."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_cell_that_a_spreadsheet_would_run_is_prefixed(text):
    frame = pd.DataFrame({"name": ["safe", text]})
    assert cells(to_csv(frame))[2] == ["'" + text]
    assert from_csv(to_csv(frame))["name"].tolist() == ["safe", text]


def test_a_header_that_a_spreadsheet_would_run_is_prefixed():
    frame = pd.DataFrame({"=cmd|'/c calc'!A1": [1]})
    assert cells(to_csv(frame))[0] == ["'=cmd|'/c calc'!A1"]
    assert list(from_csv(to_csv(frame)).columns) == list(frame.columns)


def test_our_own_negative_numbers_are_not_prefixed():
    assert to_csv(pd.DataFrame({"x": [-12.5, 3.0], "n": [-7, 8]})) == b'"x","n"\n-12.5,-7\n3,8\n'


def test_numbers_have_ten_digits_and_integers_all_of_theirs():
    frame = pd.DataFrame({"x": [1 / 3, -0.0], "id": [12345678901234567, 1]})
    assert to_csv(frame) == b'"x","id"\n0.3333333333,12345678901234567\n0,1\n'


def test_a_french_excel_gets_a_mark_semicolons_and_decimal_commas():
    frame = pd.DataFrame({"nom": ["Zoé; fils"], "valeur": [1.5], "part": pd.Series([0.25], dtype=object)})
    assert to_csv(frame, excel_fr=True).decode() == '\ufeff"nom";"valeur";"part"\n"Zoé; fils";1,5;0,25\n'


def test_dates_are_iso_and_missing_values_empty():
    frame = pd.DataFrame(
        {
            "on": pd.to_datetime(["2026-10-31", None]),
            "at": pd.to_datetime(["2026-10-31 08:30", None]),
            "day": [date(2026, 1, 2), None],
            "text": ["a", None],
            "n": pd.array([1, None], dtype="Int64"),
            "ok": pd.array([True, None], dtype="boolean"),
            "tier": pd.Categorical(["A", None]),
        }
    )
    first, second = cells(to_csv(frame))[1:]
    assert first == ["2026-10-31", "2026-10-31T08:30:00", "2026-01-02", "a", "1", "true", "A"]
    assert second == [""] * 7


def test_text_that_looks_like_a_number_stays_text():
    frame = pd.DataFrame({"id": ["007", "1e5", "", None], "x": [1.5, None, 2.0, 3.0]})
    for excel_fr in (False, True):
        pd.testing.assert_frame_equal(from_csv(to_csv(frame, excel_fr=excel_fr)), frame)


def test_an_empty_table_keeps_its_header():
    assert to_csv(pd.DataFrame({"a": [], "b": []})) == b'"a","b"\n'
    assert list(from_csv(b'"a","b"\n').columns) == ["a", "b"]
    assert from_csv(to_csv(pd.DataFrame())).empty


def test_two_columns_of_one_name_both_come_back():
    frame = pd.DataFrame([[1, "x"]], columns=["a", "a"])
    pd.testing.assert_frame_equal(from_csv(to_csv(frame)), frame)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])), st.text("'=+ \"\t\n,;\ufeffa", max_size=6)),
            st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False, width=32)),
            st.booleans(),
        ),
        min_size=1,
    ),
    st.booleans(),
)
def test_what_was_written_comes_back(rows, excel_fr):
    names, numbers, flags = zip(*rows, strict=True)
    frame = pd.DataFrame({"'=n;": pd.Series(names, dtype="str"), "x": pd.Series(numbers, dtype=float), "ok": list(flags)})
    back = from_csv(to_csv(frame, excel_fr=excel_fr))
    kept = frame.astype({"'=n;": object}).to_dict("list"), back.astype({"'=n;": object}).to_dict("list")
    texts = [[None if pd.isna(value) else value for value in side["'=n;"]] for side in kept]
    assert texts[0] == texts[1]
    np.testing.assert_allclose(kept[1]["x"], kept[0]["x"], rtol=1e-9)
    assert kept[1]["ok"] == kept[0]["ok"]


def test_a_ragged_file_is_refused_with_its_record():
    with pytest.raises(DataError, match="record 3 has not the 2 cells"):
        from_csv(b'"a","b"\n1,2\n1\n')


def test_a_quote_inside_a_cell_is_refused():
    with pytest.raises(DataError, match="quote"):
        from_csv(b'"a"\n"b"c\n')


def test_bytes_that_are_not_utf_8_are_refused():
    with pytest.raises(DataError, match="byte 5 is not UTF-8"):
        from_csv(b'"a"\n"\xe9"\n')


def test_the_same_table_gives_the_same_parquet_whatever_its_index_and_string_storage():
    frame = pd.DataFrame({"name": ["a", None, "é"], "x": [1.0, np.nan, 3.0], "on": pd.to_datetime(["2026-01-01"] * 3)})
    other = frame.set_axis([7, 8, 9]).astype({"name": pd.StringDtype("python", na_value=np.nan)})
    assert to_parquet(frame) == to_parquet(other)
    assert pq.read_schema(io.BytesIO(to_parquet(frame))).metadata is None
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(to_parquet(frame))), frame, check_dtype=False)
