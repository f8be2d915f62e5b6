"""Text becomes ids, levels, numbers and dates, exactly as declared: what does not fit is marked, never guessed."""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.crm.columns import CellRule
from winworth.crm.mapping import Locale
from winworth.crm.masking import without_people
from winworth.errors import ConfigError

_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")
_NOT_FINITE = r"(?i)[+-]?(?:nan|inf|infinity)"
_ACCOUNTANTS_MINUS = r"\([^()+\-\u2212]+\)|[^()+\-\u2212]+[\-\u2212]"
_RUINED_ID = r"\d(?:[.,]\d+)?[eE]\+\d+"
_DIRECTIVES = {
    "%d": r"\d{1,2}",
    "%m": r"\d{1,2}",
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%b": r"[^\W\d]+\.?",
    "%B": r"[^\W\d]+",
    "%H": r"(?:[01]?\d|2[0-3])",
    "%I": r"(?:0?\d|1[0-2])",
    "%M": r"[0-5]\d",
    "%S": r"[0-5]\d",
    "%f": r"\d{1,9}",
    "%p": r"[AaPp]\.?[Mm]\.?",
    "%z": r"(?:Z|[+-]\d{2}:?\d{2})",
    "%%": "%",
}
_OF_DAY = ("%d", "%m", "%Y", "%y", "%b", "%B")
FIRST_YEAR, LAST_YEAR = 1900, 2199


