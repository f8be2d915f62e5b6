"""The scorecard: the points of every criterion, by the values of its features."""

from winworth.review.outside import Shown, shown
from winworth.review.pack import Review
from winworth.review.words import Words
from winworth.weights.bins import Place
from winworth.weights.reasons import Wording
from winworth.weights.scorecard import FeatureTable, PairTable, Scorecard

MOST_ROWS = 14


def build(review: Review, words: Words) -> dict | None:
    """Return each criterion with its tables of points, heaviest first; nothing where there is no card."""
    card, catalog = review.card, review.catalog
    if card is None or catalog is None or not review.publishes_weights:
        return None
    in_use = bool((review.metrics.get("scorecard") or {}).get("in_use", True))
    wording = Wording(catalog, words.lang)
    return {
        "intro": words.say("card_intro" if in_use else "card_intro_explains"),
        "criteria": [_criterion(name, weight, card, wording, words) for name, weight in card.weights.items()],
    }


def _criterion(name: str, weight: int, card: Scorecard, wording: Wording, words: Words) -> dict:
    tables = [table for table in card.tables if table.criterion == name]
    points = [point for table in tables for point, n in zip(table.points, table.n, strict=True) if n]
    low, high = signed(min(points, default=0)), signed(max(points, default=0))
    span = words.say("card_span_one", points=low) if low == high else words.say("card_span", low=low, high=high)
    return {
        "label": shown(wording.criterion(name)),
        "weight": words.say("card_weight", weight=words.number(weight)),
        "span": span,
        "tables": [_table(table, wording, words) for table in tables],
        "pairs": [_pair(pair, name, wording, words) for pair in card.pairs if name in pair.points],
    }


def _table(table: FeatureTable, wording: Wording, words: Words) -> dict:
    """Return a feature's rows; of more than 14 levels those behind most accounts, in the order of the card."""
    rows = [row for row in zip(table.bins.places, table.points, table.n, strict=True) if row[2] or row[0].kind == "missing"]
    kept = sorted(range(len(rows)), key=lambda at: (-rows[at][2], at))[:MOST_ROWS]
    lines = [(place_said(rows[at][0], wording, words), signed(rows[at][1]), words.number(rows[at][2])) for at in sorted(kept)]
    left = len(rows) - len(lines)
    return {
        "label": shown(wording.feature(table.bins.feature)),
        "rows": lines,
        "more": words.say("card_more", n=words.number(left)) if left else "",
    }


def place_said(place: Place, wording: Wording, words: Words) -> Shown:
    """Say in words which values a row of points is for."""
    if place.kind == "level":
        return shown(place.level, 60)
    if place.kind != "interval":
        return Shown(words.say(f"bin_{place.kind}"), "")
    low, high = (None if end is None else wording.value(end) for end in (place.low, place.high))
    if low is None or high is None:
        key, end = ("bin_all", "") if low == high else ("bin_below", high) if low is None else ("bin_from", low)
        return Shown(words.say(key, end=end), "")
    return Shown(words.say("bin_between", low=low, high=high), "")


def _pair(pair: PairTable, name: str, wording: Wording, words: Words) -> str:
    points = [point for row in pair.points[name] for point in row]
    first, second = (shown(wording.feature(feature), 60).text for feature in pair.features)
    return words.say("card_pair", first=first, second=second, low=signed(min(points)), high=signed(max(points)))


def signed(points: int) -> str:
    """Write points with their sign.

    >>> signed(3), signed(-12), signed(0)
    ('+3', '−12', '0')
    """
    return "0" if points == 0 else f"{points:+d}".replace("-", "−")
