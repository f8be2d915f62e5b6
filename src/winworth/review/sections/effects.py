"""Before and after a change, and what is recommended: not compared until somebody has."""

from winworth.review.effects import (
    advice_sentences,
    backtest_sentences,
    compare_sentences,
    hours_rows,
    without_action_rows,
)
from winworth.review.pack import Review
from winworth.review.words import Words


def before_and_after(review: Review, words: Words) -> dict:
    """Return what was compared before and after a change, newest first, and what was to be expected without one."""
    found = review.documents.get("compare.json")
    if found is None:
        return {"sentences": [], "rows": []}
    return {"sentences": compare_sentences(found, words), "rows": without_action_rows(found, words)}


def advice(review: Review, words: Words) -> dict:
    """Return what is recommended, the hours advised, and whether working the highest scores first would have paid."""
    advised, paid = (review.documents.get(name) for name in ("advice.json", "backtest.json"))
    return {
        "sentences": [] if advised is None else advice_sentences(advised, words),
        "hours": [] if advised is None else hours_rows(advised, words),
        "paid": [] if paid is None else backtest_sentences(paid, words),
    }
