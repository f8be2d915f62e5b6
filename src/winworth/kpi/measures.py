"""Rows of facts -> a figure with its 95 % interval, its counts, and what it is made of."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import chi2

from winworth.kpi.survival import OPEN, clustered, median_cycle, share_won
from winworth.models.censoring import Histories
from winworth.models.shares import Z95, effective_n, wilson

LEAST = 10  # rows below which a figure is hidden
NAN = float("nan")
HIDDEN, UNKNOWN, IMMATURE = "n<10", "n/a", "too early"


@dataclass(frozen=True)
class Measured:
    """A figure, its interval, and `n` rows behind it; `effective_n` is how many separate ones would tell a share as surely.

    `mark` is empty where the figure is shown, else why not: n<10, n/a (what it needs is not there) or too early.
    """

    n: int
    value: float = NAN
    low: float = NAN
    high: float = NAN
    numerator: float = NAN
    denominator: float = NAN
    effective_n: float = NAN
    mark: str = ""


@dataclass(frozen=True)
class Terms:
    """What measuring needs beside rows: days within which outcomes count, and how means are drawn anew."""

    horizon: int
    seed: int
    n_boot: int


def hidden(measured: Measured) -> Measured:
    """Hide a figure that fewer than ten rows are behind; the rows are still counted."""
    if measured.n >= LEAST:
        return measured
    return replace(Measured(measured.n), mark=measured.mark or HIDDEN)


def share(rows: pd.DataFrame, terms: Terms) -> Measured:
    """Measure the share of rows whose `case` is 1: Wilson's interval, rows of one account counted for what they tell."""
    cases, accounts = rows["case"].to_numpy(dtype=float), rows["account_id"].to_numpy()
    n, found = len(cases), float(cases.sum())
    if n == 0:
        return Measured(0)
    told = float(n) if len(np.unique(accounts)) == n else effective_n(cases, accounts)
    return Measured(n, found / n, *_wilson(found / n, told), found, float(n), told)


def won_in_time(rows: pd.DataFrame, terms: Terms) -> Measured:
    """Measure the share won within the horizon of rows by `opened`, `ended`, `won` and the `day` they are known on.

    Too early where fewer than ten of them could be followed for the horizon and others are still open.
    """
    n = len(rows)
    if n == 0:
        return Measured(0)
    histories, day = histories_of(rows)
    is_won = histories.won & (histories.ended - histories.observed <= terms.horizon)
    counts = {"numerator": float(is_won.sum()), "denominator": float(n)}
    if not is_mature(histories, day=day, horizon=terms.horizon):
        return Measured(n, **counts, mark=IMMATURE)
    told = share_won(histories, rows["account_id"].to_numpy(), day=day, horizon=terms.horizon)
    ends = _wilson(told.value, told.effective_n)
    return Measured(n, told.value, *ends, effective_n=told.effective_n, **counts)


def cycle(rows: pd.DataFrame, terms: Terms) -> Measured:
    """Measure the median days from opening to the end, won or lost; too early where half have not ended."""
    n = len(rows)
    if n == 0:
        return Measured(0)
    histories, day = histories_of(rows)
    told = median_cycle(histories, rows["account_id"].to_numpy(), day=day)
    n_ended = float((histories.ended <= day).sum())
    return Measured(n, told.value, told.low, told.high, n_ended, float(n), mark=IMMATURE if np.isnan(told.value) else "")


def mean(rows: pd.DataFrame, terms: Terms) -> Measured:
    """Measure the mean `amount`; whole accounts are drawn anew for its interval."""
    return ratio(rows.assign(part=rows["amount"], whole=1.0), terms)


def ratio(rows: pd.DataFrame, terms: Terms) -> Measured:
    """Measure the sum of `part` over the sum of `whole`; whole accounts are drawn anew for its interval."""
    part, base = (rows[name].to_numpy(dtype=float) for name in ("part", "whole"))
    if base.sum() <= 0:
        return Measured(len(rows), mark=UNKNOWN if len(rows) else "")
    codes = np.unique(rows["account_id"].to_numpy(), return_inverse=True)[1]
    tops, bottoms = np.bincount(codes, part), np.bincount(codes, base)

    def measure(times: np.ndarray) -> np.ndarray:
        below = times @ bottoms
        return np.divide(times @ tops, below, out=np.full(len(times), np.nan), where=below > 0)

    ends = drawn_anew(measure, len(tops), terms) if part.any() else (NAN, NAN)  # draws of nothing cannot tell how little
    return Measured(len(rows), float(part.sum() / base.sum()), *ends, float(part.sum()), float(base.sum()))


