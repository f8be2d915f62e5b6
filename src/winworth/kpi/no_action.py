"""What would have come anyway: the worst group of a quarter looks better in the next one, though nobody did a thing."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from winworth.errors import DataError
from winworth.kpi.shrink import shrink

LEVEL = 0.05


def expect_without_action(won: pd.Series, n: pd.Series) -> pd.DataFrame:
    """Return, by group, the rate seen, the rate to expect in the next period if nothing is done, and its 95 % interval.

    A rate is drawn towards that of all groups as far as its count says (empirical Bayes), so that it does not matter why a
    group was picked: the worst of equal groups is expected to come back. The interval is for a next period of as many deals.

    >>> expect_without_action(pd.Series({"PME": 4, "ETI": 12, "GE": 11}), pd.Series({"PME": 40, "ETI": 40, "GE": 40})).round(3)
          seen  expected    low   high
    PME  0.100     0.168  0.000  0.349
    ETI  0.300     0.259  0.087  0.431
    GE   0.275     0.248  0.079  0.417
    """
    if (n <= 0).any():
        raise DataError(f"The group {n.index[n <= 0][0]} has no deals. Leave groups without deals out.")
    pooled = (won.sum() + 0.5) / (n.sum() + 1)
    noise = (pooled * (1 - pooled) / n).to_numpy(dtype=float)
    seen = (won / n).to_numpy(dtype=float)
    drawn = shrink(seen, noise)
    half = norm.ppf(1 - LEVEL / 2) * np.sqrt(drawn.sd**2 + noise)
    bounds = {"low": np.maximum(drawn.mean - half, 0), "high": np.minimum(drawn.mean + half, 1)}
    return pd.DataFrame({"seen": seen, "expected": drawn.mean, **bounds}, index=won.index)
