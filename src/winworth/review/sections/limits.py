"""What was read, what was strange about it, what the page cannot know, and which data about people it holds."""

from itertools import islice

from winworth.review import evidence
from winworth.review.outside import harmless, shown
from winworth.review.pack import Review
from winworth.review.warned import in_words, table_named
from winworth.review.words import Words

MOST_WARNINGS = 30
_READ = ("n_read", "n_used", "n_quarantined", "n_duplicate", "n_out_of_scope")
_PRIVATE = ("private_page", "private_people", "private_sample", "private_kept")


def build(review: Review, words: Words) -> dict:
    """Return the limits, the files read, the warnings and what is said of privacy."""
    warnings = list(dict.fromkeys(harmless(text) for text in [*review.warnings, *review.metrics.get("warnings", ())]))
    more = len(warnings) - MOST_WARNINGS
    n_next_deal = int((review.accounts["basis"] != "open_deal").sum())
    return {
        "limits": evidence.limits(review.metrics, n_next_deal, words),
        "privacy": [words.say(key) for key in _PRIVATE],
        "read": [_row(row, words) for row in review.metrics.get("read") or ()],
        "warnings": [_warning(text, words) for text in islice(warnings, MOST_WARNINGS)],
        "more": words.say("warnings_more", n=words.number(more)) if more > 0 else "",
    }


def _warning(text: str, words: Words) -> dict:
    told = in_words(text, words)
    return {"text": shown(told or text, 400), "lang": "" if told or words.lang == "en" else "en"}


def _row(row: dict, words: Words) -> dict:
    names = [shown(table_named(row["table"], words), 60), shown(row["file"], 60)]
    return {"names": names, "numbers": [words.number(row[key]) for key in _READ], "has_faults": bool(row["n_quarantined"])}
