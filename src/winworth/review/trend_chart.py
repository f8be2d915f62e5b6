"""Treated and untouched segments by quarter, with the day of the change: whether both sides moved alike before it."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from winworth.review.charts import INK, QUIET, WINNING, svg
from winworth.review.effects import outcome_axis, outcome_named
from winworth.review.outside import shown
from winworth.review.words import LOCALES, Words, words_in

if TYPE_CHECKING:
    from winworth.review.charts import Axes, Figure

_LOOKS = {"treated": (WINNING, -0.06), "untouched": (QUIET, 0.06)}


def trend_charts(told: Mapping) -> dict[str, bytes]:
    """Draw every treated segment's outcomes of compare.json, by file name, in every language."""
    return {
        f"charts/{place}-{one['outcome']}-{lang}.svg": trend_chart(told, segment, one, lang).encode()
        for place, (segment, several) in enumerate(told["differences"].items(), start=1)
        for one in several
        if one["sides"]
        for lang in LOCALES
    }


def trend_chart(told: Mapping, segment: str, one: Mapping, lang: str) -> str:
    """Draw one difference of compare.json: both sides by quarter, with 95 % intervals, and the change as a dashed line."""
    words, sides = words_in(lang), pd.DataFrame(one["sides"]).sort_values("period")
    name, day = shown(segment, 40).text, words.day(date.fromisoformat(told["question"]["split"]))
    labels = {"treated": words.say("trend_treated", segment=name), "untouched": words.say("trend_untouched")}

    def draw(figure: "Figure") -> None:
        ax = figure.add_axes((0.17, 0.13, 0.8, 0.72))
        for side, (colour, apart) in _LOOKS.items():
            own = sides[sides["side"] == side]
            at, value, low, high = (own[key].to_numpy(dtype=float) for key in ("period", "value", "low", "high"))
            ax.vlines(at + apart, low, high, color=colour, linewidth=1.4, alpha=0.5)
            ax.plot(at + apart, value, "-o", color=colour, markersize=4.5, linewidth=1.6, label=labels[side])
        ax.axvline(-0.5, color=INK, linestyle=(0, (4, 3)), linewidth=1.2)
        ax.set_ylim(bottom=min(0.0, float(sides["low"].min())) if sides["value"].min() < 0 else 0.0)
        _axes(ax, told, one, words)
        figure.legend(loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, handlelength=1.6, borderpad=0)

    outcome = outcome_named(one["outcome"], words)
    caption = words.say("trend_caption", outcome=outcome[0].upper() + outcome[1:], segment=name, day=day)
    return svg(draw, height=3.4, name=f"trend {segment} {one['outcome']}", caption=caption)


def _axes(ax: "Axes", told: Mapping, one: Mapping, words: Words) -> None:
    periods = sorted({side["period"] for side in one["sides"]})
    starts = [date.fromisoformat(told["starts"][str(period)]) if str(period) in told["starts"] else None for period in periods]
    ax.set_xticks(periods, [f"{day:%m/%y}" if day else str(at) for at, day in zip(periods, starts, strict=True)], fontsize=8)
    ticks = np.asarray(ax.get_yticks())
    ax.set_yticks(ticks, [outcome_axis(one["outcome"], told["currency"], words)(tick) for tick in ticks])
    ax.set_ylim(ax.get_ylim()[0], ticks[-1] if len(ticks) else None)
    ax.set_ylabel(outcome_named(one["outcome"], words))
