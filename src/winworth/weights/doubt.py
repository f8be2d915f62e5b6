"""How surely the criteria weigh what they weigh, in one record: intervals, noise, order, what goes together."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from winworth.models.track import Track
from winworth.weights.agreement import Pair, disagree, pairs_together, weights_by_permutation
from winworth.weights.criteria import CriteriaWeights
from winworth.weights.effort import Effort
from winworth.weights.noise import Noise, measure_noise
from winworth.weights.shadows import noise_floor
from winworth.weights.stability import Draws, draw_weights, total_variation
from winworth.weights.study import Both, Study, contributed, weigh

FEW_DEALS = 1000
WIDENED = 1.7  # draws of accounts know nothing of the models' own bias: so wide, planted weights lie inside four times in five


@dataclass(frozen=True)
class Doubt:
    """How surely the weights are known.

    `table` has one row a criterion, in points of 100: low and high (80 % interval: that of the draws, widened about the weight
    by a factor measured on companies whose weights were planted), floor (what noise would weigh), is_clear
    (low is above floor), same_way (share of draws that rank accounts by it the same way), rank_low and rank_high (80 %
    interval of its place), unshrunk, by_permutation. `families` has weight, low and high. `by_chance` is how far weights of
    two histories of one company lie apart, in points, in 19 cases of 20. `disagrees` says that permutation weighs otherwise.
    `noise` is how far the same draws move accounts.
    """

    table: pd.DataFrame
    families: pd.DataFrame
    pairs: tuple[Pair, ...]
    n_boot: int
    by_chance: float
    disagrees: bool
    few_deals: bool
    noise: Noise | None = None

    def to_dict(self) -> dict:
        """Return all of it, for JSON."""
        tables = {name: getattr(self, name).reset_index().to_dict("list") for name in ("table", "families")}
        plain = {name: getattr(self, name) for name in ("n_boot", "by_chance", "disagrees", "few_deals")}
        noise = self.noise and self.noise.to_dict()
        return tables | plain | {"pairs": [asdict(pair) for pair in self.pairs], "noise": noise}

    @classmethod
    def from_dict(cls, read: Mapping) -> "Doubt":
        """Rebuild what `to_dict` wrote."""
        tables = {"table": "criterion", "families": "family"}
        frames = {name: pd.DataFrame(read[name]).set_index(key) for name, key in tables.items()}
        pairs, noise = tuple(Pair(**pair) for pair in read["pairs"]), Noise.from_dict(read.get("noise"))
        return cls(**{**read, **frames, "pairs": pairs, "noise": noise})


def measure_doubt(study: Study, apart: Both, weights: CriteriaWeights, *, effort: Effort, track: Track) -> Doubt:
    """Draw accounts anew, weigh noise, and look at the criteria from elsewhere."""
    published = contributed(study, apart, weights.slopes)
    draws = draw_weights(study, published, n_boot=effort.n_boot, track=track)
    floor = noise_floor(study, n_repeats=effort.n_shadows, track=track)
    by_permutation = weights_by_permutation(study, apart, weights)
    interval = widened(draws.interval(), weights.shares)
    table = pd.concat([interval, draws.ranks()], axis=1).assign(
        floor=floor,
        same_way=draws.same_way.mean(),
        unshrunk=weigh(study, apart, is_shrunk=False).shares,
        by_permutation=by_permutation,
    )
    table = table.assign(is_clear=table["low"] > table["floor"]).loc[weights.criteria.index]
    return Doubt(
        table=table.rename_axis("criterion"),
        families=family_weights(weights, draws),
        pairs=pairs_together(published),
        n_boot=effort.n_boot,
        by_chance=draws.movement_by_chance(),
        disagrees=disagree(weights.shares, by_permutation),
        few_deals=study.n_deals < FEW_DEALS,
        noise=measure_noise(draws.logs),
    )


def widened(interval: pd.DataFrame, weight: pd.Series) -> pd.DataFrame:
    """Widen intervals (low, high) about the weights they are of, within 0-100; a weight never lies outside its own.

    >>> widened(pd.DataFrame({"low": [8.0], "high": [12.0]}), pd.Series([10.0])).round(1).values.tolist()
    [[6.6, 13.4]]
    """
    below, above = (weight - interval["low"]).clip(lower=0), (interval["high"] - weight).clip(lower=0)
    ends = {"low": weight - WIDENED * below, "high": weight + WIDENED * above}
    return pd.DataFrame(ends).reindex(interval.index).clip(0, 100)


def family_weights(weights: CriteriaWeights, draws: Draws) -> pd.DataFrame:
    """Add the weights up within each family, with the 80 % interval of the sum, the heaviest first."""
    family = weights.criteria["family"]
    by_draws = Draws(draws.shares.T.groupby(family).sum().T, draws.same_way).interval()
    summed = widened(by_draws, weights.shares.groupby(family).sum())
    table = summed.assign(weight=weights.criteria["weight"].groupby(family).sum()).rename_axis("family")
    return table[["weight", "low", "high"]].sort_values("weight", ascending=False, kind="stable")


def movement(weights: CriteriaWeights, before: Mapping[str, float]) -> dict:
    """Say how far the weights moved since those of a champion, in points, beside what chance alone would move.

    A criterion that only one of them has moved by all it weighs.
    """
    names = sorted(set(before) | set(weights.shares.index))
    now, then = weights.shares.reindex(names).fillna(0.0), pd.Series(before, dtype=float).reindex(names).fillna(0.0)
    moved = float(total_variation(now.to_numpy(), then.to_numpy()))
    allowed = weights.doubt.by_chance if weights.doubt else np.nan
    return {"moved": moved, "by_chance": allowed, "is_beyond_chance": bool(moved > allowed)}
