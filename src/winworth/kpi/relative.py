"""How much more, as a share, an outcome changed in the treated segments than in the untouched ones.

Shares, counts, days, money: what is above 0 moves by so many per cent, and the untouched segments tell by how many it would
have moved anyway. A Poisson regression with levels and periods fits that for any outcome above 0, whatever its distribution is
(Santos Silva and Tenreyro 2006; as difference in differences: Wooldridge 2023, The Econometrics Journal 26).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.kpi.difference import LEAST_ACCOUNTS, LEAST_EARLIER, Difference, Trend, check_sides
from winworth.kpi.quarters import Regime
from winworth.kpi.regression import LEVEL, Clustered, dummies, half_width, least_detectable, p_two_sided
from winworth.models.metrics import Figure

NARROW = 0.2  # an interval of 80 % leaves so much outside
STEPS = 60
LONGEST_STEP = 4.0
NAN = float("nan")


@dataclass(frozen=True)
class How:
    """How an outcome is compared: with a level for each account in place of each segment, so that each is compared with itself
    (`is_within`); or told as exposure over outcome, as a cost by customer is (`is_inverse`).
    """

    is_within: bool = False
    is_inverse: bool = False


@dataclass(frozen=True)
class _Rows:
    """Rows as arrays: the outcome, its exposure, the side, the period, the account's code and the level's."""

    y: np.ndarray
    exposure: np.ndarray
    is_treated: np.ndarray
    period: np.ndarray
    account: np.ndarray
    level: np.ndarray


def relative_difference(
    rows: pd.DataFrame, outcome: str, *, treated: Collection[str], crossed: Sequence[Regime] = (), how: How | None = None
) -> Difference:
    """Compare the change of an outcome, as a share, in the treated segments with its change in the others.

    `rows` has account_id, segment, period (whole numbers, below 0 before the change) and the outcome, and may have `exposure`,
    what the outcome is counted over (1 where it is absent). Rows of one account_id go together; the freedom is that of the side
    and time with the fewest of them. `effect` is the same in units, at the mean that is seen.
    """
    how = how or How()
    known = rows[rows[outcome].notna()]
    check_sides(known, known["segment"].isin(treated).to_numpy(), treated)
    of = _arrays(known, outcome, treated, how)
    sign = -1.0 if how.is_inverse else 1.0
    cell = of.is_treated & (of.period >= 0)
    if (_came(of) <= 0).any():  # a change from 0, or to 0, has no share
        nothing = Figure(NAN, NAN, NAN, len(known))
        return Difference(outcome, nothing, nothing, 1.0, NAN, _trend(of, how), tuple(crossed), nothing)
    fit, trend = _fit(of, cell[:, None]), _trend(of, how)
    error, log = float(np.sqrt(fit.covariance[0, 0])), sign * float(fit.slopes[0])
    wide, narrow = (half_width(error, fit.freedom, level) for level in (LEVEL, NARROW))
    mean = float(of.y[cell].sum() / of.exposure[cell].sum()) ** sign
    return Difference(
        outcome,
        Figure(*(float(-mean * np.expm1(-end)) for end in (log, log - wide, log + wide)), len(known)),
        _share(log, wide, len(known)),
        p_two_sided(log, error, fit.freedom),
        float(mean * np.exp(-log) * np.expm1(least_detectable(error, fit.freedom))),
        trend,
        tuple(crossed),
        _share(log, narrow, len(known)),
    )


def _share(log: float, half: float, n: int) -> Figure:
    return Figure(*(float(np.expm1(end)) for end in (log, log - half, log + half)), n)


def _arrays(known: pd.DataFrame, outcome: str, treated: Collection[str], how: How) -> _Rows:
    """Return the rows that tell something: a level or period in which the outcome never came is 0, and tells nothing else."""
    level = "account_id" if how.is_within else "segment"
    for name in ("period", level):
        known = known[known.groupby(name)[outcome].transform("sum") > 0]
    return _Rows(
        known[outcome].to_numpy(dtype=float),
        known["exposure"].to_numpy(dtype=float) if "exposure" in known else np.ones(len(known)),
        known["segment"].isin(treated).to_numpy(),
        known["period"].to_numpy(dtype=int),
        known["account_id"].factorize()[0],
        known[level].factorize()[0],
    )


def _fit(of: _Rows, columns: np.ndarray) -> Clustered:
    """Fit log means by Newton's steps, every level taken out of the likelihood (Hausman, Hall and Griliches 1984); a row pulls
    by what it is beyond its mean.

    The influences carry the factor (n - 1) / (n - k) of n rows and k columns (CR1; the factor of clusters comes after).
    """
    X = np.column_stack([columns.astype(float), dummies(of.period, drop=of.period.min())])
    slopes, wanted = np.zeros(X.shape[1]), columns.shape[1]
    total = np.bincount(of.level, of.y)
    for _ in range(STEPS):
        weight = of.exposure * np.exp(X @ slopes)
        mean = weight * (total / np.bincount(of.level, weight))[of.level]
        middle = np.column_stack([np.bincount(of.level, mean * column) for column in X.T]) / total[:, None]
        centred = X - middle[of.level]
        bread = np.linalg.pinv((centred * mean[:, None]).T @ centred, hermitian=True)
        step = bread @ (centred.T @ (of.y - mean))
        if np.abs(step).max() < 1e-9:
            break
        slopes = slopes + step * min(1.0, LONGEST_STEP / np.abs(step).max())
    pull = (of.y - mean)[:, None] * (centred @ bread[:, :wanted])
    n, k = len(of.y), X.shape[1] + (len(total) if len(total) < of.account.max() + 1 else 0)
    influence = np.column_stack([np.bincount(of.account, column) for column in pull.T])
    return Clustered(slopes[:wanted], influence * np.sqrt((n - 1) / max(n - k, 1)), _freedom(of))


def _corner(of: _Rows) -> np.ndarray:
    """Return of which side and time each row is: 0 and 1 untouched, before and after; 2 and 3 treated."""
    return 2 * of.is_treated + (of.period >= 0)


def _came(of: _Rows) -> np.ndarray:
    return np.bincount(_corner(of), of.y, minlength=4)


def _freedom(of: _Rows) -> int:
    corner = _corner(of)
    return min(len(np.unique(of.account[corner == at])) for at in range(4)) - 1


def _told(of: _Rows, side: np.ndarray, how: How) -> np.ndarray:
    """Return the periods in which the outcome came on one side, of ten accounts or more where accounts are what is counted."""
    came = np.unique(of.period[side & (of.y > 0)])
    least = 1 if how.is_inverse else LEAST_ACCOUNTS
    return np.array([p for p in came if len(np.unique(of.account[side & (of.period == p)])) >= least], dtype=int)


def _trend(of: _Rows, how: How) -> Trend:
    """Test by the earlier periods whether both sides moved alike, all leads at once; `path` is in shares."""
    both = np.intersect1d(*(_told(of, side, how) for side in (of.is_treated, ~of.is_treated)))
    earlier = both[both < 0]
    if not len(earlier):
        return Trend(pd.DataFrame(columns=["period", "difference", "low", "high", "n"]), 0, NAN)
    followed = both[both != earlier[-1]]
    fit = _fit(of, (of.period[:, None] == followed) & of.is_treated[:, None])
    half = np.array([half_width(error, fit.freedom) for error in np.sqrt(np.diag(fit.covariance))])
    log = -fit.slopes if how.is_inverse else fit.slopes
    path = pd.DataFrame({name: np.expm1(log + half * at) for name, at in (("difference", 0), ("low", -1), ("high", 1))})
    path.insert(0, "period", followed)
    start = pd.DataFrame({"period": earlier[-1:], "difference": 0.0, "low": 0.0, "high": 0.0})
    path = pd.concat([path, start]).sort_values("period", ignore_index=True)
    n = path["period"].map(pd.Series(of.period[of.is_treated]).value_counts())
    p = fit.p_of(list(range(len(earlier) - 1))) if len(earlier) >= LEAST_EARLIER else NAN
    return Trend(path.assign(n=n), len(earlier), p)
