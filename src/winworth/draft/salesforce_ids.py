"""Salesforce ids of 15 characters, where case counts, and of 18, whose last three say which of the 15 are capitals."""

import re
from collections.abc import Iterable

_ID = re.compile(r"[A-Za-z0-9]{15}")
_LONG = re.compile(r"[A-Za-z0-9]{15}[A-Z0-5]{3}")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def extended(short: str) -> str:
    """Return the id of 18 characters of one of 15; any other text as it is.

    Each of the three letters counts the capitals of five characters, the first of them as 1, the fifth as 16.

    >>> extended("a0D30000001n7Pi"), extended("500x000000003TR"), extended("A-17")
    ('a0D30000001n7PiEAI', '500x000000003TRAAY', 'A-17')
    """
    if not _ID.fullmatch(short):
        return short
    parts = (short[at : at + 5] for at in (0, 5, 10))
    return short + "".join(_LETTERS[sum(1 << at for at, letter in enumerate(part) if "A" <= letter <= "Z")] for part in parts)


def is_id(text: str) -> bool:
    """Say whether a text is an id of 15 characters, or one of 18 whose last three agree with the rest.

    >>> is_id("001D000000IRFmaIAH"), is_id("001D000000IRFmaIAX"), is_id("Acme")
    (True, False, False)
    """
    return bool(_ID.fullmatch(text)) or (bool(_LONG.fullmatch(text)) and extended(text[:15]) == text)


def same_when_extended(here: Iterable[str], there: Iterable[str]) -> bool:
    """Say whether two sets of ids that do not meet would, once all have 18 characters."""
    ids, keys = set(here), set(there)
    met = {extended(text) for text in ids} & {extended(text) for text in keys}
    return len(met) > max(0.5 * len(ids), len(ids & keys))
