"""Which format the dates of a column prove: an order of day and month that nothing proves is a question, never a guess."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from winworth.crm.convert import FIRST_YEAR, LAST_YEAR, date_pattern

MOST_FAULTY = 0.02  # of the different cells, so many may be no dates
_TRIED = 3_000  # different cells that formats are tried on
_FIRST = 20  # of them, those whose shape says which formats are worth trying
_ORDERS = ("{Y}{s}%m{s}%d", "%d{s}%m{s}{Y}", "%m{s}%d{s}{Y}")
_WITH_MONTH_NAMES = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y")
_TIMES = (
    "",
    " %H:%M",
    " %H:%M:%S",
    "T%H:%M:%S",
    "T%H:%M:%S%z",
    "T%H:%M:%S.%f%z",
    " %H:%M:%S.%f",
    " %I:%M %p",
    " %I:%M:%S %p",
    ", %I:%M %p",
)
_DAYS = [
    order.format(Y=year, s=mark)
    for mark, order, year in product("/-.", _ORDERS, ("%Y", "%y"))
    if not (order.startswith("{Y}") and year == "%y")
]
_ALL = [day + time for time in _TIMES for day in (*_DAYS, *_WITH_MONTH_NAMES, "%Y%m%d")]


@dataclass(frozen=True)
class DayFormat:
    """The format that the cells of a column prove, or None where two fit: then `could_be` names both."""

    format: str | None
    could_be: tuple[str, ...]
    proof: str = ""


def day_format(words: Sequence[str], *, may_be_compact: bool) -> DayFormat | None:
    """Return the format of a column's different cells, or None where they are no dates.

    `may_be_compact` permits 19970131, which is a number as well.

    >>> day_format(["31/01/2026", "02/03/2026"], may_be_compact=False).format
    '%d/%m/%Y'
    >>> day_format(["01/02/2026", "02/03/2026"], may_be_compact=False).could_be
    ('%d/%m/%Y', '%m/%d/%Y')
    """
    tried = pd.Series(list(words), dtype="str").str.strip()
    if len(tried) > _TRIED:
        tried = tried.iloc[np.linspace(0, len(tried) - 1, _TRIED).astype(int)]
    if not len(tried) or tried.str.contains(r"\d", regex=True).mean() < 1 - MOST_FAULTY:
        return None
    fits = {form: fit for form in _formats(tried, may_be_compact) if (fit := _fits(tried, form)).mean() >= 1 - MOST_FAULTY}
    if not fits:
        return None
    best = max(fit.sum() for fit in fits.values())
    forms = [form for form, fit in fits.items() if fit.sum() == best]
    form = forms[0]
    if "%b" in form.lower():
        return DayFormat(form, (form,), "months are named")
    if len(forms) > 1:
        return DayFormat(None, tuple(forms))
    if form.startswith("%Y"):
        return DayFormat(form, (form,), "the year stands first")
    other = _fits(tried, _swapped(form))
    proof = tried[fits[form] & ~other]
    if not len(proof) or (other & ~fits[form]).any():
        return DayFormat(None, (form, _swapped(form)))
    return DayFormat(form, (form,), f"{proof.iloc[0]} reads no other way")


def _formats(words: pd.Series, may_be_compact: bool) -> list[str]:
    """Return the formats whose shape most of the first words have, so that few are tried on all."""
    first = words.head(_FIRST).tolist()
    shaped = [form for form in _ALL if sum(bool(_shape(form).match(word)) for word in first) >= len(first) / 2]
    return [form for form in shaped if may_be_compact or not form.startswith("%Y%m%d")]


@cache
def _shape(form: str) -> re.Pattern:
    return re.compile(date_pattern(form)[1])


def _fits(words: pd.Series, form: str) -> pd.Series:
    day, pattern = date_pattern(form)
    parts = words.str.extract(pattern, expand=False)
    read = pd.to_datetime(parts, format=day, errors="coerce", exact=True)
    return read.dt.year.between(FIRST_YEAR, LAST_YEAR).fillna(False)


def _swapped(form: str) -> str:
    return form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
