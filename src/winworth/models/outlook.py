"""What customers are expected to bring in the months to come: learnt out of fold, balanced, priced and bounded."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from winworth.models.ahead import Ahead, fit_ahead, still_customer
from winworth.models.cqr import RatioInterval, Ratios, fit_interval
from winworth.models.folds import GroupedFolds
from winworth.models.landmarks import States, Windows, look_ahead

N_FOLDS = 3
RATIO = (0.5, 2.0)  # within which the balance ratio is held


@dataclass(frozen=True)
class Terms:
    """What a value means: the months it counts, the yearly rate of discount, and the months of one window."""

    months: int
    yearly_rate: float
    step: int

    @property
    def n_ahead(self) -> int:
        """How many windows cover the months."""
        return -(-self.months // self.step)

    def discount(self, months: np.ndarray) -> np.ndarray:
        """Return what money so many months ahead is worth."""
        return (1 + self.yearly_rate) ** (-np.asarray(months, dtype=float) / 12)

    def discount_ahead(self, ahead: np.ndarray) -> np.ndarray:
        """Return what money in the middle of a window ahead is worth."""
        return self.discount(np.maximum(ahead - 0.5, 0) * self.step)


@dataclass(frozen=True)
class Outlook:
    """Survival and margin ahead in units of money, the ratio that balances them, and the interval around them.

    `interval` is None where there was too little to calibrate it on; `interval_months` is the longest horizon that was
    calibrated. `first` is the first window that has a hazard: 0 where a customer may have left without a word.
    """

    terms: Terms
    ahead: Ahead
    interval: RatioInterval | None
    interval_months: int
    balance: float
    first: int

    def price(self, states: States, facts: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what each customer brings in the months left to it, in units, discounted to today, and the 80 % interval."""
        n, terms = len(left), self.terms
        windows = np.arange(self.first, terms.n_ahead + 1)
        of, ahead = np.repeat(np.arange(n), len(windows)), np.tile(windows, n)
        every = States(states.account[of], states.X[of], states.rate[of])
        X = np.hstack([look_ahead(every, ahead, step=terms.step), facts[of]])
        part = np.clip(left[of] / terms.step - (ahead - 1), 0, 1) * (ahead > 0)
        worth = _expected(self.ahead, X, every.rate, ahead) * part * terms.discount_ahead(ahead)
        value = np.bincount(of, worth, minlength=n) * self.balance
        if self.interval is None:
            return value, np.full(n, np.nan), np.full(n, np.nan)
        whole = np.hstack([look_ahead(states, left / terms.step, step=terms.step), facts])
        low, high = self.interval.ends(whole, states.rate, left)
        return value, value * low, value * high

    def to_files(self, name: str) -> dict[str, object]:
        """Return what was learnt, by file name: JSON-ready, and LightGBM's text."""
        learnt = {"terms": asdict(self.terms), "balance": self.balance, "first": self.first}
        learnt |= {"interval_months": self.interval_months, "has_interval": self.interval is not None}
        interval = self.interval.to_files(f"{name}_interval") if self.interval else {}
        return {f"{name}.json": learnt} | self.ahead.to_files(f"{name}_ahead") | interval

    @classmethod
    def from_files(cls, files: Mapping[str, object], name: str) -> "Outlook":
        """Rebuild what `to_files` wrote under a name."""
        learnt = dict(files[f"{name}.json"])
        interval = RatioInterval.from_files(files, f"{name}_interval") if learnt.pop("has_interval") else None
        terms = Terms(**learnt.pop("terms"))
        return cls(terms, Ahead.from_files(files, f"{name}_ahead"), interval, **learnt)


def learn_outlook(windows: Windows, terms: Terms, *, seed: int, threads: int) -> Outlook:
    """Learn from windows; the balance ratio and the ratios behind the interval come from folds apart by account."""
    options = {"step": terms.step, "seed": seed, "threads": threads}
    expected = np.empty(len(windows.account))
    for train, test in GroupedFolds(N_FOLDS, seed).split(None, None, windows.account):
        held_out = fit_ahead(windows, train, **options)
        expected[test] = _expected(held_out, windows.X[test], windows.rate[test], windows.ahead[test])
    came = windows.ahead > 0
    total = expected[came].sum()
    balance = float(np.clip(windows.margin[came].sum() / total, *RATIO)) if total > 0 else 1.0
    interval = _learn_interval(windows, expected * balance, terms, {"seed": seed, "threads": threads})
    longest = int(windows.ahead.max(initial=0)) * terms.step if interval else 0
    whole = fit_ahead(windows, np.arange(len(expected)), **options)
    return Outlook(terms, whole, interval, longest, balance, int(windows.ahead.min(initial=1)))


def _learn_interval(windows: Windows, expected: np.ndarray, terms: Terms, options: dict[str, int]) -> RatioInterval | None:
    """Learn the ends of what came over what was expected, from the landmark up to each window; calibrate on the latest."""
    first = windows.ahead == windows.ahead.min(initial=1)
    weight = terms.discount_ahead(windows.ahead) * (windows.ahead > 0)
    came, wanted = (_running(money * weight, first) for money in (windows.margin, expected))
    rows = np.flatnonzero((windows.ahead > 0) & (wanted > 1e-9))
    is_latest = windows.month[rows] + windows.ahead[rows] * terms.step > -terms.step
    if is_latest.all():  # the log is too short to learn the ends on earlier windows: learn on every other customer
        is_latest = windows.account[rows] % 2 == 0
    ratio = np.round(np.maximum(came[rows], 0) / wanted[rows], 6)
    known = Ratios(windows.X[rows], ratio, windows.rate[rows], windows.ahead[rows] * terms.step)
    return fit_interval(known, is_latest, **options)


def _expected(model: Ahead, X: np.ndarray, rate: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Return what each window is expected to bring; rows of one customer and landmark follow on from its first window."""
    return still_customer(model.hazard(X), ahead == ahead.min(initial=1)) * model.margin(X, rate)


def _running(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the running sum of each customer's windows at a landmark."""
    sums = np.cumsum(values)
    start = (sums - values)[first]
    return sums - start[np.cumsum(first) - 1]
