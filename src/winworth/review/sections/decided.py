"""Decisions of earlier reviews, each with what came of it since."""

from winworth.review.decided import AccountSince, Outcome
from winworth.review.outside import shown
from winworth.review.pack import Review
from winworth.review.words import Words

MOST_NAMED = 12


def build(review: Review, words: Words) -> dict | None:
    """Return the decisions, those that still hold first; nothing where none was written down."""
    if not review.decisions:
        return None
    ordered = sorted(review.decisions, key=lambda one: (one.decision.has_ended(review.as_of), one.decision.until))
    labels = review.weights["label"].to_dict() if "label" in review.weights else {}
    return {"lines": [_line(one, review, labels, words) for one in ordered]}


def _line(one: Outcome, review: Review, labels: dict, words: Words) -> dict:
    made = one.decision
    ended = made.has_ended(review.as_of)
    key = "decision_ended" if ended else "decision_holds"
    who, on = shown(made.who, 60).text, words.day(made.decided_on)
    said = [*_weight(one, labels, words), *_tier(one, words)]
    if not said and not one.accounts:
        said = [words.say("decision_not_measured")]
    elif one.scored_on is not None:
        said.append(words.say("decision_then", day=words.day(one.scored_on)))
    return {
        "what": shown(made.what, 300),
        "signed": words.say("decision_signed", who=who, on=on),
        "until": words.say(key, until=words.day(made.until)),
        "has_ended": ended,
        "says": said,
        "accounts": [_account(each, words) for each in one.accounts[:MOST_NAMED]],
        "more": words.say("decision_more", n=words.number(left)) if (left := len(one.accounts) - MOST_NAMED) > 0 else "",
    }


def _weight(one: Outcome, labels: dict, words: Words) -> list[str]:
    if one.weight is None:
        return []
    then, now = (words.number(weight) for weight in one.weight)
    label = shown(labels.get(one.decision.criterion, one.decision.criterion), 60).text
    return [words.say("decision_weight", criterion=label, then=then, now=now)]


def _tier(one: Outcome, words: Words) -> list[str]:
    if one.n_in_tier is None:
        return []
    then, now = (words.number(n) for n in one.n_in_tier)
    return [words.say("decision_tier", tier=one.decision.tier, then=then, now=now)]


def _account(each: AccountSince, words: Words) -> dict:
    tiers = [tier or words.say("missing") for tier in (each.tier_then, each.tier_now)]
    won = words.say("missing") if each.n_won is None else words.number(each.n_won)
    return {"name": shown(each.name or each.account_id), "cells": [*tiers, won]}
