"""What a change did, what working the highest scores first would have done, and what to change, in sentences.

Each function takes the document that the verb publishes (compare.json, backtest.json, advice.json) and says no more than its
figures carry: a cause is named only where the document says `is_causal`.
"""

from collections.abc import Callable, Mapping

from winworth.kpi.backtest import FIRM_ODDS, MOST_ODDS
from winworth.kpi.difference import LEAST_EARLIER
from winworth.kpi.measures import HIDDEN, LEAST
from winworth.kpi.regression import LEVEL
from winworth.review.outside import is_missing, shown
from winworth.review.words import Show, Words

UNITS = {
    "won": "share",
    "amount_won": "money",
    "revenue": "money",
    "acquisition_cost": "money",
}  # of the outcomes that are compared; others are plain numbers
DIGITS = {"days_open": 1}  # of plain numbers; two unless said
LONGEST = 60


def compare_sentences(told: Mapping, words: Words) -> list[str]:
    """Say what was seen, what the change in the win rate is made of, and what each treated segment did beside the untouched."""
    rate, seen = told["rate"], words.count(told["n_deals"], "deal")
    points = {name: words.say("points", figure=words.figure(rate[name], words.points)) for name in _PARTS}
    total = words.points(rate["after"]["value"] - rate["before"]["value"])
    sides = {name: f"{words.figure(rate[name], words.share)}, {_n(rate[name], words)}" for name in ("before", "after")}
    asked = told["question"]
    treated, by = ", ".join(map(_name, asked["treated"])), _name(asked["by"])
    said = words.say("compare_change", day=words.date_of(asked["split"]), treated=treated, by=by)
    said += words.say("compare_seen", deals=seen, days=words.number(told["age_days"]))
    said += " " + words.say("compare_rate", total=total, **sides, **points)
    found = [(segment, one) for segment, several in told["differences"].items() for one in several]
    more = {"n_compared": len(found), "currency": told["currency"]}
    untold = [words.say(f"compare_{one['why']}", outcome=_untold(one, words)) for one in told.get("untold") or ()]
    return [said, *(difference_sentence(segment, one, words, **more) for segment, one in found), *untold]


def _untold(one: Mapping, words: Words) -> str:
    named = outcome_named(one["outcome"], words)
    return f"{_name(one['segment'])}, {named}" if one.get("segment") else named


def without_action_rows(told: Mapping, words: Words) -> list[list[str]]:
    """Set each segment's win rate in the last quarter before beside what was to be expected next without any change."""
    return [
        [
            _name(row["segment"]),
            *(words.figure(row[key], words.share) if row["seen"]["n"] >= LEAST else HIDDEN for key in ("seen", "expected")),
            words.number(row["seen"]["n"]),
        ]
        for row in told["without_action"]
    ]


def difference_sentence(segment: str, one: Mapping, words: Words, *, n_compared: int, currency: str) -> str:
    """Say how much more an outcome changed in a treated segment than in the untouched ones, and what may be said of it."""
    outcome, n = outcome_named(one["outcome"], words), _n(one["effect"], words)
    if is_missing(one["effect"]["value"]):
        return words.say("compare_untold", segment=_name(segment), outcome=outcome, n=n)
    effect = _effect(one, currency, words)
    relative = words.figure(one["relative"], _signed(words.share, words))
    apart = "compare_selected" if one.get("is_selected") else "compare_apart"
    verdict = "compare_cause" if one["is_causal"] else apart if one["p"] < LEVEL else "compare_noise"
    least = words.say("compare_blind")
    if not is_missing(one["detectable"]):
        small = _in_units(one["outcome"], currency, words, lambda show: show(one["detectable"]))
        least = words.say("compare_detectable", least=small)
    across = words.say("compare_across", what=", ".join(map(_name, one["crossed"]))) if one["crossed"] else ""
    head = words.say("compare_difference", segment=_name(segment), outcome=outcome, effect=effect, relative=relative, n=n)
    tested = words.say("compare_p", p=_p(one["p"], words), n=words.number(n_compared))
    return f"{head} " + words.say(verdict, trend=_trend(one["trend"], words), least=least, across=across, tested=tested)


def backtest_sentences(told: Mapping, words: Words) -> list[str]:
    """Say what the highest scores held, as description, and what working them first would have brought, where that is known."""
    rows, quarters = told["fifth"]["n"], told["quarters"]
    ends = {name: words.period(quarters[at]["quarter"]) for name, at in (("first", 0), ("last", -1))}
    ways = {quarter["scored"] for quarter in quarters}
    way = words.say(f"backtest_scored_{ways.pop() if len(ways) == 1 else 'both'}")
    accounts, outcome = words.count(told["n_accounts"], "account"), words.say(f"backtest_of_{told['outcome']}")
    share = words.figure(told["fifth"], words.percent)
    return [
        words.say("backtest_rows", accounts=accounts, n=words.number(rows), way=way, **ends),
        words.say("backtest_fifth", share=share, outcome=outcome, n=words.number(rows)),
        _claim(told["claim"], words),
    ]


def advice_sentences(told: Mapping, words: Words) -> list[str]:
    """Say what to change, what it is worth, and what cannot be told; or that nothing calls for a change."""
    asked = [one for one in told["recommendations"] if one["action"] != "none"]
    noted = [one for one in told["recommendations"] if one["action"] == "none"]
    said = [_recommendation(one, told, words) for one in (*asked, *noted)]
    if not asked:
        said.insert(0, words.say("advice_nothing", n=words.number(len(told["compared"]))))
    if any(one["action"] == "move" for one in asked):
        said.append(words.say("advice_move_caveat"))
    if any(one["action"] in ("offer", "train") for one in asked):
        said.append(words.say("advice_gap_caveat"))
    return [*said, *_plan(told.get("plan"), words), *(_missing(one, words) for one in told["missing"])]


