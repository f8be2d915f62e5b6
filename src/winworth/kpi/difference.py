"""Segments in which something was changed, against those in which nothing was: difference in differences, and its doubt.

What the untouched segments did is taken for what the treated ones would have done. That is a claim, and the earlier quarters
can refute it: where the two sides did not move alike before the change, no cause is named, only a difference.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.errors import DataError, did_you_mean
from winworth.kpi.quarters import Regime
from winworth.kpi.regression import LEVEL
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
