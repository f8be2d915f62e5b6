"""The scorecard as an Excel workbook with live formulas: type an account's values and read its score."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from winworth.weights.bins import LARGEST, Bins, LevelBins
from winworth.weights.reasons import Wording
from winworth.weights.safe_cells import header, put, quoted, saved
from winworth.weights.scorecard import PairTable, Scorecard
from winworth.weights.sheet_tables import WORDS, Lookup, place_formula, write_head, write_pairs, write_tables

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet


@dataclass(frozen=True)
class SheetRows:
    """Accounts to fill in: their keys, features, and which have no deal yet."""

    keys: list[str]
    features: pd.DataFrame
    has_no_deal: np.ndarray


def to_workbook(card: Scorecard, wording: Wording, rows: SheetRows | None = None) -> bytes:
    """Return the workbook: accounts and their scores; the card; its two-way tables; the points of each account.

    Points, weights and limits are read from the card's sheet, so that a change there changes every score. Without rows one
    empty line waits to be typed over and copied down. No text is ever a formula. A workbook holds fifteen digits of a
    number: a value that differs from a boundary in the sixteenth counts as the boundary. The bytes depend on the arguments
    alone.
    """
    from openpyxl import Workbook

    book = Workbook()
    words = WORDS[wording.lang]
    score = book.active
    score.title = words["score"]
    sheets = {name: book.create_sheet(words[name]) for name in ("card", "pairs", "points")}
    rows = rows or SheetRows([""], pd.DataFrame(index=[0], columns=list(card.features)), np.array([False]))
    limits, weights = write_head(sheets["card"], card, wording)
    lookups = write_tables(sheets["card"], card, wording, first=len(card.weights) + 8)
    pairs = write_pairs(sheets["pairs"], card, wording)
    inputs = _write_inputs(score, card, wording, rows)
    columns = _write_points(sheets["points"], card, wording, (lookups, pairs, inputs), len(rows.keys))
    _write_scores(score, card, wording, (limits, weights, columns), len(rows.keys))
    for sheet in book.worksheets:
        sheet.freeze_panes = "B2" if sheet in (score, sheets["points"]) else None
    return saved(book)


def _write_inputs(sheet: "Worksheet", card: Scorecard, wording: Wording, rows: SheetRows) -> dict[str, str]:
    """Write keys, features and whether there is no deal; return the column letter of each feature, and of `no deal` as ''."""
    from openpyxl.utils import get_column_letter

    words = WORDS[wording.lang]
    header(sheet, 1, [words["key"], *map(wording.feature, card.features)] + [words["no_deal"]] * bool(card.deal_level))
    bins = {table.bins.feature: table.bins for table in card.tables}
    columns = [rows.keys, *(_inputs(rows.features[name], bins[name]) for name in card.features)]
    columns += [[bool(flag) for flag in rows.has_no_deal]] if card.deal_level else []
    for column, values in enumerate(columns, start=1):
        for row, value in enumerate(values, start=2):
            put(sheet.cell(row, column), value)
    letters = {name: f"{quoted(sheet)}!${get_column_letter(k)}" for k, name in enumerate(card.features, start=2)}
    return letters | {"": f"{quoted(sheet)}!${get_column_letter(len(card.features) + 2)}"}


def _inputs(column: pd.Series, bins: Bins) -> list:
    """Return a feature's values as a workbook holds them: finite numbers of fifteen digits, text, None where missing."""
    if isinstance(bins, LevelBins):
        return [None if value is None or value != value else str(value) for value in column.astype(object).tolist()]
    numbers = np.clip(column.to_numpy(dtype=float, na_value=np.nan), -LARGEST, LARGEST)
    return [None if value != value else float(f"{value:.15g}") for value in numbers.tolist()]


Written = tuple[dict[str, Lookup], list[tuple[str, PairTable, Lookup, Lookup]], dict[str, str]]


def _write_points(sheet: "Worksheet", card: Scorecard, wording: Wording, written: Written, n: int) -> dict[str, list[str]]:
    """Write the points that each table brings each account; return the columns that make up each criterion."""
    from openpyxl.utils import get_column_letter

    lookups, pairs, inputs = written
    titles, formulas, made = [], [], {name: [] for name in card.weights}
    for table in card.tables:
        name = table.bins.feature
        titles.append(wording.feature(name))
        pick = f"INDEX({lookups[name].points},{place_formula(lookups[name], inputs[name])})"
        formulas.append((table.criterion, _unless(pick, (name,), card, inputs[""])))
    for criterion, pair, down, across in pairs:
        titles.append(f"{wording.criterion(criterion)}: {' x '.join(map(wording.feature, pair.features))}")
        first, second = (place_formula(axis, inputs[axis.bins.feature]) for axis in (down, across))
        formulas.append((criterion, _unless(f"INDEX({down.points},{first},{second})", pair.features, card, inputs[""])))
    header(sheet, 1, [WORDS[wording.lang]["key"], *titles])
    for column, (criterion, formula) in enumerate(formulas, start=2):
        made[criterion].append(f"{quoted(sheet)}!${get_column_letter(column)}")
        for row in range(2, n + 2):
            sheet.cell(row, column, "=" + formula.replace("{row}", str(row)))
    for row in range(2, n + 2):
        sheet.cell(row, 1, f"={inputs[''].split('!')[0]}!$A{row}")
    return made


def _write_scores(sheet: "Worksheet", card: Scorecard, wording: Wording, cells: tuple, n: int) -> None:
    """Write each account's criterion scores, held within their limits, and its score, after its values."""
    from openpyxl.utils import get_column_letter

    limits, weights, columns = cells
    first = len(card.features) + 2 + bool(card.deal_level)
    header(sheet, 1, [*map(wording.criterion, card.weights), WORDS[wording.lang]["score"]], first=first)
    letters = {name: get_column_letter(first + k) for k, name in enumerate(card.weights)}
    for row in range(2, n + 2):
        for column, name in enumerate(card.weights, start=first):
            parts = "+".join([limits["start"], *(f"{letter}{row}" for letter in columns[name])])
            sheet.cell(row, column, f"=MAX({limits['least']},MIN({limits['most']},{parts}))")
        total = "+".join(f"{weights[name]}*${letters[name]}{row}" for name in card.weights)
        sheet.cell(row, first + len(card.weights), f"=({total})/100")


def _unless(formula: str, features: tuple[str, ...], card: Scorecard, no_deal: str) -> str:
    """Count 0 where an account has no deal and the table reads what only a deal has."""
    return formula if set(features).isdisjoint(card.deal_level) else f"IF({no_deal}{{row}}=TRUE,0,{formula})"
