"""The scorecard as SQL: one query of CASE expressions that any database can run, equal to Python on every row."""

from collections.abc import Sequence

from winworth.errors import ConfigError
from winworth.weights.bins import Bins, NumberBins
from winworth.weights.scorecard import LEAST, MOST, START, Scorecard

_HEAD = """-- The scorecard: each criterion 0-100, then the score, the sum of weight x criterion / 100.
-- Words are compared exactly: use a case-sensitive collation. NULL, NaN and empty text count as missing.
"""


def to_sql(card: Scorecard, *, table: str | Sequence[str], key: str, no_deal: str | None = None) -> str:
    """Return a query over a feature table: its key, each criterion's score, and the score.

    `table` is a name, or the parts of a qualified one; `no_deal` names the boolean column that is true where a row has no deal
    yet. Names and words are quoted, so that none is taken for SQL. Written for PostgreSQL and DuckDB.
    """
    names = [table] if isinstance(table, str) else list(table)
    scores = ",\n".join(f"    {_criterion(card, name, no_deal)} AS {identifier(name)}" for name in card.weights)
    total = " + ".join(f"{weight} * {identifier(name)}" for name, weight in card.weights.items())
    shown = ", ".join(identifier(name) for name in (key, *card.weights))
    return (
        f"{_HEAD}SELECT {shown},\n  CAST({total} AS DOUBLE PRECISION) / 100 AS {identifier('score')}\n"
        f"FROM (\n  SELECT {identifier(key)},\n{scores}\n  FROM {'.'.join(map(identifier, names))}\n) AS {identifier('card')}\n"
    )


def identifier(name: str) -> str:
    """Quote a name.

    >>> print(identifier('a "b"; --'))
    "a ""b""; --"
    """
    if not name or "\0" in name:
        raise ConfigError(f"{name!r} cannot name a column or a table in SQL. Give it another name.")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    r"""Quote a text; a backslash and control characters, which databases read each in its way, are written by number.

    >>> print(literal("O'Brien; --"), literal("a\\b"))
    'O''Brien; --' ('a' || CHR(92) || 'b')
    """
    parts, plain = [], ""
    for letter in text:
        if letter == "\\" or ord(letter) < 32:
            parts += [f"'{plain}'", f"CHR({ord(letter)})"] if plain else [f"CHR({ord(letter)})"]
            plain = ""
        else:
            plain += "''" if letter == "'" else letter
    if not parts:
        return f"'{plain}'"
    parts += [f"'{plain}'"] if plain else []
    return f"({' || '.join(parts)})"


def number(value: float) -> str:
    """Write a boundary as a literal that is read as the same double.

    >>> number(10000.0), number(0.1), number(1e16)
    ('10000', '0.1e0', '1e+16')
    """
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = repr(float(value))
    return text if "e" in text else f"{text}e0"


def _criterion(card: Scorecard, name: str, no_deal: str | None) -> str:
    terms = [
        _unless(_case(table.bins, [str(points) for points in table.points]), [table.bins.feature], card, no_deal)
        for table in card.tables
        if table.criterion == name
    ]
    for pair in card.pairs:
        if name in pair.points:
            inner = [_case(pair.second, [str(points) for points in row]) for row in pair.points[name]]
            terms.append(_unless(_case(pair.first, inner), pair.features, card, no_deal))
    summed = "\n      + ".join([str(START), *terms])
    return f"LEAST({MOST}, GREATEST({LEAST}, {summed}))"


def _unless(term: str, features: Sequence[str], card: Scorecard, no_deal: str | None) -> str:
    """Count 0 where a row has no deal and the term reads what only a deal has."""
    if no_deal is None or set(features).isdisjoint(card.deal_level):
        return term
    return f"CASE WHEN {identifier(no_deal)} THEN 0 ELSE {term} END"


def _case(bins: Bins, outcomes: Sequence[str]) -> str:
    """Return the CASE that picks the outcome of a row's place."""
    column = identifier(bins.feature)
    if isinstance(bins, NumberBins):
        missing = f"{column} IS NULL OR {column} = CAST('NaN' AS DOUBLE PRECISION)"
        tests = [f"{column} < {number(edge)}" for edge in bins.edges]
    else:
        missing = f"{column} IS NULL OR {column} = ''"
        tests = [f"{column} = {literal(level)}" for level in bins.levels]
    branches = " ".join(f"WHEN {test} THEN {then}" for test, then in zip(tests, outcomes, strict=False))
    return f"CASE WHEN {missing} THEN {outcomes[-1]} {branches} ELSE {outcomes[-2]} END"
