"""The three things to decide: each a sentence with its figure, found by rule; fewer where there are fewer."""

from collections.abc import Callable
from dataclasses import dataclass

from winworth.review import doubted, summary
from winworth.review.effects import advice_sentences
from winworth.review.measured import found
from winworth.review.outside import shown
from winworth.review.pack import Review
from winworth.review.sections.overrides import days_left
from winworth.review.words import Words

MOST = 3
SOON = {"monthly": 31, "quarterly": 92}  # days before the next review but one: what ends by then is decided now


@dataclass(frozen=True)
class Question:
    """One thing to decide: what about, and the sentence with its figure; `where` is the section that tells more."""

    title: str
    sentence: str
    where: str


def build(review: Review, words: Words) -> dict:
    """Return up to three questions, those that cost most to leave open first, and whether the page may be acted on."""
    asked = [question for rule in _RULES if (question := rule(review, words))]
    verdict = summary.verdict(review.metrics, words)
    return {"questions": asked[:MOST], "verdict": verdict, "monitored": _monitored(review, words)}


def _monitored(review: Review, words: Words) -> str:
    """Say what monitoring advises, in words for those who decide; nothing where that is to go on."""
    if review.monitored is None:
        return ""
    day = review.as_of.isoformat()
    page = f"monitor/{day}/monitor-{words.lang}.html"
    says = words.say(f"monitored_{review.monitored['verdict']}")
    return f"{says} {words.say('monitored_where', day=words.date_of(day), page=page)}"


def _who(review: Review, words: Words) -> Question | None:
    """Ask to confirm tier A: who came, who left, and how many stand near its limit."""
    accounts = review.accounts
    n_a = int((accounts["tier"] == "A").sum()) if len(accounts) else 0
    if not n_a:
        return None
    says = [words.say("ask_first_a", accounts=words.count(n_a, "account"))]
    if review.moved is not None:
        numbers = {"came": words.number(review.moved.n_in), "left": words.number(review.moved.n_out)}
        says = [words.say("ask_moved_a", accounts=words.count(n_a, "account"), **numbers)]
    n_near = (review.tiering or {}).get("n_borderline")
    if n_near:
        says.append(words.say("ask_borderline", accounts=words.count(n_near, "account")))
    return Question(words.say("ask_who"), " ".join(says), "who")


def _costly_override(review: Review, words: Words) -> Question | None:
    """Ask whether an override stays: because it ends soon, or because its cost is beyond chance."""
    told = review.overrides
    if not told or not told["overrides"]:
        return None
    labels = review.weights["label"].to_dict()
    first = min(told["overrides"], key=lambda one: one["until"])
    change = found(told, "price.change_share")
    is_dear = bool(change) and change["high"] is not None and change["high"] < 0
    if days_left(first, review.as_of) > SOON[review.cadence] and not is_dear:
        return None
    who, label = shown(first["who"], 60).text, shown(labels.get(first["criterion"], first["criterion"]), 60).text
    until = words.date_of(first["until"])
    says = [words.say("ask_override_ends", who=who, criterion=label, until=until, points=words.number(first["weight"]))]
    if change:
        says.append(words.say("ask_override_price", share=words.figure(change, words.share)))
    return Question(words.say("ask_override"), " ".join(says), "overrides")


def _weights(review: Review, words: Words) -> Question | None:
    """Ask what to make of weights that moved, on which methods disagree, or that do not stand out from noise."""
    doubt = review.metrics.get("weights")
    if not doubt or not review.publishes_weights or review.cadence == "monthly":
        return None
    moved = doubt.get("movement")
    if moved and moved["is_beyond_chance"]:
        numbers = {name: words.number(moved[name]) for name in ("moved", "by_chance")}
        return Question(words.say("ask_weights"), words.say("ask_weights_moved", **numbers), "matters")
    if doubt["disagrees"]:
        return Question(words.say("ask_weights"), words.say("ask_weights_disagree"), "matters")
    criteria = review.weights[review.weights["family"] != "context"].to_dict("records")
    noise = [row for row in criteria if doubted.is_noise(row)]
    if not noise:
        return None
    names = ", ".join(shown(row["label"], 60).text for row in noise[:4]) + (" …" if len(noise) > 4 else "")
    total = words.number(sum(row["weight"] for row in noise))
    said = words.say("ask_noise", criteria=words.count(len(noise), "criterion"), names=names, points=total)
    return Question(words.say("ask_weights"), said, "matters")


def _without_seller(review: Review, words: Words) -> Question | None:
    """Ask for hours where A and B accounts have no seller, though others have one."""
    accounts = review.accounts
    if "seller" not in accounts or accounts["seller"].isna().all():
        return None
    worked = accounts[accounts["tier"].isin(["A", "B"])]
    n_without = int(worked["seller"].isna().sum())
    if not n_without:
        return None
    value = words.money(worked.loc[worked["seller"].isna(), "expected_value"].sum(min_count=1), review.currency)
    said = words.say("ask_seller_says", accounts=words.count(n_without, "account"), of=words.number(len(worked)), value=value)
    return Question(words.say("ask_seller"), said, "plays")


def _ended(review: Review, words: Words) -> Question | None:
    """Ask to renew or close decisions that have run out."""
    ended = [one.decision for one in review.decisions if one.decision.has_ended(review.as_of)]
    if not ended:
        return None
    first = shown(ended[0].what, 90).text
    said = words.say("ask_ended_says", decisions=words.count(len(ended), "decision"), first=first)
    return Question(words.say("ask_ended"), said, "decided")


def _advised(review: Review, words: Words) -> Question | None:
    """Ask what to do with the first recommendation that figures carry."""
    advised = review.documents.get("advice.json")
    if advised is None or all(one["action"] == "none" for one in advised["recommendations"]):
        return None
    return Question(words.say("ask_advice"), advice_sentences(advised, words)[0], "advice")


_RULES: tuple[Callable[[Review, Words], Question | None], ...] = (
    _who,
    _costly_override,
    _advised,
    _weights,
    _without_seller,
    _ended,
)
