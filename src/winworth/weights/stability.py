"""How surely: accounts drawn anew, both models trained again, and what every criterion would then have weighed."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from winworth.models.track import Track, in_order
from winworth.weights.attribution import out_of_bag
from winworth.weights.criteria import shares
from winworth.weights.noise import log_worth
from winworth.weights.study import Both, Study, contributed, dispersions, slopes

COVERS = 0.8


@dataclass(frozen=True)
class Draws:
    """What each draw of accounts gave, one row a draw and one column a criterion.

    `shares` are weights in points of 100; `same_way` says whether the draw ranks accounts by the criterion as published. `logs`
    has one column a row of the population: its log expected value, up to a constant, where its account was left out.
    """

    shares: pd.DataFrame
    same_way: pd.DataFrame
    logs: pd.DataFrame = field(default_factory=pd.DataFrame)

    def interval(self) -> pd.DataFrame:
        """Return the 80 % interval of each criterion's weight: low, high."""
        ends = self.shares.quantile([(1 - COVERS) / 2, (1 + COVERS) / 2])
        return pd.DataFrame({"low": ends.iloc[0], "high": ends.iloc[1]})

    def ranks(self) -> pd.DataFrame:
        """Return the 80 % interval of each criterion's place, 1 being the heaviest: rank_low, rank_high."""
        places = self.shares.rank(axis=1, ascending=False, method="min")
        ends = places.quantile([(1 - COVERS) / 2, (1 + COVERS) / 2], interpolation="nearest").astype(int)
        return pd.DataFrame({"rank_low": ends.iloc[0], "rank_high": ends.iloc[1]})

    def movement_by_chance(self, certainty: float = 0.95) -> float:
        """Return how far weights learnt from two histories of one company lie apart, in points, with that certainty.

        Half the sum of absolute differences (total variation), over all pairs of draws.
        """
        one, other = np.triu_indices(len(self.shares), 1)
        values = self.shares.to_numpy()
        return float(np.quantile(total_variation(values[one], values[other]), certainty)) if len(one) else 0.0


def total_variation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return half the sum of absolute differences, along the last axis."""
    return np.abs(one - other).sum(axis=-1) / 2


def draw_weights(study: Study, published: pd.DataFrame, *, n_boot: int, track: Track) -> Draws:
    """Draw accounts with replacement `n_boot` times; fit both models once and weigh by the accounts left out.

    `published` has the population's contributions as published, one row a row of the population.
    """

    def once(k: int) -> tuple[pd.Series, pd.Series, pd.Series]:
        apart = draw_apart(study, k)
        found = contributed(study, apart, slopes(study, apart))
        same_way = found.corrwith(published.loc[found.index], method="pearson") > 0
        return shares(dispersions(found)), same_way, log_worth(study, apart)

    made = list(in_order(once, n_boot, study.threads, track, "Drawing accounts anew"))
    return Draws(*(pd.DataFrame(rows).reset_index(drop=True) for rows in zip(*made, strict=True)))


def draw_apart(study: Study, number: int) -> Both:
    """Draw the accounts of one replicate, fit each model on them, and explain the accounts left out."""
    accounts = np.unique(np.concatenate([side.outcomes.accounts for side in study.sides.values()]))
    rng = np.random.default_rng([study.seed, number])
    n_codes = 1 + max(accounts.max(), study.population.accounts.max(initial=0))
    drawn = np.bincount(rng.choice(accounts, len(accounts)), minlength=n_codes)
    return {name: out_of_bag(side, study.population, drawn) for name, side in study.sides.items()}
