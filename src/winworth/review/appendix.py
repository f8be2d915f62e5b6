"""The statistical appendix: every figure by its proper name, with its definition."""

from collections.abc import Mapping
from dataclasses import dataclass

from winworth.review.measured import found
from winworth.review.outside import harmless, shown
from winworth.review.words import Show, Words

WIN_FIGURES = ("auc", "log_loss", "brier", "base_rate", "calibration_slope", "calibration_intercept", "lift_at_capacity")
CUSTOMER_FIGURES = ("mae", "spearman", "gini", "total_ratio", "decile_wape", "top_share", "largest_share")
VALUE_FIGURES = ("mae", "spearman", "gini", "total_ratio", "coverage_80")
_BLOCKS = {
    "out_of_time": "win.out_of_time",
    "cross_validated": "win.cross_validated",
    "new_accounts": "win.new_accounts",
    "base_rate": "win.baselines.base_rate",
    "stage": "win.baselines.stage",
    "crm": "win.baselines.crm",
    "context": "win.baselines.context",
    "criteria": "win.baselines.criteria",
    "ridge": "win.baselines.ridge",
    "trees": "win.baselines.trees",
    "champion": "win.baselines.champion",
}


@dataclass(frozen=True)
class Grid:
    """A table as shown: headers, then rows of text, the first cell of each its name."""

    headers: list[str]
    rows: list[list[str]]


def win_figures(metrics: Mapping, words: Words) -> Grid:
    """Set every figure of the win model in a row, one column for each way it was measured."""
    blocks = {name: found(metrics, path) for name, path in _BLOCKS.items()}
    measured = {name: block for name, block in blocks.items() if block}
    headers = [words.say("figure"), *(words.say(f"block_{name}") for name in measured)]
    rows = [
        [words.say(f"name_{key}"), *(_precise(block.get(key), words) for block in measured.values())]
        for key in WIN_FIGURES
        if measured
    ]
    return Grid(headers, rows)


def value_figures(metrics: Mapping, currency: str, words: Words) -> Grid:
    """Set every figure of the value model in a row; no rows where no value was learnt."""
    figures = metrics.get("value") or {}

    def amount(value: float) -> str:
        return words.money(value, currency)

    rows = [
        [words.say(f"name_{key}"), _precise(figures.get(key), words, amount if key == "mae" else None)]
        for key in VALUE_FIGURES
        if figures
    ]
    return Grid([words.say("figure"), words.say("result")], rows)


def customer_figures(metrics: Mapping, currency: str, words: Words) -> Grid:
    """Set every figure of customers' value beside what needs no model; no rows where it was not measured."""
    judged = metrics.get("customers") or {"ways": {}}
    headers = [words.say("expected_by"), *(words.say(f"name_{key}") for key in CUSTOMER_FIGURES)]

    def cell(key: str, value: float | None) -> str:
        return words.money(value, currency) if key == "mae" else words.number(value, 3)

    rows = [
        [words.say(f"way_{way.replace(' ', '_')}"), *(cell(key, figures.get(key)) for key in CUSTOMER_FIGURES)]
        for way, figures in judged["ways"].items()
    ]
    return Grid(headers, rows)


def ladder(metrics: Mapping, words: Words) -> Grid:
    """Show every rung tried, from simple to complex."""
    keys = ("log_loss", "behind_best", "standard_error")
    headers = [words.say("rung"), words.say("name_log_loss"), words.say("behind_best"), words.say("standard_error")]
    tried = found(metrics, "win.ladder") or ()
    return Grid(headers, [[harmless(rung["rung"]), *(words.number(rung.get(key), 4) for key in keys)] for rung in tried])


def gate_checks(metrics: Mapping, words: Words) -> Grid:
    """Show every check with its numbers."""
    checks = found(metrics, "gate.checks") or ()
    rows = [
        [shown(check["name"]).text, words.say("passed" if check["passed"] else "refused"), shown(check["says"], 400).text]
        for check in checks
    ]
    return Grid([words.say("check"), words.say("result"), words.say("says")], rows)


def sentences(metrics: Mapping, words: Words) -> list[str]:
    """Say what was chosen, on how much, and with which rung the leak tax was measured."""
    counts = {name: words.number(found(metrics, f"win.n_{name}")) for name in ("examples", "deals", "won", "lost", "open")}
    said = [words.say("appendix_chosen", chosen=harmless(found(metrics, "win.chosen")), **counts), words.say("intervals_note")]
    tax = metrics.get("leak_tax")
    if tax:
        without, with_them = words.number(tax["auc_without"], 3), words.number(tax["auc_with"], 3)
        said.append(words.say("leak_rung", rung=harmless(tax["rung"]), without=without, with_them=with_them))
    return said


def definitions(currency: str, words: Words) -> list[tuple[str, str]]:
    """Define each figure."""
    keys = dict.fromkeys((*WIN_FIGURES, *VALUE_FIGURES, *CUSTOMER_FIGURES))
    return [(words.say(f"name_{key}"), words.say(f"means_{key}", currency=currency)) for key in keys]


def _precise(figure: Mapping | None, words: Words, show: Show | None = None) -> str:
    said = words.figure(figure, show or (lambda value: words.number(value, 3)))
    n = figure.get("n") if figure else None
    return said if n is None else f"{said}, {words.say('n_is', n=words.number(n))}"
