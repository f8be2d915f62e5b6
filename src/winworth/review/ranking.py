"""The accounts of the page: the best of tier A, and what each tier and segment holds."""

import re
from dataclasses import dataclass

import pandas as pd

from winworth.review.outside import Shown, harmless, is_missing, shown
from winworth.review.summary import share
from winworth.review.words import Words

N_BEST = 20
TIERS = ("A", "B", "C")
_POINTS = re.compile(r" (points?\))$")  # stays on the line of its number


@dataclass(frozen=True)
class AccountLine:
    """One account as shown; `bar` is its score as a width, 0-100."""

    name: Shown
    basis: str
    tier: str
    score: str
    bar: int
    win_probability: str
    value: str
    value_range: str
    expected_value: str
    residual: str
    reasons: tuple[Shown, ...]


def best_accounts(accounts: pd.DataFrame, currency: str, words: Words) -> list[AccountLine]:
    """Show the first A accounts by expected value, by win probability where no value is known."""
    best = accounts[accounts["tier"] == "A"]
    order = ["expected_value", "win_probability", "account_id"]
    best = best.sort_values(order, ascending=[False, False, True], kind="stable").head(N_BEST)
    return [_line(row, currency, words) for row in best.to_dict("records")]


def tier_table(accounts: pd.DataFrame, currency: str, words: Words) -> list[list[str]]:
    """Count each tier, its share, its expected value and its mean win probability; all accounts last."""
    parts = [(tier, accounts[accounts["tier"] == tier]) for tier in TIERS]
    total = accounts["expected_value"].sum(min_count=1)
    lines = []
    for name, part in [*parts, (words.say("total"), accounts)]:
        held = part["expected_value"].sum(min_count=1)
        lines.append(
            [
                name,
                words.number(len(part)),
                words.percent(share(len(part), len(accounts))),
                words.money(held, currency),
                words.percent(share(held, total)),
                words.percent(part["win_probability"].mean()),
            ]
        )
    return lines


def segment_table(accounts: pd.DataFrame, currency: str, words: Words) -> list[tuple[Shown, list[str]]]:
    """Count each segment, its share in tier A and its mean expected value, the most valuable first; none where all are one."""
    grouped = accounts.assign(is_a=accounts["tier"] == "A").groupby("segment", sort=True, dropna=False)
    table = grouped.agg(
        n=("account_id", "size"), in_a=("is_a", "mean"), value=("expected_value", "mean"), label=("segment_label", "first")
    )
    if len(table) < 2:
        return []
    table = table.sort_values(["value", "in_a"], ascending=False, kind="stable")
    return [
        (
            _segment_name(row.Index, row.label, words),
            [words.number(row.n), words.percent(row.in_a), words.money(row.value, currency)],
        )
        for row in table.itertuples()
    ]


def _line(row: dict, currency: str, words: Words) -> AccountLine:
    told = [shown(_POINTS.sub("\u00a0\\1", harmless(row[f"reason_{k}"]))) for k in (1, 2, 3)]
    low, high = (words.money(row[end], currency) for end in ("value_low", "value_high"))
    has_range = not (is_missing(row["value_low"]) or is_missing(row["value_high"]))
    basis = f"basis_{row['basis']}"
    return AccountLine(
        name=shown(harmless(row["name"]) or row["account_id"]),
        basis=words.phrases[basis] if basis in words.phrases else harmless(row["basis"]),
        tier=harmless(row["tier"]),
        score=words.number(row["score"]),
        bar=0 if is_missing(row["score"]) else round(min(max(row["score"], 0), 100)),
        win_probability=words.percent(row["win_probability"]),
        value=words.money(row["lifetime_value"], currency),
        value_range=words.say("value_range", low=low, high=high) if has_range else "",
        expected_value=words.money(row["expected_value"], currency),
        residual=_residual(row.get("residual_value"), currency, words),
        reasons=tuple(reason for reason in told if reason.text),
    )


def _residual(value: object, currency: str, words: Words) -> str:
    """Say which part of the expected value comes whatever becomes of the deals; nothing where there is none."""
    return "" if is_missing(value) or not value else words.say("residual_value", value=words.money(value, currency))


def _segment_name(segment: object, label: object, words: Words) -> Shown:
    if is_missing(segment) or segment in (0, "0", ""):
        return Shown(words.say("segment_none"), "")
    name = shown(label)
    if not name.text:
        return Shown(words.say("segment_nameless", n=harmless(segment)), "")
    return shown(titled(harmless(segment), harmless(label)))


def titled(segment: str, label: str) -> str:
    """Write a segment's id before its label.

    >>> titled("S1", "headcount high")
    'S1 · Headcount high'
    """
    return f"{segment} · {label[:1].upper()}{label[1:]}"
