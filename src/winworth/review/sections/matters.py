"""What matters, how much, and how surely."""

from collections.abc import Mapping

from winworth.review import captions, charts, doubted, summary
from winworth.review.effect_charts import attributions_chart, dependence_charts
from winworth.review.outside import harmless, shown
from winworth.review.pack import Chart, Review
from winworth.review.words import Words


def build(review: Review, words: Words) -> dict:
    """Return the weights' charts and table; only that none is published where none is."""
    weights, metrics = review.weights, review.metrics
    if not review.publishes_weights:
        return {"chart": None}
    deals = words.count(metrics["win"]["n_deals"], "deal")
    won, lost = (words.number(metrics["win"][name]) for name in ("n_won", "n_lost"))
    n = words.say("chart_n_deals", deals=deals, won=won, lost=lost)
    if (weights["family"] != "context").sum() > charts.MOST_CRITERIA:
        n += " " + words.say("chart_most", n=charts.MOST_CRITERIA)
    return {
        "chart": Chart(charts.weights_chart(weights, words.lang), captions.weights_caption(weights, words), n),
        "says": summary.matters_sentence(weights, words),
        "rows": [_row(row, words) for row in weights.to_dict("records")],
        "families": doubted.family_lines(metrics, words),
        "sentences": doubted.sentences(metrics, weights, words),
        "effects": [chart for chart in [attributions_chart(review, words)] if chart],
        "dependence": dependence_charts(review, words),
    }


def _row(row: Mapping, words: Words) -> dict:
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
