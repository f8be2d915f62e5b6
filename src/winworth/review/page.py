"""The review as one HTML page that needs no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import pandas as pd

from winworth.review import appendix, captions, charts, doubted, evidence, overruled, ranking, summary
from winworth.review.outside import harmless, shown
from winworth.review.words import Words, words_in
from winworth.review.workshop import Workshop, workshop

if TYPE_CHECKING:
    from jinja2 import Template

MOST_WARNINGS = 30
SECTIONS = ("short", "who", "matters", "workshop", "segments", "true", "data", "limits", "appendix")
_READ = ("n_read", "n_used", "n_quarantined", "n_duplicate", "n_out_of_scope")


@dataclass(frozen=True)
class Review:
    """All that the page shows, as of a day.

    `metrics` is the model version's metrics.json. `weights` has one row a criterion (label, family, weight, through_winning,
    through_worth, direction; where doubt was measured low, high, is_clear and more), context last; it may be empty.
    `accounts` has one row an account; values are NaN where none could be learnt. `overrides` is what the scores' run.json
    says of weights that leadership set, `workshop` what other weights are tried on.
    """

    company: str
    currency: str
    as_of: date
    model_version: str
    model_as_of: str
    metrics: dict
    weights: pd.DataFrame
    accounts: pd.DataFrame
    warnings: list[str]
    overrides: dict | None = None
    workshop: Workshop | None = None


@dataclass(frozen=True)
class Chart:
    """A drawing with the sentence it illustrates and the number it rests on."""

    svg: str
    caption: str
    n: str


def render(review: Review, *, lang: str) -> str:
    """Write the page in a language; the same review gives the same bytes."""
    words = words_in(lang)
    return _template().render(
        say=words.say,
        lang=lang,
        sections=SECTIONS,
        head=_head(review, words),
        short=_short(review, words),
        who=_who(review, words),
        matters=_matters(review, words),
        workshop=_workshop(review, words),
        segments=ranking.segment_table(review.accounts, review.currency, words),
        truth=_truth(review, words),
        data=_data(review, words),
        appendix=_appendix(review, words),
    )


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("winworth.review")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html.j2")


def _head(review: Review, words: Words) -> dict:
    learnt_on = date.fromisoformat(review.model_as_of)
    return {
        "company": shown(review.company),
        "as_of": words.day(review.as_of),
        "version": shown(review.model_version, 60),
        "version_of": words.say("version_of", day=words.day(learnt_on)),
    }


def _short(review: Review, words: Words) -> dict:
    published = _publishes_weights(review)
    return {
        "who": summary.who_sentence(review.accounts, review.currency, words),
        "matters": summary.matters_sentence(review.weights, words) if published else words.say("matters_says_none"),
        "verdict": summary.verdict(review.metrics, words),
    }


def _publishes_weights(review: Review) -> bool:
    return bool(review.metrics["weights_published"] and not review.weights.empty and review.weights["weight"].sum() > 0)


def _who(review: Review, words: Words) -> dict:
    lines = ranking.best_accounts(review.accounts, review.currency, words)
    n = int((review.accounts["tier"] == "A").sum())
    intro = "who_intro" if review.accounts["expected_value"].notna().any() else "who_intro_no_value"
    return {
        "intro": words.say(intro, shown=words.number(len(lines)), n=words.number(n)),
        "lines": lines,
        "definition": " ".join(evidence.value_definition(review.metrics, words)[:2]),
        "tiers": ranking.tier_table(review.accounts, review.currency, words),
    }


def _matters(review: Review, words: Words) -> dict | None:
    """Return the weights' chart and table; None where no weight is published."""
    weights, metrics = review.weights, review.metrics
    if not _publishes_weights(review):
        return None
    deals = words.count(metrics["win"]["n_deals"], "deal")
    won, lost = (words.number(metrics["win"][name]) for name in ("n_won", "n_lost"))
    n = words.say("chart_n_deals", deals=deals, won=won, lost=lost)
    if (weights["family"] != "context").sum() > charts.MOST_CRITERIA:
        n += " " + words.say("chart_most", n=charts.MOST_CRITERIA)
    chart = Chart(charts.weights_chart(weights, words.lang), captions.weights_caption(weights, words), n)
    return {
        "chart": chart,
        "rows": [_weight_row(row, words) for row in weights.to_dict("records")],
        "families": doubted.family_lines(metrics, words),
        "sentences": doubted.sentences(metrics, weights, words),
        "overrides": overruled.sentences(review.overrides, weights, review.currency, words),
    }


