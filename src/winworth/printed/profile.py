"""Whom to look for: tiers, segments, the ideal customer profile and personae, as training found and measured them."""

from collections.abc import Mapping
from typing import Any

from winworth.printed.report import money, plain_table, short


def profiled(metrics: Mapping) -> list[Any]:
    """Show what training learnt of whom to look for; nothing where it could not."""
    parts = [*_tiers(metrics.get("tiers")), *_segments(metrics.get("segments")), *_icp(metrics.get("icp"))]
    return [*parts, *_personas(metrics.get("personas")), *_size_classes(metrics.get("size_classes"))]


def _tiers(judged: Mapping | None) -> list[Any]:
    if not judged:
        return []
    brought = ", ".join(f"{tier} {_figure(figure)}" for tier, figure in judged["by_tier"].items())
    return [f"Tiers on the locked quarter brought an account: {brought}. Published: {', '.join(judged['published'])}."]


def _figure(figure: Mapping) -> str:
    interval = "" if figure["low"] is None else f" [{money(figure['low'])} to {money(figure['high'])}]"
    return money(figure["value"]) + interval


def _segments(found: Mapping | None) -> list[Any]:
    if not found:
        return []
    table = plain_table("Segments, on deals held out", ["segment", "looks like", "deals", "win rate", "value"], n_text=2)
    rules = []
    for name, one in found["segments"].items():
        rate = "n/a" if one["win_rate"] is None else f"{one['win_rate']:.0%}"
        table.add_row(name, one["label"]["en"], str(one["n_held_out"]), rate, money(one["mean_value"]))
        if (rule := one["rule"]) and rule["precision"] is not None:
            rules.append(f"{name}: {rule['sentence']['en']}; right for {rule['precision']:.0%}, finds {rule['coverage']:.0%}.")
    refused = [f"{tried['k']} segments: {tried['refused']}" for tried in found["tried"] if tried["refused"]]
    ids = found["ids"]
    kept = [] if ids is None else [f"Ids kept {len(ids['kept'])}, born {len(ids['births'])}, gone {len(ids['deaths'])}."]
    says = [found["says"]] if found["says"] else []
    return [table, *says, *rules, *kept, *([f"Refused: {'; '.join(refused)}."] if refused else [])]


def _icp(found: Mapping | None) -> list[Any]:
    if not found or not found["rules"]:
        return []
    title = f"Ideal customer profile, on {found['period']} ({found['n_locked']} deals, {found['n_tried']} rules tried before)"
    table = plain_table(title, ["first rule that holds", "coverage", "lift", "win rate"])
    for rule in found["rules"]:
        held = rule["locked"]
        table.add_row(rule["words"]["en"], f"{held['coverage']:.1%}", short(held["lift"]), _share(held["win_rate"]))
    rest = found["else"]
    table.add_row("else", f"{rest['coverage']:.1%}", short(rest["lift"]), _share(rest["win_rate"]))
    return [table]


def _share(figure: Mapping) -> str:
    return "n/a" if figure["value"] is None else f"{figure['value']:.0%} [{figure['low']:.0%}-{figure['high']:.0%}]"


def _personas(found: Mapping | None) -> list[Any]:
    clear = [cell for cell in (found or {"cells": []})["cells"] if cell["is_clear"] and cell["segment"] == "all"]
    return [
        f"After {cell['age_days']:.0f} days {cell['won']:.0%} of the deals won knew a {cell['role']}, and "
        f"{cell['not_won']:.0%} of the others ({cell['difference']:+.0%} [{cell['low']:+.0%} to {cell['high']:+.0%}])."
        for cell in clear
    ]


def _size_classes(found: Mapping | None) -> list[Any]:
    if not found:
        return []
    table = plain_table("Cycle and basket by size class", ["class", "deals", "won", "days to win", "median basket", "mean"])
    for name, row in found.items():
        told = [_hidden(row[part]) for part in ("cycle_days", "basket_median", "basket_mean")]
        table.add_row(name, str(row["n_deals"]), str(row["n_won"]), *told)
    return [table]


def _hidden(figure: Mapping | None) -> str:
    return "n<10" if figure is None or figure["value"] is None else money(figure["value"])
