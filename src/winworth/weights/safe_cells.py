"""Cells of a workbook that hold what they are given: text is never a formula, and the file's bytes never tell the time."""

import io
import re
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

_ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # what a workbook reads as a letter by its number
_LONGEST = 32_000
_TIMES = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_DAY = b"2000-01-01T00:00:00Z"


def put(cell: "Cell", value: object) -> None:
    """Write a value: text as text, numbers and truth as they are, None as an empty cell."""
    if isinstance(value, str):
        text(cell, value)
    else:
        cell.value = value


def text(cell: "Cell", value: str) -> None:
    """Write text that stays text, also where it begins like a formula or is edited later.

    Characters that a workbook cannot hold become U+FFFD. Empty text is an empty cell.
    """
    if value:
        cell.value = _ESCAPE.sub("_x005F_", _ILLEGAL.sub("\ufffd", value[:_LONGEST]))
        cell.data_type = "s"
        cell.quotePrefix = True


def header(sheet: "Worksheet", row: int, names: Sequence[str], *, first: int = 1) -> None:
    """Write a row of names in bold."""
    from openpyxl.styles import Font

    for column, name in enumerate(names, start=first):
        text(sheet.cell(row, column), name)
        sheet.cell(row, column).font = Font(bold=True)


def quoted(sheet: "Worksheet") -> str:
    """Return the sheet's name as formulas write it."""
    return "'" + sheet.title.replace("'", "''") + "'"


def span(sheet: "Worksheet", first: tuple[str, int], last: tuple[str, int]) -> str:
    """Return a fixed range, corner to corner."""
    return f"{quoted(sheet)}!${first[0]}${first[1]}:${last[0]}${last[1]}"


def saved(book: "Workbook") -> bytes:
    """Return the file, the same bytes from the same cells: no entry of it tells when it was written."""
    written, sink = io.BytesIO(), io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as before, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "docProps/core.xml":
                content = _TIMES.sub(lambda found: found[1] + _DAY, content)
            after.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return sink.getvalue()
