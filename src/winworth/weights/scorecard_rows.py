"""The scorecard as one table: a row for every interval, level and cell, with nothing left to know besides."""

import pandas as pd

from winworth.weights.bins import Bins, Place
from winworth.weights.scorecard import LEAST, MOST, START, FeatureTable, PairTable, Scorecard

COLUMNS = {
    **{"criterion": "str", "weight": "int64", "feature": "str", "kind": "str", "from": "float64", "to": "float64"},
    **{"level": "str", "feature_2": "str", "kind_2": "str", "from_2": "float64", "to_2": "float64", "level_2": "str"},
    **{"points": "int64", "rows": "int64"},
}


def card_rows(card: Scorecard) -> pd.DataFrame:
    """Return the card as a table, one row an interval (from <= x < to; empty: no limit), level or cell of a pair.

    A criterion's score is the points of its `start` row and of one row a feature and pair, no less than the points of its
    `least` row and no more than those of its `most` row; the score is the sum of weight x criterion score / 100. `kind` is
    interval, level, other (any level not named), missing, or no_deal (the row of what an account without a deal cannot have
    yet). `rows` is how many rows the points were learnt from.
    """
    found = []
    for name, weight in card.weights.items():
        head = {"criterion": name, "weight": weight}
        found += [head | {"kind": kind, "points": at} for kind, at in (("start", START), ("least", LEAST), ("most", MOST))]
        for table in card.tables:
            if table.criterion == name:
                found += [head | line for line in _table_rows(table, table.bins.feature in card.deal_level)]
        for pair in card.pairs:
            if name in pair.points:
                is_deal_level = not set(card.deal_level).isdisjoint(pair.features)
                found += [head | line for line in _pair_rows(pair, name, is_deal_level)]
    table = pd.DataFrame(found, columns=list(COLUMNS))
    return table.assign(rows=table["rows"].fillna(0)).astype(COLUMNS)


def _table_rows(table: FeatureTable, is_deal_level: bool) -> list[dict]:
    lines = [
        _place(table.bins, place) | {"points": points, "rows": n}
        for place, points, n in zip(table.bins.places, table.points, table.n, strict=True)
    ]
    return lines + ([{"feature": table.bins.feature, "kind": "no_deal", "points": 0}] if is_deal_level else [])


def _pair_rows(pair: PairTable, criterion: str, is_deal_level: bool) -> list[dict]:
    lines = [
        _place(pair.first, first) | _place(pair.second, second, "_2") | {"points": points, "rows": n}
        for first, row, counts in zip(pair.first.places, pair.points[criterion], pair.n, strict=True)
        for second, points, n in zip(pair.second.places, row, counts, strict=True)
    ]
    both = {"feature": pair.first.feature, "feature_2": pair.second.feature, "kind": "no_deal", "kind_2": "no_deal"}
    return lines + ([both | {"points": 0}] if is_deal_level else [])


def _place(bins: Bins, place: Place, end: str = "") -> dict:
    named = {"feature": bins.feature, "kind": place.kind, "from": place.low, "to": place.high, "level": place.level}
    return {name + end: value for name, value in named.items()}
