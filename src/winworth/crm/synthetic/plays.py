"""A change of plays from a day on, in some segments: by how much it moves an outcome there, planted exactly."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr

from winworth.crm.synthetic import market

SEGMENT = "market_segment"


@dataclass(frozen=True)
class Rollout:
    """From `split` on, `planted` tells by (segment, outcome) by what share the outcome moves: -0.12 is 12 % less.

    Outcomes are those of `winworth compare`: won, days_open, upsells, revenue, acquisition_cost.
    """

    split: date
    planted: Mapping[tuple[str, str], float]

    def times(self, outcome: str, segment: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Return what an outcome is multiplied by in each segment on each day (days since 1970)."""
        times = np.ones(len(segment))
        for (name, moved), share in self.planted.items():
            times[(segment == name) & (moved == outcome)] += share
        return np.where(day >= market.epoch_day(self.split), times, 1.0)

    def without_effect(self) -> "Rollout":
        """Return the null twin: the same segments on the same day, and nothing moves."""
        return replace(self, planted=dict.fromkeys(self.planted, 0.0))


def lift_chances(chance: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Multiply chances so that the mean of those with one multiplier is multiplied by exactly that; none passes 1.

    >>> lift_chances(np.array([0.9, 0.3, 0.5]), np.array([1.2, 1.2, 1.0])).round(3).tolist()
    [1.0, 0.44, 0.5]
    """
    lifted = chance.copy()
    for wanted in np.unique(times[times != 1]):
        own = chance[times == wanted]
        by = brentq(lambda by, own=own, wanted=wanted: np.minimum(by * own, 1).mean() - wanted * own.mean(), 0, 50)
        lifted[times == wanted] = np.minimum(by * own, 1)
    return lifted


def shorten(centre: np.ndarray, times: np.ndarray, *, spread: float, within: int) -> np.ndarray:
    """Move the centres of log-normal days so that the mean days up to `within` of those with one multiplier are so multiplied.

    `centre` and `spread` are mean and standard deviation of the log of days.

    >>> shorten(np.array([4.0, 4.5, 4.0]), np.array([0.79, 0.79, 1.0]), spread=0.85, within=180).round(3).tolist()
    [3.684, 4.184, 4.0]
    """
    moved = centre.copy()
    for wanted in np.unique(times[times != 1]):
        own = centre[times == wanted]
        goal = wanted * _mean_within(own, spread, within)
        by = brentq(lambda by, own=own, goal=goal: _mean_within(own + by, spread, within) - goal, -10, 10)
        moved[times == wanted] = own + by
    return moved


def _mean_within(centre: np.ndarray, spread: float, within: int) -> float:
    """Return the mean of log-normal days cut at `within` (the limited expected value; Klugman, Loss Models, appendix A.4.1)."""
    end = (np.log(within) - centre) / spread
    return float((np.exp(centre + spread**2 / 2) * ndtr(end - spread) + within * ndtr(-end)).mean())


def new_business(attempts: pd.DataFrame) -> np.ndarray:
    """Tell which attempts were made while the account was no customer.

    Whether an attempt is won has no part in it: only those before the first win do, and they are new whatever comes of them.
    """
    ended = (attempts["opened"] + attempts["days"]).where(attempts["won"])
    return ~(ended.groupby(attempts["account"]).transform("min") < attempts["opened"]).to_numpy()
