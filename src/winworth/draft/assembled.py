"""A folder of exports, looked through, becomes the whole draft."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from winworth.crm.scratch import scratch_folder
from winworth.draft.drafted import UNANSWERED, UNSURE, Draft, DraftColumn, DraftTable, LeftOut
from winworth.draft.histories import add_histories
from winworth.draft.look import Look, look_at
from winworth.draft.names import GENERIC, Vocabulary, plain_words
from winworth.draft.place import Placed, fit_of, place, why_left_out
from winworth.draft.relate import is_parent, joins_of, meet, orphans_question, respelled
from winworth.draft.sample import Exported, look_through
from winworth.draft.tabled import table_of
from winworth.errors import DataError
from winworth.tables import TABLES

_CODES = re.compile(r"\b(EUR|USD|GBP|CHF|CAD|AUD|SEK|NOK|DKK|PLN|JPY)\b")
_OF_WORDS = ("product", "source", "kind")
Looked = list[tuple[Exported, dict[str, Look]]]


def draft_of(folder: Path, *, shown: str, preset: Vocabulary | None = None) -> Draft:
    """Draft crm.yaml from the exports in a folder; `shown` is how crm.yaml names it.

    Raises DataError where the folder holds no export that can be read.
    """
    vocabularies = (preset, GENERIC) if preset is not None else (GENERIC,)
    with scratch_folder() as scratch:
        exports, refused = look_through(folder, scratch)
        if not exports:
            why = " ".join(f"{one.file}: {one.why}" for one in refused[:3])
            raise DataError(f"{folder} holds no export that can be read. {why or 'Put CSV or Parquet files there.'}")
        looked = [(export, look_at(export)) for export in exports]
    placed = meet(place(looked, vocabularies))
    drafted = {name: table_of(one, vocabularies) for name, one in placed.items()}
    drafted = _related(drafted, placed, [pair for pair in looked if not why_left_out(pair[0].file, vocabularies)])
    questions: list[str] = []
    if "deals" not in drafted:
        drafted = {"deals": _undecided(looked, placed, vocabularies)} | drafted
    drafted = add_histories(drafted, looked)
    currency, why, asked = _currency(drafted, looked)
    used = {table.export.file for table in drafted.values()} | {join.file for t in drafted.values() for join in t.joins}
    unmapped = tuple(_unmapped(export, looks, vocabularies) for export, looks in looked if export.file not in used)
    tables = tuple(drafted[name] for name in TABLES if name in drafted)
    notes = preset.notes if preset is not None else ()
    company = re.sub(r"[^\w .-]+", " ", folder.resolve().name).strip() or "Company"
    return Draft(company, shown, currency, why, tables, unmapped, tuple(refused), notes, tuple(questions + asked))


def _related(drafted: dict[str, DraftTable], placed: Mapping[str, Placed], looked: Looked) -> dict[str, DraftTable]:
    """Ask where accounts do not meet, leave out parents that are none, and add look-ups to deals."""
    if "accounts" in drafted:
        key = placed["accounts"].looks[placed["accounts"].headers["account_id"]]
        for name, table in drafted.items():
            if name != "accounts" and "account_id" in placed[name].headers:
                question = orphans_question(placed[name], placed["accounts"])
                drafted[name] = replace(table, questions=(*table.questions, question)) if question else table
        drafted["accounts"] = _without_false_parents(drafted["accounts"], placed["accounts"], key)
    if "deals" in drafted:
        drafted["deals"] = _joined(drafted["deals"], placed, looked)
    return drafted


def _without_false_parents(table: DraftTable, placed: Placed, key: Look) -> DraftTable:
    parent = table.column("parent_id")
    if parent is None or is_parent(placed.looks[parent.source], key):
        return table
    said = LeftOut(parent.source, f"its cells are no accounts of this file ({placed.looks[parent.source].evidence})")
    kept = tuple(column for column in table.columns if column.name != "parent_id")
    return replace(table, columns=kept, left_out=(*table.left_out, said))


def _joined(table: DraftTable, placed: Mapping[str, Placed], looked: Looked) -> DraftTable:
    named = {column.name: column.source for column in table.columns if column.name in _OF_WORDS or column.kind == "level"}
    joins = joins_of(placed["deals"], placed, looked, named)
    taken = {column.name for column in table.columns}
    kept, columns = [], list(table.columns)
    for join in joins.values():
        added = tuple(replace(c, known=UNSURE) for c in join.columns if c.name not in taken)
        taken |= {column.name for column in added}
        column, key_header = next(iter(join.on.items()))
        at = next(place for place, one in enumerate(columns) if one.name == column)
        keys = next(looks for export, looks in looked if export.file == join.file)[key_header]
        aliases = respelled(placed["deals"].looks[columns[at].source], keys)
        if aliases:
            asked = f"Are these spellings of the same in {join.file}? They differ by blanks, case or marks only."
            options = dict(columns[at].options) | {"aliases": aliases}
            columns[at] = replace(columns[at], options=options, questions=(*columns[at].questions, asked))
        if added:
            kept.append(replace(join, columns=added))
    return replace(table, columns=tuple(columns), joins=tuple(kept))


def _undecided(looked: Looked, placed: Mapping[str, Placed], vocabularies: tuple[Vocabulary, ...]) -> DraftTable:
    """Draft deals from the likeliest file, though none tells won from lost: check refuses it until somebody says what does."""
    free = {one.export.file for name, one in placed.items() if name != "invoices"}
    fits = [fit_of("deals", export, looks, vocabularies) for export, looks in looked if export.file not in free] or [
        fit_of("deals", export, looks, vocabularies) for export, looks in looked
    ]
    best = max(fits, key=lambda fit: ("account_id" in fit.headers, fit.is_named, fit.score, fit.export.file))
    kept = {
        column: header for column, header in best.headers.items() if column in ("deal_id", "account_id", "amount", "currency")
    }
    table = table_of(replace(best, headers=kept, status=None), vocabularies)
    few = [
        f"{header!r} ({', '.join(map(repr, look.counts.index[:4]))})"
        for header, look in best.looks.items()
        if look.kind != "date" and 2 <= len(look.counts) <= 6
    ]
    asked = (
        "No file tells won deals from lost ones, and winworth learns from nothing else. Best: put the export of "
        "your deals into "
        f"the folder and run init again. Else {best.export.file} is the nearest: which of its columns says how "
        f"a deal ended, and "
        f"what do its words mean? Columns with few different cells: {'; '.join(few) or 'none'}. Write its "
        f"header and all its words."
    )
    days = [f"{header!r}" for header, look in best.looks.items() if look.kind == "date"]
    dated = f"Which of {', '.join(days)} is the day a deal opened, and which the day it ended? Map both, or none."
    status = DraftColumn(
        "status", UNANSWERED, None, None, {"values": {"won?": "won", "lost?": "lost"}}, "no column says it", (asked,)
    )
    return replace(table, columns=(*table.columns, status), questions=(*table.questions, *([dated] if days else [])))


def _currency(drafted: Mapping[str, DraftTable], looked: Looked) -> tuple[str, str, list[str]]:
    """Return the company's currency, where it is read, and a question where it is a guess or there are several."""
    looks_of = {export.file: looks for export, looks in looked}
    counts: Counter[str] = Counter()
    for table in drafted.values():
        column = table.column("currency")
        if column is not None and table.name != "rates":
            found = looks_of[table.export.file][column.source].counts
            counts.update({str(word): int(n) for word, n in found.items() if re.fullmatch("[A-Z]{3}", str(word))})
    if len(counts) == 1:
        return next(iter(counts)), "all money is in it", []
    if counts:
        told = ", ".join(f"{code} {n:,}" for code, n in counts.most_common())
        first = counts.most_common(1)[0][0]
        asked = f"Money is in several currencies ({told}). Which is the company's own?"
        if "rates" not in drafted:
            asked += f" Map a table rates (currency, valid_on, rate: {first} for one unit): without it check refuses."
        return first, f"the most frequent of {told}", [asked]
    if not any("amount" in table or "revenue" in table for table in drafted.values()):
        return "EUR", "no money is mapped", []
    headers = " ".join(header for export, _ in looked for header in export.headers).upper().replace("_", " ")
    named = set(_CODES.findall(headers)) or ({"USD"} if "DOLLAR" in headers else set())
    if len(named) == 1:
        return named.pop(), "named in a header", []
    return "EUR", "", ["No column says which currency money is in. Is it EUR?"]


def _unmapped(export: Exported, looks: dict[str, Look], vocabularies: tuple[Vocabulary, ...]) -> LeftOut:
    """Say which table a file is nearest to and what it lacks of it."""
    why = why_left_out(export.file, vocabularies)
    if why:
        return LeftOut(export.file, why)
    fits = [fit_of(name, export, looks, vocabularies) for name in TABLES if name not in ("deals", "rates", "costs")]
    best = max(fits, key=lambda fit: (fit.is_named, len(fit.headers) - len(fit.lacks)))
    named = ", ".join(repr(header) for header in export.headers[:6]) + (" and more" if len(export.headers) > 6 else "")
    if best.is_named and best.lacks:
        return LeftOut(export.file, f"might be {best.table}, but no column is its {', '.join(best.lacks)} (it has {named})")
    owner = next((h for h in export.headers if re.search(r"agent|seller|owner|commercial", plain_words(h))), None)
    if owner and looks[owner].is_unique:
        return LeftOut(export.file, f"about sellers ({named}): who sells is never a feature")
    return LeftOut(export.file, f"no table that winworth knows, or one that another file fits better (it has {named})")
