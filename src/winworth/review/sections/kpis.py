"""The KPI ledger: how selling goes, quarter by quarter, each figure with its interval and its number of cases."""

import pandas as pd

from winworth.review.kpi_charts import kpi_chart
from winworth.review.outside import harmless, is_missing
from winworth.review.pack import Chart, Review
from winworth.review.words import Words

ALL = "all"
N_QUARTERS = 4
UNITS = {
    "conversion": "share",
    "win_rate": "share",
    "velocity": "money_a_day",
    "no_show": "share",
    "cac": "money",
    "lifetime_value": "money",
    "churn_accounts": "share",
    "churn_revenue": "share",
    "basket_median": "money",
    "basket_mean": "money",
    "basket_top_share": "share",
    "cycle": "days",
    "coverage_stage": "ratio",
    "coverage_probability": "ratio",
}


def build(review: Review, words: Words) -> dict:
    """Return the KPIs of all accounts as small multiples and as a table of the last four quarters."""
    if review.kpis is None or review.kpis_on is None:
        return {"chart": None}
    rows = review.kpis[(review.kpis["group"] == ALL) & (review.kpis["quarter"] != ALL) & review.kpis["kpi"].isin(list(UNITS))]
    if rows["value"].isna().all():
        return {"chart": None}
    quarters = sorted(rows["quarter"].unique())[-N_QUARTERS:]
    cells = rows.set_index(["kpi", "quarter"])
    svg = kpi_chart(rows, UNITS, review.currency, words.lang)
    return {
        "chart": Chart(svg, _says(cells, quarters, words), words.say("kpis_n", day=words.day(review.kpis_on))),
        "quarters": [words.period(quarter) for quarter in quarters],
        "rows": [
            {
                "name": words.say(f"kpi_name_{name}"),
                "means": words.say(f"kpi_def_{name}"),
                "cells": [_cell(cells.loc[(name, quarter)], review.currency, words) for quarter in quarters],
            }
            for name in UNITS
            if (name, quarters[-1]) in cells.index
        ],
    }


def _says(cells: pd.DataFrame, quarters: list[str], words: Words) -> str:
    """Say how the win rate of the last quarter that can be told stands to the one before it, beyond chance or not."""
    known = [quarter for quarter in quarters if not is_missing(cells.loc[("win_rate", quarter), "value"])]
    if len(known) < 2:
        return words.say("kpis_says_none")
    (_, before), (last, now) = ((quarter, cells.loc[("win_rate", quarter)]) for quarter in known[-2:])
    apart = now["low"] > before["high"] or now["high"] < before["low"]
    key = "kpis_says_moved" if apart else "kpis_says_steady"
    shares = {"now": words.percent(now["value"]), "before": words.percent(before["value"])}
    return words.say(key, quarter=words.period(last), earlier=words.period(known[-2]), **shares)


def _cell(row: pd.Series, currency: str, words: Words) -> dict:
    show = shown_as(UNITS[row.name[0]], currency, words)
    value = "" if is_missing(row["value"]) else show(row["value"])
    marks = {"too early": words.say("kpi_too_early"), "n/a": words.say("missing")}
    mark = marks.get(row["mark"], harmless(row["mark"])[:12])
    span = words.span(row["low"], row["high"], show) if value else ""
    return {"value": value or mark or words.say("missing"), "range": span, "n": words.say("n_is", n=words.number(row["n"]))}


def shown_as(unit: str, currency: str, words: Words):
    """Return how figures of a unit are written."""
    plain = {"share": words.share, "days": words.number, "ratio": lambda value: words.number(value, 1)}
    return plain.get(unit, lambda value: words.money(value, currency))
