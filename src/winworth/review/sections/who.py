"""Who is A, and what changed since the last scoring."""

from collections.abc import Mapping

import pandas as pd

from winworth.review import evidence, ranking, summary
from winworth.review.migration_chart import migration_chart
from winworth.review.moved import NOBODY, Moved
from winworth.review.outside import harmless, shown
from winworth.review.pack import Chart, Review
from winworth.review.words import Words

MOST_MOVERS = 16
_CAUSES = ("data", "model", "weights", "cuts", "restated", "held")


def build(review: Review, words: Words) -> dict:
    """Return the best accounts, what each tier holds, and who moved."""
    lines = ranking.best_accounts(review.accounts, review.currency, words)
    n = int((review.accounts["tier"] == "A").sum())
    intro = "who_intro" if review.accounts["expected_value"].notna().any() else "who_intro_no_value"
    return {
        "is_scored": not review.accounts.empty,
        "says": summary.who_sentence(review.accounts, review.currency, words),
        "intro": words.say(intro, shown=words.number(len(lines)), n=words.number(n)),
        "lines": lines,
        "definition": " ".join(evidence.value_definition(review.metrics, words)[:2]),
        "tiers": ranking.tier_table(review.accounts, review.currency, words),
        "moved": None if review.moved is None else _moved(review.moved, review, words),
    }


def _moved(moved: Moved, review: Review, words: Words) -> dict:
    n, n_shown = len(moved.movers), len(shown_first(moved.movers))
    chart = Chart(migration_chart(moved, words.lang), moved_says(moved, words), _n(moved, words))
    more = words.say("movers_more", n=words.number(n - n_shown)) if n > n_shown else ""
    return {
        "chart": chart,
        "rows": [_row(row, review.currency, words) for row in shown_first(moved.movers).to_dict("records")],
        "more": more,
        "causes": [_cause(row, review.currency, words) for row in moved.causes if row["cause"] in _CAUSES],
    }


def shown_first(movers: pd.DataFrame) -> pd.DataFrame:
    """Return who came into tier A, who left it, then the others, most money first: at most 16, of the first two 8 each."""
    came, left = movers["tier"] == "A", movers["previous_tier"] == "A"
    parts = [movers[came].head(MOST_MOVERS // 2), movers[left].head(MOST_MOVERS // 2), movers[~came & ~left]]
    return pd.concat(parts).head(MOST_MOVERS)


def moved_says(moved: Moved, words: Words) -> str:
    """Say how many accounts came into tier A and left it."""
    numbers = {"came": words.number(moved.n_in), "left": words.number(moved.n_out)}
    return words.say("moved_says", day=words.day(moved.since), **numbers)


def _n(moved: Moved, words: Words) -> str:
    return words.say("chart_n", n=words.count(int(moved.matrix.to_numpy().sum()), "account"))


def _row(row: Mapping, currency: str, words: Words) -> dict:
    cause = f"cause_{row['cause']}"
    return {
        "name": shown(harmless(row["name"]) or row["account_id"]),
        "before": _tier(row["previous_tier"], words),
        "now": _tier(row["tier"], words),
        "tiers": [harmless(row[key]) for key in ("previous_tier", "tier")],
        "change": words.signed(row["change"], lambda amount: words.money(amount, currency)),
        "cause": words.phrases.get(cause, ""),
    }


def _tier(tier: str, words: Words) -> str:
    return words.say("not_scored") if tier == NOBODY else harmless(tier)


def _cause(row: Mapping, currency: str, words: Words) -> list[str]:
    money = words.signed(row["money"], lambda amount: words.money(amount, currency))
    return [words.say(f"cause_{row['cause']}"), money, words.number(row["n_mainly"])]
