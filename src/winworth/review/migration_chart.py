"""Migration between tiers: how many accounts went from which tier to which, as a square of counts."""

from typing import TYPE_CHECKING

import numpy as np

from winworth.review.charts import svg
from winworth.review.moved import NOBODY, Moved
from winworth.review.style import INK, QUIET, WINNING
from winworth.review.words import words_in

if TYPE_CHECKING:
    from winworth.review.charts import Figure


def migration_chart(moved: Moved, lang: str) -> str:
    """Draw the square of tiers before (rows) and now (columns); who stayed is outlined, the more accounts the darker."""
    words = words_in(lang)
    matrix = moved.matrix
    if not matrix[NOBODY].any() and not matrix.loc[NOBODY].any():
        matrix = matrix.drop(index=NOBODY, columns=NOBODY)
    names = [words.say("not_scored") if name == NOBODY else name for name in matrix.index]
    counts = matrix.to_numpy()
    off = np.where(np.eye(len(names), dtype=bool), 0, counts)
    most = max(int(off.max()), 1)

    def draw(figure: "Figure") -> None:
        ax = figure.add_axes((0.24, 0.03, 0.72, 0.78))
        for row, column in np.ndindex(counts.shape):
            _square(ax, row, column, off[row, column] / most)
            if counts[row, column]:
                dark = off[row, column] > 0.5 * most
                look = {"color": "white" if dark else INK, "fontweight": "bold" if row != column else "normal"}
                ax.text(column, row, words.number(counts[row, column]), ha="center", va="center", **look)
        ax.set_xlim(-0.5, len(names) - 0.5)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_xticks(range(len(names)), names, color=INK)
        ax.set_yticks(range(len(names)), names, color=INK)
        ax.xaxis.tick_top()
        ax.xaxis.set_label_position("top")
        ax.set_xlabel(words.say("tier_now_axis"))
        ax.set_ylabel(words.say("tier_before_axis"))
        ax.grid(visible=False)
        for spine in ax.spines.values():
            spine.set_visible(False)

    numbers = {"came": words.number(moved.n_in), "left": words.number(moved.n_out)}
    caption = words.say("moved_says", day=words.day(moved.since), **numbers)
    return svg(draw, height=3.6, name="migration", caption=caption)


def _square(ax, row: int, column: int, share: float) -> None:
    """Fill a cell by its share of the largest move; the cells of those who stayed are only outlined."""
    x, y = [column - 0.46, column + 0.46, column + 0.46, column - 0.46], [row - 0.46, row - 0.46, row + 0.46, row + 0.46]
    if row == column:
        ax.fill(x, y, facecolor="none", edgecolor=QUIET, linewidth=1)
    else:
        ax.fill(x, y, facecolor=WINNING, alpha=0.06 + 0.94 * share if share else 0.03, linewidth=0)
