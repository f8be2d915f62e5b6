"""Is it true: how well the page ranks, in plain words, beside what simpler ways would do."""

from collections.abc import Mapping

from winworth.review.measured import figure_at, found, headline_block
from winworth.review.outside import harmless, is_missing, shown
from winworth.review.words import Words

_BASELINES = ("base_rate", "stage", "crm", "context", "criteria", "ridge", "trees", "champion")


def evidence_intro(metrics: Mapping, words: Words) -> str:
    """Say on what the figures were measured, and what cannot be known without dates."""
    block = headline_block(metrics)
    if block is None:
        return words.say("true_unmeasured")
    if block == "cross_validated":
        return words.say("true_undated")
    n = words.count(figure_at(metrics, f"win.{block}.auc")["n"], "observation")
    return words.say("true_on", n=n, period=words.period(harmless(found(metrics, "win.period"))))


def evidence_table(metrics: Mapping, words: Words) -> list[list[str]]:
    """Set how often the won deal is ranked first by this page beside new accounts and the baselines."""
    block = headline_block(metrics)
    if block is None:
        return []
    paths = {"page": f"win.{block}.auc", "new_accounts": "win.new_accounts.auc"}
    paths |= {name: f"win.baselines.{name}.auc" for name in _BASELINES}
    lines = []
    for name, path in paths.items():
        figure = figure_at(metrics, path)
        if figure is None and name in ("stage", "crm", "context", "criteria", "champion"):
            continue
        n = words.count(figure["n"], "observation") if figure else ""
        lines.append([words.say(f"by_{name}"), words.figure(figure, words.percent), n])
    return lines


def evidence_sentences(metrics: Mapping, words: Words) -> list[str]:
    """Say the win rate, the lift at capacity, how far values can be trusted, the leak tax, and where values come from."""
    said = []
    block = headline_block(metrics) or "baselines.base_rate"
    rate = figure_at(metrics, f"win.{block}.base_rate")
    if rate:
        said.append(words.say("true_base_rate", rate=words.figure(rate, words.percent)))
    lift = figure_at(metrics, f"win.{block}.lift_at_capacity")
    if lift and metrics.get("weights_published"):
        said.append(words.say("true_lift", lift=words.figure(lift, lambda x: words.number(x, 1))))
    said += _value_sentences(metrics, words)
    said += _card_sentence(metrics, words)
    tax = metrics.get("leak_tax")
    if tax:
        columns = ", ".join(shown(column, 60).text for column in tax["columns"])
        without, with_them = words.percent(tax["auc_without"]), words.percent(tax["auc_with"])
        said.append(words.say("true_leak", columns=columns, without=without, with_them=with_them))
    return said + value_definition(metrics, words)


def value_definition(metrics: Mapping, words: Words) -> list[str]:
    """Say what lifetime value is: over how many months, at what discount, read from what; and how much of it was seen."""
    told = metrics.get("value_definition")
    if not told:
        return []
    key = f"value_of_{told['basis']}"
    basis = words.say(key) if key in words.phrases else shown(told["basis"], 300).text
    if told["basis"] not in ("margin", "turnover"):
        return [words.say("value_definition_basket", basis=basis)]
    months, rate = words.number(told["months"]), words.percent(told["yearly_discount"])
    seen = words.percent(told["share_seen"])
    said = [words.say("value_definition", months=months, rate=rate, basis=basis), words.say("value_expected_part")]
    return [*said, words.say("value_share_seen", share=seen)]


def _card_sentence(metrics: Mapping, words: Words) -> list[str]:
    """Say how much of the expected value the published points keep, and whether they are the score."""
    kept = figure_at(metrics, "scorecard.ev_ratio")
    if not kept:
        return []
    key = "true_card" if metrics["scorecard"]["in_use"] else "true_card_less"
    return [words.say(key, kept=words.figure(kept, words.percent))]


def _value_sentences(metrics: Mapping, words: Words) -> list[str]:
    if not metrics.get("value"):
        return [words.say("true_value_none")]
    said = []
    coverage, total = figure_at(metrics, "value.coverage_80"), figure_at(metrics, "value.total_ratio")
    if coverage:
        n = words.count(coverage["n"], "deal")
        said.append(words.say("true_value_range", coverage=words.figure(coverage, words.percent), n=n))
    if total:
        said.append(words.say("true_value_total", ratio=words.figure(total, lambda x: words.number(x, 2))))
    return said


def limits(metrics: Mapping, n_next_deal: int, words: Words) -> list[str]:
    """List what the page cannot know."""
    days = metrics.get("horizon_days")
    said = [words.say("limit_past"), words.say("limit_chosen")]
    if not is_missing(days):
        said.append(words.say("limit_horizon", days=words.number(days)))
    said.append(words.say("limit_range"))
    if n_next_deal:
        said.append(words.say("limit_next_deal", accounts=words.count(n_next_deal, "account")))
    if headline_block(metrics) == "cross_validated":
        said.append(words.say("limit_undated"))
    return [*said, words.say("limit_judgement")]
