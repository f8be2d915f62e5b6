"""BG/NBD and Gamma-Gamma by maximum likelihood: a challenger where customers buy irregularly and never say goodbye.

How often and how long customers buy: Fader, Hardie and Lee (2005), "Counting your customers the easy way". How much they
spend: Fader and Hardie (2013), "The Gamma-Gamma model of monetary value".
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1
from sklearn.base import BaseEstimator

from winworth.errors import DataError
from winworth.models.endings import last_purchase
from winworth.models.purchases import Purchases, gap_moments, window_sum

LEAST_REPEATERS = 30  # customers who bought again, below which nothing is fitted
IRREGULAR = 0.6  # variation of gaps from which buying at random, as the model has it, is plausible
SANE = (1e-4, 1e4)  # parameters at these ends have run away


@dataclass(frozen=True)
class Buyers:
    """What the two models read of each customer: purchases after the first, when the last came, how long observed, spend.

    `recency` (first to last purchase) and `age` (first purchase to as-of date) are in one unit of time; `spend` is the
    mean margin of a purchase after the first, NaN where there is none or it is not positive.
    """

    repeats: np.ndarray
    recency: np.ndarray
    age: np.ndarray
    spend: np.ndarray


class BuyTillDie(BaseEstimator):
    """Learn purchase rates (r, alpha), the chance to leave after a purchase (a, b), and spend a purchase (p, q, gamma).

    `fallback_` is "" where both models stand, and says what was put in their place where parameters ran away or fewer
    than `LEAST_REPEATERS` customers bought again: the mean rate, or the mean spend, of all. Nothing predicted is NaN: a
    customer for whom the series of the model does not converge is given the mean rate too; `fit` counts them.
    """

    def fit(self, buyers: Buyers) -> "BuyTillDie":
        """Learn both models by maximum likelihood, from customers aged above 0."""
        if not len(buyers.age):
            raise DataError("BG/NBD was given no customers. Give a log with at least one purchase before the as-of date.")
        n_repeaters = int((buyers.repeats > 0).sum())
        reasons = []
        self.buying_, self.spending_ = _fit_buying(buyers), _fit_spending(buyers)
        self.mean_rate_ = float(buyers.repeats.sum() / max(buyers.age.sum(), 1e-9))
        self.mean_spend_ = _mean_spend(buyers)
        if n_repeaters < LEAST_REPEATERS or _ran_away(self.buying_):
            self.buying_ = None
            reasons.append(f"BG/NBD does not hold ({n_repeaters} of {len(buyers.age)} customers bought again): mean rate")
        if self.spending_ is None or _ran_away(self.spending_) or self.spending_[1] <= 1:
            self.spending_ = None
            reasons.append("Gamma-Gamma does not hold: mean spend")
        if n := int((~np.isfinite(self._series(buyers, float(buyers.age.mean())))).sum()):
            reasons.append(f"BG/NBD does not converge for {n} of {len(buyers.age)} customers: mean rate for those")
        self.fallback_ = "; ".join(reasons)
        return self

    def purchases(self, buyers: Buyers, time: float) -> np.ndarray:
        """Return the expected number of purchases in the coming `time`, in the unit of `age`."""
        expected = self._series(buyers, time)
        return np.maximum(np.where(np.isfinite(expected), expected, self.mean_rate_ * time), 0)

    def _series(self, buyers: Buyers, time: float) -> np.ndarray:
        """Return equation 10 of Fader, Hardie and Lee (2005), not finite where the hypergeometric series does not converge."""
        if self.buying_ is None:
            return np.full(len(buyers.age), self.mean_rate_ * time)
        r, alpha, a, b = self.buying_
        a = 1 + 1e-6 if abs(a - 1) < 1e-6 else a
        x, recency, age = buyers.repeats, buyers.recency, buyers.age
        with np.errstate(all="ignore"):
            series = hyp2f1(r + x, b + x, a + b + x - 1, time / (alpha + age + time))
            grown = 1 - ((alpha + age) / (alpha + age + time)) ** (r + x) * series
            gone = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + age) / (alpha + recency)) ** (r + x), 0)
            return (a + b + x - 1) / (a - 1) * grown / (1 + gone)

    def spend(self, buyers: Buyers) -> np.ndarray:
        """Return the expected margin of a coming purchase, shrunk towards that of all where few were made."""
        if self.spending_ is None:
            return np.full(len(buyers.age), self.mean_spend_)
        p, q, gamma = self.spending_
        x = np.where(np.isnan(buyers.spend), 0, buyers.repeats)
        return p * (gamma + x * np.nan_to_num(buyers.spend)) / (p * x + q - 1)

    def predict(self, buyers: Buyers, time: float) -> np.ndarray:
        """Return the expected margin of the coming `time`, undiscounted."""
        return self.purchases(buyers, time) * self.spend(buyers)


def buyers_of(purchases: Purchases) -> Buyers:
    """Return what the models read of all customers with a purchase, in log's order, in weeks."""
    starts, ends = purchases.starts(), purchases.position(0)
    n_days = window_sum(purchases.n_days, starts, ends)
    first = np.fmin.reduceat(np.append(purchases.first_day, np.nan), starts) if len(starts) else np.zeros(0)
    last, kept = last_purchase(purchases, 0), n_days > 0
    # a month's margin is shared out evenly over its days with a purchase: the first day's part is not a repeat's
    opening = np.divide(purchases.margin, purchases.n_days, out=np.zeros(len(purchases.margin)), where=purchases.n_days > 0)
    of_first = np.zeros(len(starts))
    rows = np.flatnonzero(purchases.n_days > 0)[::-1]
    of_first[purchases.of[rows]] = opening[rows]
    repeats = n_days - 1
    spend = (window_sum(purchases.margin, starts, ends) - of_first) / np.maximum(repeats, 1)
    spend = np.where((repeats > 0) & (spend > 0), spend, np.nan)
    weeks = ((last - first) / 7, (purchases.day_of(0) - first) / 7)
    return Buyers(repeats[kept], *(time[kept] for time in weeks), spend[kept])


