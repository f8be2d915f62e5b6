"""The scorecard's tables on the sheets of a workbook, and the formulas that look a value up in them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from winworth.weights.bins import Bins, NumberBins
from winworth.weights.reasons import Wording
from winworth.weights.safe_cells import header, put, quoted, span, text
from winworth.weights.scorecard import LEAST, MOST, START, FeatureTable, PairTable, Scorecard

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

WORDS = {
    "en": {
        **{"score": "Score", "card": "Scorecard", "points": "Points", "pairs": "Pairs", "key": "Account", "rows": "rows"},
        **{"no_deal": "No deal yet", "criterion": "Criterion", "weight": "Weight", "feature": "Feature", "from": "from"},
        **{"to": "to (below)", "level": "level", "other": "any other", "missing": "missing", "place": "no.", "at": "points"},
        **{"start": "Each criterion starts at", "least": "and is at least", "most": "and at most"},
        "sum": "The score is the sum of weight x criterion / 100.",
    },
    "fr": {
        **{"score": "Note", "card": "Grille", "points": "Points", "pairs": "Croisements", "key": "Compte", "rows": "lignes"},
        **{"no_deal": "Sans affaire", "criterion": "Critère", "weight": "Poids", "feature": "Mesure", "from": "de"},
        **{"to": "à (exclu)", "level": "modalité", "other": "autre", "missing": "manquant", "place": "n°", "at": "points"},
        **{"start": "Chaque critère part de", "least": "et vaut au moins", "most": "et au plus"},
        "sum": "La note est la somme des poids x critère / 100.",
    },
}


@dataclass(frozen=True)
class Lookup:
    """Where a cut stands on a sheet, as ranges: what is compared (boundaries, or levels), its levels' numbers, its points."""

    bins: Bins
    compared: str
    numbers: str
    points: str = ""


def write_head(sheet: "Worksheet", card: Scorecard, wording: Wording) -> tuple[dict[str, str], dict[str, str]]:
    """Write start, limits and weights; return their cells."""
    words, limits, weights = WORDS[wording.lang], {}, {}
    for row, (name, value) in enumerate((("start", START), ("least", LEAST), ("most", MOST)), start=1):
        text(sheet.cell(row, 1), words[name])
        sheet.cell(row, 2, value)
        limits[name] = f"{quoted(sheet)}!$B${row}"
    text(sheet.cell(4, 1), words["sum"])
    header(sheet, 5, [words["criterion"], words["weight"]])
    for row, (name, weight) in enumerate(card.weights.items(), start=6):
        text(sheet.cell(row, 1), wording.criterion(name))
        sheet.cell(row, 2, weight)
        weights[name] = f"{quoted(sheet)}!$B${row}"
    return limits, weights


def write_tables(sheet: "Worksheet", card: Scorecard, wording: Wording, *, first: int) -> dict[str, Lookup]:
    """Write every feature's rows below one header; return where each stands."""
    words, found, row = WORDS[wording.lang], {}, first
    header(sheet, row - 1, [words[name] for name in ("criterion", "feature", "place", "from", "to", "level", "at", "rows")])
    for table in card.tables:
        name, size = table.bins.feature, len(table.bins.places)
        for number in range(size):
            _write_line(sheet, row + number, table, number, wording)
        numbered = isinstance(table.bins, NumberBins)
        n = len(table.bins.edges) if numbered else len(table.bins.levels)
        compared = span(sheet, ("D", row + 1), ("D", row + n)) if numbered else span(sheet, ("F", row), ("F", row + n - 1))
        numbers, points = span(sheet, ("C", row), ("C", row + n - 1)), span(sheet, ("G", row), ("G", row + size - 1))
        found[name] = Lookup(table.bins, compared, numbers, points)
        row += size
    return found


def _write_line(sheet: "Worksheet", row: int, table: FeatureTable, number: int, wording: Wording) -> None:
    place, words = table.bins.places[number], WORDS[wording.lang]
    text(sheet.cell(row, 1), wording.criterion(table.criterion))
    text(sheet.cell(row, 2), wording.feature(table.bins.feature))
    sheet.cell(row, 3, number + 1)
    sheet.cell(row, 4, place.low)
    sheet.cell(row, 5, place.high)
    if place.kind != "interval":
        text(sheet.cell(row, 6), place.level if place.kind == "level" else f"({words[place.kind]})")
    sheet.cell(row, 7, table.points[number])
    sheet.cell(row, 8, table.n[number])


