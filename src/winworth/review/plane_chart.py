"""Segments in the plane of win rate and value: where deals are won, and where they are worth winning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from winworth.review.charts import svg
from winworth.review.outside import is_missing, shown
from winworth.review.style import INK, WINNING
from winworth.review.words import Words, words_in

if TYPE_CHECKING:
    from winworth.review.charts import Figure


@dataclass(frozen=True)
class Point:
    """One segment: its share of deals won and what a won deal brings, each (value, low, high), over `n` deals held out."""

    name: str
    label: str
    rate: tuple[float, float, float]
    value: tuple[float, float, float]
    n: int


def placed(found: Mapping | None, lang: str) -> list[Point]:
    """Return the segments whose win rate and value are both told."""
    points = []
    for name, one in ((found or {}).get("segments") or {}).items():
        rate, value = one["win_rate"], one["mean_value"]
        if is_missing(rate["value"]) or is_missing(value["value"]):
            continue
        label = one["label"].get(lang) or one["label"].get("en") or name
        points.append(Point(name, shown(label, 110).text, _three(rate), _three(value), int(rate["n"])))
    return points


def plane_caption(points: Sequence[Point], words: Words) -> str:
    """Name the segment with the highest win rate times value."""
    best = max(points, key=lambda point: point.rate[0] * point.value[0])
    return words.say("plane_caption", segment=shown(best.name, 40).text, rate=words.percent(best.rate[0]))


def plane_chart(points: Sequence[Point], currency: str, lang: str) -> str:
    """Draw each segment as a cross of its two 95 % intervals, its name beside it."""
    words = words_in(lang)

    def draw(figure: "Figure") -> None:
        ax = figure.add_axes((0.22, 0.15, 0.73, 0.8))
        for point in points:
            ax.hlines(point.value[0], point.rate[1], point.rate[2], color=WINNING, linewidth=1.4, alpha=0.6)
            ax.vlines(point.rate[0], point.value[1], point.value[2], color=WINNING, linewidth=1.4, alpha=0.6)
            ax.plot([point.rate[0]], [point.value[0]], "o", color=WINNING, markersize=8, markeredgecolor="white")
            beside = {"textcoords": "offset points", "xytext": (7, 7), "color": INK, "fontweight": "bold"}
            ax.annotate(shown(point.name, 12).text, (point.rate[0], point.value[0]), **beside)
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
        ticks = ax.get_xticks()
        ax.set_xticks(ticks, [words.percent(tick) for tick in ticks])
        ticks = ax.get_yticks()
        ax.set_yticks(ticks, [words.money(tick, currency) for tick in ticks])
        ax.set_xlabel(words.say("plane_rate_axis"))
        ax.set_ylabel(words.say("plane_value_axis", currency=currency))

    return svg(draw, height=3.8, name="plane", caption=plane_caption(points, words))


def _three(figure: Mapping) -> tuple[float, float, float]:
    value = figure["value"]
    low, high = (value if is_missing(figure[end]) else figure[end] for end in ("low", "high"))
    return float(value), float(low), float(high)
