"""One export becomes one table of the draft: its columns with their options, what it leaves out, and what is asked."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from winworth.draft.drafted import UNANSWERED, DraftColumn, DraftTable, LeftOut
from winworth.draft.known import WhenKnown, when_known
from winworth.draft.look import Look
from winworth.draft.names import CELLS, Vocabulary, meant_by, plain_words
from winworth.draft.place import Placed
from winworth.draft.status import is_debatable
from winworth.tables import TABLES

_MORE_DAYS = re.compile(r"\b(date|day|jour|on|le)\b|date$")
_LIKE_A_DAY = re.compile(r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}.*")
_SERIAL = re.compile(r"[2-7]\d{4}([.,]\d+)?")
DESCRIBED = ("deals", "accounts")  # tables whose columns of the company's own are mapped too
MOST_LEVELS = 200
COMPARED, LEAST_TO_COMPARE = 2_000, 30
_PERSONAL = re.compile(
    r"\b(e ?mail|phone|telephone|mobile|first ?name|last ?name|prenom|nom de famille|fax|linkedin|twitter)\b"
)


def table_of(placed: Placed, vocabularies: tuple[Vocabulary, ...]) -> DraftTable:
    """Draft one table from the file that fits it."""
    name, looks = placed.table, placed.looks
    statuses = placed.status.statuses if placed.status is not None else None
    columns = [
        _canonical(name, column, looks[header], placed, statuses, vocabularies) for column, header in placed.headers.items()
    ]
    left_out: list[LeftOut] = []
    taken = set(placed.headers.values())
    slugs = {column.name for column in columns} | set(TABLES[name].columns)
    for header, look in looks.items():
        if header in taken:
            continue
        why = _left_out_why(name, look, vocabularies) or same_but_for_a_factor(look, columns, placed)
        if why:
            left_out.append(LeftOut(header, why))
        else:
            columns.append(_own(name, slug_of(header, slugs), look, placed, statuses, vocabularies))
            slugs.add(columns[-1].name)
    columns, is_key, notes = _keyed(name, columns, placed)
    columns, halves = _both_days_or_none(name, columns)
    locale, columns = _with_locale(columns, looks)
    is_event = TABLES[name].is_event
    return DraftTable(
        name,
        placed.export,
        tuple(columns),
        key=is_key,
        known="dated" if is_event and name != "rates" else None,
        locale=locale,
        left_out=(*left_out, *halves),
        notes=tuple(notes),
        questions=(*placed.questions, *(one.why for one in halves)),
    )


def _both_days_or_none(name: str, columns: list[DraftColumn]) -> tuple[list[DraftColumn], list[LeftOut]]:
    """Leave out the day deals opened where none says when they ended, and the other way round: half of it cannot be used."""
    days = [column for column in columns if name == "deals" and column.name in ("opened_on", "closed_on")]
    if len(days) != 1:
        return columns, []
    other = "ended" if days[0].name == "opened_on" else "opened"
    why = f"No column says when a deal {other}, so {days[0].source!r} is of no use by itself: which column does, if any?"
    return [column for column in columns if column is not days[0]], [LeftOut(days[0].source, why)]


def slug_of(header: str, taken: set[str]) -> str:
    """Return a short name of small letters for a header, unlike those taken.

    >>> slug_of("Niveau d'automatisation", set()), slug_of("#", {"column"})
    ('niveau_d_automatisation', 'column_2')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", plain_words(header))[:40].strip("_")
    base = plain if re.match(r"[a-z]", plain) else f"column_{plain}".strip("_")
    at, name = 1, base
    while name in taken:
        at, name = at + 1, f"{base}_{at + 1}"
    return name


def _canonical(
    table: str, column: str, look: Look, placed: Placed, statuses: pd.Series | None, vocabularies: tuple[Vocabulary, ...]
) -> DraftColumn:
    options, why, questions = _options(table, column, look, placed)
    known = None
    if table in DESCRIBED:
        told = _declared(table, look.header, vocabularies) or when_known(
            table, column, look, placed.export.cells[look.header], statuses
        )
        known, why = told.known, "; ".join(part for part in (told.why, why) if part)
    return DraftColumn(column, look.header, None, known, options, _commented(look, why), tuple(questions))


def _own(
    table: str, name: str, look: Look, placed: Placed, statuses: pd.Series | None, vocabularies: tuple[Vocabulary, ...]
) -> DraftColumn:
    kind = "number" if look.kind == "number" else "level"
    options, why, questions = _options(table, name, look, placed)
    told = _declared(table, look.header, vocabularies) or when_known(
        table, name, look, placed.export.cells[look.header], statuses
    )
    why = "; ".join(part for part in (told.why, why) if part)
    return DraftColumn(name, look.header, kind, told.known, options, _commented(look, why), tuple(questions))


