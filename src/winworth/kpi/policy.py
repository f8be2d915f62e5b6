"""What another choice of accounts would have brought, from who was worked and what came of it.

Who was worked was not drawn by lot: sellers follow the score, past activity and the segment. Each account is weighed by how
likely it was to be treated as the new choice would treat it (inverse probability), and what is expected of it anyway is taken
off first (doubly robust: Robins, Rotnitzky and Zhao 1994; Dudik, Langford and Li 2011). Chances and expectations for an
account are learnt from other accounts.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from winworth.kpi.regression import dummies
from winworth.models.folds import grouped_folds
from winworth.models.linear import Linear

RARE = 0.02  # chance of being treated as the new choice would, below which a row says nothing of it
C, ALPHA = 1.0, 1.0  # ridge strengths


@dataclass(frozen=True)
class Choice:
    """The rows of a backtest as arrays: account codes, outcome, who was worked, and whom the new choice would work."""

    accounts: np.ndarray
    outcome: np.ndarray
    worked: np.ndarray
    chosen: np.ndarray

    @property
    def is_followed(self) -> np.ndarray:
        """Whether a row was treated as the new choice would treat it."""
        return self.worked == self.chosen


@dataclass(frozen=True)
class Learnt:
    """By row, learnt from other accounts: the chance to be worked, and the outcome expected where the new choice is made."""

    chance: np.ndarray
    expected: np.ndarray

    def chance_of(self, chosen: np.ndarray) -> np.ndarray:
        """Return each row's chance of having been treated as the new choice would treat it."""
        return np.where(chosen, self.chance, 1 - self.chance)


def choose_highest(rows: pd.DataFrame) -> np.ndarray:
    """Choose, in each period, as many accounts as were worked, those with the highest scores; ties go by account.

    >>> rows = pd.DataFrame({"account_id": ["a", "b", "c"], "period": 0, "score": [9, 7, 8], "worked": [False, True, True]})
    >>> choose_highest(rows).tolist()
    [True, False, True]
    """
    order = rows.sort_values(["period", "score", "account_id"], ascending=[True, False, True], kind="stable")
    rank = order.groupby("period").cumcount()
    seats = order.groupby("period")["worked"].transform("sum")
    return (rank < seats).reindex(rows.index).to_numpy()


def learn(rows: pd.DataFrame, choice: Choice, *, seed: int) -> Learnt:
    """Learn chances (ridge logistic) and expectations (a ridge regression for each treatment) out of fold, accounts whole."""
    X = _columns(rows)
    chance, expected = np.empty(len(X)), np.empty(len(X))
    for fold in grouped_folds(choice.accounts, seed=seed):
        train, test = fold.train, fold.test
        ones = np.ones(len(X))
        model = Linear.fit_logit(X[train], choice.worked[train].astype(int), ones[train], C=C)
        chance[test] = expit(model.margin(X[test]))
        for treatment in (False, True):
            own = train[choice.worked[train] == treatment]
            to = test[choice.chosen[test] == treatment]
            if len(to):
                expected[to] = Linear.fit_ridge(X[own], choice.outcome[own], ones[own], alpha=ALPHA).margin(X[to])
    return Learnt(chance, expected)


def weighted_parts(choice: Choice, learnt: Learnt, *, is_robust: bool) -> np.ndarray:
    """Return what each row adds to the mean outcome under the new choice; their mean is that mean.

    Weights are divided by their own sum (Hajek 1971), so that they never add up to more rows than there are.
    """
    weight = choice.is_followed / learnt.chance_of(choice.chosen)
    base = learnt.expected if is_robust else np.zeros(len(weight))
    left = choice.outcome - base
    middle = weight @ left / weight.sum()
    return base + middle + weight * (left - middle) * len(weight) / weight.sum()


def worst_mean(choice: Choice, learnt: Learnt, odds: float) -> float:
    """Return the lowest doubly robust mean where hidden reasons shifted the odds of being worked by up to `odds` either way.

    Each followed row's weight may be anything between 1 + (w - 1) / odds and 1 + (w - 1) x odds (Tan 2006; Zhao, Small and
    Bhattacharya 2019): the worst takes the high ones for the lowest outcomes, up to one place in their order.
    """
    rows = np.flatnonzero(choice.is_followed)
    left = (choice.outcome - learnt.expected)[rows]
    excess = 1 / learnt.chance_of(choice.chosen)[rows] - 1
    order = np.argsort(left, kind="stable")
    low, high, left = 1 + excess[order] / odds, 1 + excess[order] * odds, left[order]
    weight = np.r_[0.0, np.cumsum(high)] + np.r_[np.cumsum(low[::-1])[::-1], 0.0]
    total = np.r_[0.0, np.cumsum(high * left)] + np.r_[np.cumsum((low * left)[::-1])[::-1], 0.0]
    return float(learnt.expected.mean() + (total / weight).min())


def _columns(rows: pd.DataFrame) -> np.ndarray:
    """Return score and activity with their squares and product, and a column for each segment and period."""
    score, activity = (rows[name].to_numpy(dtype=float) for name in ("score", "activity"))
    score, activity = ((x - x.mean()) / max(x.std(), 1e-12) for x in (score, np.log1p(activity)))
    segment = rows["segment"].astype(str).factorize(sort=True)[0]
    period = rows["period"].factorize(sort=True)[0]
    smooth = [score, score**2, activity, activity**2, score * activity]
    return np.column_stack([*smooth, dummies(segment, drop=0), dummies(period, drop=0)])
