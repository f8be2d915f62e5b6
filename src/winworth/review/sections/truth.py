"""Is it true: how well the page ranks and announces, on outcomes it had not seen."""

from collections.abc import Mapping

from winworth.review import captions, charts, evidence
from winworth.review.measured import headline_block
from winworth.review.pack import Chart, Review
from winworth.review.words import Words


def build(review: Review, words: Words) -> dict:
    """Return the evidence: a table beside simpler ways, charts, and sentences."""
    metrics = review.metrics
    drawn = metrics.get("curves") if metrics["weights_published"] else None
    return {
        "intro": evidence.evidence_intro(metrics, words),
        "nothing": metrics["mode"] == "base_rate" and bool(headline_block(metrics)),
        "rows": evidence.evidence_table(metrics, words),
        "sentences": evidence.evidence_sentences(metrics, words),
        "charts": (_curves(drawn, words) if drawn else []) + _deciles(metrics.get("customers"), review.currency, words),
    }


def _curves(curves: Mapping, words: Words) -> list[Chart]:
    drawn, n = [], words.count(sum(group["n"] for group in curves.get("calibration") or ()), "observation")
    if curves.get("gain"):
        caption = captions.gain_caption(curves["gain"], words)
        chart = charts.gain_chart(curves["gain"], words.lang, curves.get("simpler") or {})
        drawn.append(Chart(chart, caption, words.say("chart_n", n=n)))
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