def hours_rows(told: Mapping, words: Words) -> list[list[str]]:
    """Set each group's hours a quarter now beside those advised, with what one more hour went with; empty without hours."""
    return [
        [
            _name(row["group"]),
            words.number(row["n_accounts"]),
            words.number(row["now"]),
            words.number(row["planned"]),
            words.money_figure(row["marginal"], told["currency"]),
        ]
        for row in told.get("hours") or ()
    ]


def outcome_named(outcome: str, words: Words) -> str:
    """Name an outcome that was compared."""
    key = f"outcome_{outcome}"
    return words.say(key) if key in words.phrases else _name(outcome)


def outcome_axis(outcome: str, currency: str, words: Words) -> Show:
    """Return how an outcome itself is written: a share, money, or a number."""
    shows = {"share": words.percent, "money": lambda value: words.money(value, currency)}
    return shows.get(UNITS.get(outcome, ""), lambda value: words.number(value, 1))


_PARTS = ("rate", "mix", "interaction")


def _trend(trend: Mapping, words: Words) -> str:
    n = words.number(trend["n_earlier"])
    if trend["n_earlier"] < LEAST_EARLIER:
        return words.say("trend_few", n=n, least=words.number(LEAST_EARLIER))
    if is_missing(trend["p"]):
        return words.say("trend_untested")
    return words.say("trend_alike" if trend["held"] else "trend_apart", n=n, p=_p(trend["p"], words))


def _in_units(outcome: str, currency: str, words: Words, write: Callable[[Show], str]) -> str:
    """Write a difference of an outcome: of shares in points, of money in money, of others as a number."""
    unit = UNITS.get(outcome, "")
    if unit == "share":
        return words.say("points", figure=write(lambda value: words.number(100 * value, 1)))
    digits = DIGITS.get(outcome, 2)
    return write(
        (lambda value: words.money(value, currency)) if unit == "money" else (lambda value: words.number(value, digits))
    )


def _effect(one: Mapping, currency: str, words: Words) -> str:
    """Write how much more an outcome changed, with its sign and interval; money and its interval to the same unit."""
    if UNITS.get(one["outcome"]) == "money":
        return words.money_figure(one["effect"], currency, is_signed=True)
    return _in_units(one["outcome"], currency, words, lambda show: words.figure(one["effect"], _signed(show, words)))


def _signed(show: Show, words: Words) -> Show:
    return lambda value: words.signed(value, show)


def _p(p: float, words: Words) -> str:
    return f"<\u00a0{words.number(0.001, 3)}" if p < 0.0005 else words.number(p, 3)


def _claim(claim: Mapping | None, words: Words) -> str:
    if claim is None:
        return words.say("backtest_unlogged")
    overlap, gain, times = claim["overlap"], claim["gain"], claim["tipping"]
    rests = words.say(
        "backtest_overlap", effective=words.number(overlap["effective"]), trimmed=words.percent(overlap["trimmed"])
    )
    if not overlap["is_enough"]:
        return words.say("backtest_unlike", overlap=rests)
    figure = words.figure(gain, _signed(words.share, words))
    if gain["low"] <= 0 <= gain["high"]:
        return words.say("backtest_noise", gain=figure, n=words.number(gain["n"]), overlap=rests)
    most = times >= MOST_ODDS
    tipping = words.say("more_than_times" if most else "so_many_times", n=words.number(min(times, MOST_ODDS), 0 if most else 2))
    key = "backtest_gain" if times >= FIRM_ODDS else "backtest_fragile"
    return words.say(key, gain=figure, n=words.number(gain["n"]), tipping=tipping, overlap=rests)


def _recommendation(one: Mapping, told: Mapping, words: Words) -> str:
    names = [words.say("advice_spare") if name == "spare" else _name(name) for name in one["names"]]
    if one["kind"] == "hours":
        subject = words.say("advice_of_hours", source=names[0], target=names[1])
    else:
        subject = words.say(f"advice_of_{one['kind']}", name=names[0])
    effect = words.money_figure(one["effect"], told["currency"])
    worth = words.say("advice_worth_move" if one["action"] == "move" else "advice_worth_gap", effect=effect)
    tested = words.say("advice_p", n=words.number(one["effect"]["n"]), p=_p(one["p_adjusted"], words))
    action, why = (words.say(f"advice_{part}_{one[name]}") for part, name in (("do", "action"), ("why", "why")))
    end = "" if one["action"] == "none" else f" {worth}"
    return words.say("advice_line", subject=subject, action=action, why=why) + tested + end


def _plan(plan: Mapping | None, words: Words) -> list[str]:
    if plan is None or plan["moves"]:
        return []
    if plan["p_equal"] >= LEVEL:
        return [words.say("plan_equal", p=_p(plan["p_equal"], words))]
    return [words.say("plan_unsure")]


def _missing(one: Mapping, words: Words) -> str:
    blanks = {name: _p(value, words) if name == "p" else words.number(value) for name, value in one.items() if name != "what"}
    return words.say(f"advice_lacks_{one['what']}", **blanks)


def _n(figure: Mapping, words: Words) -> str:
    return words.say("n_is", n=words.number(figure["n"]))


def _name(text: object) -> str:
    return shown(text, LONGEST).text
