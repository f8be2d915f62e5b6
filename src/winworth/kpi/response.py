"""What one more hour brings, by group: revenue answers hours less and less, as each account's own quarters tell.

An account is compared with itself only: that large accounts are given more hours says nothing of what hours bring. Over its
quarters, revenue = level of the account + season of the group + slope x log(1 + hours). A slope over the group's mean revenue
is its elasticity, and elasticities are drawn towards each other as far as their doubt says.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from winworth.errors import DataError
from winworth.kpi.regression import dummies, least_squares
from winworth.kpi.shrink import shrink

LEAST_ACCOUNTS = 10
SEEN = (0.05, 0.95)  # quantiles of an account's hours over its own mean: what has been tried, and may be promised


@dataclass(frozen=True)
class Response:
    """How revenue a period answers hours, by group.

    `table`, by group: n_accounts, hours (a period), revenue, elasticity (drawn towards the others'), elasticity_sd, measured,
    measured_error, marginal (what one more hour brings, as measured), marginal_error, least and most (times the hours of now
    that have been tried). `slopes` are money per log of hours; `draws` (draws, groups) how else they might be, by a bootstrap
    over accounts; `hours` those of each account of a group. `p_equal` is for one more hour bringing the same in all groups.
    """

    table: pd.DataFrame
    slopes: np.ndarray
    draws: np.ndarray
    hours: Mapping[str, np.ndarray]
    p_equal: float

    def gain(self, at: int, times: float) -> float:
        """Return the sum of logs that a slope is multiplied by when a group's hours become `times` as many."""
        own = self.hours[self.table.index[at]]
        return float(np.log1p(times * own).sum() - np.log1p(own).sum())

    def to_dict(self) -> dict:
        """Return it for JSON."""
        return {"groups": self.table.reset_index().to_dict("records"), "p_equal": self.p_equal}


@dataclass(frozen=True)
class _Slope:
    value: float
    error: float
    draws: np.ndarray


def fit_response(rows: pd.DataFrame, *, seed: int, n_boot: int = 400) -> Response:
    """Learn how revenue answers hours, from rows of account_id, group, period, hours and revenue, one an account and period.

    An account with one period tells nothing of hours, and is counted all the same among those to be served.
    """
    rng, found, facts, hours = np.random.default_rng(seed), [], {}, {}
    for name, own in rows.groupby("group", sort=True):
        n = own.loc[own.groupby("account_id")["hours"].transform("nunique") > 1, "account_id"].nunique()
        if n < LEAST_ACCOUNTS:
            raise DataError(f"In {name}, {n} accounts had different hours in different periods; {LEAST_ACCOUNTS} are needed.")
        found.append(_slope(own, rng, n_boot))
        hours[str(name)] = own.groupby("account_id")["hours"].mean().to_numpy()
        facts[str(name)] = _facts(own, hours[str(name)])
    return _together(pd.DataFrame(facts).T.rename_axis("group"), found, hours)


def _slope(own: pd.DataFrame, rng: np.random.Generator, n_boot: int) -> _Slope:
    """Fit one group's slope within accounts; a draw of accounts is fitted anew from sums that each account adds to."""
    codes, period = own["account_id"].factorize()[0], own["period"].factorize(sort=True)[0]
    columns = np.column_stack([np.log1p(own["hours"]), dummies(period, drop=0), own["revenue"]])
    n_rows = np.bincount(codes)
    means = np.column_stack([np.bincount(codes, column) / n_rows for column in columns.T])
    within = columns - means[codes]
    X, y = within[:, :-1], within[:, -1]
    fit = least_squares(X, y, np.ones(len(y)), codes)
    k = X.shape[1]
    sums = np.zeros((len(n_rows), k, k + 1))
    np.add.at(sums, codes, X[:, :, None] * within[:, None, :])
    counts = rng.multinomial(len(n_rows), np.full(len(n_rows), 1 / len(n_rows)), n_boot)
    drawn = np.tensordot(counts, sums, axes=1)
    slopes = np.linalg.pinv(drawn[:, :, :k], hermitian=True) @ drawn[:, :, k:]
    return _Slope(float(fit.slopes[0]), float(np.sqrt(fit.covariance[0, 0])), slopes[:, 0, 0])


def _facts(own: pd.DataFrame, hours: np.ndarray) -> dict[str, float]:
    mean = own.groupby("account_id")["hours"].transform("mean")
    least, most = (own["hours"] / mean)[mean > 0].quantile(list(SEEN))
    return {
        "n_accounts": len(hours),
        "hours": hours.sum(),
        "revenue": own.groupby("account_id")["revenue"].mean().sum(),
        "least": min(least, 1.0),
        "most": max(most, 1.0),
        "steepness": (hours / (1 + hours)).sum() / hours.sum(),  # logs gained an hour, when all hours grow alike
    }


def _together(table: pd.DataFrame, found: list[_Slope], hours: Mapping[str, np.ndarray]) -> Response:
    """Draw the groups' elasticities towards each other, and test whether an hour brings the same in all."""
    value, error = (np.array([getattr(slope, name) for slope in found]) for name in ("value", "error"))
    level = np.maximum((table["revenue"] / table["n_accounts"]).to_numpy(), 1e-9)
    drawn = shrink(value / level, (error / level) ** 2)
    steep = table["steepness"].to_numpy()
    precision = 1 / (steep * error) ** 2
    common = precision @ (steep * value) / precision.sum()
    p_equal = chi2.sf(precision @ (steep * value - common) ** 2, len(found) - 1) if len(found) > 1 else 1.0
    table = table.drop(columns="steepness").assign(
        elasticity=drawn.mean,
        elasticity_sd=drawn.sd,
        measured=value / level,
        measured_error=error / level,
        marginal=steep * value,
        marginal_error=steep * error,
    )
    apart = np.column_stack([slope.draws - slope.value for slope in found]) / error
    return Response(table, drawn.mean * level, drawn.mean * level + apart * drawn.sd * level, hours, float(p_equal))
