"""Other weights, tried on later deals and on today's accounts."""

from winworth.review.pack import Review
from winworth.review.words import Words
from winworth.review.workshop import workshop


def build(review: Review, words: Words) -> dict:
    """Return the sliders and what their script reads; nothing where no weight is published or there is nothing to try on."""
    if review.workshop is None or not review.publishes_weights:
        return {}
    labels = review.weights["label"].to_dict()
    return workshop(review.workshop, review.accounts, labels, review.currency, review.as_of, words)
