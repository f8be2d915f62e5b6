"""What an account is worth if its deal is won: whether it buys at all, and how much, both in logs."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy.special import expit, log_expit
from sklearn.base import BaseEstimator, RegressorMixin

from winworth.errors import DataError
from winworth.models.by_name import ByName
from winworth.models.folds import GroupedFolds
from winworth.models.linear import Linear
from winworth.models.matrix import FeatureMatrix
from winworth.models.metrics import Figure, account_draws, gini, paired_difference, spearman
from winworth.models.outliers import held_within_reason
from winworth.models.trees import Trees, TreeSize
from winworth.models.tweedie import TweedieValue, tweedie_deviance_rows
from winworth.models.value_metrics import decile_wape, largest_share, top_share
from winworth.models.win import WinModel

LEAST = 30


@dataclass(frozen=True)
class Balance:
    """What turns a mean of logs into money: Duan's smearing, the out-of-fold balance ratio, and an 80 % interval in logs."""

    smearing: float
    ratio: float
    low: float
    high: float

    @property
    def shift(self) -> float:
        """What is added to the mean log value."""
        return float(np.log(self.smearing * self.ratio))


class ValueIfWon(RegressorMixin, BaseEstimator):
    """A two-part lognormal model of value: P(value > 0) x exp(mean log value) x smearing x balance.

    A value further from the median than `outliers.FAR` robust deviations, in logs, is held at that distance (`n_held_` counts
    them): one mistyped amount would otherwise move every other value.

    The log part averages ridge and small trees; the smearing factor (Duan 1983) and the ratio of observed to predicted
    totals (held within 0.5-2) come from folds apart by group. The first part is learnt where at least 20 zeros and 20
    positive values are there, and is their share otherwise. Without `is_balanced` the folds are spared: contributions are
    the same, and money is not to be asked.
    """

    def __init__(
        self, alpha: float = 10.0, size: TreeSize | None = None, seed: int = 0, threads: int = 2, is_balanced: bool = True
    ):
        self.alpha = alpha
        self.size = size
        self.seed = seed
        self.threads = threads
        self.is_balanced = is_balanced

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None, groups: np.ndarray | None = None
    ) -> "ValueIfWon":
        """Learn from values >= 0 in money; `groups` are kept whole in the inner folds."""
        if np.isnan(y).any():
            raise ValueError(f"{int(np.isnan(y).sum())} values are NaN; leave those rows out, since NaN is not 0.")
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        groups = np.arange(len(y)) if groups is None else groups
        positive = y > 0
        if positive.sum() < LEAST:
            raise DataError(
                f"{int(positive.sum())} won deals have a value above 0; {LEAST} are needed to learn what they bring."
            )
        self._fit_buys(X, positive, weight)
        X, logs, weight, groups = X[positive], np.log(y[positive]), weight[positive], groups[positive]
        kept = held_within_reason(logs)
        self.n_held_ = int((kept != logs).sum())
        self.linear_, self.trees_ = self._fit_logs(X, kept, weight)
        self.balance_ = Balance(1.0, 1.0, np.nan, np.nan)
        if not self.is_balanced:
            return self
        held_out = np.empty(len(kept))
        for train, test in GroupedFolds(5, self.seed).split(X, kept, groups):
            held_out[test] = _mean_log(self._fit_logs(X[train], kept[train], weight[train]), X[test])
        self.balance_ = _balance(kept, held_out, weight)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the expected value of each row, in money."""
        return np.exp(self.log_value(X))

    def log_value(self, X: np.ndarray) -> np.ndarray:
        """Return the log of the expected value."""
        return self.logs(X)[0]

    def interval(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the 80 % interval of what a row that buys is worth, from residuals out of fold."""
        _, low, high = self.logs(X)
        return np.exp(low), np.exp(high)

    def logs(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the logs of the expected value and of the two ends of the interval, at the cost of one prediction."""
        mean = _mean_log((self.linear_, self.trees_), X)
        return mean + self.balance_.shift + self._log_buys(X), mean + self.balance_.low, mean + self.balance_.high

    def contributions(self, X: np.ndarray) -> tuple[np.ndarray, float]:
        """Return each column's part of the log value (rows, columns) and the base they start from.

        Exact where the first part is a share; where it is learnt, its log-odds are put in logs by 1 - q.
        """
        trees, base = self.trees_.contributions(X)
        values = (self.linear_.contributions(X) + trees) / 2
        base = (self.linear_.intercept + base) / 2 + self.balance_.shift
        if not isinstance(self.buys_, WinModel):
            return values, base + float(np.log(self.buys_))
        part, z = self.buys_.contributions(X)
        return values + part * expit(-(part.sum(axis=1) + z))[:, None], base + float(log_expit(z))

    def _fit_buys(self, X: np.ndarray, positive: np.ndarray, weight: np.ndarray) -> None:
        self.buys_: WinModel | float = float(np.average(positive, weights=weight))
        if min(positive.sum(), (~positive).sum()) >= 20:
            self.buys_ = WinModel(C=0.1, seed=self.seed, threads=self.threads).fit(X, positive.astype(float), weight)

    def _log_buys(self, X: np.ndarray) -> np.ndarray:
        if isinstance(self.buys_, WinModel):
            return log_expit(self.buys_.decision_function(X))
        return np.full(len(X), np.log(self.buys_))

    def _fit_logs(self, X: np.ndarray, logs: np.ndarray, weight: np.ndarray) -> tuple[Linear, Trees]:
        size = self.size or TreeSize(6, 150, 0.05, min_rows=max(5, len(X) // 50))
        linear = Linear.fit_ridge(X, logs, weight, alpha=self.alpha)
        trees = Trees.fit(X, logs, weight, size=size, objective="regression", seed=self.seed, threads=self.threads)
        return linear, trees

    def to_files(self, name: str) -> dict[str, object]:
        """Return what the model learnt, by file name: JSON-ready, and LightGBM's text."""
        buys = self.buys_.to_files("buys")["buys.json"] if isinstance(self.buys_, WinModel) else self.buys_
        learnt = {"linear": self.linear_.to_dict(), "balance": self.balance_.__dict__, "buys": buys}
        return {f"{name}.json": learnt, f"{name}_trees.txt": self.trees_.to_text()}

    @classmethod
    def from_files(cls, learnt: dict, trees_text: str) -> "ValueIfWon":
        """Rebuild what `to_files` wrote, ready to predict."""
        model = cls()
        buys = learnt["buys"]
        model.buys_ = WinModel.from_files(buys, None) if isinstance(buys, dict) else buys
        model.linear_, model.trees_ = Linear.from_dict(learnt["linear"]), Trees.from_text(trees_text)
        model.balance_ = Balance(**learnt["balance"])
        return model


Form = Literal["two_part", "tweedie"]
Value = ValueIfWon | TweedieValue


def fit_value(
    features: pd.DataFrame, value: np.ndarray, weight: np.ndarray, accounts: np.ndarray, *, form: Form, seed: int, threads: int
) -> ByName[Value]:
    """Train on the feature table of won deals whose value is known."""
    matrix = FeatureMatrix().fit(features)
    model = (TweedieValue if form == "tweedie" else ValueIfWon)(seed=seed, threads=threads)
    return ByName(matrix, model.fit(matrix.transform(features), value, weight, groups=accounts))


def choose_form(
    features: pd.DataFrame, value: np.ndarray, weight: np.ndarray, accounts: np.ndarray, *, seed: int, threads: int
) -> tuple[Form, tuple[float, float]]:
    """Return the form whose predictions have the lower Tweedie deviance in folds apart by account.

    Two parts stay unless one Tweedie model is better by more than a standard error of the paired difference, accounts
    counted as one draw. Returns that difference (Tweedie less two parts, relative to two parts) and its error beside it.
    """
    loss = {form: np.empty(len(value)) for form in get_args(Form)}
    for train, test in GroupedFolds(5, seed).split(None, None, accounts):
        rows = (features.iloc[train], value[train], weight[train], accounts[train])
        for form, of_rows in loss.items():
            fitted = fit_value(*rows, form=form, seed=seed, threads=threads)
            predicted = fitted.model.predict(fitted.matrix.transform(features.iloc[test]))
            of_rows[test] = tweedie_deviance_rows(value[test], predicted)
    mean, error = paired_difference(loss["tweedie"], loss["two_part"], weight, accounts)
    usual = float(np.average(loss["two_part"], weights=weight))
    return ("tweedie" if mean < -error else "two_part"), (mean / usual, error / usual)


def read_value(learnt: dict, trees_text: str) -> Value:
    """Rebuild either form from what its `to_files` wrote."""
    return (TweedieValue if learnt.get("form") == "tweedie" else ValueIfWon).from_files(learnt, trees_text)


def value_metrics(
    y: np.ndarray, predicted: np.ndarray, interval: tuple[np.ndarray, np.ndarray], accounts: np.ndarray, *, seed: int
) -> dict[str, Figure]:
    """Measure predicted against observed values of won deals, by stable key, with 95 % intervals over accounts."""
    measures = {
        "mae": lambda r: float(np.mean(np.abs(y[r] - predicted[r]))),
        "spearman": lambda r: spearman(y[r], predicted[r]),
        "gini": lambda r: gini(y[r], predicted[r]),
        "coverage_80": lambda r: float(np.mean((y[r] >= interval[0][r]) & (y[r] <= interval[1][r]))),
        "total_ratio": lambda r: float(predicted[r].sum() / y[r].sum()),
        "decile_wape": lambda r: decile_wape(y[r], predicted[r]),
        "top_share": lambda r: top_share(y[r], predicted[r]),
        "largest_share": lambda r: largest_share(y[r]),
    }
    if not len(y):
        return {name: Figure(np.nan, np.nan, np.nan, 0) for name in measures}
    every = np.arange(len(y))
    draws = [np.repeat(every, counts.astype(int)) for counts in account_draws(accounts, seed=seed, n_boot=200)]
    found = {}
    for name, measure in measures.items():
        values = np.array([measure(rows) for rows in draws])
        low, high = np.nanquantile(values, [0.025, 0.975]) if np.isfinite(values).any() else (np.nan, np.nan)
        found[name] = Figure(measure(every), float(low), float(high), len(y))
    return found


def _mean_log(halves: tuple[Linear, Trees], X: np.ndarray) -> np.ndarray:
    return (halves[0].margin(X) + halves[1].margin(X)) / 2


def _balance(logs: np.ndarray, held_out: np.ndarray, weight: np.ndarray) -> Balance:
    residual = logs - held_out
    smearing = float(np.average(np.exp(residual), weights=weight))
    predicted = np.exp(held_out) * smearing
    ratio = float(np.clip(weight @ np.exp(logs) / (weight @ predicted), 0.5, 2.0))
    low, high = np.quantile(residual, [0.1, 0.9])
    return Balance(smearing, ratio, float(low), float(high))
