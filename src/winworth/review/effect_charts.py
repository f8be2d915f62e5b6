"""What a criterion does to single accounts, and how it depends on a feature's value, beside the points of the card."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from winworth.review.charts import in_two_lines, svg
from winworth.review.outside import shown
from winworth.review.pack import Chart, Review
from winworth.review.style import INK, LOW_TO_HIGH, QUIET, WINNING, WORTH
from winworth.review.words import Words
from winworth.weights.bins import NumberBins
from winworth.weights.reasons import Wording
from winworth.weights.scorecard import Scorecard

if TYPE_CHECKING:
    from winworth.review.charts import Axes, Figure

MOST_CRITERIA, MOST_FEATURES = 10, 6
_SPREAD = 0.36  # of a line's height that a swarm may fill


def attributions_chart(review: Review, words: Words) -> Chart | None:
    """Draw, one line a criterion, by which factor it moves the expected value of each sampled account."""
    told = review.pictures.get("attributions")
    if not told or review.catalog is None or not review.publishes_weights:
        return None
    names = [name for name in review.weights.index if name in told["criteria"]][:MOST_CRITERIA]
    if not names:
        return None
    labels = [shown(review.weights.loc[name, "label"], 60).text for name in names]
    values = [np.array(told["criteria"][name], dtype=float) for name in names]
    ranks = [_ranks(told, name, review) for name in names]
    widest = max(range(len(names)), key=lambda at: np.ptp(values[at][np.isfinite(values[at])]) if len(values[at]) else 0)
    low, high = (words.number(np.exp(np.nanquantile(values[widest], share)), 1) for share in (0.05, 0.95))
    caption = words.say("attributions_caption", label=labels[widest], low=low, high=high)

    def draw(figure: "Figure") -> None:
        height = figure.get_figheight()
        ax = figure.add_axes((0.36, 0.55 / height, 0.6, 1 - 0.65 / height))
        for place, (value, rank) in enumerate(zip(values, ranks, strict=True)):
            _swarm(ax, place, value, rank)
        ax.axvline(0, color=QUIET, linewidth=1)
        ax.set_yticks(range(len(labels)), [in_two_lines(label) for label in labels], color=INK, linespacing=0.95)
        ax.set_ylim(len(labels) - 0.5, -0.5)
        _factors(ax, "x", words)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel(words.say("factor_axis"))

    text = svg(draw, height=0.75 + 0.34 * len(names), name="attributions", caption=caption)
    return Chart(text, caption, words.say("attributions_n", n=words.count(told["n"], "account")))


def dependence_charts(review: Review, words: Words) -> list[Chart]:
    """Draw the heaviest numeric features: what each value does to expected value, and the card's points as steps."""
    told, card, catalog = review.pictures.get("attributions"), review.card, review.catalog
    if not told or card is None or catalog is None or not review.publishes_weights:
        return []
    numeric = {table.bins.feature: table for table in card.tables if isinstance(table.bins, NumberBins)}
    names = [name for name in told["features"] if name in numeric]
    names.sort(key=lambda name: -_spread(told["features"][name]["part"]))
    wording = Wording(catalog, words.lang)
    return [_dependence(name, told, card, wording, words) for name in names[:MOST_FEATURES]]


def _dependence(name: str, told: Mapping, card: Scorecard, wording: Wording, words: Words) -> Chart:
    value, part = (np.array(told["features"][name][key], dtype=float) for key in ("value", "part"))
    known = np.isfinite(value) & np.isfinite(part)
    value, part = value[known], part[known]
    table = next(table for table in card.tables if table.bins.feature == name)
    label = shown(wording.feature(name), 60).text
    at = (np.array(table.points[: table.bins.n_ordered]), np.array(table.bins.edges))
    seen = [point for point, n in zip(table.points[: table.bins.n_ordered], table.n, strict=False) if n]
    low, high = (_signed(end(seen, default=0)) for end in (min, max))
    caption = words.say("dependence_caption", label=label, low=low, high=high)

    def draw(figure: "Figure") -> None:
        ax = figure.add_axes((0.17, 0.17, 0.66, 0.77))
        reach = (float(value.min()), float(value.max())) if len(value) else (0.0, 1.0)
        is_log = reach[0] >= 0 and reach[1] > 50 * max(float(np.median(value)), 1e-9) or reach[1] > 2000
        place = np.log10(1 + np.maximum(value, 0)) if is_log else value
        ax.plot(place, part, "o", color=WINNING, markersize=3.2, alpha=0.45, markeredgewidth=0)
        _factors(ax, "y", words)
        ax.set_xlabel(label)
        ax.set_ylabel(words.say("factor_axis_short"))
        _steps(ax, at, reach, is_log, words)
        _values(ax, reach, is_log, words)

    text = svg(draw, height=3.2, name=f"dependence {name}", caption=caption)
    return Chart(text, caption, words.say("dependence_n", n=words.count(int(known.sum()), "account")))


