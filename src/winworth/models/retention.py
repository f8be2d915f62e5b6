"""What a customer is still worth: the chance that it stays, times the margin it then brings, window by window."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from winworth.errors import ConfigError, DataError
from winworth.models.ahead import Ahead, fit_ahead, still_customer
from winworth.models.cqr import RatioInterval, fit_interval
from winworth.models.endings import Endings, by_contract, by_purchases, by_silence
from winworth.models.folds import GroupedFolds
from winworth.models.landmarks import States, Windows, look_ahead, states_at, windows_of
from winworth.models.matrix import FeatureMatrix
from winworth.models.purchases import Purchases, net_purchases

LEAST_CUSTOMERS = 30  # seen for a window after a landmark, below which nothing can be learnt
LEAST_LEFT = 100  # customers known to have left by their silence, below which only what they buy counts
MOST_ROWS = 250_000  # windows learnt from; with more, a part of the accounts is drawn
CHUNK = 20_000  # customers predicted at a time
N_FOLDS = 3
RATIO = (0.5, 2.0)  # within which the balance ratio is held


class CustomerValue(BaseEstimator):
    """Learn the discounted margin that customers bring over `months` after the as-of date, from an invoice log alone.

    Value is the sum over windows of `step_months` of P(still a customer) x margin while one x discount at `yearly_rate`,
    learnt from about a dozen earlier as-of dates (landmarks; van Houwelingen 2007), each with all windows seen whole since.
    A customer leaves when its contract ends, where `contract_ends` are given; else when it has been silent for longer than
    the 95 % point of its own gaps and `least_silence_months`; where fewer than `LEAST_LEFT` are known to have left so
    (a short log), it never leaves and may buy nothing: `basis_` says "contract", "silence" or "purchases".

    `balance_` is observed over predicted margin out of fold, held within 0.5-2, and multiplies all values. `n_negative_`
    counts windows whose credit notes exceed their invoices, learnt as 0. `unit_` is the money that a common month brings.
    `interval_months_` is the longest horizon on which intervals were calibrated (0: there are none, and they are NaN);
    beyond it they are carried over.
    """

    def __init__(
        self,
        months: int = 24,
        yearly_rate: float = 0.1,
        step_months: int = 3,
        least_silence_months: float = 6.0,
        seed: int = 0,
        threads: int = 2,
    ):
        self.months = months
        self.yearly_rate = yearly_rate
        self.step_months = step_months
        self.least_silence_months = least_silence_months
        self.seed = seed
        self.threads = threads

    def fit(
        self,
        log: pd.DataFrame,
        *,
        as_of: date,
        accounts: pd.DataFrame | None = None,
        contract_ends: pd.Series | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> "CustomerValue":
        """Learn from what the log tells up to the as-of date.

        `log` is read as in `net_purchases`. `accounts` has features by account_id (missing where an account has no row),
        known on every day of the log; `contract_ends` the end of each account's contract, NaT where it runs.
        """
        self._check()
        purchases = net_purchases(log, as_of=as_of, sample_weight=sample_weight)
        self.unit_ = _unit(purchases)
        self.matrix_ = None if accounts is None else FeatureMatrix().fit(accounts.reindex(purchases.accounts))
        facts = self._facts(purchases, accounts)
        endings = self._endings(purchases, contract_ends)
        self.basis_ = endings.basis
        windows = self._windows(purchases, endings, facts)
        self._learn(windows)
        return self

    def predict(
        self,
        log: pd.DataFrame,
        *,
        as_of: date,
        accounts: pd.DataFrame | None = None,
        contract_ends: pd.Series | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> pd.DataFrame:
        """Return account_id, value, low and high (an 80 % interval): what each account of the log brings from `as_of` on.

        An account whose contract has ended, or that never bought, is worth 0.
        """
        purchases = net_purchases(log, as_of=as_of, sample_weight=sample_weight)
        n = len(purchases.accounts)
        value = self._remainder(purchases, (accounts, contract_ends), np.full(n, float(self.months)), np.zeros(n))
        return pd.DataFrame(dict(zip(("account_id", "value", "low", "high"), (purchases.accounts, *value), strict=True)))

    def complete(
        self,
        log: pd.DataFrame,
        *,
        as_of: date,
        accounts: pd.DataFrame | None = None,
        contract_ends: pd.Series | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> pd.DataFrame:
        """Return what each account brings in the `months` that begin with that of its first purchase, seen or still to come.

        Columns: account_id, months_left (of the horizon, after the as-of date), observed, remainder, total = observed +
        remainder, low and high (of the total). All is discounted to the first month.
        """
        purchases = net_purchases(log, as_of=as_of, sample_weight=sample_weight)
        age, observed = self._observed(purchases)
        left = np.maximum(self.months - age, 0.0)
        value, low, high = self._remainder(purchases, (accounts, contract_ends), left, age)
        columns = {"account_id": purchases.accounts, "months_left": left.astype(int), "observed": observed, "remainder": value}
        return pd.DataFrame(columns | {"total": observed + value, "low": observed + low, "high": observed + high})

    def _check(self) -> None:
        if not (self.months >= 1 and self.step_months >= 1 and self.yearly_rate > -1 and self.least_silence_months > 0):
            raise ConfigError(
                f"CustomerValue got months={self.months}, step_months={self.step_months}, yearly_rate={self.yearly_rate}, "
                f"least_silence_months={self.least_silence_months}. Give at least 1 month each, and a rate above -1."
            )

    def _facts(self, purchases: Purchases, accounts: pd.DataFrame | None) -> np.ndarray:
        if (accounts is None) != (self.matrix_ is None):
            raise ConfigError("Account features must be given to fit and to predict alike, or to neither.")
        if accounts is None:
            return np.empty((len(purchases.accounts), 0))
        return self.matrix_.transform(accounts.reindex(purchases.accounts))

    def _endings(self, purchases: Purchases, contract_ends: pd.Series | None) -> Endings:
        if contract_ends is not None:
            return by_contract(purchases, contract_ends)
        silence = by_silence(purchases, least_months=self.least_silence_months)
        return silence if np.isfinite(silence.day).sum() >= LEAST_LEFT else by_purchases(purchases)

    def _n_ahead(self) -> int:
        return -(-self.months // self.step_months)

    def _windows(self, purchases: Purchases, endings: Endings, facts: np.ndarray) -> Windows:
        windows = windows_of(purchases, endings, unit=self.unit_, step=self.step_months, most_ahead=self._n_ahead())
        n = len(np.unique(windows.account))
        if n < LEAST_CUSTOMERS:
            raise DataError(
                f"{n} customers of {len(purchases.accounts)} accounts in the log were followed for {self.step_months} months; "
                f"{LEAST_CUSTOMERS} are needed. Give a longer log, or set a shorter step_months."
            )
        return replace(windows, X=np.hstack([windows.X, facts[windows.account]]))

    def _learn(self, windows: Windows) -> None:
        options = {"step": self.step_months, "seed": self.seed, "threads": self.threads}
        expected = np.empty(len(windows.account))
        for train, test in GroupedFolds(N_FOLDS, self.seed).split(None, None, windows.account):
            expected[test] = _expected(fit_ahead(windows, train, **options), windows, test)
        self.ahead_ = fit_ahead(windows, np.arange(len(expected)), **options)
        came = windows.ahead > 0
        self.n_negative_ = int((windows.margin < 0).sum())
        total = expected[came].sum()
        self.balance_ = float(np.clip(windows.margin[came].sum() / total, *RATIO)) if total > 0 else 1.0
        self._learn_interval(windows, expected * self.balance_)

    def _learn_interval(self, windows: Windows, expected: np.ndarray) -> None:
        first = windows.ahead == windows.ahead.min(initial=1)
        weight = self._discount(windows.ahead, np.zeros(len(first)))
        came, wanted = (_running(x * weight * (windows.ahead > 0), first) for x in (windows.margin, expected))
        rows = np.flatnonzero((windows.ahead > 0) & (wanted > 1e-9))
        ends = windows.month[rows] + windows.ahead[rows] * self.step_months
        ratio = np.round(np.maximum(came[rows], 0) / wanted[rows], 6)
        options = {"seed": self.seed, "threads": self.threads}
        self.interval_ = fit_interval(windows.X[rows], ratio, ends > -self.step_months, **options)
        self.interval_months_ = int(windows.ahead.max(initial=0)) * self.step_months if self.interval_ else 0

    def _observed(self, purchases: Purchases) -> tuple[np.ndarray, np.ndarray]:
        """Return the months begun since each account's first purchase, and what it brought within the horizon."""
        first = np.full(len(purchases.accounts), 1)
        np.minimum.at(first, purchases.of[purchases.n_days > 0], purchases.month[purchases.n_days > 0])
        since = purchases.month - first[purchases.of]
        within = (since >= 0) & (since < self.months)
        worth = purchases.margin * within * (1 + self.yearly_rate) ** (-np.maximum(since + 0.5, 0) / 12)
        return 1.0 - first, np.bincount(purchases.of, worth, minlength=len(first))

    def _remainder(
        self, purchases: Purchases, known: tuple[pd.DataFrame | None, pd.Series | None], left: np.ndarray, age: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what each account brings in the months left to it, discounted to `age` months ago, and its interval."""
        if (self.basis_ == "contract") != (known[1] is not None):
            raise ConfigError("contract_ends must be given to fit and to predict alike, or to neither.")
        facts = self._facts(purchases, known[0])
        states = states_at(purchases, 0, unit=self.unit_)
        stays = left[states.account] > 0
        if self.basis_ == "contract":
            stays &= ~np.isfinite(by_contract(purchases, known[1]).day[states.account])
        rows = np.flatnonzero(stays)
        value, low, high = (np.zeros(len(left)) for _ in range(3))
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            part = States(states.account[some], states.X[some], states.rate[some])
            at = part.account
            value[at], low[at], high[at] = self._price(part, facts[at], left[at], age[at])
        return value, low, high

    def _price(self, states: States, facts: np.ndarray, left: np.ndarray, age: np.ndarray) -> tuple[np.ndarray, ...]:
        n, ahead = len(left), np.arange(0 if self.basis_ == "silence" else 1, self._n_ahead() + 1)
        of, ahead = np.repeat(np.arange(n), len(ahead)), np.tile(ahead, n)
        every = States(states.account[of], states.X[of], states.rate[of])
        X = np.hstack([look_ahead(every, ahead, step=self.step_months), facts[of]])
        expected = _chance_times_margin(self.ahead_, X, every.rate, ahead)
        whole = np.clip(left[of] / self.step_months - (ahead - 1), 0, 1) * (ahead > 0)
        worth = expected * whole * self._discount(ahead, age[of])
        value = np.bincount(of, worth, minlength=n) * self.balance_ * self.unit_
        if self.interval_ is None:
            return value, np.full(n, np.nan), np.full(n, np.nan)
        at_end = np.hstack([look_ahead(states, left / self.step_months, step=self.step_months), facts])
        low, high = self.interval_.ends(at_end)
        return value, value * low, value * high

    def _discount(self, ahead: np.ndarray, age: np.ndarray) -> np.ndarray:
        middle = age + np.maximum(ahead - 0.5, 0) * self.step_months
        return (1 + self.yearly_rate) ** (-middle / 12)


def _unit(purchases: Purchases) -> float:
    """Return the median margin of months that earned anything; 1 where none did."""
    earned = purchases.margin[purchases.margin > 0]
    return float(np.median(earned)) if len(earned) else 1.0


def _expected(ahead: Ahead, windows: Windows, rows: np.ndarray) -> np.ndarray:
    return _chance_times_margin(ahead, windows.X[rows], windows.rate[rows], windows.ahead[rows])


def _chance_times_margin(model: Ahead, X: np.ndarray, rate: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Return what each window is expected to bring; rows of one customer and landmark follow on from the first window."""
    stays = still_customer(model.hazard(X), ahead == ahead.min(initial=1))
    return stays * model.margin(X, rate)


def _running(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the running sum of each customer's windows at a landmark."""
    sums = np.cumsum(values)
    start = (sums - values)[first]
    return sums - start[np.cumsum(first) - 1]
