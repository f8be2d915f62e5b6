"""How surely each criterion weighs what it weighs, in cells and sentences for people who sell."""

from collections.abc import Mapping

import pandas as pd

from winworth.review.measured import found
from winworth.review.outside import is_missing, shown
from winworth.review.words import Words

MOST_PAIRS = 5


def weight_range(row: Mapping, words: Words) -> str:
    """Write the range of a weight; nothing where it was not measured."""
    if is_missing(row.get("low")):
        return ""
    return words.say("weight_range", low=words.number(row["low"]), high=words.number(row["high"]))


def is_noise(row: Mapping) -> bool:
    """Say whether a criterion was measured and does not stand out from noise."""
    clear = row.get("is_clear")
    return not is_missing(clear) and not clear


def family_lines(metrics: Mapping, words: Words) -> list[list[str]]:
    """Show the weight of each family and its range; nothing where no range was measured."""
    table = found(metrics, "weights.families")
    if not table:
        return []
    rows = pd.DataFrame(table).to_dict("records")
    return [[words.say(f"family_{r['family']}"), words.number(r["weight"]), weight_range(r, words)] for r in rows]


def sentences(metrics: Mapping, weights: pd.DataFrame, words: Words) -> list[str]:
    """Say what the ranges are, which criteria go together, whether another way of weighing agrees, and what has moved."""
    doubt = metrics.get("weights")
    if not doubt:
        return []
    said = [words.say("doubt_ranges", n=words.number(doubt["n_boot"])), *_context(weights, words)]
    said += [_pair(pair, weights, words) for pair in doubt["pairs"][:MOST_PAIRS]]
    if doubt["disagrees"]:
        said.append(words.say("doubt_disagrees", other=_other(weights, "by_permutation", words)))
    if doubt["few_deals"]:
        said.append(words.say("doubt_few", other=_other(weights, "unshrunk", words)))
    moved = doubt.get("movement")
    if moved:
        key = "doubt_moved" if moved["is_beyond_chance"] else "doubt_steady"
        numbers = {name: words.number(moved[name]) for name in ("moved", "by_chance")}
        said.append(words.say(key, since=shown(moved["since"], 60).text, **numbers))
    return said


def _context(weights: pd.DataFrame, words: Words) -> list[str]:
    """Say how far context moves the models, in the unit of the weights; nothing where there is none."""
    is_context = weights["family"] == "context"
    total = weights["dispersion"][~is_context].sum() if "dispersion" in weights else 0
    if not total:
        return []
    told = [
        f"{shown(row['label'], 60).text} {words.number(100 * row['dispersion'] / total)}"
        for _, row in weights[is_context].iterrows()
    ]
    return [words.say("doubt_context", told=", ".join(told))] if told else []


def _pair(pair: Mapping, weights: pd.DataFrame, words: Words) -> str:
    first, second = (shown(weights.loc[pair[name], "label"], 60).text for name in ("first", "second"))
    return words.say("doubt_pair", first=first, second=second, weight=words.number(pair["weight"]))


def _other(weights: pd.DataFrame, column: str, words: Words) -> str:
    criteria = weights[weights[column].notna()]
    return ", ".join(f"{shown(row['label'], 60).text} {words.number(row[column])}" for _, row in criteria.iterrows())