def _commented(look: Look, why: str) -> str:
    return look.evidence + (f"; {why}" if why else "")


def _declared(table: str, header: str, vocabularies: tuple[Vocabulary, ...]) -> WhenKnown | None:
    for vocabulary in vocabularies:
        said = vocabulary.known.get((table, plain_words(header)))
        if said:
            return WhenKnown(said[0], said[1])
    return None


def _options(table: str, column: str, look: Look, placed: Placed) -> tuple[dict[str, object], str, list[str]]:
    """Return how the cells of a column are read, why, and what is to be asked."""
    if (table, column) == ("deals", "status") and placed.status is not None:
        return _status_options(placed)
    options = _where_missing(table, column, look, placed)
    why = str(options.pop("why", ""))
    if look.kind == "date" and look.header not in placed.export.typed:
        if look.day.format is None:
            forms = " or ".join(look.day.could_be)
            return {"format": UNANSWERED} | options, why, [f"Is it {forms}? Every date reads both ways: write the right one."]
        return {"format": look.day.format} | options, "; ".join(part for part in (look.day.proof, why) if part), []
    if look.kind == "number" and look.numerals.locale is None and _is_number(table, column):
        return (
            {"decimal": UNANSWERED},
            "",
            [f'Is "{look.numerals.proof}" thousands or decimals? Write "," or "." as the decimal mark.'],
        )
    if (table, column) in CELLS:
        return _worded(table, column, look)
    return options, why, []


def _is_number(table: str, column: str) -> bool:
    canonical = TABLES[table].columns.get(column)
    return canonical is None or canonical.kind == "number"


def _status_options(placed: Placed) -> tuple[dict[str, object], str, list[str]]:
    status = placed.status
    questions = []
    if status.open_question:
        words = ", ".join(repr(word) for word in status.open_question[:20])
        questions.append(f"What do {words} mean: won, lost or open? Add each to values; until then check refuses them.")
    debatable = [f"{word!r} as {meant}" for word, meant in status.values.items() if is_debatable(word)]
    if debatable:
        questions.append(f"Is it right to count {', '.join(debatable)}?")
    if not status.tells_outcomes:
        questions.append("Which words mean won and which lost?")
    return {"values": dict(status.values)}, "; ".join(status.why), questions


def _worded(table: str, column: str, look: Look) -> tuple[dict[str, object], str, list[str]]:
    """Translate the words that are known; where all are, any other word will be an error, else the rest passes."""
    if len(look.counts) > MOST_LEVELS:
        return {}, "", []
    meant = {word: meant_by(table, column, word) for word in look.counts.index}
    known = {word: level for word, level in meant.items() if level}
    strange = [word for word in meant if not meant[word]]
    if not known:
        return {}, "", []
    if not strange:
        return {"values": known}, "", []
    levels = ", ".join(sorted(set(CELLS[table, column].values())))
    shown = ", ".join(repr(word) for word in strange[:8])
    return {"aliases": known}, "", [f"Is any of {shown} one of {levels}? Add it to aliases; else it stays a level of its own."]


def _where_missing(table: str, column: str, look: Look, placed: Placed) -> dict[str, object]:
    """Propose what becomes of deals without an account or an opening day, where that is filled in as a deal moves on."""
    statuses = placed.status.statuses if placed.status is not None else None
    if table != "deals" or column not in ("account_id", "opened_on") or statuses is None or look.fill == 1:
        return {}
    empty = placed.export.cells[look.header].str.strip() == ""
    n_open, n_closed = int((empty & (statuses == "open")).sum()), int((empty & statuses.isin(["won", "lost"])).sum())
    if not n_open or n_closed:
        return {}
    why = f"empty on {n_open:,} open deals and on no closed one: filled in late, so deals without it are out of scope"
    return {"missing": "out_of_scope", "why": why}


def _keyed(name: str, columns: list[DraftColumn], placed: Placed) -> tuple[list[DraftColumn], bool, list[str]]:
    """Say whether the key column is one; one that repeats is no key, and of deals it groups rows."""
    key = TABLES[name].key
    at = next((place for place, column in enumerate(columns) if column.name == key), None)
    if at is None:
        return columns, False, []
    look = placed.looks[columns[at].source]
    n_same = _n_identical(placed, look) if look.repeats else 0
    if look.fill == 1 and (look.is_unique or (n_same and n_same == look.repeats)):
        looked = "no cell repeats" if not n_same else f"its {n_same} repeated cells stand on rows that are the same twice"
        return columns, True, [f"{key}: {looked} in {look.n_rows if placed.export.is_whole else placed.export.n_rows:,} rows"]
    said = f"{look.header!r} {_not_a_key(look)}, so it is no key"
    if name == "deals":
        group = DraftColumn("group_id", columns[at].source, None, None, {}, f"{columns[at].why}; {said}: it groups rows")
        return [*columns[:at], group, *columns[at + 1 :]], False, [said]
    if name == "accounts":
        return columns, False, [said]
    return [column for column in columns if column.name != key], False, [f"{said} and is not mapped"]


