"""The scorecard: integer points by interval and level, summed and held within 0-100 by criterion, weighed by integers.

A criterion scores START plus the points of its rows, held within 0-100; the score is the sum of weight x criterion score
/ 100. All of it is integers, so that a person with a pencil, a database and a workbook find what Python finds.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from winworth.errors import DataError, listed
from winworth.weights.bins import Bins, bins_from_dict

START, LEAST, MOST = 50, 0, 100


@dataclass(frozen=True)
class FeatureTable:
    """A feature's rows: the points of each place of its bins, and how many rows they were learnt from."""

    criterion: str
    bins: Bins
    points: tuple[int, ...]
    n: tuple[int, ...]

    def to_dict(self) -> dict:
        """Return the table for JSON."""
        return asdict(self) | {"bins": self.bins.to_dict(), "points": list(self.points), "n": list(self.n)}


@dataclass(frozen=True)
class PairTable:
    """A two-way table: by criterion, the points of each cell (first feature's place, then the second's); and its rows.

    A pair inside a criterion belongs to it; a pair across two gives each half of what it is worth (Shapley 1953).
    """

    first: Bins
    second: Bins
    points: Mapping[str, tuple[tuple[int, ...], ...]]
    n: tuple[tuple[int, ...], ...]

    @property
    def features(self) -> tuple[str, str]:
        """The two features."""
        return self.first.feature, self.second.feature

    def to_dict(self) -> dict:
        """Return the table for JSON."""
        points = {name: [list(row) for row in cells] for name, cells in self.points.items()}
        n = [list(row) for row in self.n]
        return {"first": self.first.to_dict(), "second": self.second.to_dict(), "points": points, "n": n}


@dataclass(frozen=True)
class Losses:
    """How points were made, and what was given up on the rows the card was learnt from.

    `reach`: how many dispersions of a criterion's contribution lead from 50 to the ends. `r2_of_bins`: share of the variance
    of the contributions' sum that bins and pairs keep. `r2_of_points`: squared correlation of the score with the sum before
    rounding and holding; `rounding` and `clipping`: mean absolute change of the score, in points, by whole points and by
    holding criteria within 0-100; `share_clipped`: share of criterion scores that were held.
    """

    reach: float
    r2_of_bins: float
    r2_of_points: float = 1.0
    rounding: float = 0.0
    clipping: float = 0.0
    share_clipped: float = 0.0


@dataclass(frozen=True)
class Scorecard:
    """All that scoring needs: integer weights by criterion, heaviest first, and every table of points.

    `deal_level` names the features that an account without a deal cannot have yet: they count 0 points there.
    """

    weights: Mapping[str, int]
    tables: tuple[FeatureTable, ...]
    pairs: tuple[PairTable, ...]
    deal_level: tuple[str, ...]
    losses: Losses

    @property
    def features(self) -> tuple[str, ...]:
        """The features that the card reads, in its order."""
        return tuple(table.bins.feature for table in self.tables)

    def score(self, features: pd.DataFrame, has_no_deal: np.ndarray | None = None) -> pd.Series:
        """Return the score 0-100 of each row of a feature table."""
        return self.total(self.criteria(features, has_no_deal))

    def total(self, criteria: pd.DataFrame) -> pd.Series:
        """Weigh criterion scores: their weighted sum over 100, summed in integers."""
        weight = np.array([self.weights[name] for name in criteria], dtype=np.int64)
        return pd.Series(criteria.to_numpy(dtype=np.int64) @ weight / 100, criteria.index, name="score")

    def criteria(self, features: pd.DataFrame, has_no_deal: np.ndarray | None = None) -> pd.DataFrame:
        """Return each criterion's score, an integer 0-100; `has_no_deal` says of each row whether it has no deal yet.

        Raises DataError where the table lacks a feature or holds words for a number.
        """
        return self.held(self.points(features, has_no_deal))

    def held(self, points: pd.DataFrame) -> pd.DataFrame:
        """Sum points, as `points` returns them, within each criterion, and hold the sums within 0-100."""
        sums = {name: points[[key for key in points if key[0] == name]].sum(axis=1) for name in self.weights}
        return (START + pd.DataFrame(sums, index=points.index).astype("int64")).clip(LEAST, MOST)

    def points(self, features: pd.DataFrame, has_no_deal: np.ndarray | None = None) -> pd.DataFrame:
        """Return the points each table brings, one column by (criterion, feature) or (criterion, first, second).

        A criterion's columns and START add up to its score before it is held within 0-100: what reasons are made of.
        """
        self._check(features)
        off = dict.fromkeys(self.deal_level, has_no_deal) if has_no_deal is not None else {}
        found: dict[tuple[str, ...], np.ndarray] = {}
        for table in self.tables:
            name = table.bins.feature
            points = np.array(table.points, dtype=np.int64)[table.bins.places_of(features[name])]
            found[table.criterion, name] = points if off.get(name) is None else np.where(off[name], 0, points)
        for pair in self.pairs:
            cells = pair.first.places_of(features[pair.features[0]]), pair.second.places_of(features[pair.features[1]])
            blank = [off[name] for name in pair.features if name in off]
            for criterion, values in pair.points.items():
                points = np.array(values, dtype=np.int64)[cells]
                found[criterion, *pair.features] = np.where(np.any(blank, axis=0), 0, points) if blank else points
        parts = pd.DataFrame(dict(enumerate(found.values())), index=features.index)
        parts.columns = pd.Index(list(found), tupleize_cols=False)
        return parts

    def with_weights(self, weights: Mapping[str, int]) -> "Scorecard":
        """Return the card with other weights, by the same criteria; they must be whole and sum to 100."""
        if set(weights) != set(self.weights) or sum(weights.values()) != 100:
            raise DataError(
                f"The weights {dict(weights)} are not those of {listed(self.weights)}, summing to 100. Give each criterion one."
            )
        return replace(self, weights=dict(weights))

    def _check(self, features: pd.DataFrame) -> None:
        lacking = [name for name in self.features if name not in features.columns]
        if lacking:
            raise DataError(f"The feature table lacks {len(lacking)} columns of the scorecard: {listed(lacking)}.")

    def to_dict(self) -> dict:
        """Return the card for JSON."""
        return {
            "weights": [[name, weight] for name, weight in self.weights.items()],  # a list keeps its order under sorted keys
            "tables": [table.to_dict() for table in self.tables],
            "pairs": [pair.to_dict() for pair in self.pairs],
            "deal_level": list(self.deal_level),
            "losses": asdict(self.losses),
        }

    @classmethod
    def from_dict(cls, card: dict) -> "Scorecard":
        """Rebuild what `to_dict` wrote."""
        return cls(
            dict(card["weights"]),
            tuple(_table(table) for table in card["tables"]),
            tuple(_pair(pair) for pair in card["pairs"]),
            tuple(card["deal_level"]),
            Losses(**card["losses"]),
        )


def _table(table: dict) -> FeatureTable:
    bins = bins_from_dict(table["bins"])
    return FeatureTable(table["criterion"], bins, tuple(table["points"]), tuple(table["n"]))


def _pair(pair: dict) -> PairTable:
    points = {name: tuple(map(tuple, cells)) for name, cells in sorted(pair["points"].items())}
    n = tuple(map(tuple, pair["n"]))
    return PairTable(bins_from_dict(pair["first"]), bins_from_dict(pair["second"]), points, n)
