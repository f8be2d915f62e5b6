"""How likely a fall of the AUC would be noticed with so many deals: what silence is worth."""

import numpy as np
from scipy.stats import norm

FALL = 0.05
STEPS = (60, 150, 400, 1000)


def auc_error(auc: float, n_won: float, n_lost: float) -> float:
    """Return the standard error of an AUC (Hanley and McNeil 1982); infinite without won or without lost deals.

    >>> round(auc_error(0.75, 100, 300), 4)
    0.0305
    """
    if n_won <= 0 or n_lost <= 0:
        return float("inf")
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n_won - 1) * (one - auc**2) + (n_lost - 1) * (two - auc**2)
    return float(np.sqrt(variance / (n_won * n_lost)))


def chance_to_see(auc: float, n: float, *, won_share: float, fall: float = FALL, level: float = 0.05) -> float:
    """Return the chance that an AUC lower by `fall` on `n` deals is told from `auc` by a one-sided test.

    >>> [round(chance_to_see(0.75, n, won_share=0.25), 2) for n in (60, 150, 400, 1000)]
    [0.17, 0.27, 0.5, 0.82]
    """
    if n < 2 or not 0 < won_share < 1:
        return level
    held, fallen = (auc_error(value, n * won_share, n * (1 - won_share)) for value in (auc, max(auc - fall, 0.5)))
    return float(norm.cdf((auc - max(auc - fall, 0.5) - norm.isf(level) * held) / fallen))


def power_table(auc: float, *, won_share: float, steps: tuple[int, ...] = STEPS) -> list[dict[str, float]]:
    """Return the chance to see a fall by number of closed deals."""
    return [{"n": n, "chance": chance_to_see(auc, n, won_share=won_share)} for n in steps]
