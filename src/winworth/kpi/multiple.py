"""What is left of many comparisons once it is said how many there were."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

LEVEL = 0.05


def what_stands(p: Mapping[str, float], *, level: float = LEVEL) -> pd.DataFrame:
    """Adjust the p of all that was compared (Benjamini and Hochberg 1995), smallest first.

    A p that is NaN was not measured: it stands for nothing, but was tried, and counts as 1.

    >>> what_stands({"ETI": 0.001, "PME": 0.04, "TPE": 0.6})
             p  p_adjusted  stands
    ETI  0.001       0.003    True
    PME  0.040       0.060   False
    TPE  0.600       0.600   False
    """
    found = pd.Series(dict(p), dtype=float).sort_values(kind="stable", na_position="last")
    adjusted = false_discovery_control(np.nan_to_num(found.to_numpy(), nan=1.0)) if len(found) else np.empty(0)
    return pd.DataFrame({"p": found, "p_adjusted": adjusted, "stands": adjusted <= level})
