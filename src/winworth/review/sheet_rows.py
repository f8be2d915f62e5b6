"""Rows of a sheet that is written from the top down, however long: cells by their format, no text a formula."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel.numbers import get_currency_symbol

from winworth.review.words import LOCALES, Words
from winworth.sheets import runs
from winworth.weights.safe_cells import text

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

FONT, BLUE, INPUT = "Calibri", "0D2B4E", "FFF2CC"
_OF_UNIT = {"share": "share", "days": "whole", "ratio": "decimal", "money": "money", "money_a_day": "money"}


@dataclass(frozen=True)
class Formula:
    """A formula of ours, without its =."""

    text: str


@dataclass(frozen=True)
class Formats:
    """Excel's number format by the kind of figure."""

    numbers: dict[str, str]

    def of_unit(self, unit: object) -> str:
        """Return the kind of figure of a KPI's unit."""
        return _OF_UNIT.get(str(unit), "decimal")


def formats_of(currency: str, words: Words) -> Formats:
    """Return number formats with the currency in its place; Excel writes separators as the reader's country does."""
    symbol = get_currency_symbol(currency, locale=LOCALES[words.lang]).replace('"', "") if currency else ""
    money = "#,##0" if not symbol else f'#,##0\u00a0"{symbol}"' if words.lang == "fr" else f'"{symbol}"#,##0'
    plain = {"whole": "#,##0_)", "decimal": "#,##0.0_)", "share": "0%_)", "times": "0.000_)"}  # _) keeps off the next column
    return Formats(plain | {"money": money + "_)", "signed": "+#,##0_);-#,##0_);0_)", "input": "0_)"})


class Sheet:
    """One sheet, written row by row."""

    def __init__(self, book: "Workbook", title: str, formats: Formats, *, widths: Sequence[float], frozen: str | None):
        from openpyxl.styles import Alignment, Font, PatternFill
        from openpyxl.utils import get_column_letter

        self.sheet, self._formats, self.n_lines = book.create_sheet(title), formats, 0
        self.sheet.freeze_panes = frozen
        self.sheet.sheet_view.showGridLines = False
        for place, width in enumerate(widths, start=1):
            self.sheet.column_dimensions[get_column_letter(place)].width = width
        self.sheet.page_setup.orientation, self.sheet.page_setup.paperSize = "landscape", 9
        self.sheet.page_setup.fitToWidth, self.sheet.page_setup.fitToHeight = 1, 0
        self.sheet.sheet_properties.pageSetUpPr.fitToPage = True
        self._cells: dict[tuple[int, str], WriteOnlyCell] = {}  # rows are written at once: each of their cells serves again
        self._fonts = {name: Font(name=FONT, size=11, bold=True) for name in ("strong", "input")}
        self._fonts["head"] = Font(name=FONT, size=11, bold=True, color="FFFFFF")
        self._fills = {"head": PatternFill("solid", fgColor=BLUE), "input": PatternFill("solid", fgColor=INPUT)}
        self._places = {
            "head": Alignment(wrap_text=True, vertical="center"),
            "wrapped": Alignment(wrap_text=True, vertical="top"),
            "strong": Alignment(vertical="top"),
        }

    def head(self, names: Sequence[str], *, height: float = 32) -> None:
        """Write a header that stays in sight and on every printed page."""
        self.line(names, ["head"] * len(names), height=height)
        self.sheet.print_title_rows = f"{self.n_lines}:{self.n_lines}"

    def line(self, values: Sequence[object], shapes: Sequence[str], *, height: float | None = None) -> None:
        """Write a row of values, each in its shape: a number format, text, head, strong, wrapped or input; height in points."""
        if height is not None:
            self.sheet.row_dimensions[self.n_lines + 1].height = height
        told = enumerate(zip(values, shapes, strict=True))
        self.sheet.append([self._cell(place, value, shape) for place, (value, shape) in told])
        self.n_lines += 1

    def filtered(self, row: int, n_columns: int, n: int) -> None:
        """Put filters on the header in `row` of a table of `n` rows."""
        from openpyxl.utils import get_column_letter

        self.sheet.auto_filter.ref = f"A{row}:{get_column_letter(n_columns)}{row + max(n, 1)}"

    def bars(self, column: int, first: int, n: int, *, colour: str = "9DC3E6") -> None:
        """Draw a bar in each of `n` cells of a column, from 0 on."""
        from openpyxl.formatting.rule import DataBarRule
        from openpyxl.utils import get_column_letter

        letter = get_column_letter(column)
        rule = DataBarRule(start_type="num", start_value=0, end_type="max", color=colour)
        self.sheet.conditional_formatting.add(f"{letter}{first}:{letter}{first + n - 1}", rule)

    def _cell(self, place: int, value: object, shape: str) -> "WriteOnlyCell | str | None":
        if value is None or value == "":
            return None
        if type(value) is str:
            if shape == "text" and value.isprintable() and not runs(value) and "_x" not in value:
                return value
            cell = self._styled(place, shape + "'")
            text(cell, value)
            return cell
        cell = self._styled(place, shape)
        cell.value = "=" + value.text if isinstance(value, Formula) else value
        return cell

    def _styled(self, place: int, shape: str) -> "WriteOnlyCell":
        """Return the cell of a place in its shape; a shape that ends in ' is for text only."""
        if (place, shape) not in self._cells:
            from openpyxl.cell import WriteOnlyCell

            cell, name = WriteOnlyCell(self.sheet), shape.rstrip("'")
            if name in self._formats.numbers:
                cell.number_format = self._formats.numbers[name]
            for part, styles in (("font", self._fonts), ("fill", self._fills), ("alignment", self._places)):
                if name in styles:
                    setattr(cell, part, styles[name])
            self._cells[place, shape] = cell
        return self._cells[place, shape]
