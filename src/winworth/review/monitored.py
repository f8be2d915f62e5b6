"""What monitoring found, in the reader's words: the same parts on the terminal and on a page of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from winworth.review.outside import shown
from winworth.review.words import Words, words_in

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True)
class Part:
    """A heading, sentences, and a table (without headings: none), its first column text."""

    title: str
    sentences: tuple[str, ...]
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def monitor_page(told: Mapping, *, lang: str) -> str:
    """Write the page in a language; the same document gives the same bytes."""
    words = words_in(lang)
    head = {
        "company": shown(told["company"]),
        "as_of": words.date_of(told["as_of"]),
        "version": shown(told["model_version"], 60),
        "verdict": verdict_in(told, words),
        "is_good": told["verdict"] == "go_on",
    }
    return _template().render(say=words.say, lang=lang, head=head, parts=monitor_parts(told, words))


def verdict_in(told: Mapping, words: Words) -> str:
    """Return the verdict as a sentence; where nothing has been observed it says that, too."""
    is_untold = told["verdict"] == "go_on" and not told["calibration"]["coins"]["n"] and not told["drift"]["n"]
    return words.say("monitor_verdict_untold" if is_untold else f"monitor_verdict_{told['verdict']}")


def monitor_parts(told: Mapping, words: Words) -> list[Part]:
    """Return the parts in the order they are read."""
    reasons = tuple(_reason(reason, words) for reason in told["reasons"]) or (words.say("monitor_no_reason"),)
    parts = [Part(words.say("monitor_why"), reasons), _calibration(told, words), _ranking(told, words)]
    return [*parts, _promises(told, words), _drift(told, words), _tiers(told, words)]


def _reason(reason: Mapping, words: Words) -> str:
    """Say a reason: shares where two shares are compared, plain numbers elsewhere."""
    as_share = reason["key"] in ("tier", "drift_missing", "drift_new_levels")
    blanks: dict[str, object] = {}
    for name, value in reason.items():
        if name in ("key", "verdict"):
            continue
        if isinstance(value, float):
            blanks[name] = words.percent(value) if as_share and name in ("then", "now") else words.number(value, 2)
        elif isinstance(value, int) and not isinstance(value, bool):
            blanks[name] = words.number(value)
        else:
            blanks[name] = words.date_of(str(value)) if name == "day" and value else value
    if reason.get("feature") == "score":
        blanks["feature"] = words.say("monitor_score")
    if reason["key"] == "wins":
        blanks["announced"] = words.number(reason["announced"])
    return words.say(f"monitor_reason_{reason['key']}", **blanks)


def _calibration(told: Mapping, words: Words) -> Part:
    coins, fit = told["calibration"]["coins"], told["calibration"]["refit"]
    if not coins["n"]:
        return Part(words.say("monitor_calibration"), (words.say("monitor_coins_none"),))
    ratio = words.figure({"value": coins["ratio"], "low": coins["low"], "high": coins["high"]}, lambda v: words.number(v, 2))
    says = [
        words.say(
            "monitor_coins",
            n=words.number(coins["n"]),
            seen=words.number(coins["seen"]),
            announced=words.number(coins["announced"]),
            ratio=ratio,
            z=words.number(coins["z"], 1),
        )
    ]
    if fit is None:
        says.append(words.say("monitor_fit_none"))
    else:
        both = {name: words.figure(fit[name], lambda v: words.number(v, 2)) for name in ("slope", "intercept")}
        says.append(words.say("monitor_fit", n=words.number(fit["n"]), **both))
    return Part(words.say("monitor_calibration"), tuple(says))


def _ranking(told: Mapping, words: Words) -> Part:
    ranking, n = told["ranking"], words.number(told["ranking"]["n_deals"])

    def auc(figure: Mapping | None) -> str:
        return words.figure(figure, lambda value: words.number(value, 3))

    if ranking["auc"] is None:
        says = [words.say("monitor_auc_none", n=n, day=words.date_of(ranking["from"]))]
    else:
        says = [words.say("monitor_auc", n=n, now=auc(ranking["auc"]), then=auc(ranking["then"]))]
    steps = [{"n": ranking["n_deals"], "chance": ranking["chance_to_see"]}] if ranking["chance_to_see"] is not None else []
    says += [_power(step, ranking["fall"], words) for step in [*steps, *ranking["power"]]]
    return Part(words.say("monitor_ranking"), tuple(says))


def _power(step: Mapping, fall: float, words: Words) -> str:
    chance = words.percent(step["chance"])
    return words.say("monitor_power", n=words.number(step["n"]), fall=words.number(fall, 2), chance=chance)


def _promises(told: Mapping, words: Words) -> Part:
    found, title = told["promises"], words.say("monitor_promises")
    if found is None:
        return Part(title, (words.say("monitor_promises_none", n=words.number(told["horizon_days"])),))
    says = [words.say("monitor_promises_says", day=words.date_of(found["scored_on"]), version=found["version"])]
    if found["n_gone"]:
        says.append(words.say("monitor_gone", n=words.number(found["n_gone"])))

    def money(value: float) -> str:
        return words.money(value, told["currency"])

    rows = tuple(
        (
            words.say(f"monitor_group_{group['kind']}", name=group["name"]),
            words.number(group["n"]),
            words.figure(group["win_rate"], words.percent),
            words.percent(group["announced_rate"]),
            words.figure(group["margin"], money),
            money(group["promised_margin"]),
        )
        for group in found["groups"]
    )
    names = ("monitor_group", "monitor_won", "monitor_announced", "monitor_margin", "monitor_promised")
    group, *rest = (words.say(name) for name in names)
    return Part(title, tuple(says), (group, "n", *rest), rows)


def _drift(told: Mapping, words: Words) -> Part:
    drift, title = told["drift"], words.say("monitor_drift")
    if drift["since"] is None:
        return Part(title, (words.say("monitor_drift_none"),))
    if not drift["n"]:
        return Part(title, (words.say("monitor_drift_early", day=words.date_of(drift["since"])),))
    counted = {"n": words.number(drift["n"]), "accounts": words.number(drift["n_accounts"])}
    says = [words.say("monitor_drift_says", day=words.date_of(drift["since"]), **counted)]
    for out in drift["out_of_range"]:
        ends = {name: words.number(out[name], 2) for name in ("low", "high")}
        says.append(
            words.say("monitor_range", feature=out["feature"], n=words.number(out["n"]), of=words.number(out["of"]), **ends)
        )
    tests: dict[str, dict[str, Mapping]] = {}
    for test in drift["tests"]:
        tests.setdefault(test["feature"], {})[test["what"]] = test
    rows = tuple(_drift_row(name, found, words) for name, found in tests.items())
    names = ("monitor_feature", "monitor_psi", "monitor_chance", "monitor_missing", "monitor_new_levels")
    return Part(title, tuple(says), tuple(words.say(name) for name in names), rows)


def _drift_row(name: str, found: Mapping[str, Mapping], words: Words) -> tuple[str, ...]:
    values = found.get("values")
    cells = [words.say("monitor_score") if name == "score" else name]
    cells.append(words.number(values["size"], 3) if values else words.say("missing"))
    cells.append(words.percent(values["p"]) if values else words.say("missing"))
    for what in ("missing", "new_levels"):
        test = found.get(what)
        both = {"then": words.percent(test["then"]), "now": words.percent(test["now"])} if test else {}
        cells.append(words.say("monitor_then_now", **both) if both else words.say("missing"))
    return tuple(cells)


def _tiers(told: Mapping, words: Words) -> Part:
    tiers, age = told["tiers"], told["age"]
    if tiers is None:
        says = [words.say("monitor_tiers_none")]
    else:
        shares = {tier.lower(): words.percent(tiers["share"][tier]) for tier in ("A", "B", "C")}
        says = [words.say("monitor_tiers_says", day=words.date_of(tiers["scored_on"]), n=words.number(tiers["n"]), **shares)]
        before = words.percent(tiers["before"] and tiers["before"]["A"])
        key = "monitor_tiers_in" if tiers["in_band"] else "monitor_tiers_out"
        says.append(words.say(key, seats=words.number(tiers["seats"]), before=before))
    day = words.date_of(age["last_day"]) if age["last_day"] else words.say("missing")
    ages = {"model": words.number(age["model_days"]), "data": words.number(age["data_days"])}
    return Part(words.say("monitor_tiers"), (*says, words.say("monitor_age", day=day, **ages)))


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("winworth.review")
    how = {"autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    return Environment(loader=loader, **how).get_template("monitor.html.j2")
