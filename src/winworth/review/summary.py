"""The three sentences at the head of the page: whom to work, what matters, and whether it can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from winworth.review.measured import figure_at, found, headline_block
from winworth.review.outside import harmless, shown
from winworth.review.words import Words


@dataclass(frozen=True)
class Verdict:
    """Whether the page may be acted on, in a word and in a sentence."""

    is_trusted: bool
    word: str
    sentence: str


def verdict(metrics: Mapping, words: Words) -> Verdict:
    """Say yes with the figure, or no with the reason: the gate refused, or no weight is published."""
    reasons = _refusals(metrics, words)
    if reasons:
        return Verdict(False, words.say("trust_no"), words.say("trust_refused", reason=words.say("and_also").join(reasons)))
    block = headline_block(metrics)
    if block is None:
        return Verdict(True, words.say("trust_yes_but"), words.say("trust_unmeasured"))
    auc = figure_at(metrics, f"win.{block}.auc")
    dated = block == "out_of_time"
    sentence = words.say(
        "trust_measured" if dated else "trust_undated",
        auc=words.figure(auc, words.percent),
        half=words.percent(0.5),
        n=words.count(auc["n"], "observation"),
        period=words.period(harmless(found(metrics, "win.period"))),
    )
    return Verdict(True, words.say("trust_yes" if dated else "trust_yes_but"), sentence)


def who_sentence(accounts: pd.DataFrame, currency: str, words: Words) -> str:
    """Count the A accounts and what they hold of the expected value, or of the expected wins where no value is known."""
    if accounts.empty:
        return words.say("who_says_unscored")
    best = accounts[accounts["tier"] == "A"]
    if best.empty:
        return words.say("who_says_none")
    has_value = accounts["expected_value"].notna().any()
    held = "expected_value" if has_value else "win_probability"
    return words.say(
        "who_says" if has_value else "who_says_no_value",
        accounts=words.count(len(best), "account"),
        value=words.money(best["expected_value"].sum(), currency),
        share_value=words.percent(share(best[held].sum(), accounts[held].sum())),
        share_accounts=words.percent(len(best) / len(accounts)),
    )


def matters_sentence(weights: pd.DataFrame, words: Words) -> str:
    """Name the two criteria that weigh most; at least one must weigh."""
    heavy = weights[weights["weight"] > 0].sort_values("weight", ascending=False, kind="stable")
    told = [(shown(row.label, 60).text, words.number(row.weight)) for row in heavy.head(2).itertuples()]
    if len(told) == 1:
        return words.say("matters_says_one", label=told[0][0], weight=told[0][1])
    return words.say("matters_says", label=told[0][0], weight=told[0][1], second=told[1][0], second_weight=told[1][1])


def share(part: float, whole: float) -> float:
    """Return part / whole, NaN where there is no whole."""
    return part / whole if whole else float("nan")


def _refusals(metrics: Mapping, words: Words) -> list[str]:
    """Put into plain words why the page may not be acted on; nothing where it may."""
    if found(metrics, "gate.passed") is not True:
        failed = [check for check in found(metrics, "gate.checks") or () if not check["passed"]]
        return [_plainly(check["name"], metrics, words) for check in failed] or [words.say("check_untold")]
    return [] if metrics.get("weights_published") else [words.say("check_unpublished")]


def _plainly(check: str, metrics: Mapping, words: Words) -> str:
    won, lost = (words.number(found(metrics, f"win.{name}")) for name in ("n_won", "n_lost"))
    key = f"check_{check}" if f"check_{check}" in words.phrases else "check_other"
    return words.say(key, name=shown(check.replace("_", " "), 60).text, won=won, lost=lost)
