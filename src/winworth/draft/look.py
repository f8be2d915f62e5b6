"""What one column of an export holds: its kind, how full it is, three of its cells, and what they prove."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import duckdb
import pandas as pd

from winworth.crm.wording import printable
from winworth.draft.days import DayFormat, day_format
from winworth.draft.names import plain_words
from winworth.draft.numerals import Numerals, numerals
from winworth.draft.sample import Exported

FEW_LEVELS = 1_000
MAYBE_A_KEY = 0.02  # a column whose cells repeat on no more of the rows is counted over the whole file
_SHOWN = 30
_NAMES_A_DAY = re.compile(r"\b(date|day|jour|on|at|le|since|depuis|month|mois|time|stamp)\b|date$|time$|stamp$")
_LEADING_ZERO = re.compile(r"0\d+")
_QUARTER = re.compile(r"[QT][1-4][ -]?(?:\d{4}|\d{2})|\d{4}[ -]?[QT][1-4]")
_MONEY_SIGN = re.compile(r"[$€£]")


@dataclass(frozen=True)
class Look:
    """One column: `counts` has its different filled cells with how many rows hold each, most frequent first.

    `kind` is what the cells are: text where nearly every cell differs and says more than an id does, empty where none is
    filled. `is_unique` says that no filled cell repeats in the whole file, `repeats` how many rows do repeat one.
    """

    header: str
    kind: Literal["date", "number", "level", "id", "text", "empty"]
    fill: float
    n_rows: int
    counts: pd.Series
    day: DayFormat | None = None
    numerals: Numerals | None = None
    is_unique: bool = False
    repeats: int = 0
    note: str = ""

    @property
    def evidence(self) -> str:
        """Three of its cells and the share of filled ones, in one line."""
        cells = ", ".join(f'"{printable(word, _SHOWN)}"' for word in self.counts.index[:3])
        return f"{cells or 'no cell'}; filled {_percent(self.fill)}" + (f"; {self.note}" if self.note else "")

    @property
    def is_quarter(self) -> bool:
        """Whether the cells name quarters."""
        return self.kind in ("level", "text") and all(_QUARTER.fullmatch(word) for word in self.counts.index[:50])


def look_at(export: Exported) -> dict[str, Look]:
    """Look at every column of an export, by header."""
    looks = {header: _look(header, export) for header in export.headers}
    maybe = [h for h, look in looks.items() if look.fill > 0.5 and look.repeats <= MAYBE_A_KEY * look.n_rows]
    if export.is_whole or not maybe:
        return looks
    repeats = _repeats(export, maybe) if export.n_files == 1 else {}
    return looks | {h: _with_repeats(looks[h], repeats.get(h)) for h in maybe}


def _look(header: str, export: Exported) -> Look:
    cells = export.cells[header].str.strip()
    filled = cells[cells != ""]
    n = len(cells)
    counts = filled.value_counts()
    counts.index = counts.index.astype(object)
    fill = len(filled) / n if n else 0.0
    repeats = len(filled) - len(counts)
    if not len(filled):
        return Look(header, "empty", 0.0, n, counts)
    common = {"header": header, "fill": fill, "n_rows": n, "counts": counts, "is_unique": repeats == 0, "repeats": repeats}
    words = list(counts.index)
    may_be_compact = bool(_NAMES_A_DAY.search(plain_words(header)))
    has_codes = sum(bool(_LEADING_ZERO.fullmatch(word)) for word in words) > 0.01 * len(words)
    day = day_format(words, may_be_compact=may_be_compact)
    if day is not None:
        return Look(kind="date", day=day, **common)
    figures = None if has_codes else numerals(words)
    if figures is not None:
        return Look(kind="number", numerals=figures, note=_figures_note(figures, counts, fill), **common)
    return Look(kind=_wordy_kind(words, len(filled)), note=_words_note(words), **common)


def _wordy_kind(words: Sequence[str], n: int) -> Literal["level", "id", "text"]:
    if len(words) <= min(FEW_LEVELS, max(30, n / 20)):
        return "level"
    has_blanks = sum(" " in word for word in words[:1000]) / len(words[:1000])
    return "text" if has_blanks > 0.3 or max(map(len, words[:1000])) > 60 else "id"


def _figures_note(figures: Numerals, counts: pd.Series, fill: float) -> str:
    zero = counts[[word for word in counts.index if re.fullmatch(r"0+([.,]0+)?", word)]].sum()
    share = zero / max(counts.sum(), 1)
    said = [figures.proof] if figures.proof and figures.locale else []
    said += [f"0 in {_percent(share)} of them"] if 0.05 < share < 1 and len(counts) > 2 else []
    if len(counts) <= 10 and all(re.fullmatch(r"\d{1,2}", word) for word in counts.index):
        said.append(f"only {len(counts)} different whole numbers: a code or a number?")
    return "; ".join(said)


def _words_note(words: Sequence[str]) -> str:
    signs = [word for word in words[:200] if _MONEY_SIGN.search(word) and re.search(r"\d", word)]
    return "amounts with a currency sign, which no number may hold: export them without" if len(signs) > 100 else ""


def _percent(share: float) -> str:
    """Write a share so that only all is 100 % and only none is 0 %.

    >>> _percent(1.0), _percent(0.9999), _percent(0.0001)
    ('100 %', '99.9 %', '0.1 %')
    """
    if 0.99 < share < 1:
        return f"{min(share, 0.999):.1%}".replace("%", " %")
    return ("0.1 %" if 0 < share < 0.001 else f"{share:.0%}").replace("0%", "0 %").replace("%", " %").replace("  ", " ")


def _repeats(export: Exported, headers: list[str]) -> dict[str, int]:
    """Return, over all rows of a long file, how many repeat the cell of another; nothing where it cannot be cut into rows."""
    path = str(export.plain.path).replace("'", "''")
    chosen = ", ".join(f'count("{_quoted(h)}") - count(DISTINCT "{_quoted(h)}")' for h in headers)
    source = f"read_parquet('{path}')"
    if not export.plain.is_parquet:
        mark, quote = export.dialect.separator.replace("'", "''"), export.dialect.quote.replace("'", "''")
        source = (
            f"read_csv('{path}', header = true, all_varchar = true, delim = '{mark}', quote = '{quote}', escape = '{quote}')"
        )
    settings = {"threads": 2, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    try:
        with duckdb.connect(config=settings) as connection:
            found = connection.execute(f"SELECT {chosen} FROM {source}").fetchone()
    except duckdb.Error:
        return {}
    return dict(zip(headers, map(int, found), strict=True))


def _quoted(name: str) -> str:
    return name.replace('"', '""')


def _with_repeats(look: Look, repeats: int | None) -> Look:
    if repeats is None:
        return replace(look, is_unique=False, note="whether a cell repeats was not to be found out")
    return replace(look, is_unique=repeats == 0, repeats=repeats)
