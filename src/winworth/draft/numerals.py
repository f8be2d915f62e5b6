"""Which marks the numbers of a column prove: 1,234 and 1.234 alone prove nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from winworth.crm.convert import number_pattern
from winworth.crm.mapping import LOCALES

MOST_FAULTY = 0.02
_WHOLE = re.compile(r"[+\-\u2212]?\d+")


@dataclass(frozen=True)
class Numerals:
    """The locale (fr, en, iso) by which a column's numbers read; `any` where they have no marks; None where it is open."""

    locale: Literal["fr", "en", "iso", "any"] | None
    proof: str = ""


def numerals(words: Sequence[str]) -> Numerals | None:
    """Return how a column's different cells write numbers, or None where they are none.

    >>> numerals(["1 234,50", "12"]).locale, numerals(["1,234.50"]).locale, numerals(["3.5", "1234.25"]).locale
    ('fr', 'en', 'iso')
    >>> numerals(["1.234", "5.678"]).locale, numerals(["12", "7"]).locale, numerals(["Paris"])
    (None, 'any', None)
    """
    texts = pd.Series(list(words), dtype="str").str.strip()
    if not len(texts) or (texts.str.len() > 40).any():
        texts = texts[texts.str.len() <= 40]
    if not len(texts):
        return None
    fits = {name: texts.str.fullmatch(number_pattern(locale)) for name, locale in reversed(LOCALES.items())}
    good = {name: fit for name, fit in fits.items() if fit.mean() >= 1 - MOST_FAULTY}
    if not good:
        return None
    if texts.str.fullmatch(_WHOLE).mean() >= 1 - MOST_FAULTY:
        return Numerals("any")
    best = max(fit.sum() for fit in good.values())
    names = [name for name, fit in good.items() if fit.sum() == best]
    decimals = {LOCALES[name].decimal for name in names}
    if len(decimals) > 1:
        return _unless_told(texts)
    other = "en" if decimals == {","} else "fr"
    only = texts[fits[names[0]] & ~fits[other]]
    return Numerals(names[0], f"{only.iloc[0]} reads no other way" if len(only) else "")


def _unless_told(texts: pd.Series) -> Numerals:
    """Return the question where each marked number may have thousands parted or decimals."""
    return Numerals(None, str(texts[texts.str.contains("[.,]", regex=True)].iloc[0]))
