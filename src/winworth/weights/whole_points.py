"""From log expected value to whole points: the scale of each criterion, rounding, and what both cost."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from winworth.weights.bins import Bins, LevelBins, NumberBins
from winworth.weights.criteria import CLIP
from winworth.weights.pairs import Cut, Grid, told_by
from winworth.weights.scorecard import LEAST, MOST, START, FeatureTable, Losses, PairTable, Scorecard

REACHES = (CLIP, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
AGREES = 0.99  # squared correlation of the score with the sum before rounding and holding
_SIGNS = {"up": 1, "down": -1}
Rises = dict[float, int]  # by boundary: how many points more its upper side has


@dataclass(frozen=True)
class Scale:
    """Each criterion's weight, and the dispersion that `reach` times over leads from 50 to the ends."""

    weights: Mapping[str, int]
    dispersion: Mapping[str, float]
    reach: float = CLIP

    def per_log(self, criterion: str) -> float:
        """Return points per unit of log expected value; 0 where nothing moves the criterion."""
        spread = self.dispersion[criterion]
        return START / (self.reach * spread) if spread > 0 else 0.0


@dataclass(frozen=True)
class Drawn:
    """A card in log expected value: the features of each criterion, their cuts and values, and the pairs' grids.

    `fine` holds the cuts that the grids' boundaries were chosen from.
    """

    own: Mapping[str, list[str]]
    cuts: Mapping[str, Cut]
    fine: Mapping[str, Cut]
    values: Mapping[str, np.ndarray]
    grids: tuple[Grid, ...]
    directions: Mapping[str, str]
    scale: Scale

    def owner(self, feature: str) -> str:
        """Return the criterion a feature belongs to."""
        return next(name for name, features in self.own.items() if feature in features)

    def shares(self, grid: Grid) -> dict[str, float]:
        """Return, by criterion, what turns a grid's values into its points: all inside one, half each across two."""
        owners = sorted({self.owner(grid.first.feature), self.owner(grid.second.feature)})
        return {name: self.scale.per_log(name) / len(owners) for name in owners}


def whole_card(drawn: Drawn, deal_level: tuple[str, ...], r2_of_bins: float) -> Scorecard:
    """Round every value to whole points.

    Three dispersions reach from 50 to the ends, and more where holding skewed criteria within 0-100 would change the score:
    the first reach of `REACHES` at which it agrees with the sum before rounding and holding, or the one that agrees best.
    """
    best: Scorecard | None = None
    for reach in REACHES:
        scaled = replace(drawn, scale=replace(drawn.scale, reach=reach))
        tables = {name: _table(scaled, criterion, name) for criterion, names in drawn.own.items() for name in names}
        card = Scorecard(
            drawn.scale.weights, tuple(tables.values()), _pairs(scaled, tables), deal_level, Losses(reach, r2_of_bins)
        )
        card = replace(card, losses=_losses(scaled, card))
        if best is None or card.losses.r2_of_points > best.losses.r2_of_points:
            best = card
        if best.losses.r2_of_points >= AGREES:
            break
    return best


def _table(drawn: Drawn, criterion: str, name: str) -> FeatureTable:
    """Round a feature's values, and join neighbouring intervals that bring the same points."""
    cut = drawn.cuts[name]
    points = np.rint(drawn.values[name] * drawn.scale.per_log(criterion)).astype(int)
    n = np.bincount(cut.places[cut.has], minlength=len(points))
    if isinstance(cut.bins, LevelBins):
        return FeatureTable(criterion, cut.bins, tuple(points.tolist()), tuple(n.tolist()))
    starts = np.flatnonzero(np.r_[True, np.diff(points[:-1]) != 0, True])  # missing, last, stands by itself
    edges = tuple(cut.bins.edges[k - 1] for k in starts[1:-1])
    n = np.add.reduceat(n, starts)
    return FeatureTable(criterion, NumberBins(name, edges), tuple(points[starts].tolist()), tuple(n.tolist()))


def _pairs(drawn: Drawn, tables: Mapping[str, FeatureTable]) -> tuple[PairTable, ...]:
    """Round every grid's points by criterion, such that tables and pairs together break no declared direction.

    Where a feature's own points rise at a boundary, a pair may fall by as much there; what one pair has used, or added, is
    taken into account for the next.
    """
    rises: dict[tuple[str, str], Rises] = {
        (table.criterion, name): dict(zip(table.bins.edges, np.diff(table.points[:-1]).tolist(), strict=True))
        for name, table in tables.items()
        if isinstance(table.bins, NumberBins)
    }
    pairs = []
    for grid in drawn.grids:
        pair, rises = _pair(drawn, grid, rises)
        pairs.append(pair)
    return tuple(pairs)


