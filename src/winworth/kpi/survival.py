"""Shares won by an age and median cycles, deals still open censored, with how surely they are known by account."""

from dataclasses import dataclass

import numpy as np

from winworth.models.censoring import Histories
from winworth.models.incidence import Incidence, cumulative_incidence
from winworth.models.shares import Z95, wilson

OPEN = 2**40  # an end above every day


@dataclass(frozen=True)
class Estimate:
    """A share with the number of separate, wholly followed cases that would tell it as surely, and each row's influence."""

    value: float
    effective_n: float
    influence: np.ndarray


@dataclass(frozen=True)
class Median:
    """The median days to the end and its 95 % interval (NaN where half of the deals never ended), and each row's influence."""

    value: float
    low: float
    high: float
    influence: np.ndarray


def closing(histories: Histories) -> Histories:
    """Let every end count alike, won or lost: what the length of cycles is read from."""
    return Histories(histories.observed, histories.ended, np.ones(len(histories.won), dtype=bool))


def share_won(histories: Histories, accounts: np.ndarray, *, day: int, horizon: int) -> Estimate:
    """Estimate the share won within `horizon` days as known on `day` (Aalen and Johansen 1978), open deals censored.

    Its variance is the infinitesimal jackknife over accounts (Efron 1981); the effective n is share x (1 - share) / variance,
    as in Rothman 1978, at most the number of rows, and where no row or every row is won the accounts that were settled.

    >>> deals = Histories(np.zeros(4, int), np.array([2, 4, OPEN, OPEN]), np.array([True, False, False, False]))
    >>> told = share_won(deals, np.arange(4), day=10, horizon=10)
    >>> told.value, told.effective_n
    (0.25, 4.0)
    """
    curve = cumulative_incidence(histories, day=day)
    value = float(curve.won_by(np.array([horizon]))[0])
    influence = _influence(histories, curve, day=day, horizon=horizon)
    lasted, is_closed = _lasted(histories, day)
    settled = is_closed | (lasted >= horizon)
    n = len(np.unique(accounts[settled]))
    if 0 < value < 1:
        n = min(value * (1 - value) / max(clustered(influence, accounts), 1e-300), len(accounts))
    return Estimate(value, float(n), influence)


def median_cycle(histories: Histories, accounts: np.ndarray, *, day: int) -> Median:
    """Estimate the median days from opening to the end, won or lost (Kaplan and Meier 1958), open deals censored.

    The interval reads the curve at Wilson's ends of a share of one half (Woodruff 1952), its variance taken over accounts.
    """
    all_ends = closing(histories)
    curve = cumulative_incidence(all_ends, day=day)
    value = _days_until(curve, 0.5)
    if np.isnan(value):
        return Median(np.nan, np.nan, np.nan, np.zeros(len(accounts)))
    half = share_won(all_ends, accounts, day=day, horizon=int(value))
    n = max(half.effective_n, 1.0)
    if half.value < 1:  # the curve steps over one half: its doubt is that of the share it steps to
        n = min(0.25 / max(clustered(half.influence, accounts), 1e-300), len(accounts))
    low, high = (_days_until(curve, share) for share in wilson(n / 2, n, Z95))
    spread = (high - low) / 2 if np.isfinite(high) else value - low
    slope = 2 * np.sqrt(n) / Z95 * spread  # days by which the median moves for one unit of the share, by the same reading
    return Median(value, low, high, -half.influence * slope)


def clustered(influence: np.ndarray, accounts: np.ndarray) -> float:
    """Return the variance of what rows' influences add up to, rows of one account counted as one.

    >>> clustered(np.array([0.1, -0.1, 0.1, -0.1]), np.arange(4)), clustered(np.array([0.1, -0.1]), np.array([7, 7]))
    (0.04000000000000001, inf)
    """
    codes = np.unique(accounts, return_inverse=True)[1]
    by_account = np.bincount(codes, influence)
    m = len(by_account)
    if m == len(influence):
        return float((by_account**2).sum())
    return float((by_account**2).sum() * m / (m - 1)) if m > 1 else float("inf")


def _influence(histories: Histories, curve: Incidence, *, day: int, horizon: int) -> np.ndarray:
    """Return by how much each row moves the share won by the horizon: its derivative by the row's weight.

    With h and g the daily hazards of any end and of a win, Y at risk and S open before: the row's own win counts S / Y, being
    at risk takes S g / Y a day, and whatever it moves S by, it moves every later win by.
    """
    lasted, is_closed = _lasted(histories, day)
    keep = curve.days <= horizon
    days = curve.days[keep]
    if not len(days):
        return np.zeros(len(lasted))
    won, lost = (np.diff(np.r_[0.0, part[keep]]) for part in (curve.won, curve.lost))
    still_open = 1 - np.r_[0.0, (curve.won + curve.lost)[keep][:-1]]
    at_risk = len(lasted) - np.searchsorted(np.sort(lasted), days, side="left")
    hazard = (won + lost) / still_open
    left = np.where(hazard < 1, 1 - hazard, np.inf)  # once all have ended nothing moves any more
    moved = np.cumsum(hazard / at_risk / left)
    before = np.r_[0.0, moved[:-1]]
    at_day, share = np.cumsum(won / at_risk), np.cumsum(won)
    carried = np.cumsum(won * before)
    last = np.searchsorted(days, np.minimum(lasted, horizon), side="right")  # how many of the days it was at risk on
    own = np.searchsorted(days, lasted, side="left").clip(max=len(days) - 1)
    ended = is_closed & (lasted <= horizon)
    at_end = np.where(ended, 1 / (at_risk[own] * left[own]), 0.0)
    first = np.where(ended & histories.won, still_open[own] / at_risk[own], 0.0) - np.r_[0.0, at_day][last]
    later = (share[-1] - np.r_[0.0, share][last]) * (at_end - np.r_[0.0, moved][last])
    return first + np.r_[0.0, carried][last] - later


def _lasted(histories: Histories, day: int) -> tuple[np.ndarray, np.ndarray]:
    is_closed = histories.ended <= day
    return np.where(is_closed, histories.ended, day) - histories.observed, is_closed


def _days_until(curve: Incidence, share: float) -> float:
    reached = np.flatnonzero(curve.won >= share - 1e-12)
    return float(curve.days[reached[0]]) if len(reached) else float("nan")