def _workshop(review: Review, words: Words) -> dict | None:
    """Return the sliders and what their script reads; None where no weight is published or there is nothing to try them on."""
    if review.workshop is None or not _publishes_weights(review):
        return None
    labels = review.weights["label"].to_dict()
    return workshop(review.workshop, review.accounts, labels, review.currency, review.as_of, words)


def _weight_row(row: Mapping, words: Words) -> dict:
    family, is_context = f"family_{row['family']}", row["family"] == "context"
    numbers = [words.number(row[part]) for part in ("weight", "through_winning", "through_worth")]
    return {
        "label": shown(row["label"]),
        "family": words.phrases[family] if family in words.phrases else harmless(row["family"]),
        "numbers": ["–"] * 3 if is_context else numbers,
        "range": "" if is_context else doubted.weight_range(row, words),
        "noise": words.say("weight_noise") if not is_context and doubted.is_noise(row) else "",
        "direction": "–" if is_context else words.say(f"direction_{harmless(row['direction'])}"),
        "is_context": is_context,
    }


def _truth(review: Review, words: Words) -> dict:
    metrics = review.metrics
    drawn = metrics.get("curves") if metrics["weights_published"] else None
    return {
        "intro": evidence.evidence_intro(metrics, words),
        "nothing": metrics["mode"] == "base_rate" and bool(evidence.headline_block(metrics)),
        "rows": evidence.evidence_table(metrics, words),
        "sentences": evidence.evidence_sentences(metrics, words),
        "charts": (_curves(drawn, words) if drawn else []) + _deciles(metrics.get("customers"), review.currency, words),
    }


def _curves(curves: Mapping, words: Words) -> list[Chart]:
    drawn, n = [], words.count(sum(group["n"] for group in curves.get("calibration") or ()), "observation")
    if curves.get("gain"):
        caption = captions.gain_caption(curves["gain"], words)
        drawn.append(Chart(charts.gain_chart(curves["gain"], words.lang), caption, words.say("chart_n", n=n)))
    if curves.get("calibration"):
        caption = captions.calibration_caption(curves["calibration"], words)
        groups = words.say("chart_n_groups", n=n, groups=words.number(len(curves["calibration"])))
        drawn.append(Chart(charts.calibration_chart(curves["calibration"], words.lang), caption, groups))
    return drawn


def _deciles(judged: Mapping | None, currency: str, words: Words) -> list[Chart]:
    """Draw what customers brought beside what was expected; nothing where it was not measured."""
    if not judged or not judged["deciles"]:
        return []
    n = words.say("chart_n", n=words.count(judged["n"], "account"))
    caption = captions.deciles_caption(judged["deciles"], words)
    return [Chart(charts.deciles_chart(judged["deciles"], currency, words.lang), caption, n)]


def _data(review: Review, words: Words) -> dict:
    warnings = list(dict.fromkeys(harmless(text) for text in [*review.warnings, *review.metrics.get("warnings", ())]))
    more = len(warnings) - MOST_WARNINGS
    n_next_deal = int((review.accounts["basis"] != "open_deal").sum())
    return {
        "read": [_read_row(row, words) for row in review.metrics.get("read") or ()],
        "warnings": [shown(text, 400) for text in islice(warnings, MOST_WARNINGS)],
        "more": words.say("warnings_more", n=words.number(more)) if more > 0 else "",
        "limits": evidence.limits(review.metrics, n_next_deal, words),
    }


def _read_row(row: Mapping, words: Words) -> dict:
    names = [shown(row[key], 60) for key in ("table", "file")]
    return {"names": names, "numbers": [words.number(row[key]) for key in _READ], "has_faults": bool(row["n_quarantined"])}


def _appendix(review: Review, words: Words) -> dict:
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
