"""Segments in which something was changed, against those in which nothing was: difference in differences, and its doubt.

What the untouched segments did is taken for what the treated ones would have done. That is a claim, and the earlier quarters
can refute it: where the two sides did not move alike before the change, no cause is named, only a difference.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.errors import DataError, did_you_mean
from winworth.kpi.quarters import Regime
from winworth.kpi.regression import (
    LEVEL,
    Clustered,
    dummies,
    half_width,
    least_detectable,
    least_squares,
    p_two_sided,
    spread_of,
)
from winworth.models.metrics import Figure

LEAST_EARLIER = 4  # quarters before the change, without which no trend can be refuted
LEAST_ACCOUNTS = 10  # on either side


@dataclass(frozen=True)
class Trend:
    """How the two sides moved by period: `path` has period, difference (from the last earlier period), low, high, n.

    `p` is for the two sides having moved alike in all earlier periods; NaN where that cannot be tested.
    """

    path: pd.DataFrame
    n_earlier: int
    p: float

    @property
    def held(self) -> bool:
        """Whether there are earlier quarters enough, and they do not refute that both sides moved alike."""
        return self.n_earlier >= LEAST_EARLIER and self.p >= LEVEL


@dataclass(frozen=True)
class Difference:
    """How much more an outcome changed in the treated segments than in the untouched ones.

    `relative` is the same as a share of what the untouched segments make one expect, `relative_80` with its 80 % interval;
    `detectable` the smallest effect that would be found in 8 of 10 cases; `crossed` the regime changes that the comparison goes
    across. `is_selected` where segments were told by what came in the earlier periods: whoever did badly in them by chance
    comes back to the mean, and that looks like an effect.
    """

    outcome: str
    effect: Figure
    relative: Figure
    p: float
    detectable: float
    trend: Trend
    crossed: tuple[Regime, ...] = ()
    relative_80: Figure | None = None
    is_selected: bool = False

    @property
    def is_causal(self) -> bool:
        """Whether the difference may be called the change's doing."""
        return self.trend.held and self.p < LEVEL and not self.is_selected

    def to_dict(self) -> dict:
        """Return it for JSON; what is not measured is null."""
        trend = {"n_earlier": self.trend.n_earlier, "p": _null(self.trend.p), "held": self.trend.held}
        path = self.trend.path.astype(object).where(self.trend.path.notna(), None).to_dict("records")
        return {
            "outcome": self.outcome,
            "effect": self.effect.to_dict(),
            "relative": self.relative.to_dict(),
            "relative_80": None if self.relative_80 is None else self.relative_80.to_dict(),
            "p": _null(self.p),
            "detectable": _null(self.detectable),
            "trend": trend | {"path": path},
            "crossed": [str(regime) for regime in self.crossed],
            "is_selected": self.is_selected,
            "is_causal": self.is_causal,
        }


def difference_in_differences(
    rows: pd.DataFrame, outcome: str, *, treated: Collection[str], crossed: Sequence[Regime] = ()
) -> Difference:
    """Compare the change of an outcome in the treated segments with its change in the others.

    `rows` has account_id, segment, period (whole numbers, below 0 before the change) and the outcome, one row a deal or an
    account and period; rows without an outcome are left out, and `weight` counts where it is there. Segments and periods
    have levels of their own; errors hold where the rows of an account go together, with the freedom of the smaller side.
    """
    known = rows[rows[outcome].notna()].reset_index(drop=True)
    is_treated = known["segment"].isin(treated).to_numpy()
    check_sides(known, is_treated, treated)
    after = (known["period"] >= 0).to_numpy()
    y, weight, X = _levels(known, outcome)
    fit = least_squares(np.column_stack([is_treated & after, X]), y, weight, known["account_id"].to_numpy(), is_treated)
    error = float(np.sqrt(fit.covariance[0, 0]))
    half, effect = half_width(error, fit.freedom), float(fit.slopes[0])
    return Difference(
        outcome,
        Figure(effect, effect - half, effect + half, len(known)),
        _relative(known, outcome, fit, is_treated & after),
        p_two_sided(effect, error, fit.freedom),
        least_detectable(error, fit.freedom),
        parallel_trend(known, outcome, treated=treated),
        tuple(crossed),
    )


