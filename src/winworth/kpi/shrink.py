"""What a small group's figure is worth beside its fellows': empirical Bayes, for shares and for what is above 0."""

import numpy as np

from winworth.models.shares import Z95


def shrunk_shares(shares: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Draw shares of `n` (effective) cases each towards their common share: the mean of a beta-binomial's posterior.

    The prior's spread is what is seen between the shares beyond what chance explains (Kleinman 1973); with none seen, or one
    share alone, all are the common one.

    >>> shrunk_shares(np.array([0.0, 0.5, 0.3, 0.1]), np.array([4.0, 100.0, 100.0, 100.0])).round(2).tolist()
    [0.16, 0.49, 0.3, 0.11]
    """
    total, k = n.sum(), len(shares)
    if total <= 0:
        return shares
    common = float(shares @ n / total)
    chance = common * (1 - common)
    spare = total - (n**2).sum() / total - (k - 1)
    spread = ((n * (shares - common) ** 2).sum() - chance * (k - 1)) / spare if spare > 0 else 0.0
    if spread <= 0:
        return np.full(k, common)
    strength = max(chance / spread - 1, 0.0)
    return (n * shares + strength * common) / (n + strength)


def shrunk_amounts(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Draw amounts above 0 towards their common one, in logs, each by the doubt its 95 % interval tells.

    The spread between them is DerSimonian and Laird's (1986). What has no interval above 0 stays as it is.

    >>> shrunk_amounts(np.array([80.0, 100.0, 125.0]), np.array([40.0, 50.0, 62.5]), np.array([160.0, 200.0, 250.0])).round(6)
    array([100., 100., 100.])
    """
    usable = (values > 0) & (low > 0) & (high > low)
    if usable.sum() < 2:
        return values
    logs = np.log(values[usable])
    error = (np.log(high[usable]) - np.log(low[usable])) / (2 * Z95)
    weight = error**-2
    common = weight @ logs / weight.sum()
    beyond = weight @ (logs - common) ** 2 - (len(logs) - 1)
    spread = max(beyond / (weight.sum() - (weight**2).sum() / weight.sum()), 0.0)
    full = 1 / (error**2 + spread)
    centre = full @ logs / full.sum()
    drawn = values.astype(float).copy()
    drawn[usable] = np.exp(centre + spread / (spread + error**2) * (logs - centre))
    return drawn
