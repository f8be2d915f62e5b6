"""Segments: what they look like, what they brought, whom to look for, who decides there, how long they take."""

from collections.abc import Mapping

from winworth.crm.size_class import CLASSES
from winworth.review import ranking
from winworth.review.curve_charts import cycle_chart, survival_chart
from winworth.review.outside import is_missing, shown
from winworth.review.pack import Chart, Review
from winworth.review.plane_chart import placed, plane_caption, plane_chart
from winworth.review.words import Show, Words

EVERYONE = "all"
MOST_ROLES = 8


def build(review: Review, words: Words) -> dict:
    """Return the segments of the scored accounts, and what training measured of segments, profile, personae and cycles."""
    metrics = review.metrics
    curves = [cycle_chart(review.pictures, metrics.get("size_classes") or {}, words), survival_chart(review.pictures, words)]
    return {
        "rows": ranking.segment_table(review.accounts, review.currency, words),
        "chart": _plane(metrics.get("segments"), review.currency, words),
        "told": _told(metrics.get("segments"), review.currency, words),
        "icp": _icp(metrics.get("icp"), words),
        "personas": _personas(metrics.get("personas"), words),
        "classes": _classes(metrics.get("size_classes"), review.currency, words),
        "curves": [chart for chart in curves if chart],
    }


def _plane(found: Mapping | None, currency: str, words: Words) -> Chart | None:
    points = placed(found, words.lang)
    if len(points) < 2:
        return None
    n = words.count(sum(point.n for point in points), "deal")
    return Chart(plane_chart(points, currency, words.lang), plane_caption(points, words), words.say("plane_n", n=n))


def _told(found: Mapping | None, currency: str, words: Words) -> list[dict]:
    if not found or len(found["segments"]) < 2:
        return []
    rows = []
    for name, one in found["segments"].items():
        rule = one["rule"]
        says = ""
        if rule and rule["precision"] is not None:
            told = {"precision": words.percent(rule["precision"]), "coverage": words.percent(rule["coverage"])}
            says = words.say("segment_rule", rule=_in(rule["sentence"], words), **told)
        rate, value = one["win_rate"], one["mean_value"]
        cells = [_cell(rate, words.percent, words), _cell(value, lambda amount: words.money(amount, currency), words)]
        rows.append(
            {
                "label": shown(ranking.titled(name, _in(one["label"], words)), 300),
                "rule": says,
                "cells": cells,
                "n": words.number(rate["n"]),
            }
        )
    return rows


def _icp(found: Mapping | None, words: Words) -> dict | None:
    """Return the rules that find the accounts worth most, first rule first, held to the locked quarter."""
    if not found:
        return None
    lines = []
    for rule in found["rules"]:
        held = rule["locked"]
        lift = _cell(held["lift"], lambda times: words.number(times, 1), words)
        cells = [(words.percent(held["coverage"]), ""), lift, _cell(held["win_rate"], words.percent, words)]
        lines.append({"rule": shown(_in(rule["words"], words), 200), "cells": cells})
    told = {"n": words.number(found["n_locked"]), "period": words.period(shown(found["period"], 30).text)}
    tried = words.number(found["n_tried"])
    return {"lines": lines, "intro": words.say("icp_intro", tried=tried, **told), "none": words.say("icp_none", tried=tried)}


def _personas(found: Mapping | None, words: Words) -> list[str]:
    """Say for each segment which roles won deals knew more often than the others, beyond chance, at the age that tells most."""
    clear = [cell for cell in (found or {"cells": ()})["cells"] if cell["is_clear"]]
    best: dict[tuple[str, str], Mapping] = {}
    for cell in clear:
        key = (cell["segment"], cell["role"])
        if key not in best or abs(cell["difference"]) > abs(best[key]["difference"]):
            best[key] = cell
    ordered = sorted(best.values(), key=lambda cell: (cell["segment"] != EVERYONE, cell["segment"], -abs(cell["difference"])))
    return [_persona(cell, words) for cell in ordered[:MOST_ROLES]]


def _persona(cell: Mapping, words: Words) -> str:
    role = f"role_{cell['role']}"
    where = words.say("segment_everyone") if cell["segment"] == EVERYONE else shown(cell["segment"], 40).text
    return words.say(
        "persona_says" if cell["age_days"] else "persona_says_first",
        where=where,
        days=words.number(cell["age_days"]),
        role=words.phrases[role] if role in words.phrases else shown(cell["role"], 40).text,
        won=words.percent(cell["won"]),
        others=words.percent(cell["not_won"]),
        n=words.number(cell["n_won"] + cell["n_not_won"]),
    )


def _classes(found: Mapping | None, currency: str, words: Words) -> list[tuple]:
    rows = []
    for name, row in sorted((found or {}).items(), key=lambda item: _place(item[0])):
        label = words.say("bin_missing") if name == "unknown" else shown(name, 40).text
        cells = [
            (words.number(row["n_deals"]), ""),
            (words.number(row["n_won"]), ""),
            _cell(row["cycle_days"], words.number, words),
        ]
        cells += [
            _cell(row[part], lambda amount: words.money(amount, currency), words) for part in ("basket_median", "basket_mean")
        ]
        rows.append((label, cells))
    return rows


def _place(name: str) -> int:
    """Return where a size class stands, the smallest first; others after them."""
    return CLASSES.index(name) if name in CLASSES else len(CLASSES)


def _cell(figure: Mapping | None, show: Show, words: Words) -> tuple[str, str]:
    """Write a figure and its interval apart: too few cases are said to be."""
    if not figure or is_missing(figure["value"]):
        return words.say("too_few"), ""
    return show(figure["value"]), words.span(figure["low"], figure["high"], show)


def _in(texts: Mapping, words: Words) -> str:
    return shown(texts.get(words.lang) or texts.get("en") or "", 300).text
