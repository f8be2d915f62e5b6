"""What leadership set in place of what was learnt, and its price."""

from datetime import date

from winworth.review import overruled
from winworth.review.outside import shown
from winworth.review.pack import Review
from winworth.review.words import Words


def build(review: Review, words: Words) -> dict | None:
    """Return every weight that is overruled, who set it until when, and what that costs; nothing where no weight is learnt."""
    if not review.publishes_weights:
        return None
    told = review.overrides
    if not told:
        return {"rows": [], "sentences": []}
    labels = review.weights["label"].to_dict()
    rows = [
        {
            "label": shown(labels.get(name, name), 60),
            "numbers": [words.number(weight["learnt"]), words.number(weight["agreed"])],
            "is_set": name in {one["criterion"] for one in told["overrides"]},
        }
        for name, weight in sorted(told["weights"].items(), key=lambda item: (-item[1]["agreed"], item[0]))
    ]
    return {"rows": rows, "sentences": overruled.sentences(told, review.weights, review.currency, words)}


def days_left(one: dict, as_of: date) -> int:
    """Return for how many days an override still holds.

    >>> days_left({"until": "2026-07-10"}, date(2026, 6, 30))
    10
    """
    return (date.fromisoformat(one["until"]) - as_of).days