def _not_a_key(look: Look) -> str:
    if look.fill < 1:
        return f"is empty on {round((1 - look.fill) * look.n_rows):,} rows"
    return f"repeats an earlier cell on {look.repeats:,} rows" if look.repeats else look.note


def _n_identical(placed: Placed, look: Look) -> int:
    cells = placed.export.cells
    return int(cells.duplicated().sum()) if placed.export.is_whole else 0


def table_locale(columns: list[DraftColumn], looks: Mapping[str, Look]) -> str | None:
    """Return the locale that the numbers of mapped columns prove; None where none has a mark."""
    of = [looks[column.source] for column in columns if column.source in looks]
    proven = [look.numerals.locale for look in of if look.kind == "number" and look.numerals.locale in ("fr", "en", "iso")]
    return next((locale for locale in ("fr", "en", "iso") if locale in proven), None)


def _with_locale(columns: list[DraftColumn], looks: Mapping[str, Look]) -> tuple[str | None, list[DraftColumn]]:
    """Return the locale of the table's numbers; a column of another one says its decimal mark."""
    locale = table_locale(columns, looks)
    if locale is None:
        return None, columns
    mark = {"fr": ","}.get(locale, ".")
    mended = []
    for column in columns:
        look = looks[column.source]
        other = look.numerals.locale if look.kind == "number" else None
        differs = other in ("fr", "en", "iso") and ({"fr": ","}.get(other, ".") != mark)
        options = dict(column.options) | ({"decimal": {"fr": ","}.get(other, ".")} if differs else {})
        mended.append(replace(column, options=options))
    return locale, mended


def same_but_for_a_factor(look: Look, columns: list[DraftColumn], placed: Placed) -> str:
    """Say of which mapped column another is a constant multiple; an empty text where of none."""
    if look.kind != "number" or placed.table not in DESCRIBED:
        return ""
    cells = placed.export.cells.head(COMPARED)
    own = pd.to_numeric(cells[look.header], errors="coerce")
    for column in columns:
        if placed.looks[column.source].kind == "number" and column.source != look.header:
            other = pd.to_numeric(cells[column.source], errors="coerce")
            ratio = (own / other)[(other != 0) & own.notna()]
            if len(ratio) >= LEAST_TO_COMPARE and ratio.nunique() > 0 and ratio.max() - ratio.min() < 1e-9 * abs(ratio.max()):
                return f"always {ratio.iloc[0]:g} x {column.source!r}"
    return ""


def _are_dates(look: Look) -> bool:
    words = look.counts.index[:200]
    return sum(bool(_LIKE_A_DAY.fullmatch(word)) for word in words) > 0.5 * len(words)


def _left_out_why(table: str, look: Look, vocabularies: tuple[Vocabulary, ...]) -> str:
    """Say why a column is not mapped; an empty text where it is."""
    plain = plain_words(look.header)
    for vocabulary in vocabularies:
        if plain in vocabulary.left_out:
            return vocabulary.left_out[plain]
    if look.kind == "empty":
        return "no cell is filled"
    if _PERSONAL.search(plain):
        return f"personal data, which no figure needs ({look.fill:.0%} filled)"
    if _MORE_DAYS.search(plain) and look.kind in ("level", "id", "text") and _are_dates(look):
        return f"dates of more than one format, or some that are none: export it in one ({look.evidence})"
    if _MORE_DAYS.search(plain) and look.kind == "number" and all(_SERIAL.fullmatch(word) for word in look.counts.index[:200]):
        return f"Excel's own day numbers: give the column a date format in Excel and export again ({look.evidence})"
    if table not in DESCRIBED:
        return f"winworth has no use for it in {table} ({look.evidence})"
    if look.kind == "date":
        return f"a date: features count days of events only ({look.evidence})"
    if look.is_quarter:
        return f"a quarter of the year, which the date says too ({look.evidence})"
    if look.kind in ("text", "id") or (look.kind == "level" and len(look.counts) > MOST_LEVELS):
        return f"{'free text' if look.kind == 'text' else 'nearly every cell differs'} ({look.evidence})"
    return "every cell is the same" if len(look.counts) == 1 and look.fill == 1 else ""
