"""The plays: what sales and marketing do for each segment and tier."""

from collections.abc import Mapping

from winworth.review.outside import is_missing, shown
from winworth.review.pack import Review
from winworth.review.words import Words

FIELDS = ("proposition", "offer", "proofs", "objections", "channel", "cadence", "content", "marketing_owes", "sales_owes")
ROLES = ("decider", "influencer", "buyer", "user", "it", "finance", "legal")
MOST_PLAYS = 40


def build(review: Review, words: Words) -> dict:
    """Return one fold for each segment and tier that accounts have, tier A first."""
    if review.plays is None or review.plays.empty:
        return {"folds": [], "more": ""}
    accounts = review.accounts
    names = {}
    if len(accounts):
        first = accounts.drop_duplicates("segment").set_index(accounts.drop_duplicates("segment")["segment"].astype("str"))
        names = first["segment_label"].to_dict()
    ordered = review.plays.sort_values(["tier", "segment"], kind="stable")
    left = len(ordered) - MOST_PLAYS
    return {
        "folds": [_fold(row, names, words) for row in ordered.head(MOST_PLAYS).to_dict("records")],
        "more": words.say("plays_more", n=words.number(left)) if left > 0 else "",
    }


def _fold(row: Mapping, names: Mapping, words: Words) -> dict:
    lines = [(words.say(f"play_{name}"), _lines(row[name])) for name in FIELDS if not _empty(row.get(name))]
    to = [(words.say(f"role_{role}"), _lines(row[f"to_{role}"])) for role in ROLES if not _empty(row.get(f"to_{role}"))]
    label = names.get(str(row["segment"]), "")
    return {
        "tier": str(row["tier"])[:1],
        "play": shown(row["play"]),
        "segment": shown(str(row["segment"]) if is_missing(label) or not label else label),
        "accounts": words.count(int(row["n_accounts"]), "account"),
        "quota": words.say("play_quota", n=words.number(row["quota"])) if not is_missing(row.get("quota")) else "",
        "lines": lines,
        "to": to,
    }


def _empty(text: object) -> bool:
    return is_missing(text) or not str(text).strip()


def _lines(text: object) -> list:
    return [shown(line, 600) for line in str(text).split("\n") if line.strip()]
