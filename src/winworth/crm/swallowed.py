"""Rows that a misplaced quote has made a part of the row above: the file reads well, and rows are gone."""

import duckdb

from winworth.crm.header import Dialect, Header
from winworth.crm.lines import RowLines
from winworth.crm.source import PlainFile
from winworth.crm.wording import printable
from winworth.errors import DataError


def refuse_swallowed_rows(
    connection: duckdb.DuckDBPyConnection, plain: PlainFile, dialect: Dialect, header: Header, lines: RowLines
) -> None:
    """Raise DataError where a cell with a line break holds the rest of one row and the beginning of another.

    In a row of n cells, a quote that opens in the cell p and closes in the cell p of a later row leaves there n - 1 - p
    separators before the first break and p after the last; what follows that break looks like the first cell of a row: the
    same letters and digits in the same order, whatever their number. Only ids with a digit are told from text so, and text of
    several lines seldom does all three. The rows stand in the table `cells`.
    """
    if header.n_cells == 1:
        return
    swallowed = [_in_column(at, header.n_cells, dialect) for at in range(header.n_cells)]
    shapes = f"SELECT DISTINCT {_shape('c0')} FROM cells WHERE NOT contains(c0, chr(10)) AND regexp_matches(c0, '[0-9]')"
    found = connection.execute(
        "WITH broken AS (SELECT rowid AS row, * FROM cells WHERE "
        + " OR ".join(f"contains(c{at}, chr(10))" for at in range(header.n_cells))
        + f"), placed AS (SELECT *, CASE {' '.join(swallowed)} END AS column_at FROM broken) "
        f"SELECT row, column_at, {_breaks(header.n_cells)} AS breaks FROM placed WHERE column_at IS NOT NULL AND "
        f"{_shape(_first_of_last(header.n_cells, dialect))} IN ({shapes}) ORDER BY row"
    ).fetchall()
    if not found:
        return
    row, at, breaks = found[0]
    line = lines.accepted[row]
    name = printable(header.names[at]) if at < len(header.names) else ""
    rest = f" {len(found):,} rows are like this." if len(found) > 1 else ""
    raise DataError(
        f"{plain.name}, line {line}: a quote opens here and closes rows later, so that line {line + breaks}, which looks like "
        f'a row of its own, stands in the column "{name}".{rest} Mend the quote or export the file again.'
    )


def _in_column(at: int, n_cells: int, dialect: Dialect) -> str:
    first, last = f"split_part(c{at}, chr(10), 1)", f"split_part(c{at}, chr(10), -1)"
    return (
        f"WHEN contains(c{at}, chr(10)) AND {_count(first, dialect)} = {n_cells - 1 - at} AND {_count(last, dialect)} = {at} "
        f"THEN {at}"
    )


def _first_of_last(n_cells: int, dialect: Dialect) -> str:
    """Return what stands before the first separator of the last line of the cell that `column_at` names."""
    cell = "CASE column_at " + " ".join(f"WHEN {at} THEN c{at}" for at in range(n_cells)) + " END"
    return f"split_part(split_part({cell}, chr(10), -1), {_mark(dialect)}, 1)"


def _breaks(n_cells: int) -> str:
    """Count the line breaks from the beginning of the row to the last one in the cell that `column_at` names."""
    breaks = [f"length(c{at}) - length(replace(c{at}, chr(10), ''))" for at in range(n_cells)]
    counts = (f"CASE WHEN {at} <= column_at THEN {count} ELSE 0 END" for at, count in enumerate(breaks))
    return " + ".join(counts)


def _count(text: str, dialect: Dialect) -> str:
    return f"(length({text}) - length(replace({text}, {_mark(dialect)}, '')))"


def _mark(dialect: Dialect) -> str:
    return "'" + dialect.separator.replace("'", "''") + "'"


def _shape(text: str) -> str:
    """Write each run of digits as 9 and each run of letters as a."""
    return f"regexp_replace(regexp_replace({text}, '[0-9]+', '9', 'g'), '\\pL+', 'a', 'g')"
