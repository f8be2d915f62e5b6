"""How many deals are won, and lost, by each age: Aalen and Johansen, with open deals censored."""

from dataclasses import dataclass

import numpy as np

from winworth.models.censoring import Histories

WINS_COVERED = 0.8


@dataclass(frozen=True)
class Incidence:
    """The share of deals won and lost within `days` of their start; the shares step up on these days and hold between."""

    days: np.ndarray
    won: np.ndarray
    lost: np.ndarray

    def won_by(self, days: np.ndarray) -> np.ndarray:
        """Return the share of deals won within each number of days."""
        return self._at(self.won, days)

    def lost_by(self, days: np.ndarray) -> np.ndarray:
        """Return the share of deals lost within each number of days."""
        return self._at(self.lost, days)

    def days_to_win(self, share: float) -> int | None:
        """Return the days by which this share of the wins has come; None where no win was seen.

        Wins are those the curve reaches: what deals still open at its end will bring is not among them.
        """
        if not len(self.won) or self.won[-1] == 0:
            return None
        reached = self.won >= share * self.won[-1] * (1 - 1e-12)
        return int(self.days[np.argmax(reached)])

    def _at(self, curve: np.ndarray, days: np.ndarray) -> np.ndarray:
        return np.r_[0.0, curve][np.searchsorted(self.days, days, side="right")]


def cumulative_incidence(histories: Histories, *, day: int) -> Incidence:
    """Estimate both curves from deals as known on `day` (Aalen and Johansen 1978; Kalbfleisch and Prentice 2002, 8.2).

    A deal still open counts as at risk up to its age on `day`, the end of that day included, and as nothing after it.

    >>> deals = Histories(np.array([0, 0, 0, 7]), np.array([2, 4, 99, 99]), np.array([True, False, False, False]))
    >>> cumulative_incidence(deals, day=10)
    Incidence(days=array([2, 4]), won=array([0.25, 0.25]), lost=array([0.   , 0.375]))
    """
    is_closed = histories.ended <= day
    lasted = np.where(is_closed, histories.ended, day) - histories.observed  # below 0, so never at risk, if opened later
    days = np.unique(lasted[is_closed])
    ordered = np.sort(lasted)
    at_risk = len(ordered) - np.searchsorted(ordered, days, side="left")
    won, lost = (_counts(lasted[is_closed & (histories.won == outcome)], days) / at_risk for outcome in (True, False))
    still_open = np.r_[1.0, np.cumprod(1 - won - lost)[:-1]] if len(days) else np.empty(0)
    return Incidence(days, np.cumsum(still_open * won), np.cumsum(still_open * lost))


def proposed_horizon(histories: Histories, *, day: int) -> int | None:
    """Propose the days within which 80 % of the wins come, counted from the opening of a deal; None without a win."""
    return cumulative_incidence(histories, day=day).days_to_win(WINS_COVERED)


def _counts(lasted: np.ndarray, days: np.ndarray) -> np.ndarray:
    ordered = np.sort(lasted)
    return np.searchsorted(ordered, days, side="right") - np.searchsorted(ordered, days, side="left")