def write_pairs(sheet: "Worksheet", card: Scorecard, wording: Wording) -> list[tuple[str, PairTable, Lookup, Lookup]]:
    """Write a two-way table for each pair and criterion: the first feature downwards, the second across."""
    found, row = [], 1
    for pair in card.pairs:
        for criterion in pair.points:
            found.append((criterion, pair, *_write_grid(sheet, pair, criterion, wording, row)))
            row += len(pair.first.places) + 6
    return found


def _write_grid(sheet: "Worksheet", pair: PairTable, criterion: str, wording: Wording, row: int) -> tuple[Lookup, Lookup]:
    """Write one two-way table from a row on: numbers, from, to and level of the second feature above, of the first beside."""

    text(sheet.cell(row, 1), f"{wording.criterion(criterion)}: {' x '.join(map(wording.feature, pair.features))}")
    top, left, words = row + 5, 5, WORDS[wording.lang]
    for at, name in enumerate(("place", "from", "to", "level")):
        text(sheet.cell(row + 1 + at, left), words[name])
        text(sheet.cell(row + 4, 1 + at), words[name])
    for axis, bins in enumerate((pair.first, pair.second)):
        for number, place in enumerate(bins.places):
            level = place.level if place.kind == "level" else f"({words[place.kind]})" if place.kind != "interval" else None
            for at, value in enumerate((number + 1, place.low, place.high, level)):
                cell = sheet.cell(row + 1 + at, left + 1 + number) if axis else sheet.cell(top + number, 1 + at)
                put(cell, value)
    for i, values in enumerate(pair.points[criterion]):
        for j, points in enumerate(values):
            sheet.cell(top + i, left + 1 + j, points)
    return _found(sheet, pair, top, left)


def _found(sheet: "Worksheet", pair: PairTable, top: int, left: int) -> tuple[Lookup, Lookup]:
    """Return where the axes of a two-way table stand whose first cell is below and right of (top - 1, left)."""
    from openpyxl.utils import get_column_letter

    n, m = len(pair.first.places), len(pair.second.places)
    cells = span(sheet, (get_column_letter(left + 1), top), (get_column_letter(left + m), top + n - 1))
    found = []
    for bins, is_down in ((pair.first, True), (pair.second, False)):
        numbered = isinstance(bins, NumberBins)
        skip, size = int(numbered), len(bins.edges) if numbered else len(bins.levels)
        if is_down:
            lines = [(letter, top + skip, letter, top + skip + size - 1) for letter in ("B" if numbered else "D", "A")]
        else:
            ends = get_column_letter(left + 1 + skip), get_column_letter(left + skip + size)
            lines = [(ends[0], row, ends[1], row) for row in (top - 3 if numbered else top - 1, top - 4)]
        compared, numbers = (span(sheet, (a, i), (b, j)) if size else "" for a, i, b, j in lines)
        found.append(Lookup(bins, compared, numbers, cells))
    return found[0], found[1]


def place_formula(lookup: Lookup, column: str) -> str:
    """Return the formula that finds a value's place: by how many boundaries it has reached, or by its exact level.

    EXACT tells capitals apart, and takes * and ? as they stand, which MATCH does not.
    """
    value, last = f"{column}{{row}}", len(lookup.bins.places)
    if isinstance(lookup.bins, NumberBins):
        reached = f"1+SUMPRODUCT(({lookup.compared}<={value})*1)" if lookup.bins.edges else "1"
        return f"IF(ISNUMBER({value}),{reached},{last})"
    if not lookup.bins.levels:
        return f'IF({value}="",{last},{last - 1})'
    same = f"EXACT({lookup.compared},{value})"
    named = f"IF(SUMPRODUCT({same}*1)=0,{last - 1},SUMPRODUCT({same}*{lookup.numbers}))"
    return f'IF({value}="",{last},{named})'