def _pair(drawn: Drawn, grid: Grid, rises: Mapping[tuple[str, str], Rises]) -> tuple[PairTable, dict[tuple[str, str], Rises]]:
    """Round one grid's points, and return what has risen with them."""
    axes, points, risen = (grid.first, grid.second), {}, dict(rises)
    signs = [_SIGNS.get(drawn.directions.get(bins.feature, ""), 0) for bins in axes]
    for criterion, share in drawn.shares(grid).items():
        known = [rises.get((criterion, bins.feature), {}) for bins in axes]
        base = np.add.outer(_steps(axes[0], known[0]), _steps(axes[1], known[1]))
        held = _monotone(np.rint(grid.values * share).astype(int) + base, axes, signs) - base
        points[criterion] = tuple(tuple(row) for row in held.tolist())
        sides = zip(axes, known, signs, (held, held.T), strict=True)
        risen |= {(criterion, bins.feature): _risen(of, bins, cells, sign) for bins, of, sign, cells in sides if sign}
    return PairTable(*axes, points, tuple(tuple(row) for row in grid.n.tolist())), risen


def _steps(axis: Bins, rises: Rises) -> np.ndarray:
    """Return, by place of the axis, by how much points have risen at its boundaries so far; 0 for levels and missing."""
    risen = np.zeros(len(axis.places), dtype=int)
    if isinstance(axis, NumberBins):
        risen[1 : axis.n_ordered] = np.cumsum([rises.get(edge, 0) for edge in axis.edges])
    return risen


def _risen(rises: Rises, axis: NumberBins, cells: np.ndarray, sign: int) -> Rises:
    """Add to the rises at the axis's boundaries those of a pair, in the row of cells that goes most against the sign."""
    worst = sign * (sign * np.diff(cells[: axis.n_ordered], axis=0)).min(axis=1)
    return rises | {edge: rises.get(edge, 0) + int(rise) for edge, rise in zip(axis.edges, worst, strict=True)}


def _monotone(cells: np.ndarray, axes: tuple[Bins, Bins], signs: list[int]) -> np.ndarray:
    """Return whole numbers near `cells` that never go against a sign (0: free) along the intervals of its axis.

    They lie halfway between the running maximum from below and the running minimum from above, both of which are monotone.
    """
    ends = []
    for accumulate, way in ((np.maximum.accumulate, 1), (np.minimum.accumulate, -1)):
        found = cells.copy()
        for axis, (bins, sign) in enumerate(zip(axes, signs, strict=True)):
            ordered = np.moveaxis(found, axis, 0)[: bins.n_ordered if sign else 0][:: way * sign or 1]
            ordered[:] = accumulate(ordered, axis=0)
        ends.append(found)
    return (ends[0] + ends[1]) // 2


def _losses(drawn: Drawn, card: Scorecard) -> Losses:
    """Measure the card on the rows it was learnt from, criterion by criterion."""
    n = len(next(iter(drawn.cuts.values())).places) if drawn.cuts else 0
    exact, whole, within, held = np.zeros(n), np.zeros(n), np.zeros(n), 0.0
    for criterion, names in drawn.own.items():
        weight, per_log = drawn.scale.weights[criterion] / 100, drawn.scale.per_log(criterion)
        values = {name: drawn.values[name] * per_log for name in names}
        shares = [grid.values * drawn.shares(grid).get(criterion, 0.0) for grid in drawn.grids]
        exact += weight * _sum(drawn, values, shares)
        points = [
            np.array(pair.points.get(criterion, np.zeros(grid.n.shape)))
            for grid, pair in zip(drawn.grids, card.pairs, strict=True)
        ]
        rounded = _sum(drawn, {name: np.rint(value) for name, value in values.items()}, points)
        whole += weight * rounded
        within += weight * np.clip(rounded, LEAST, MOST)
        held += float(np.mean((rounded < LEAST) | (rounded > MOST))) / len(drawn.own)
    agreement = np.corrcoef(exact, within)[0, 1] ** 2 if np.ptp(exact) > 0 and np.ptp(within) > 0 else 1.0
    change = [float(np.mean(np.abs(moved))) for moved in (whole - exact, within - whole)]
    return replace(card.losses, r2_of_points=float(agreement), rounding=change[0], clipping=change[1], share_clipped=held)


def _sum(drawn: Drawn, values: Mapping[str, np.ndarray], cells: list[np.ndarray]) -> np.ndarray:
    """Add a criterion's start, the values of its features' places and those of its cells, row by row."""
    total = START + sum(value[drawn.cuts[name].places] * drawn.cuts[name].has for name, value in values.items())
    for grid, cell in zip(drawn.grids, cells, strict=True):
        total = total + told_by(replace(grid, values=cell), drawn.fine[grid.first.feature], drawn.fine[grid.second.feature])
    return total
