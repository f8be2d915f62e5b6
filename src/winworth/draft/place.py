"""Which file is which table, and which of its columns is which: by the words of names, held against what the cells are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from winworth.draft.look import Look
from winworth.draft.names import GENERIC, TableWords, Vocabulary, meant_by, plain_words
from winworth.draft.sample import Exported
from winworth.draft.status import StatusColumn, status_column
from winworth.tables import TABLES

FILE_WORTH, STATUS_WORTH = 3, 6
_FITTING = {
    "date": ("date",),
    "number": ("number",),
    "id": ("id", "level", "number", "text"),
    "level": ("level", "id", "number", "text"),
}
_NAMED_FILE_NEEDED = ("activities", "contacts", "stage_changes", "technologies", "account_versions", "deal_versions")
_MOST_REPEATS = 0.01
FEWEST_IDS = 20


@dataclass(frozen=True)
class Placed:
    """An export as one table: the header of each canonical column, and how well it fits; `lacks` are required columns."""

    table: str
    export: Exported
    looks: Mapping[str, Look]
    headers: Mapping[str, str]
    score: float
    lacks: tuple[str, ...] = ()
    status: StatusColumn | None = None
    is_named: bool = False
    questions: tuple[str, ...] = ()


def place(exports: list[tuple[Exported, dict[str, Look]]], vocabularies: tuple[Vocabulary, ...]) -> dict[str, Placed]:
    """Give each table the file that fits it best, the best fit first; a file is one table, and a table one file.

    Where no file tells won deals from lost ones, deals are absent.
    """
    fits = [
        fit_of(name, export, looks, vocabularies)
        for export, looks in exports
        if not why_left_out(export.file, vocabularies)
        for name in TABLES
        if any(name in vocabulary.tables for vocabulary in vocabularies)
    ]
    good = [fit for fit in fits if not fit.lacks and _holds(fit)]
    order = {name: at for at, name in enumerate(TABLES)}
    placed: dict[str, Placed] = {}
    for fit in sorted(good, key=lambda fit: (-fit.score, order[fit.table], fit.export.file)):
        if fit.table not in placed and fit.export.file not in {other.export.file for other in placed.values()}:
            placed[fit.table] = fit
    return placed


def _holds(fit: Placed) -> bool:
    """Say whether a fit without gaps is one: keys do not repeat, and names that many files bear are not enough."""
    if fit.table in _NAMED_FILE_NEEDED and not fit.is_named:
        return False
    if fit.table == "deals":
        return fit.status is not None
    if fit.table == "accounts":
        look = fit.looks[fit.headers["account_id"]]
        return (
            look.repeats <= _MOST_REPEATS * look.n_rows
            and (fit.is_named or len(fit.headers) >= 4)
            and "contact_id" not in fit.headers
        )
    if fit.table == "invoices":
        return fit.is_named or not re.search(GENERIC.tables["deals"].file, plain_words(fit.export.file.split(".")[0]))
    if fit.table == "costs":
        return not any(re.search(r"account|client|compte|customer", plain_words(header)) for header in fit.looks)
    return True


def why_left_out(file: str, vocabularies: tuple[Vocabulary, ...]) -> str:
    """Say why a product's own file is not mapped; an empty text where it may be."""
    stem = plain_words(file.split(".")[0])
    return next((why for one in vocabularies for pattern, why in one.files.items() if re.fullmatch(pattern, stem)), "")


def fit_of(name: str, export: Exported, looks: Mapping[str, Look], vocabularies: tuple[Vocabulary, ...]) -> Placed:
    """Say how well an export fits a table."""
    words = [vocabulary.tables[name] for vocabulary in vocabularies if name in vocabulary.tables]
    stem = plain_words(export.file.split(".")[0])
    is_named = any(re.search(one.file, stem) for one in words)
    headers: dict[str, str] = {}
    for one in words:
        headers |= _matched(name, one, looks, headers)
    codes = {header: told for vocabulary in vocabularies for header, told in vocabulary.status_codes.items()}
    status = status_column(export.cells, looks, headers.get("closed_on"), codes) if name == "deals" else None
    if status is not None:
        headers = {
            **{column: header for column, header in headers.items() if header != status.header},
            "status": status.header,
        }
    named_so = headers
    headers = {column: header for column, header in named_so.items() if _says_it(name, column, looks[header])}
    questions: tuple[str, ...] = ()
    if "amount" in headers and any(plain_words(headers["amount"]) in vocabulary.home_money for vocabulary in vocabularies):
        headers.pop("currency", None)
    elif name == "invoices" and not is_named and "account_id" in headers:
        questions = ("Its name does not say so: is each row an invoice, or something that was paid?",)
    elif "currency" in named_so and "currency" not in headers and len(looks[named_so["currency"]].counts) > 1:
        questions = (_currency_asked(looks[named_so["currency"]]),)
    if name == "accounts" and "account_id" not in headers and "name" in headers:
        headers["account_id"] = headers["name"]
    lacks = tuple(column for column, rule in TABLES[name].columns.items() if rule.required and column not in headers)
    score = len(headers) + FILE_WORTH * is_named + STATUS_WORTH * bool(status and status.tells_outcomes)
    return Placed(name, export, looks, headers, score, lacks, status, is_named, questions)


def _currency_asked(look: Look) -> str:
    return (
        f"Money is in several currencies, and {look.header!r} names them by {look.evidence}, not by codes as "
        f"EUR. Export the codes, or "
        "amounts in the company's own currency: as it stands, amounts of all currencies are added up."
    )


def _says_it(table: str, column: str, look: Look) -> bool:
    """Say whether the cells can be what the header says: references are many, and kinds of deals are known words."""
    if column in ("deal_id", "account_id", "contact_id"):
        return len(look.counts) >= min(FEWEST_IDS, look.n_rows / 10)
    if column == "currency":
        return bool(
            look.counts[[bool(re.fullmatch("[A-Z]{3}", word)) for word in look.counts.index]].sum() > 0.9 * look.counts.sum()
        )
    if (table, column) == ("deals", "kind"):
        return any(meant_by(table, column, word) for word in look.counts.index[:100])
    return True


def _matched(name: str, words: TableWords, looks: Mapping[str, Look], taken: Mapping[str, str]) -> dict[str, str]:
    """Return the header of each canonical column whose words fit it and whose cells are of its kind."""
    found: dict[str, str] = {}
    for column, patterns in words.columns.items():
        kinds = _FITTING[TABLES[name].columns[column].kind]
        if column in taken:
            continue
        for pattern in (patterns,) if isinstance(patterns, str) else patterns:
            used = {*taken.values(), *found.values()}
            fitting = [
                header
                for header, look in looks.items()
                if header not in used and look.kind in kinds and re.fullmatch(pattern, plain_words(header))
            ]
            if fitting:
                found[column] = min(fitting, key=lambda header: (_rank(column, looks[header]), list(looks).index(header)))
                break
    return found


def _rank(column: str, look: Look) -> int:
    """Prefer, for a key or a reference, a header that speaks of an id; for another, the fuller column."""
    if column.endswith("_id"):
        return 0 if re.search(r"\b(id|identifiant|numero|number|key|guid)\b", plain_words(look.header)) else 1
    return int(look.fill < 0.01)