def median(rows: pd.DataFrame, terms: Terms) -> Measured:
    """Measure the median `amount` (the lower of two middle ones); whole accounts are drawn anew for its interval."""
    rows = rows.sort_values("amount", kind="stable")
    amount = rows["amount"].to_numpy(dtype=float)
    if not len(amount):
        return Measured(0)
    codes = np.unique(rows["account_id"].to_numpy(), return_inverse=True)[1]

    def measure(times: np.ndarray) -> np.ndarray:
        reached = np.cumsum(times[:, codes], axis=1)
        return amount[(reached >= reached[:, -1:] / 2).argmax(axis=1)]

    ends = drawn_anew(measure, codes.max() + 1, terms)
    middle = float(measure(np.ones((1, codes.max() + 1)))[0])
    return Measured(len(amount), middle, *ends, float(amount.sum()), float(len(amount)))


def top_share(rows: pd.DataFrame, terms: Terms) -> Measured:
    """Measure the largest amount's share of all; it has no interval, as a draw never holds a larger one than was seen."""
    amount = rows["amount"].to_numpy(dtype=float)
    if not len(amount):
        return Measured(0)
    top, total = float(amount.max()), float(amount.sum())
    return Measured(len(amount), top / total, numerator=top, denominator=total)


def cost_each(rows: pd.DataFrame, cost: float) -> Measured:
    """Measure a cost by each of the rows, the cost as it is and their number as a Poisson count (Garwood 1936)."""
    n = len(rows)
    if np.isnan(cost) or n == 0:
        return Measured(n, numerator=cost, denominator=float(n), mark=UNKNOWN if np.isnan(cost) else "")
    most, least = chi2.ppf(0.975, 2 * n + 2) / 2, chi2.ppf(0.025, 2 * n) / 2
    return Measured(n, cost / n, cost / most, cost / least, cost, float(n))


def velocity(rows: pd.DataFrame, terms: Terms) -> Measured:
    """Measure open deals x win rate x mean won amount / cycle, in money a day, with a delta-method interval on its log.

    Rows are those of `facts.moving_deals`: win rate and cycle are of `is_cohort`, the basket of those with an amount.
    The number of open deals is counted, not estimated. `n` is the number of won amounts; each row's influence on the log is
    that of its three factors together, added up by account.
    """
    amount, is_cohort = rows["amount"].to_numpy(dtype=float), rows["is_cohort"].to_numpy(dtype=bool)
    is_paid, n_open = ~np.isnan(amount), float(rows["is_open"].sum())
    n = int(is_paid.sum())
    if n < LEAST or not is_cohort.any():
        return Measured(n)
    histories, day = histories_of(rows[is_cohort])
    accounts = rows.loc[is_cohort, "account_id"].to_numpy()
    days = median_cycle(histories, accounts, day=day)
    if not is_mature(histories, day=day, horizon=terms.horizon) or not days.value > 0:
        return Measured(n, mark=IMMATURE)
    won = share_won(histories, accounts, day=day, horizon=terms.horizon)
    basket = amount[is_paid].mean()
    top = n_open * won.value * basket
    if top <= 0:
        return Measured(n, 0.0, numerator=0.0, denominator=days.value)
    influence = np.where(is_paid, (np.nan_to_num(amount) - basket) / (n * basket), 0.0)
    influence[is_cohort] += won.influence / won.value - days.influence / days.value
    error = np.exp(Z95 * np.sqrt(clustered(influence, rows["account_id"].to_numpy())))
    value = top / days.value
    return Measured(n, value, value / error, value * error, top, days.value)


def drawn_anew(measure: Callable[[np.ndarray], np.ndarray], n_accounts: int, terms: Terms) -> tuple[float, float]:
    """Return the 95 % percentile interval of what is measured from how often each account is drawn, one row a draw."""
    if n_accounts < 2:
        return NAN, NAN
    rng = np.random.default_rng(terms.seed)
    drawn = measure(rng.multinomial(n_accounts, np.full(n_accounts, 1 / n_accounts), size=terms.n_boot))
    drawn = drawn[np.isfinite(drawn)]
    return tuple(float(end) for end in np.quantile(drawn, [0.025, 0.975])) if len(drawn) else (NAN, NAN)


def histories_of(rows: pd.DataFrame) -> tuple[Histories, int]:
    """Return rows as histories, and the day they are known on."""
    opened, ended = (rows[name].to_numpy(dtype=np.int64) for name in ("opened", "ended"))
    return Histories(opened, ended, rows["won"].to_numpy(dtype=bool)), int(rows["day"].iloc[0])


def is_mature(histories: Histories, *, day: int, horizon: int) -> bool:
    """Tell whether ten rows or more could be followed for the horizon, or none is open any more."""
    return bool((day - histories.observed >= horizon).sum() >= LEAST or (histories.ended <= min(day, OPEN)).all())


def _wilson(share: float, n: float) -> tuple[float, float]:
    """Return Wilson's interval, which holds the share to the last digit."""
    low, high = wilson(share * n, n, Z95)
    return min(low, share), max(high, share)
