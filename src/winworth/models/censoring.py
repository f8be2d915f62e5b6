"""What an outcome is while some deals are still open: won within the horizon, or not, or not yet known."""

from dataclasses import dataclass

import numpy as np

MOST = 20.0


@dataclass(frozen=True)
class Histories:
    """When examples were observed and ended: int64 days since 1970, `ended` above every other day while open."""

    observed: np.ndarray
    ended: np.ndarray
    won: np.ndarray

    def take(self, rows: np.ndarray) -> "Histories":
        """Keep some of the examples."""
        return Histories(self.observed[rows], self.ended[rows], self.won[rows])


def outcomes_by(histories: Histories, *, horizon: int, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, as known on `day`, whether each example was won within the horizon, and its censoring weight.

    An example still open on `day` before its horizon has passed is censored: its weight is 0, never "lost". The others
    weigh 1 / P(not censored before they were settled), by Kaplan and Meier on the censoring times (inverse probability of
    censoring; Robins and Finkelstein 2000), at most 20.
    """
    followed = np.minimum(day - histories.observed, horizon)
    lasted = np.where(histories.ended <= day, histories.ended - histories.observed, np.iinfo(np.int64).max)
    settled = (lasted <= followed) | (followed >= horizon)
    seen = np.minimum(lasted, followed)
    won = (histories.won & (lasted <= followed)).astype(float)
    usable = followed >= 0
    weight = np.zeros(len(seen))
    kept = settled & usable
    weight[kept] = np.minimum(1 / uncensored_share(seen[usable], ~settled[usable], seen[kept]), MOST)
    return won, weight


def uncensored_share(seen: np.ndarray, censored: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return P(censoring comes at or after each of `at`), by Kaplan and Meier, where ends come before censoring."""
    days, counts = np.unique(seen[censored], return_counts=True)
    ordered, ended = np.sort(seen), np.sort(seen[~censored])
    n_ended_that_day = np.searchsorted(ended, days, side="right") - np.searchsorted(ended, days, side="left")
    at_risk = len(seen) - np.searchsorted(ordered, days, side="left") - n_ended_that_day
    survival = np.r_[1.0, np.cumprod(1 - counts / at_risk)]
    return np.maximum(survival[np.searchsorted(days, at, side="left")], 1 / MOST)