def parallel_trend(rows: pd.DataFrame, outcome: str, *, treated: Collection[str]) -> Trend:
    """Test by the earlier periods whether both sides moved alike, all leads at once; and follow the difference by period."""
    known = rows[rows[outcome].notna()].reset_index(drop=True)
    is_treated = known["segment"].isin(treated).to_numpy()
    period = known["period"].to_numpy(dtype=int)
    both = np.intersect1d(period[is_treated], period[~is_treated])
    earlier = both[both < 0]
    if not len(earlier):
        return Trend(pd.DataFrame(columns=["period", "difference", "low", "high", "n"]), 0, float("nan"))
    followed = both[both != earlier[-1]]
    y, weight, X = _levels(known, outcome)
    leads = ((period[:, None] == followed) & is_treated[:, None]).astype(float)
    fit = least_squares(np.column_stack([leads, X]), y, weight, known["account_id"].to_numpy(), is_treated)
    half = [half_width(error, fit.freedom) for error in np.sqrt(np.diag(fit.covariance)[: len(followed)])]
    path = pd.DataFrame({"period": followed, "difference": fit.slopes[: len(followed)]})
    path = path.assign(low=path["difference"] - half, high=path["difference"] + half)
    start = pd.DataFrame({"period": earlier[-1:], "difference": 0.0, "low": 0.0, "high": 0.0})
    path = pd.concat([path, start]).sort_values("period", ignore_index=True)
    n = path["period"].map(pd.Series(period[is_treated]).value_counts())
    return Trend(path.assign(n=n), len(earlier), fit.p_of(list(range(len(earlier) - 1))))


def _levels(known: pd.DataFrame, outcome: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the outcome, the weights, and a column for each segment and for each period but one."""
    y = known[outcome].to_numpy(dtype=float)
    weight = known["weight"].to_numpy(dtype=float) if "weight" in known else np.ones(len(known))
    segment = np.unique(known["segment"].to_numpy(dtype=str), return_inverse=True)[1]
    period = known["period"].to_numpy(dtype=int)
    return y, weight, np.column_stack([dummies(segment, drop=-1), dummies(period, drop=period.min())])


def _relative(known: pd.DataFrame, outcome: str, fit: Clustered, cell: np.ndarray) -> Figure:
    """Return the effect over what was to be expected of the treated rows, by the delta method on the log."""
    y, weight, _ = _levels(known, outcome)
    codes = np.unique(known["account_id"].to_numpy(), return_inverse=True)[1]
    mass = weight * cell
    mean = float(mass @ y / mass.sum())
    expected = mean - fit.slopes[0]
    if mean <= 0 or expected <= 0:
        return Figure(float("nan"), float("nan"), float("nan"), len(known))
    pull = np.bincount(codes, mass * (y - mean)) / mass.sum()
    on_log = pull / mean - (pull - fit.influence[:, 0]) / expected
    half = half_width(float(np.sqrt(spread_of(on_log[:, None])[0, 0])), fit.freedom)
    low, value, high = np.expm1(np.log(mean / expected) + half * np.array([-1, 0, 1]))
    return Figure(float(value), float(low), float(high), len(known))


def check_sides(known: pd.DataFrame, is_treated: np.ndarray, treated: Collection[str]) -> None:
    """Raise DataError where a segment or a side has too little to be compared."""
    segments = known["segment"].unique()
    absent = sorted(set(treated) - set(segments))
    if absent:
        raise DataError(f"No rows are in the segment {absent[0]}. {did_you_mean(absent[0], segments)}")
    for name, side in (("treated", is_treated), ("untouched", ~is_treated)):
        n = known.loc[side, "account_id"].nunique()
        if n < LEAST_ACCOUNTS:
            raise DataError(f"The {name} segments have {n} accounts; {LEAST_ACCOUNTS} are needed to compare. Join segments.")
        if known.loc[side, "period"].lt(0).all() or known.loc[side, "period"].ge(0).all():
            raise DataError(f"The {name} segments have rows on one side of the change only. Choose another date.")


def _null(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