def _steps(ax: "Axes", at: tuple[np.ndarray, np.ndarray], reach: tuple[float, float], is_log: bool, words: Words) -> None:
    """Draw the card's points as steps on an axis of their own."""
    points, edges = at
    ends = np.r_[min(reach[0], edges.min(initial=reach[0])), edges, max(reach[1], edges.max(initial=reach[1]))]
    if is_log:
        ends = np.log10(1 + np.maximum(ends, 0))
    right = ax.twinx()
    right.stairs(points, ends, color=WORTH, linewidth=2.2, baseline=None)
    room = max(float(np.abs(points).max(initial=1)) * 1.15, 1.0)
    right.set_ylim(-room, room)
    reach_left = max(abs(end) for end in ax.get_ylim())
    ax.set_ylim(-reach_left, reach_left)
    right.grid(visible=False)
    right.set_ylabel(words.say("points_axis"))
    ticks = right.get_yticks()
    right.set_yticks(ticks, [words.number(tick) for tick in ticks])
    right.set_ylim(-room, room)


def _values(ax: "Axes", reach: tuple[float, float], is_log: bool, words: Words) -> None:
    if is_log:
        ticks = _round_ticks(reach)
        ax.set_xticks([np.log10(1 + tick) for tick in ticks], [words.number(tick) for tick in ticks])
        ax.set_xlim(np.log10(1 + reach[0]) - 0.05, np.log10(1 + reach[1]) + 0.05)
    else:
        ticks = [tick for tick in ax.get_xticks() if reach[0] - 1e-9 <= tick <= reach[1] + 1e-9]
        whole = all(float(tick).is_integer() for tick in ticks)
        ax.set_xticks(ticks, [words.number(tick, 0 if whole else 1) for tick in ticks])


def _round_ticks(reach: tuple[float, float]) -> list[float]:
    """Return the powers of ten within a range, with their doubles and fivefolds where there are fewer than three.

    >>> _round_ticks((1, 2000)), _round_ticks((8_000, 120_000))
    ([1.0, 10.0, 100.0, 1000.0], [10000.0, 20000.0, 50000.0, 100000.0])
    """
    for steps in ((1,), (1, 2, 5)):
        ticks = [0.0] * (reach[0] < 1) + [step * 10.0**power for power in range(0, 15) for step in steps]
        ticks = [tick for tick in ticks if reach[0] * 0.99 <= tick <= reach[1] * 1.01]
        if len(ticks) >= 3:
            break
    return ticks


def _factors(ax: "Axes", axis: str, words: Words) -> None:
    """Label an axis of logs with factors: x2, x1, x0.5."""
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    for factors in ((0.5, 0.71, 1, 1.41, 2), (0.25, 0.5, 1, 2, 4), (0.1, 0.3, 1, 3, 10)):
        ticks = [factor for factor in factors if low <= np.log(factor) <= high]
        if low >= np.log(factors[0]) * 1.1 and high <= np.log(factors[-1]) * 1.1:
            break
    said = [f"×{words.number(factor, _digits(factor))}" for factor in ticks]
    (ax.set_xticks if axis == "x" else ax.set_yticks)([np.log(factor) for factor in ticks], said)


def _digits(factor: float) -> int:
    return next(digits for digits in (0, 1, 2) if digits == 2 or round(factor, digits) == factor)


def _swarm(ax: "Axes", place: int, value: np.ndarray, rank: np.ndarray) -> None:
    """Set the points of a line side by side where they would cover each other; dark is a high value, grey has no order."""
    order = np.argsort(value, kind="stable")
    value, rank = value[order], rank[order]
    known = np.isfinite(value)
    value, rank = value[known], rank[known]
    if not len(value):
        return
    cell = np.floor((value - value.min()) / max(float(np.ptp(value)) / 60, 1e-9)).astype(int)
    within = np.arange(len(value)) - np.searchsorted(cell, cell)
    crowd = np.bincount(cell)[cell]
    side = np.where(within % 2, 1, -1) * ((within + 1) // 2)
    height = side / np.maximum(crowd, 8) * 2 * _SPREAD
    bins = np.where(np.isnan(rank), -1, np.minimum((np.nan_to_num(rank) * 4).astype(int), 3))
    for at in range(-1, 4):
        mask = bins == at
        if mask.any():
            look = {"markersize": 2.8, "markeredgewidth": 0}
            ax.plot(value[mask], place + height[mask], "o", color=_shade(at), **look)


def _shade(at: int) -> str:
    if at < 0:
        return "#9aa5b1"
    ends = [tuple(int(colour[k : k + 2], 16) for k in (1, 3, 5)) for colour in LOW_TO_HIGH]
    mixed = [round(low + (high - low) * (0.2 + 0.8 * at / 3)) for low, high in zip(*ends, strict=True)]
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _ranks(told: Mapping, criterion: str, review: Review) -> np.ndarray:
    """Return each sampled account's rank, 0-1, by the criterion's numeric feature that moves most; NaN where there is none."""
    own = [name for name in review.catalog.criteria[criterion].features if name in told["features"]]
    numeric = [name for name in own if all(not isinstance(value, str) for value in told["features"][name]["value"])]
    if not numeric:
        return np.full(told["n"], np.nan)
    strongest = max(numeric, key=lambda name: _spread(told["features"][name]["part"]))
    value = np.array(told["features"][strongest]["value"], dtype=float)
    order = np.searchsorted(np.sort(value[np.isfinite(value)]), value, side="left")
    return np.where(np.isfinite(value), order / max(np.isfinite(value).sum() - 1, 1), np.nan)


def _spread(part: list) -> float:
    known = np.array(part, dtype=float)
    known = known[np.isfinite(known)]
    return float(np.abs(known - np.median(known)).mean()) if len(known) else 0.0


def _signed(points: int) -> str:
    return "0" if points == 0 else f"{points:+d}".replace("-", "−")