@dataclass(frozen=True)
class Converted:
    """A column's distinct texts, the value of each, the rule that each breaks (missing where none), and each row's position.

    `codes` is -1 where the cell is empty; `unmapped` marks the texts that a complete list of values leaves out.
    """

    codes: np.ndarray
    words: pd.Series
    values: pd.Series
    rules: pd.Series
    unmapped: np.ndarray

    def take(self) -> pd.Series:
        """Return the value of each row; missing where the cell is empty or breaks a rule."""
        values = self.values.where(self.rules.isna())
        return pd.Series(values.array.take(self.codes, allow_fill=True))

    def count(self, chosen: np.ndarray) -> np.ndarray:
        """Return how many rows hold each of the texts that `chosen` marks."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.words))
        return counts[np.asarray(chosen, dtype=bool)]

    def holds(self, chosen: np.ndarray) -> np.ndarray:
        """Mark the rows whose text `chosen` marks."""
        return np.append(np.asarray(chosen, dtype=bool), False)[self.codes]


def convert(text: pd.Series, rule: CellRule) -> Converted:
    """Convert one column of text; every distinct text is looked at once.

    Blanks around a text go, an empty one and those of `missing_values` are missing. `aliases` mend spellings, then `values`
    must know each text that is left.
    """
    codes, found = pd.factorize(text)
    words = pd.Series(found, dtype="str")
    words = tidied(words) if rule.kind in ("level", "id") else words.str.strip()
    if rule.kind == "level" and not rule.personal:  # a name or a note may hold an address: nothing keeps it from here on
        words = pd.Series([without_people(word) for word in words], dtype="str")
    meant = words.where((words != "") & ~words.isin(rule.missing_values))
    meant = _replaced(meant, rule.aliases)
    unmapped = np.zeros(len(words), dtype=bool)
    if rule.values:
        unmapped = (meant.notna() & ~meant.isin(rule.values)).to_numpy(dtype=bool)
        meant = _replaced(meant, rule.values)
    elif rule.levels:
        unmapped = (meant.notna() & ~meant.isin(rule.levels)).to_numpy(dtype=bool)
    meant = meant.where(meant != "")
    values, rules = _READ[rule.kind](meant, rule.locale)
    codes = np.where(np.append(meant.notna().to_numpy(dtype=bool), False)[codes], codes, -1)
    return Converted(codes, words, values, rules, unmapped)


def tidied(words: pd.Series) -> pd.Series:
    """Write levels or ids in one way, without blanks around them."""
    words = words.str.strip()
    return words if words.str.isascii().all() else pd.Series([_one_form(word) for word in words], words.index, dtype="str")


def _one_form(word: str) -> str:
    """Write a level or an id in one way whatever typed it: composed accents, no invisible characters."""
    return word if word.isascii() else _INVISIBLE.sub("", unicodedata.normalize("NFC", word)).strip()


def _replaced(words: pd.Series, replacements) -> pd.Series:
    if not replacements:
        return words
    return words.map(dict(replacements), na_action="ignore").fillna(words).astype("str")


def _levels(words: pd.Series, _: Locale) -> tuple[pd.Series, pd.Series]:
    return words, _no_rules(words)


def _ids(words: pd.Series, _: Locale) -> tuple[pd.Series, pd.Series]:
    return words, _no_rules(words).mask(words.str.fullmatch(_RUINED_ID, na=False), "F26-ruined-id")


def _numbers(words: pd.Series, locale: Locale) -> tuple[pd.Series, pd.Series]:
    written = _with_the_sign_before(words)
    good = written.str.fullmatch(number_pattern(locale), na=False)
    plain = written.where(good).str.replace("\u2212", "-")
    for mark in locale.thousands:
        plain = plain.str.replace(mark, "", regex=False)
    values = plain.str.replace(locale.decimal, ".", regex=False).astype("float64")
    endless = words.str.fullmatch(_NOT_FINITE, na=False) | np.isinf(values)
    rules = _no_rules(words).mask(words.notna() & ~good, "F02-number").mask(endless, "F53-not-finite")
    return values, rules


def _with_the_sign_before(words: pd.Series) -> pd.Series:
    """Write what accountants put into brackets, or a minus behind, as they mean it: -500 for (500) and for 500-."""
    negative = words.str.fullmatch(_ACCOUNTANTS_MINUS, na=False)
    return words.mask(negative, "-" + words.str.strip("()-\u2212 "))


def number_pattern(locale: Locale) -> str:
    """Return what a number looks like: marks part the thousands in groups of three, one kind of mark in one number.

    >>> import re
    >>> [bool(re.fullmatch(number_pattern(Locale(",", " .", "")), text)) for text in ("1 234,5", "1.23,5", "1 234.567")]
    [True, False, False]
    """
    grouped = "".join(rf"|\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+" for mark in locale.thousands)
    decimal = re.escape(locale.decimal)
    return rf"[+\-\u2212]?(?:(?:\d+{grouped})(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d{{1,4}})?"


def _dates(words: pd.Series, locale: Locale) -> tuple[pd.Series, pd.Series]:
    day_format, pattern = date_pattern(locale.date_format)
    parts = words.str.extract(pattern, expand=False)
    read = pd.to_datetime(parts, format=day_format, errors="coerce", exact=True)
    values = read.astype("datetime64[s]")
    rules = _no_rules(words).mask(words.notna() & parts.isna(), "F40-date-format")
    rules = rules.mask(parts.notna() & values.isna(), "F41-date")
    unlikely = (values.dt.year < FIRST_YEAR) | (values.dt.year > LAST_YEAR) | (values == pd.Timestamp(FIRST_YEAR, 1, 1))
    return values, rules.mask(unlikely, "F46-unlikely-date")


def date_pattern(date_format: str) -> tuple[str, str]:
    """Return the part of a format that gives the day, and a pattern for the whole cell whose group is that part.

    The time of day is checked and dropped: the day counts as written, in the zone it was written in.

    >>> date_pattern("%d/%m/%y %H:%M")[0]
    '%d/%m/%y'
    """
    pieces = re.findall("%.|[^%]+", date_format)
    unknown = [piece for piece in pieces if piece.startswith("%") and piece not in _DIRECTIVES]
    days = [at for at, piece in enumerate(pieces) if piece in _OF_DAY]
    times = [at for at, piece in enumerate(pieces) if piece in _DIRECTIVES and piece not in (*_OF_DAY, "%%")]
    if unknown or not days or (times and days[-1] > times[0]):
        known = ", ".join(_DIRECTIVES)
        raise ConfigError(f"The date format {date_format!r} is not understood: the day first, then the time, of {known}.")
    day, rest = pieces[: days[-1] + 1], pieces[days[-1] + 1 :]
    pattern = [_DIRECTIVES.get(piece, re.escape(piece)) for piece in pieces]
    return "".join(
        day
    ), f"^({''.join(pattern[: len(day)])}){''.join(pattern[len(day) :])}$" if rest else f"^({''.join(pattern)})$"


def _no_rules(words: pd.Series) -> pd.Series:
    return pd.Series(np.nan, index=words.index, dtype="str")


_READ = {"id": _ids, "level": _levels, "number": _numbers, "date": _dates}
