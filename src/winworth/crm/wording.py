"""How a cell, a share and a place in a file are shown in a message."""

from collections.abc import Iterable

from winworth.crm.masking import without_people

SHOWN = 60


def printable(text: object, limit: int = SHOWN) -> str:
    """Drop control characters, which could redraw a terminal, mask people's addresses, and cut what is long.

    >>> printable("Acme" + chr(27) + "[31m")
    'Acme[31m'
    """
    word = without_people("".join(letter for letter in str(text) if letter.isprintable() or letter in "\u00a0\u202f"))
    return word if len(word) <= limit else word[: limit - 1] + "…"


def quoted(texts: Iterable[object], limit: int = 5) -> str:
    """Show the first few texts in quotes and count the rest.

    >>> quoted(["a", "b", "c"], limit=2)
    '"a", "b" and 1 more'
    """
    words = [f'"{printable(text)}"' for text in texts]
    rest = len(words) - limit
    return ", ".join(words[:limit]) + (f" and {rest} more" if rest > 0 else "")


def rows(count: int) -> str:
    """Say a number of rows.

    >>> rows(1), rows(78025)
    ('1 row', '78,025 rows')
    """
    return f"{count:,} row" + ("" if count == 1 else "s")
