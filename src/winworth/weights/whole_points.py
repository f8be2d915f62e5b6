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
        pairs = tuple(_pair(scaled, grid, tables) for grid in drawn.grids)
        card = Scorecard(drawn.scale.weights, tuple(tables.values()), pairs, deal_level, Losses(reach, r2_of_bins))
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


def _pair(drawn: Drawn, grid: Grid, tables: Mapping[str, FeatureTable]) -> PairTable:
    """Round a grid's points by criterion, such that no declared direction is broken by table and pair together."""
    signs = [_SIGNS.get(drawn.directions.get(bins.feature, ""), 0) for bins in (grid.first, grid.second)]
    points = {}
    for criterion, share in drawn.shares(grid).items():
        steps = [_steps(bins, tables[bins.feature], criterion) for bins in (grid.first, grid.second)]
        base = steps[0][:, None] + steps[1][None, :]
        held = _monotone(np.rint(grid.values * share).astype(int) + base, (grid.first, grid.second), signs) - base
        points[criterion] = tuple(tuple(row) for row in held.tolist())
    return PairTable(grid.first, grid.second, points, tuple(tuple(row) for row in grid.n.tolist()))


def _steps(axis: Bins, table: FeatureTable, criterion: str) -> np.ndarray:
    """Return by how much the feature's own points have risen at the axis's boundaries, where these are its own too."""
    risen = np.zeros(len(axis.places), dtype=int)
    if table.criterion != criterion or isinstance(axis, LevelBins):
        return risen
    jumps = {edge: table.points[k + 1] - table.points[k] for k, edge in enumerate(table.bins.edges)}
    risen[1 : axis.n_ordered] = np.cumsum([jumps.get(edge, 0) for edge in axis.edges])
    return risen


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
