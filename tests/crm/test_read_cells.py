"""Any table that Python's own writer can write comes back cell by cell, on the lines that it was written to."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.crm.cells import read_cells
from winworth.crm.header import Dialect
from winworth.crm.source import unpack

SOURCES = {"a": "A", "b": "B", "c": "C"}
_CELL = st.text(alphabet='ab,;"\n é\u00a0', max_size=6)


def _read(content: str, separator: str):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(content.encode())
        plain = unpack(path, Path(folder) / "0", name="x.csv", encoding=None)
        return read_cells(plain, Dialect(separator, '"'), SOURCES, option="tables.x", threads=1)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(_CELL, _CELL, _CELL), min_size=1, max_size=6),
    separator=st.sampled_from(",;"),
    every=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    blanks=st.lists(st.integers(0, 2), min_size=6, max_size=6),
)
def test_what_is_written_comes_back_on_its_line(rows, separator, every, blanks):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=every, lineterminator="\n")
    writer.writerow(SOURCES.values())
    lines = []
    for row, n_blank in zip(rows, blanks, strict=False):
        out.write("\n" * n_blank)
        lines.append(out.getvalue().count("\n") + 1)
        writer.writerow(row)
    cells = _read(out.getvalue(), separator)
    assert list(cells.text.itertuples(index=False, name=None)) == rows
    assert cells.line.tolist() == lines
    assert cells.place.tolist() == list(range(1, len(rows) + 1))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.sampled_from(["1,2,3", "1,2", "1,2,3,4", "", '"x\ny",2,3', '"x\n\ny",2', '"q"z,2,3', ",,"]), min_size=1, max_size=9
    )
)
def test_every_line_is_a_row_a_reject_or_blank(rows):
    rows = ["1,2,3", *rows]
    starts = [2 + sum(row.count("\n") + 1 for row in rows[:at]) for at in range(len(rows))]
    whole = {"1,2,3", '"x\ny",2,3', ",,"}
    cells = _read("A,B,C\n" + "\n".join(rows) + "\n", ",")
    assert cells.line.tolist() == [start for start, row in zip(starts, rows, strict=True) if row in whole]
    assert cells.rejects["line"].tolist() == [
        start for start, row in zip(starts, rows, strict=True) if row and row not in whole
    ]


def test_a_table_of_one_column_may_hold_lines_that_look_like_rows():
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_text('A\n1\n"2\n3"\n')
        plain = unpack(path, Path(folder) / "0", name="x.csv", encoding=None)
        cells = read_cells(plain, Dialect(",", '"'), {"a": "A"}, option="tables.x", threads=1)
    assert cells.text["a"].tolist() == ["1", "2\n3"]
