"""The review as one HTML page that needs no network."""

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from winworth.review import summary
from winworth.review.outside import shown
from winworth.review.pack import Chart, Review
from winworth.review.sections import (
    appendix,
    card,
    decided,
    effects,
    kpis,
    limits,
    matters,
    overrides,
    plays,
    segments,
    short,
    truth,
    who,
    workshop,
)
from winworth.review.words import Words, words_in

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["Chart", "Review", "render"]

Build = Callable[[Review, Words], object]
# The order in which leadership reads; each section is a partial of its name in templates/sections.
SECTIONS: dict[str, Build] = {
    "short": short.build,
    "decided": decided.build,
    "who": who.build,
    "matters": matters.build,
    "card": card.build,
    "overrides": overrides.build,
    "workshop": workshop.build,
    "segments": segments.build,
    "plays": plays.build,
    "kpis": kpis.build,
    "before": effects.before_and_after,
    "advice": effects.advice,
    "true": truth.build,
    "limits": limits.build,
    "appendix": appendix.build,
}
MONTHLY = ("short", "decided", "who", "plays", "kpis", "advice", "limits")


def render(review: Review, *, lang: str) -> str:
    """Write the page in a language; the same review gives the same bytes.

    The monthly page holds tactics (who, what to do, how it goes), the quarterly one also what they rest on.
    """
    words = words_in(lang)
    names = [name for name in SECTIONS if review.cadence != "monthly" or name in MONTHLY]
    parts = {name: SECTIONS[name](review, words) for name in names}
    parts = {name: part for name, part in parts.items() if part is not None}
    return _template().render(say=words.say, lang=lang, head=_head(review, words), parts=parts)


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("winworth.review")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html.j2")


def _head(review: Review, words: Words) -> dict:
    learnt_on = date.fromisoformat(review.model_as_of)
    return {
        "company": shown(review.company),
        "kicker": words.say(f"kicker_{review.cadence}"),
        "as_of": words.day(review.as_of),
        "version": shown(review.model_version, 60),
        "version_of": words.say("version_of", day=words.day(learnt_on)),
        "verdict": summary.verdict(review.metrics, words),
    }
