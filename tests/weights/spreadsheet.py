"""A workbook recalculated by the formula engine `formulas`, formula by formula; the same formula of the same values once."""

import io
import re

import numpy as np
import pytest

_RANGE = re.compile(r"(?:(?P<sheet>.+)!)?(?P<cells>[A-Z]+[0-9]+(?::[A-Z]+[0-9]+)?)$")


class Recalculated:
    """Cells by sheet, each worked out when it is asked for."""

    def __init__(self, content: bytes):
        from openpyxl import load_workbook

        self.book = load_workbook(io.BytesIO(content))
        self.sheets = {sheet.title.upper(): sheet for sheet in self.book}
        self.values: dict[tuple[str, str], object] = {}
        self.functions: dict[str, object] = {}
        self.results: dict[tuple, object] = {}
        self.fixed: dict[str, np.ndarray] = {}

    def cell(self, sheet: str, cell) -> object:
        if cell.data_type != "f":
            return cell.value
        key = (sheet, cell.coordinate)
        if key not in self.values:
            self.values[key] = self._work_out(sheet, cell)
        return self.values[key]

    def _work_out(self, sheet: str, cell) -> object:
        pattern = re.sub(rf"(?<=[A-Z]){cell.row}(?![0-9])", "2", cell.value)
        if pattern not in self.functions:
            self.functions[pattern] = pytest.importorskip("formulas").Parser().ast(pattern)[1].compile()
        function = self.functions[pattern]
        arguments, told = [], []
        for name in function.inputs:
            found = _RANGE.match(name)
            given = self._range(found["sheet"] or sheet.upper(), found["cells"], cell.row)
            arguments.append(given)
            told.append(name if ":" in found["cells"] else (type(given[0, 0]), given[0, 0]))
        key = (pattern, *told)
        if key not in self.results:
            result = np.asarray(function(*arguments), dtype=object).ravel()[0]
            self.results[key] = result.item() if hasattr(result, "item") else result
        return self.results[key]

    def _range(self, sheet: str, cells: str, row: int) -> np.ndarray:
        from formulas.functions import Array

        name, page = f"{sheet}!{cells}", self.sheets[sheet.strip("'")]
        if ":" in cells:
            if name not in self.fixed:
                read = [[self._blank(self.cell(page.title, cell)) for cell in line] for line in page[cells]]
                self.fixed[name] = np.array(read, dtype=object).view(Array)
            return self.fixed[name]
        fixed = page.title in ("Scorecard", "Grille", "Pairs", "Croisements")
        place = cells if fixed else re.sub("[0-9]+", str(row), cells)
        return np.array([[self._blank(self.cell(page.title, page[place]))]], dtype=object).view(Array)

    @staticmethod
    def _blank(value: object) -> object:
        from schedula import EMPTY

        return EMPTY if value is None else value


def values_by_column(content: bytes, sheet: str) -> list[list[object]]:
    """Return every column of a sheet, header first, its formulas worked out."""
    recalculated = Recalculated(content)
    page = recalculated.book[sheet]
    return [[recalculated.cell(sheet, cell) for cell in column] for column in page.iter_cols()]
