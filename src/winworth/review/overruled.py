"""What leadership changed of the weights, and what that costs, in sentences."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from winworth.review.outside import shown
from winworth.review.words import Words


def sentences(told: Mapping | None, weights: pd.DataFrame, currency: str, words: Words) -> list[str]:
    """Say who set which weight until when and why, which weights run now, and the price; nothing where none is set."""
    if not told:
        return []
    both, labels = told["weights"], weights["label"].to_dict()
    said = [_set(one, both[one["criterion"]], labels, words) for one in told["overrides"]]
    heaviest = sorted(both.items(), key=lambda item: (-item[1]["agreed"], item[0]))
    now = ", ".join(f"{_label(labels, name)} {words.number(weight['agreed'])}" for name, weight in heaviest)
    return [*said, words.say("override_rest", told=now), _price(told["price"], currency, words)]


def _set(one: Mapping, weight: Mapping, labels: Mapping, words: Words) -> str:
    numbers = {name: words.number(weight[name]) for name in ("learnt", "agreed")}
    until, text = words.day(date.fromisoformat(one["until"])), {name: shown(one[name]).text for name in ("who", "why")}
    return words.say("override_set", criterion=_label(labels, one["criterion"]), until=until, **numbers, **text)


def _price(price: Mapping | None, currency: str, words: Words) -> str:
    if price is None:
        return words.say("override_price_none")
    change, share = price["change"], price["change_share"]
    by = words.money(change["value"], currency) if price["in_money"] else words.number(change["value"], 1)
    return words.say("override_price", n=words.number(share["n"]), change=by, share=words.figure(share, words.share))


def _label(labels: Mapping, name: str) -> str:
    return shown(labels.get(name, name), 60).text
