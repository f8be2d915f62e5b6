"""KPIs as small multiples: one panel a KPI, one line a level, quarter by quarter, with its interval."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from winworth.review.charts import svg
from winworth.review.outside import shown
from winworth.review.style import DASHES, LINES
from winworth.review.words import Words, words_in

if TYPE_CHECKING:
    from winworth.review.charts import Axes, Figure

MOST_LEVELS = 6
_ROW, _TOP, _FOOT = 1.55, 0.55, 0.45  # inches


def kpi_chart(rows: pd.DataFrame, units: Mapping[str, str], currency: str, lang: str) -> str:
    """Draw the ledger's rows of one group (kpi, level, quarter, value, low, high, n), two panels a line.

    Of more than six levels the six with most rows behind them are drawn; a quarter whose figure is not shown is a gap.
    """
    words = words_in(lang)
    levels = rows[rows["value"].notna()].groupby("level")["n"].sum().sort_values(ascending=False, kind="stable")
    levels = sorted(levels.index[:MOST_LEVELS])
    kpis = [name for name in units if rows.loc[rows["kpi"] == name, "value"].notna().any()]
    quarters = sorted(rows["quarter"].unique())
    n_lines = -(-len(kpis) // 2)
    top = _TOP if len(levels) > 1 else 0.1
    height = top + n_lines * _ROW + _FOOT / 3

    def draw(figure: "Figure") -> None:
        for place, name in enumerate(kpis):
            line, column = divmod(place, 2)
            bottom = height - top - (line + 1) * _ROW + 0.35
            ax = figure.add_axes((0.13 + 0.5 * column, bottom / height, 0.35, (_ROW - 0.7) / height))
            _panel(ax, rows[rows["kpi"] == name], levels, quarters)
            ax.set_title(words.say(f"kpi_name_{name}"), loc="left", fontsize=8.5)
            _label(ax, units[name], currency, words, [quarters[0], quarters[-1]])
        if len(levels) > 1:
            handles, labels = figure.axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="upper left", ncols=len(levels), fontsize=8, handlelength=1, borderpad=0)

    said = words.say("kpi_caption", n=words.number(len(kpis)), first=words.period(quarters[0]), last=words.period(quarters[-1]))
    return svg(draw, height=height, name="kpi", caption=said)


def _panel(ax: "Axes", rows: pd.DataFrame, levels: list[str], quarters: list[str]) -> None:
    for place, level in enumerate(levels):
        own = rows[rows["level"] == level].set_index("quarter").reindex(quarters)
        at = np.arange(len(quarters)) + 0.12 * (place - (len(levels) - 1) / 2)
        colour, dash = LINES[place], DASHES[place]
        value, low, high = (own[name].to_numpy(dtype=float) for name in ("value", "low", "high"))
        ax.vlines(at, low, high, color=colour, linewidth=1, alpha=0.5)
        ax.plot(at, value, "o", linestyle=dash, color=colour, markersize=3, linewidth=1.2, label=shown(level, 18).text)
    ax.set_xlim(-0.5, len(quarters) - 0.5)
    ax.set_ylim(bottom=0)


def _label(ax: "Axes", unit: str, currency: str, words: Words, ends: list[str]) -> None:
    show = {
        "share": words.percent,
        "days": words.number,
        "ratio": lambda value: words.number(value, 1),
    }.get(unit, lambda value: words.money(value, currency))
    top = _round_top(ax.get_ylim()[1])
    ax.set_ylim(0, top)
    ax.set_yticks([0, top / 2, top], [show(tick) for tick in (0, top / 2, top)], fontsize=7)
    ax.set_xticks([0, round(ax.get_xlim()[1] - 0.5)], [words.period(end) for end in ends], fontsize=7)


def _round_top(highest: float) -> float:
    """Return where an axis ends: the next number whose half is as round as itself.

    >>> _round_top(135_525), _round_top(0.23)
    (200000.0, 0.4)
    """
    unit = 10.0 ** np.floor(np.log10(highest)) if highest > 0 else 1.0
    return float(next(step * unit for step in (1, 2, 4, 6, 8, 10) if step * unit >= highest * (1 - 1e-9)))
