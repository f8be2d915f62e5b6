"""The appendix for statisticians."""

from winworth.review import appendix
from winworth.review.pack import Review
from winworth.review.words import Words


def build(review: Review, words: Words) -> dict:
    """Return every figure by its proper name, with its definition."""
    metrics = review.metrics
    return {
        "sentences": appendix.sentences(metrics, words),
        "grids": [
            (words.say("appendix_figures"), "", appendix.win_figures(metrics, words)),
            (words.say("appendix_value"), "", appendix.value_figures(metrics, review.currency, words)),
            (words.say("appendix_customers"), "", appendix.customer_figures(metrics, review.currency, words)),
            (words.say("appendix_ladder"), words.say("ladder_note"), appendix.ladder(metrics, words)),
            (words.say("appendix_gate"), "", appendix.gate_checks(metrics, words)),
        ],
        "definitions": appendix.definitions(review.currency, words),
    }
