"""Charts as SVG text: the only door to matplotlib. The same input gives the same bytes."""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from html import escape
from io import StringIO
from textwrap import wrap
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from winworth.review.captions import (
    FIRST_WORKED,
    calibration_caption,
    captured_at,
    deciles_caption,
    gain_caption,
    weights_caption,
)
from winworth.review.outside import harmless
from winworth.review.style import DASHES, FONTS, GRID, INK, QUIET, STYLE, WIDTH, WINNING, WORTH
from winworth.review.words import Words, words_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CRITERIA = 20


def weights_chart(weights: pd.DataFrame, lang: str) -> str:
    """Draw each criterion's weight as a bar, in two parts (through winning and through worth), and its range as a line.

    Context is left out; of more than 20 criteria the heaviest 20 are drawn.
    """
    words = words_in(lang)
    criteria = weights[weights["family"] != "context"].head(MOST_CRITERIA)
    winning, worth = (criteria[part].to_numpy(dtype=float) for part in ("through_winning", "through_worth"))
    places, total = np.arange(len(criteria)), winning + worth
    low, high = (np.asarray(criteria.get(end, total * np.nan), dtype=float) for end in ("low", "high"))
    ends = np.fmax(total, high)
    longest = max(ends.max(initial=0), 1)

    def draw(figure: "Figure") -> None:
        height = figure.get_figheight()
        ax = figure.add_axes((0.36, 0.5 / height, 0.6, 1 - 0.85 / height))
        ax.barh(places, winning, height=0.62, color=WINNING, label=words.say("through_winning"))
        ax.barh(places, worth, left=winning, height=0.62, color=WORTH, label=words.say("through_worth"))
        ax.hlines(places, low, high, color=INK, linewidth=1.4)
        for place, end, weight in zip(places, ends, total, strict=True):
            ax.text(end + longest * 0.02, place, words.number(weight), va="center", fontweight="bold")
        ax.set_yticks(places, [in_two_lines(label) for label in criteria["label"]], color=INK, linespacing=0.95)
        ax.set_ylim(len(criteria) - 0.4, -0.6)
        ax.set_xlim(0, longest * 1.12)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel(words.say("weights_axis"))
        figure.legend(loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, handlelength=1, handleheight=1, borderpad=0)

    return svg(draw, height=0.95 + 0.3 * len(criteria), name="weights", caption=weights_caption(criteria, words))


def in_two_lines(label: object) -> str:
    r"""Break a label for the side of a chart, and cut what two lines do not hold.

    >>> in_two_lines("Maturité d'automatisation")
    "Maturité\nd'automatisation"
    """
    return "\n".join(wrap(harmless(label), 22, max_lines=2, placeholder="…"))


def calibration_chart(curve: Sequence[Mapping], lang: str) -> str:
    """Draw the win rate that came of each group of deals against the chance that had been announced for it."""
    words = words_in(lang)
    predicted, observed, low, high = (
        np.array([group[key] for group in curve]) for key in ("predicted", "observed", "low", "high")
    )

    def draw(figure: "Figure") -> None:
        ax = figure.add_axes((0.16, 0.13, 0.77, 0.83))
        end = _round_end(np.r_[predicted, high].max(initial=0.05))
        ax.plot([0, end], [0, end], color=QUIET, linestyle=(0, (4, 3)), linewidth=1.2)
        ax.text(end * 0.98, end * 0.42, words.say("as_announced"), ha="right", va="top", color=QUIET)
        ax.vlines(predicted, low, high, color=WINNING, linewidth=1.6, alpha=0.55)
        ax.plot(predicted, observed, "o", color=WINNING, markersize=6, markeredgecolor="white")
        ax.set_xlabel(words.say("announced_axis"))
        ax.set_ylabel(words.say("happened_axis"))
        _percent_axes(ax, end, words)

    return svg(draw, height=4.0, name="calibration", caption=calibration_caption(curve, words))


