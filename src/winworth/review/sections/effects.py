"""Before and after a change, and what is recommended: not compared until somebody has."""

from winworth.review.pack import Review
from winworth.review.words import Words


def before_and_after(review: Review, words: Words) -> dict:
    """Return what was compared before and after a change."""
    return {"sentences": []}


def advice(review: Review, words: Words) -> dict:
    """Return what is recommended."""
    return {"sentences": []}