def gap_variation(purchases: Purchases) -> float:
    """Return the coefficient of variation of gaps within accounts, over all with two gaps or more; NaN without any.

    It is the root of the pooled variance over the pooled squared mean, free of the bias that few gaps give to each: about 1
    where purchases fall at random, near 0 where they are billed.
    """
    starts, ends = purchases.starts(), purchases.position(0)
    n = window_sum(purchases.n_days, starts, ends) - 1
    mean, deviation = (part[n > 1] for part in gap_moments(purchases, ends))
    n = n[n > 1]
    variance = deviation**2 * n / np.maximum(n - 1, 1)
    squared = (mean**2 - variance / np.maximum(n, 1)).sum()
    return float(np.sqrt(variance.sum() / squared)) if squared > 0 else float("nan")


def expected_margin(purchases: Purchases, *, weeks: float) -> tuple[np.ndarray, str]:
    """Return what each account of the log is expected to bring in the coming weeks, undiscounted, and what fell back.

    Accounts that never bought bring 0.
    """
    buyers = buyers_of(purchases)
    model = BuyTillDie().fit(buyers)
    value = np.zeros(len(purchases.accounts))
    value[np.bincount(purchases.of, purchases.n_days, minlength=len(value)) > 0] = model.predict(buyers, weeks)
    return value, model.fallback_


def _fit_buying(buyers: Buyers) -> tuple[float, ...] | None:
    """Return r, alpha, a, b; customers alike are counted, not repeated."""
    unit = max(float(buyers.age.mean()), 1e-9)  # likelihoods are flat where time is in large numbers
    rows = np.column_stack([buyers.repeats, buyers.recency / unit, buyers.age / unit])
    (x, recency, age), n = (part.T for part in np.unique(rows, axis=0, return_counts=True))

    def loss(logs: np.ndarray) -> float:
        r, alpha, a, b = np.exp(logs)
        stays = betaln(a, b + x) - (r + x) * np.log(alpha + age)
        leaves = np.where(x > 0, betaln(a + 1, b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + recency), -np.inf)
        each = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b) + np.logaddexp(stays, leaves)
        return -float(n @ each) / n.sum()

    found = _minimum(loss, n_parameters=4)
    return None if found is None else (found[0], found[1] * unit, found[2], found[3])


def _fit_spending(buyers: Buyers) -> tuple[float, ...] | None:
    """Return p, q, gamma, from customers whose mean spend is positive."""
    known = (buyers.repeats > 0) & (buyers.spend > 0)
    if known.sum() < LEAST_REPEATERS:
        return None
    unit = float(buyers.spend[known].mean())
    x, spend = buyers.repeats[known], buyers.spend[known] / unit

    def loss(logs: np.ndarray) -> float:
        p, q, gamma = np.exp(logs)
        each = -betaln(p * x, q) + q * np.log(gamma) + (p * x - 1) * np.log(spend) + p * x * np.log(x)
        return -float(np.mean(each - (p * x + q) * np.log(gamma + x * spend)))

    found = _minimum(loss, n_parameters=3)
    return None if found is None else (found[0], found[1], found[2] * unit)


def _minimum(loss: object, *, n_parameters: int) -> tuple[float, ...] | None:
    """Return the parameters (all positive) of least loss over three starts; None where no start ends at a finite one."""
    with np.errstate(all="ignore"):
        starts = [np.full(n_parameters, at) for at in (0.0, -1.0, 1.0)]
        ends = [minimize(loss, start, method="L-BFGS-B", bounds=[(-12, 12)] * n_parameters) for start in starts]
    ends = [end for end in ends if np.isfinite(end.fun)]
    return tuple(np.exp(min(ends, key=lambda end: end.fun).x).tolist()) if ends else None


def _ran_away(parameters: tuple[float, ...] | None) -> bool:
    return parameters is None or not all(SANE[0] < p < SANE[1] for p in parameters)


def _mean_spend(buyers: Buyers) -> float:
    known = buyers.spend > 0
    return float(np.average(buyers.spend[known], weights=np.maximum(buyers.repeats[known], 1))) if known.any() else 0.0