def gain_chart(gain: Sequence[Mapping], lang: str, simpler: Mapping[str, Sequence[Mapping]] = MappingProxyType({})) -> str:
    """Draw the share of wins found against the share of deals worked, those ranked first first; `simpler` ways beside it."""
    words = words_in(lang)
    worked = np.linspace(0, 1, 41)
    captured = np.array([captured_at(gain, share) for share in worked])
    at = captured_at(gain, FIRST_WORKED)

    def draw(figure: "Figure") -> None:
        ax = figure.add_axes((0.16, 0.13, 0.77, 0.83))
        ax.fill_between(worked, worked, captured, color=WINNING, alpha=0.12, linewidth=0)
        ax.plot([0, 1], [0, 1], color=QUIET, linestyle=(0, (4, 3)), linewidth=1.2)
        ax.text(0.6, 0.56, words.say("at_random"), ha="left", va="top", color=QUIET)
        for (name, curve), dash in zip(simpler.items(), DASHES[1:], strict=False):
            label = words.say(f"by_{name}")
            ax.plot(worked, [captured_at(curve, share) for share in worked], color=QUIET, linestyle=dash, label=label)
        ax.plot(worked, captured, color=WINNING, linewidth=2.2, label=words.say("by_page"))
        if simpler:
            ax.legend(loc="lower right", fontsize=8.5, handlelength=2.4, borderpad=0)
        ax.plot([FIRST_WORKED, FIRST_WORKED], [0, at], color=INK, linewidth=1)
        ax.plot([FIRST_WORKED], [at], "o", color=INK, markersize=6, markeredgecolor="white")
        ax.text(FIRST_WORKED + 0.03, at - 0.01, words.percent(at), fontweight="bold", va="top")
        ax.set_xlabel(words.say("worked_axis"))
        ax.set_ylabel(words.say("found_axis"))
        _percent_axes(ax, 1.0, words)

    return svg(draw, height=4.0, name="gain", caption=gain_caption(gain, words))


def deciles_chart(deciles: Sequence[Mapping], currency: str, lang: str) -> str:
    """Draw what each tenth of customers brought beside what had been expected of it, the highest expectation last."""
    words = words_in(lang)
    tenth, predicted, observed = (np.array([row[key] for row in deciles]) for key in ("decile", "predicted", "observed"))

    def draw(figure: "Figure") -> None:
        ax = figure.add_axes((0.2, 0.14, 0.77, 0.74))
        ax.bar(tenth - 0.2, predicted, width=0.38, color=GRID, edgecolor=QUIET, label=words.say("was_expected"))
        ax.bar(tenth + 0.2, observed, width=0.38, color=WINNING, label=words.say("came"))
        ax.set_xticks(tenth, [words.number(k) for k in tenth])
        ax.set_yticks(ax.get_yticks(), [words.money(tick, currency) for tick in ax.get_yticks()])
        ax.set_ylim(0, max(predicted.max(initial=0), observed.max(initial=0)) * 1.05)
        ax.grid(axis="x", visible=False)
        ax.set_xlabel(words.say("tenth_axis"))
        figure.legend(loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, handlelength=1, handleheight=1, borderpad=0)

    return svg(draw, height=4.0, name="deciles", caption=deciles_caption(deciles, words))


def _percent_axes(ax: "Axes", end: float, words: Words) -> None:
    ticks = np.arange(0, end + 0.001, _step(end))
    ax.set_xticks(ticks, [words.percent(tick) for tick in ticks])
    ax.set_yticks(ticks, [words.percent(tick) for tick in ticks])
    ax.set_xlim(0, end)
    ax.set_ylim(0, end)


def _round_end(highest: float) -> float:
    """Return where an axis of shares ends: the next whole step, with a little room, at most 1."""
    room = float(highest) * 1.03
    return min(1.0, float(np.ceil(room / _step(room)) * _step(room)))


def _step(end: float) -> float:
    return 0.2 if end > 0.5 else 0.1 if end > 0.2 else 0.05


def svg(draw: Callable[["Figure"], None], *, height: float, name: str, caption: str) -> str:
    """Draw in the house style, whatever the machine's own settings, and write the SVG, `height` in inches."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**STYLE, "svg.hashsalt": f"winworth {name}"})
        figure = Figure(figsize=(WIDTH, height))
        draw(figure)
        written = StringIO()
        FigureCanvasSVG(figure).print_svg(written, metadata={"Date": None})
    return _bare(written.getvalue(), caption)


def _bare(svg: str, caption: str) -> str:
    """Keep the drawing: no document type, metadata, comments, page-wide style or unused ids; system fonts; a title."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r'(<text style="[^"]*?)font-family: [^;"]*; ', r"\1", svg)
    view = re.search(r'viewBox="[^"]*"', svg).group()
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    said = escape(caption)
    look = f'stroke-linejoin="round" font-family="{FONTS}"'
    head = f'<svg {names} {view} role="img" aria-label="{said}" {look}><title>{said}</title>'
    return re.sub(r"\s*\n\s*", "\n", head + svg[svg.index(">") + 1 :]).strip()
