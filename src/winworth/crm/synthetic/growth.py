"""A pipeline that grows: many deals are still open, and what came of them in time is known for each.

Here a model that learns from closed deals alone, or takes open deals for lost, is off by a known amount.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr

N_DAYS = 1095
AS_OF = N_DAYS  # in days since the first deal
SPREAD_OF_DAYS = 0.7  # standard deviation of the log of days to close
MEDIAN_DAYS = {"slower": (110.0, 65.0), "faster": (80.0, 115.0)}  # of wins, of losses
EFFECTS = {"fit": 0.9, "need": 0.6, "budget": 0.4, "noise": 0.0}  # one standard deviation, in log-odds
BASE = -0.55
HURRY = 0.2  # what a standard deviation of need takes off the log of days to close

Wins = Literal["slower", "faster"]


@dataclass(frozen=True)
class GrowingPipeline:
    """Deals opened over three years up to day 1095, one row each, and the truth behind them.

    `features` are what is known on the day a deal opens; `opened`, `ended` and `won` (int days, bool) are what happens,
    much of it after day 1095; `ever_won` is the true chance that a deal is ever won.
    """

    features: pd.DataFrame
    opened: np.ndarray
    ended: np.ndarray
    won: np.ndarray
    ever_won: np.ndarray
    wins: Wins

    def chance(self, age: np.ndarray, horizon: int) -> np.ndarray:
        """Return the true chance that each deal, still open at an age in days, is won within the horizon from then."""
        won_before, lost_before = (self._closed_by(age, outcome) for outcome in (True, False))
        later = self.ever_won * (self._closed_by(age + horizon, True) - won_before)
        return later / (self.ever_won * (1 - won_before) + (1 - self.ever_won) * (1 - lost_before))

    def _closed_by(self, age: np.ndarray, won: bool) -> np.ndarray:
        centre = _log_days(self.features["need"].to_numpy(), won, self.wins)
        # days are rounded up: a deal has closed by an age where its days do not exceed it
        with np.errstate(divide="ignore"):
            return ndtr((np.log(np.floor(age)) - centre) / SPREAD_OF_DAYS)


def growing_pipeline(*, n_deals: int = 4000, growth: float = 100.0, wins: Wins, seed: int) -> GrowingPipeline:
    """Draw deals that open `growth` times as often at the end of three years as at their start (1: no growth).

    `wins` says whether deals that are won take longer than those that are lost, or less long.

    >>> world = growing_pipeline(n_deals=1000, wins="slower", seed=1)
    >>> bool((world.ended > AS_OF).mean() > 0.2)
    True
    """
    rng = np.random.default_rng(seed)
    share = rng.random(n_deals)
    rate = np.log(growth)
    opened = N_DAYS * (share if rate == 0 else np.log1p(share * np.expm1(rate)) / rate)
    opened = np.minimum(np.floor(opened), N_DAYS - 1)
    features = pd.DataFrame({name: rng.normal(size=n_deals) for name in EFFECTS})
    both = features["fit"] * features["need"]  # one helps more where the other is there
    ever_won = expit(BASE + features @ pd.Series(EFFECTS) + 0.4 * both).to_numpy()
    won = rng.random(n_deals) < ever_won
    need = features["need"].to_numpy()
    centre = np.where(won, _log_days(need, True, wins), _log_days(need, False, wins))
    days = np.ceil(np.exp(rng.normal(centre, SPREAD_OF_DAYS)))
    ints = [values.astype(np.int64) for values in (opened, opened + days)]
    return GrowingPipeline(features, *ints, won, ever_won, wins)


def _log_days(need: np.ndarray, won: bool, wins: Wins) -> np.ndarray:
    return np.log(MEDIAN_DAYS[wins][0 if won else 1]) - HURRY * need
