"""What a customer is still worth: the chance that it stays, times the margin it then brings, window by window."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from winworth.errors import ConfigError, DataError, listed
from winworth.models.endings import Endings, by_contract, by_purchases, by_silence
from winworth.models.landmarks import States, Windows, n_windows, states_at, windows_of
from winworth.models.matrix import FeatureMatrix
from winworth.models.outlook import Outlook, Terms, learn_outlook
from winworth.models.purchases import Purchases, net_purchases

LEAST_CUSTOMERS = 30  # seen for a window after a landmark, below which nothing can be learnt
LEAST_LEFT = 100  # customers known to have left by their silence, below which only what they buy counts
MOST_ROWS = 400_000  # windows learnt from; with more, a part of the accounts is drawn
CHUNK = 20_000  # customers priced at a time


@dataclass(frozen=True)
class Known:
    """What the as-of date knows: the netted log, and each account's features and end of contract where they are given."""

    purchases: Purchases
    accounts: pd.DataFrame | None
    contract_ends: pd.Series | None


class CustomerValue(BaseEstimator):
    """Learn the discounted margin that customers bring over `months` after the as-of date, from an invoice log alone.

    Value is the sum over windows of `step_months` of P(still a customer) x margin while one x discount at `yearly_rate`,
    learnt from about a dozen earlier as-of dates (landmarks; van Houwelingen 2007), each with all windows seen whole since.
    `basis_` says how a customer leaves: by "contract", when it ends, where `contract_ends` are given; by "silence", where
    `least_silence_months` is set (6 suits invoices) and it has been silent for longer than that and the 95 % point of its
    own gaps; else, or where the log is shorter than `months` and that silence or tells of fewer than `LEAST_LEFT` who left
    so, by "purchases": it never leaves, and may buy nothing, which is learnt as it is.

    `balance_` is observed over predicted margin out of fold, held within 0.5-2, and multiplies all values. `n_negative_`
    counts windows whose credit notes exceed their invoices, learnt as 0. `unit_` is the money that a common month brings.
    `interval_months_` is the longest horizon on which intervals were calibrated (0: there are none, and they are NaN);
    beyond it they are carried over.

    >>> months = pd.date_range("2023-01-01", "2025-12-01", freq="MS")
    >>> log = pd.DataFrame({"account_id": np.repeat(range(40), 36), "billed_on": np.tile(months, 40), "amount": 100.0})
    >>> model = CustomerValue(months=12, yearly_rate=0.0).fit(log, as_of=date(2025, 12, 31))
    >>> model.predict(log, as_of=date(2025, 12, 31)).round({"value": -2, "low": -2, "high": -2}).head(2)
       account_id   value     low    high
    0           0  1200.0  1200.0  1200.0
    1           1  1200.0  1200.0  1200.0
    """

    def __init__(
        self,
        months: int = 24,
        yearly_rate: float = 0.1,
        step_months: int = 3,
        least_silence_months: float | None = None,
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
        known = self._known(net_purchases(log, as_of=as_of, sample_weight=sample_weight), accounts, contract_ends)
        purchases = known.purchases
        self.unit_ = _unit(purchases)
        self.matrix_ = None if accounts is None else FeatureMatrix().fit(accounts.reindex(purchases.accounts))
        kept = self._drawn(purchases)
        drawn, facts = purchases.of_accounts(kept), self._facts(known)[kept]
        endings = self._endings(drawn, contract_ends)
        self.basis_ = endings.basis
        windows = self._windows(drawn, endings, facts)
        self.n_negative_ = int((windows.margin < 0).sum())
        self.outlook_ = learn_outlook(windows, self._terms(), seed=self.seed, threads=self.threads)
        self.balance_, self.interval_months_ = self.outlook_.balance, self.outlook_.interval_months
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
        known = self._known(net_purchases(log, as_of=as_of, sample_weight=sample_weight), accounts, contract_ends)
        ids = known.purchases.accounts
        value, low, high = self._remainder(known, np.full(len(ids), float(self.months)))
        return pd.DataFrame({"account_id": ids, "value": value, "low": low, "high": high})

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
        known = self._known(net_purchases(log, as_of=as_of, sample_weight=sample_weight), accounts, contract_ends)
        age, observed = self._observed(known.purchases)
        left = np.maximum(self.months - age, 0.0)
        value, low, high = (part * self._terms().discount(age) for part in self._remainder(known, left))
        columns = {"account_id": known.purchases.accounts, "months_left": left.astype(int), "observed": observed}
        columns |= {"remainder": value, "total": observed + value, "low": observed + low, "high": observed + high}
        return pd.DataFrame(columns)

    def to_files(self, name: str) -> dict[str, object]:
        """Return what the model learnt, by file name: JSON-ready, and LightGBM's text."""
        check_is_fitted(self)
        learnt = {
            "params": {name: value for name, value in self.get_params().items() if name != "threads"},
            "unit": self.unit_,
            "basis": self.basis_,
            "n_negative": self.n_negative_,
            "matrix": None if self.matrix_ is None else self.matrix_.to_dict(),
        }
        return {f"{name}.json": learnt} | self.outlook_.to_files(f"{name}_outlook")

    @classmethod
    def from_files(cls, files: Mapping[str, object], name: str) -> "CustomerValue":
        """Rebuild what `to_files` wrote under a name, ready to predict; the caller has verified the files' hashes."""
        learnt = files[f"{name}.json"]
        model = cls(**learnt["params"])
        model.unit_, model.basis_, model.n_negative_ = learnt["unit"], learnt["basis"], learnt["n_negative"]
        model.matrix_ = None if learnt["matrix"] is None else FeatureMatrix.from_dict(learnt["matrix"])
        model.outlook_ = Outlook.from_files(files, f"{name}_outlook")
        model.balance_, model.interval_months_ = model.outlook_.balance, model.outlook_.interval_months
        return model

    def _terms(self) -> Terms:
        return Terms(self.months, self.yearly_rate, self.step_months)

    def _known(self, purchases: Purchases, accounts: pd.DataFrame | None, contract_ends: pd.Series | None) -> Known:
        silence = self.least_silence_months
        if min(self.months, self.step_months) < 1 or self.yearly_rate <= -1 or (silence is not None and silence <= 0):
            raise ConfigError(
                f"CustomerValue got months={self.months}, step_months={self.step_months}, yearly_rate={self.yearly_rate} and "
                f"least_silence_months={silence}. Give at least 1 month each, a rate above -1, and a silence above 0 or None."
            )
        if accounts is not None and (twice := accounts.index[accounts.index.duplicated()].tolist()):
            raise DataError(f"accounts names {len(twice)} accounts twice: {listed(twice)}. Keep one row an account.")
        return Known(purchases, accounts, contract_ends)

    def _facts(self, known: Known) -> np.ndarray:
        if (known.accounts is None) != (self.matrix_ is None):
            raise ConfigError("Account features must be given to fit and to predict alike, or to neither.")
        if self.matrix_ is None:
            return np.empty((len(known.purchases.accounts), 0))
        return self.matrix_.transform(known.accounts.reindex(known.purchases.accounts))

    def _drawn(self, purchases: Purchases) -> np.ndarray:
        """Draw as many accounts as `MOST_ROWS` windows allow, by their sorted ids."""
        n_each = n_windows(purchases, step=self.step_months, most_ahead=self._terms().n_ahead)
        order = np.random.default_rng(self.seed).permutation(len(purchases.accounts))
        return np.sort(order[: MOST_ROWS // max(n_each, 1)])

    def _endings(self, purchases: Purchases, contract_ends: pd.Series | None) -> Endings:
        if contract_ends is not None:
            return by_contract(purchases, contract_ends)
        n_months = 1 - int(purchases.month.min(initial=1))
        if self.least_silence_months is None or n_months < self.months + self.least_silence_months:
            return by_purchases(purchases)
        silence = by_silence(purchases, least_months=self.least_silence_months)
        return silence if np.isfinite(silence.day).sum() >= LEAST_LEFT else by_purchases(purchases)

    def _windows(self, purchases: Purchases, endings: Endings, facts: np.ndarray) -> Windows:
        windows = windows_of(purchases, endings, unit=self.unit_, step=self.step_months, most_ahead=self._terms().n_ahead)
        n = len(np.unique(windows.account))
        if n < LEAST_CUSTOMERS:
            raise DataError(
                f"{n} customers of {len(purchases.accounts)} accounts in the log were followed for {self.step_months} months; "
                f"{LEAST_CUSTOMERS} are needed. Give a longer log, or set a shorter step_months."
            )
        return replace(windows, X=np.hstack([windows.X, facts[windows.account]]))

    def _observed(self, purchases: Purchases) -> tuple[np.ndarray, np.ndarray]:
        """Return the months begun since each account's first purchase, and what it brought within the horizon."""
        first = np.full(len(purchases.accounts), 1)
        bought = purchases.n_days > 0
        np.minimum.at(first, purchases.of[bought], purchases.month[bought])
        since = purchases.month - first[purchases.of]
        within = (since >= 0) & (since < self.months)
        worth = np.where(within, purchases.margin * self._terms().discount(since + 0.5), 0.0)
        return 1.0 - first, np.bincount(purchases.of, worth, minlength=len(first))

    def _remainder(self, known: Known, left: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what each account brings in the months left to it, discounted to the as-of date, and its interval."""
        check_is_fitted(self)
        if (self.basis_ == "contract") != (known.contract_ends is not None):
            raise ConfigError("contract_ends must be given to fit and to predict alike, or to neither.")
        facts, states = self._facts(known), states_at(known.purchases, 0, unit=self.unit_)
        stays = left[states.account] > 0
        if known.contract_ends is not None:
            stays &= ~np.isfinite(by_contract(known.purchases, known.contract_ends).day[states.account])
        rows = np.flatnonzero(stays)
        worth = np.zeros((3, len(left)))
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            part = States(states.account[some], states.X[some], states.rate[some])
            worth[:, part.account] = self.outlook_.price(part, facts[part.account], left[part.account])
        return tuple(worth * self.unit_)


def _unit(purchases: Purchases) -> float:
    """Return the median margin of months that earned anything; 1 where none did."""
    earned = purchases.margin[purchases.margin > 0]
    return float(np.median(earned)) if len(earned) else 1.0
