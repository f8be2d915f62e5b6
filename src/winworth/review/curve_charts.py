"""How long deals last, and how long customers stay: shares by time, what is not over yet counted as not over."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from winworth.review.charts import svg
from winworth.review.outside import shown
from winworth.review.pack import Chart
from winworth.review.style import DASHES, INK, LINES, QUIET
from winworth.review.words import Words

if TYPE_CHECKING:
    from winworth.review.charts import Figure

YEAR = 365.25


def cycle_chart(pictures: Mapping, classes: Mapping, words: Words) -> Chart | None:
    """Draw the share of deals that have ended by each day, one line a size class; nothing where it was not kept.

    A drawn curve keeps few of its days: its half is read from `classes`, the table of size classes, where that has it.
    """
    cycles = pictures.get("cycles")
    if not cycles:
        return None
    lines = {_label(name, words): (curve["days"], curve["share"]) for name, curve in cycles.items()}
    whole = max(cycles.values(), key=lambda curve: curve["n"])
    name = next(name for name, curve in cycles.items() if curve is whole)
    half = (classes.get(name) or {}).get("cycle_days", {}).get("value") or _reached(whole["days"], whole["share"], 0.5)
    key = "cycle_caption" if half is not None else "cycle_caption_none"
    caption = words.say(key, days=words.number(half), group=_label(name, words))
    svg_text = _lines(lines, words, axes=("cycle_axis", "cycle_share_axis"), name="cycles", caption=caption)
    n = words.say("chart_n", n=words.count(sum(curve["n"] for curve in cycles.values()), "deal"))
    return Chart(svg_text, caption, words.say("censored_n", n=n))


def survival_chart(pictures: Mapping, words: Words) -> Chart | None:
    """Draw the share of customers that still buy by years since their first invoice; nothing where it was not kept."""
    curve = pictures.get("survival")
    if not curve:
        return None
    years, left = np.array(curve["days"]) / YEAR, 1 - np.array(curve["share"])
    kept = left[np.searchsorted(years, 1.0, side="right") - 1] if years[-1] >= 1 else None
    key = "survival_caption" if kept is not None else "survival_caption_none"
    caption = words.say(key, share=words.percent(kept))
    lines, axes = {words.say("survival_all"): (years, left)}, ("survival_axis", "survival_share_axis")
    svg_text = _lines(lines, words, axes=axes, name="survival", caption=caption, is_falling=True)
    n = words.say("chart_n", n=words.count(curve["n"], "account"))
    return Chart(svg_text, caption, words.say("survival_n", n=n, days=words.number(curve["silence_days"])))


def _lines(lines: Mapping, words: Words, *, axes: tuple[str, str], name: str, caption: str, is_falling: bool = False) -> str:
    def draw(figure: "Figure") -> None:
        ax = figure.add_axes((0.16, 0.15, 0.79, 0.7 if len(lines) > 1 else 0.8))
        for (label, (at, share)), colour, dash in zip(lines.items(), LINES, DASHES, strict=False):
            look = {"color": colour, "linestyle": dash, "linewidth": 1.8, "label": shown(label, 18).text}
            ax.step(np.r_[0, at], np.r_[1.0 if is_falling else 0.0, share], where="post", **look)
        ax.axhline(0.5, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)))
        ax.set_ylim(0, 1)
        ax.set_xlim(left=0)
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1], [words.percent(tick) for tick in (0, 0.25, 0.5, 0.75, 1)])
        ticks = [tick for tick in ax.get_xticks() if tick >= 0]
        ax.set_xticks(ticks, [words.number(tick, 0 if float(tick).is_integer() else 1) for tick in ticks])
        ax.set_xlabel(words.say(axes[0]))
        ax.set_ylabel(words.say(axes[1]))
        if len(lines) > 1:
            figure.legend(loc="upper left", ncols=len(lines), handlelength=2.2, borderpad=0, columnspacing=1.2, labelcolor=INK)

    return svg(draw, height=3.6, name=name, caption=caption)


def _label(name: str, words: Words) -> str:
    return (
        words.say("bin_missing")
        if name == "unknown"
        else words.say("segment_everyone")
        if name == "all"
        else shown(name, 40).text
    )


def _reached(days: list, share: list, level: float) -> float | None:
    return next((day for day, at in zip(days, share, strict=True) if at >= level), None)
