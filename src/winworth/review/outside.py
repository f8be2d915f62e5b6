"""Text that comes from outside (names, labels, warnings), made harmless before it is shown."""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import pandas as pd

LONGEST, LONGEST_TITLE = 120, 1000
_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_JOINERS = "\u200c\u200d"
_REDRAWS = ("Cc", "Cf", "Cs", "Cn", "Co")


@dataclass(frozen=True)
class Shown:
    """A text as shown, and its whole where it was cut ("" where it was not)."""

    text: str
    title: str


def is_missing(value: object) -> bool:
    """Say whether there is nothing to show: None, NaN, NaT, or an infinite number.

    >>> is_missing(float("nan")), is_missing(None), is_missing(0.0)
    (True, True, False)
    """
    return bool(pd.isna(value)) or (isinstance(value, float | np.floating) and not np.isfinite(value))


def harmless(text: object) -> str:
    r"""Put a text on one line and drop what redraws it: control, invisible and direction-changing characters.

    >>> harmless("Acme\u202e exe\n\x1b[31m")
    'Acme exe [31m'
    """
    if is_missing(text):
        return ""
    if type(text) is str and text.isprintable():  # none of the characters below: most texts, and most of the time
        return text.strip(" ")
    line = _BREAKS.sub(" ", str(text))
    return "".join(c for c in line if c in _JOINERS or unicodedata.category(c) not in _REDRAWS).strip(" ")


def shown(text: object, limit: int = LONGEST) -> Shown:
    """Make a text harmless and cut it to `limit` characters, the whole (to 1,000 characters) kept as its title.

    >>> shown("Acme & Co", limit=6)
    Shown(text='Acme …', title='Acme & Co')
    """
    line = harmless(text)
    return Shown(line, "") if len(line) <= limit else Shown(line[: limit - 1] + "…", line[:LONGEST_TITLE])
