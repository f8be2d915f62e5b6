"""What can go wrong through no fault of the program, each kind with its exit code.

10, 11 and 12 are no errors: they are what `monitor` advises (flows/verdict.py).
"""

from collections.abc import Iterable
from difflib import get_close_matches


class WinworthError(Exception):
    """A fault a person can mend: the message says what, where, how many, the first case and the way out."""

    exit_code = 1


class ConfigError(WinworthError):
    """A setting or an argument is wrong."""

    exit_code = 2


class DataError(WinworthError):
    """The data break the contract of their table, or are too few for what was asked."""

    exit_code = 3


class GateRefused(WinworthError):
    """The challenger did not earn its promotion."""

    exit_code = 4


class IntegrityError(WinworthError):
    """A model version is not what its manifest says."""

    exit_code = 5


class LockedError(WinworthError):
    """Another run holds the lock."""

    exit_code = 6


class ResourceError(WinworthError):
    """The machine has not enough disk or memory, or a limit on an input was passed."""

    exit_code = 7


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence naming the known word nearest to `name`, or all of them where none is near.

    >>> did_you_mean("amout", ["amount", "status"])
    'Did you mean amount?'
    """
    words = sorted(known)
    near = get_close_matches(name, words, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]}?"
    return f"Known: {', '.join(words)}." if words else "Nothing is known here."


def listed(items: Iterable[object], limit: int = 5) -> str:
    """Join the first few items for a message and count the rest.

    >>> listed(range(8), limit=3)
    '0, 1, 2 and 5 more'
    """
    words = [str(item) for item in items]
    rest = len(words) - limit
    return ", ".join(words[:limit]) + (f" and {rest} more" if rest > 0 else "")
