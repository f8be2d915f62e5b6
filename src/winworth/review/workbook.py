"""The review as an Excel workbook: accounts to filter, a scorecard whose weights can be changed, weights, and KPIs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from winworth.kpi.groups import UNSAID
from winworth.kpi.ledger import KPIS
from winworth.review.doubted import is_noise
from winworth.review.live_sheet import write_live
from winworth.review.outside import is_missing, shown
from winworth.review.page import Review
from winworth.review.sheet_rows import Formats, Sheet, formats_of
from winworth.review.words import Words, words_in
from winworth.weights.safe_cells import saved

if TYPE_CHECKING:
    from openpyxl import Workbook

LONGEST = 200  # characters of a cell
CONTEXT = "context"  # the family that is no criterion: it has no weight and no direction
Value = Callable[[Mapping, Words], object]


@dataclass(frozen=True)
class Column:
    """A column of a sheet: the phrase at its head, what stands in it, its width in characters, its shape, whether bars."""

    head: str
    value: Value
    width: float
    shape: str = "text"
    bars: bool = False


def to_workbook(review: Review, *, lang: str) -> bytes:
    """Return the workbook in a language.

    No text is ever a formula; the bytes depend on the arguments alone.
    """
    from openpyxl import Workbook

    words, book = words_in(lang), Workbook(write_only=True)
    formats = formats_of(review.currency, words)
    _accounts(book, review, formats, words)
    if review.workshop is not None and review.metrics["weights_published"]:
        write_live(book, review, formats, words)
    if review.metrics["weights_published"] and not review.weights.empty:
        _table(book, "book_weights", _WEIGHTS, review.weights.reset_index().to_dict("records"), formats, words)
    if review.kpis is not None and len(review.kpis):
        known = review.kpis[review.kpis["mark"] != "n/a"]
        rows = known.assign(unit=known["kpi"].map({name: spec.unit for name, spec in KPIS.items()})).to_dict("records")
        _table(book, "book_kpis", _KPIS, rows, formats, words)
    _notes(book, review, words)
    return saved(book)


@lru_cache(maxsize=20_000)
def _cut(text: object) -> str:
    return shown(text, LONGEST).text


def _text(name: str) -> Value:
    return lambda row, words: _cut(row.get(name))


def _number(name: str) -> Value:
    return lambda row, words: None if is_missing(row.get(name)) else float(row[name])


def _phrase(name: str, prefix: str) -> Value:
    def value(row: Mapping, words: Words) -> str:
        key = f"{prefix}{row.get(name)}"
        return words.phrases[key] if key in words.phrases else _cut(row.get(name))

    return value


def _reasons(row: Mapping, words: Words) -> str:
    told = (_cut(row.get(f"reason_{k}")) for k in (1, 2, 3))
    return "; ".join(text for text in told if text)


_ACCOUNTS = (
    Column("book_rank", _number("place"), 7, "whole"),
    Column("book_id", _text("account_id"), 12),
    Column("account", _text("name"), 26),
    Column("tier", _text("tier"), 9),
    Column("score", _number("score"), 10, "whole", bars=True),
    Column("win_probability", _number("win_probability"), 13, "share", bars=True),
    Column("lifetime_value", _number("lifetime_value"), 15, "money"),
    Column("expected_value", _number("expected_value"), 15, "money", bars=True),
    Column("book_basis", _phrase("basis", "basis_"), 25),
    Column("segment", _text("segment_label"), 42),
    Column("book_play", _text("play"), 34),
    Column("book_seller", _text("seller"), 10),
    Column("reasons", _reasons, 90),
)
_WEIGHT = _number("weight")
_DIRECTION = _phrase("direction", "direction_")
_WEIGHTS = (
    Column("criterion", _text("label"), 30),
    Column("book_family", _phrase("family", "family_"), 24),
    Column("weight", lambda row, words: None if row["family"] == CONTEXT else _WEIGHT(row, words), 11, "whole", bars=True),
    Column("book_low", _number("low"), 13, "whole"),
    Column("book_high", _number("high"), 13, "whole"),
    Column("through_winning", _number("through_winning"), 13, "whole"),
    Column("through_worth", _number("through_worth"), 13, "whole"),
    Column("direction", lambda row, words: "" if row["family"] == CONTEXT else _DIRECTION(row, words), 18),
    Column("book_noise", lambda row, words: words.say("weight_noise") if is_noise(row) else "", 34),
)
_KPIS = (
    Column("book_kpi", _phrase("kpi", "kpi_name_"), 40),
    Column("book_group", _phrase("group", "kpi_group_"), 18),
    Column("book_level", lambda row, words: _cut(_level(row, words)), 30),
    Column("book_quarter", lambda row, words: _period(row, words), 14),
    Column("book_value", _number("value"), 13, "unit"),
    Column("book_low", _number("low"), 13, "unit"),
    Column("book_high", _number("high"), 13, "unit"),
    Column("book_n", _number("n"), 9, "whole"),
    Column("book_mark", _phrase("mark", "kpi_mark_"), 14),
)


def _level(row: Mapping, words: Words) -> object:
    if row["level"] == UNSAID:
        return words.say("bin_missing")
    return words.say("total") if row["level"] == "all" else row["level"]


def _period(row: Mapping, words: Words) -> str:
    if row["quarter"] == "all":
        return words.say("book_whole")
    return words.period(str(row["quarter"])).replace("\u00a0", " ")  # whoever filters types a plain space


def _accounts(book: "Workbook", review: Review, formats: Formats, words: Words) -> None:
    """Write every account, those that rank first on top."""
    accounts = review.accounts
    by = [name for name in ("agreed_value", "expected_value", "win_probability") if name in accounts]
    ordered = accounts.sort_values(by, ascending=False, kind="stable") if len(accounts) else accounts
    ordered = ordered.assign(place=range(1, len(ordered) + 1))
    needed = [name for name in _NEEDED if name in ordered]
    rows = (dict(zip(needed, values, strict=True)) for values in ordered[needed].itertuples(index=False, name=None))
    _table(book, "book_accounts", _ACCOUNTS, rows, formats, words, n=len(ordered), frozen="D2")


_NEEDED = ("place", "account_id", "name", "tier", "score", "win_probability", "lifetime_value", "expected_value", "basis")
_NEEDED += ("segment_label", "play", "seller", "reason_1", "reason_2", "reason_3")


def _table(
    book: "Workbook",
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Mapping],
    formats: Formats,
    words: Words,
    *,
    n: int | None = None,
    frozen: str = "B2",
) -> None:
    """Write a sheet of one table below a frozen header with filters."""
    rows = list(rows) if n is None else rows
    n = len(rows) if n is None else n
    sheet = Sheet(book, words.say(title), formats, widths=[column.width for column in columns], frozen=frozen)
    sheet.head([words.say(column.head) for column in columns])
    for row in rows:
        shapes = [formats.of_unit(row.get("unit")) if column.shape == "unit" else column.shape for column in columns]
        sheet.line([column.value(row, words) for column in columns], shapes)
    sheet.filtered(1, len(columns), n)
    for place, column in enumerate(columns, start=1):
        if column.bars and n:
            sheet.bars(place, 2, n)


def _notes(book: "Workbook", review: Review, words: Words) -> None:
    """Say what the workbook shows, as of when, and what may be changed in it."""
    formats = formats_of(review.currency, words)
    sheet = Sheet(book, words.say("book_notes"), formats, widths=[36, 100], frozen=None)
    day = words.day(review.kpis_on or review.as_of)
    counted = words.say("book_note_no_kpis") if review.kpis is None else words.say("book_note_kpis", day=day)
    told = [
        (f"kicker_{review.cadence}", shown(review.company, 60).text),
        ("as_of", words.day(review.as_of)),
        ("version", shown(review.model_version, 60).text),
        ("book_accounts", words.say("book_note_accounts")),
        ("book_live", words.say("book_note_live") if review.workshop is not None else words.say("workshop_none")),
        ("book_weights", words.say("book_note_weights")),
        ("book_kpis", counted),
    ]
    for key, text in told:
        sheet.line([words.say(key), text], ["strong", "wrapped"], height=15 * (1 + len(text) // 95))
