"""How far an account's expected value would move had the history been another draw of the same company's accounts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import log_expit

from winworth.weights.study import Both, Study

N_PARTS = 10


@dataclass(frozen=True)
class Noise:
    """Standard deviation of log expected value over refits on accounts drawn anew, by tenth of expected value, lowest first.

    What moves all accounts alike moves the cuts of tiers with them, and is no part of it.
    """

    sd: tuple[float, ...]
    n_boot: int

    def at(self, worth: np.ndarray) -> np.ndarray:
        """Return the standard deviation for each account, by its place among the others; tenths are joined by lines.

        >>> Noise((0.4, 0.2), 50).at(np.array([10.0, 40.0, 20.0, 30.0])).round(2).tolist()
        [0.4, 0.2, 0.35, 0.25]
        """
        below = (pd.Series(worth).rank(na_option="top") - 0.5) / max(len(worth), 1)
        middles = (np.arange(len(self.sd)) + 0.5) / len(self.sd)
        return np.interp(below.to_numpy(), middles, self.sd)

    def to_dict(self) -> dict:
        """Return it for JSON."""
        return {"sd": list(self.sd), "n_boot": self.n_boot}

    @classmethod
    def from_dict(cls, read: Mapping | None) -> "Noise | None":
        """Rebuild what `to_dict` wrote; None from None."""
        return None if read is None else cls(tuple(read["sd"]), read["n_boot"])


def log_worth(study: Study, apart: Both) -> pd.Series:
    """Return the log expected value of the population's rows by one draw's models, up to a constant.

    What a row cannot have counts as the median of the rows that have it, as it does in scoring.
    """
    told = {}
    for name, one in apart.items():
        parts = one.population
        seen = parts.where(study.population.measured.to_numpy()[parts.index])
        told[name] = seen.fillna(seen.median()).sum(axis=1) + one.base
    won = pd.Series(log_expit(told["winning"]), apart["winning"].population.index)
    return won + told["worth"] if "worth" in told else won


def measure_noise(logs: pd.DataFrame) -> Noise | None:
    """Measure noise from log expected values, one row a draw and one column an account left out of it, else NaN.

    Variances about each account's own mean are pooled within tenths of that mean. None where nothing can be told: fewer than
    two draws of an account, or fewer accounts than tenths.
    """
    own = logs.loc[:, logs.count() > 1]
    if own.shape[1] < N_PARTS:
        return None
    off = own - own.mean()
    off = off.sub(off.median(axis=1), axis=0)
    variance = off.var(ddof=1).to_numpy()
    parts = np.array_split(np.argsort(own.mean().to_numpy(), kind="stable"), N_PARTS)
    return Noise(tuple(float(np.sqrt(variance[part].mean())) for part in parts), len(logs))
