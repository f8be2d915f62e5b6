"""What a tuning tried, as two charts: the loss of every trial, and which settings that loss hangs on."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from winworth.review.charts import svg
from winworth.review.style import INK, QUIET, WINNING

if TYPE_CHECKING:
    from winworth.models.tune import Search, Trial
    from winworth.review.charts import Axes, Figure

_SAID = {"kind": "ridge, trees or both", "C": "C (ridge)", "reach": "reach (trees × rate)"}
_LEAST_GAP = 0.16  # between two labels, as a share of the axis


def history_chart(found: "Search", *, default: str, default_loss: float, gain: tuple[float, float], is_better: bool) -> str:
    """Draw every trial's loss, the best so far as a line and the default as another; `gain` is a difference and its error.

    The frame holds the trials that went through every fold. A trial that was given up far above it stands at its upper edge,
    as an open triangle.
    """
    numbers, losses = (np.array([getattr(trial, key) for trial in found.completed]) for key in ("number", "loss"))
    given_up = [trial for trial in found.trials if trial.is_pruned]
    last = max(trial.number for trial in found.trials)
    ends = {f"default ({default})": default_loss, f"best (trial {found.best.number})": found.best.loss}
    headline = "Tuning beats the default beyond noise" if is_better else "Tuning does not beat the default beyond noise"
    told = f"log loss {gain[0]:+.5f} against {default}, standard error {gain[1]:.5f}"

    def draw(figure: "Figure") -> None:
        ax = figure.add_axes((0.16, 0.13, 0.59, 0.64))
        ax.set_ylim(*_frame(np.r_[losses, default_loss]))
        ax.set_xlim(-0.6, max(last, 1) + 0.6)
        ax.axhline(default_loss, color=QUIET, linestyle=(0, (4, 3)), linewidth=1.4)
        best = np.minimum.accumulate(losses)
        ax.step(np.r_[numbers, max(last, 1) + 0.6], np.r_[best, best[-1]], where="post", color=WINNING, linewidth=1.8)
        ax.plot(numbers, losses, "o", color=WINNING, markersize=5, markeredgecolor="white", label="all folds")
        _draw_given_up(ax, given_up)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel(f"trial (n = {len(found.trials)}, {len(given_up)} of them given up early)")
        ax.set_ylabel("mean log loss (nats a deal)")
        _label_ends(ax, ends)
        _head(figure, headline, told)
        figure.legend(loc="upper left", bbox_to_anchor=(0, 0.875), ncols=3, borderpad=0, handlelength=1, columnspacing=1.2)

    return svg(draw, height=4.2, name="tuning history", caption=f"{headline}: {told}")


def importances_chart(importances: Mapping[str, float], *, n_trials: int) -> str:
    """Draw the share of the loss's variance that each setting explains among the `n_trials` that went through every fold."""
    shares = sorted(importances.items(), key=lambda item: -item[1])
    headline = "Too few trials to say which settings matter"
    if shares:
        headline = f"The loss hangs most on {_said(shares[0][0])}: {shares[0][1]:.0%}"
    told = f"Trials that went through every fold: n = {n_trials}"
    height = 1.22 + 0.3 * len(shares)

    def draw(figure: "Figure") -> None:
        _head(figure, headline, told)
        if shares:
            _draw_shares(figure.add_axes((0.36, 0.5 / height, 0.6, 1 - 1.12 / height)), shares)

    return svg(draw, height=height if shares else 0.7, name="tuning importances", caption=f"{headline}. {told}")


def _draw_given_up(ax: "Axes", given_up: "Sequence[Trial]") -> None:
    """Mark what was given up at its loss so far: a cross within the frame, a triangle at its edge for what lies above."""
    high = ax.get_ylim()[1]
    marks = {"given up": ("x", []), "given up, above the frame": ("^", [])}
    for trial in given_up:
        marks["given up" if trial.loss <= high else "given up, above the frame"][1].append(trial)
    for label, (marker, trials) in marks.items():
        if trials:
            at, losses = zip(*((trial.number, min(trial.loss, high)) for trial in trials), strict=True)
            look = {"color": INK, "markerfacecolor": "white", "markersize": 5, "clip_on": False, "zorder": 3}
            ax.plot(at, losses, marker, label=label, **look)


def _draw_shares(ax: "Axes", shares: Sequence[tuple[str, float]]) -> None:
    places, values = np.arange(len(shares)), [100 * share for _, share in shares]
    longest = max(values)
    ax.barh(places, values, height=0.62, color=WINNING)
    for place, value in zip(places, values, strict=True):
        ax.text(value + longest * 0.02, place, f"{value:.0f}%", va="center", fontweight="bold")
    ax.set_yticks(places, [_said(name) for name, _ in shares], color=INK)
    ax.set_ylim(len(shares) - 0.4, -0.6)
    ax.set_xlim(0, longest * 1.15)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("share of the loss's variance explained (%)")


def _label_ends(ax: "Axes", ends: Mapping[str, float]) -> None:
    """Write each line's name and loss at its right end, apart where the ends are near each other."""
    low, high = ax.get_ylim()
    upper, lower = sorted(ends.items(), key=lambda end: -end[1])
    heights = [(loss - low) / (high - low) for _, loss in (upper, lower)]
    lack = max(0.0, _LEAST_GAP - (heights[0] - heights[1])) / 2
    for (name, loss), height in ((upper, heights[0] + lack), (lower, heights[1] - lack)):
        what, of = name.split(" ", 1)
        color = WINNING if what == "best" else QUIET
        ax.text(1.03, height, f"{what} {loss:.4f}\n{of}", transform=ax.transAxes, va="center", color=color, linespacing=1.2)


def _head(figure: "Figure", headline: str, told: str) -> None:
    height = figure.get_figheight()
    figure.text(0.0, 1 - 0.04 / height, headline, va="top", fontweight="bold", fontsize=11.5)
    figure.text(0.0, 1 - 0.29 / height, told, va="top", color=QUIET)


def _frame(losses: np.ndarray) -> tuple[float, float]:
    """Return where the axis of losses begins and ends: a tenth of the range, and at least 0.005, beyond its losses."""
    room = max(0.1 * float(np.ptp(losses)), 0.005)
    return float(losses.min()) - room, float(losses.max()) + room


def _said(setting: str) -> str:
    return _SAID.get(setting, setting)
