"""Small groups beside their fellows: each one's figure drawn towards that of all, as far as its own doubt says."""

from dataclasses import dataclass

import numpy as np

from winworth.models.shares import Z95

N_SPREADS = 240
FURTHEST = 6.0  # the widest spread thought of, in standard deviations of what is seen


@dataclass(frozen=True)
class Shrunk:
    """By group: `mean` and `sd` of what its true figure is likely to be; `common` is the figure of all, `spread` the mean
    standard deviation of true figures round it.
    """

    mean: np.ndarray
    sd: np.ndarray
    common: float
    spread: float


def shrink(seen: np.ndarray, variance: np.ndarray, *, is_flat: bool = False) -> Shrunk:
    """Draw the figures of groups towards their common one: normal figures with known variance, averaged over the spread.

    The spread of true figures is not plugged in but averaged over (Gelman, Bayesian Data Analysis, 3rd ed., section 5.4):
    with few groups no one number for it is safe. Spreads far beyond the groups' own errors are thought less likely (a half
    Cauchy whose scale is the typical error; Gelman 2006, section 4.3); `is_flat` takes all for equally likely.

    >>> drawn = shrink(np.array([0.0, 0.0, 9.0]), np.array([4.0, 4.0, 4.0]))
    >>> drawn.mean.round(1).tolist(), round(drawn.common, 1)
    ([0.8, 0.8, 7.5], 3.0)
    """
    seen, variance = np.asarray(seen, dtype=float), np.asarray(variance, dtype=float)
    if len(seen) < 2:
        return Shrunk(seen.copy(), np.sqrt(variance), float(seen.mean()) if len(seen) else float("nan"), float("nan"))
    widest = FURTHEST * max(float(seen.std()), float(np.sqrt(variance.min())))
    spread = np.linspace(0, widest, N_SPREADS)[:, None]
    precision = 1 / (variance + spread**2)
    total = precision.sum(axis=1)
    common = (precision * seen).sum(axis=1) / total
    log_chance = 0.5 * np.log(precision).sum(axis=1) - 0.5 * np.log(total)
    log_chance -= 0.5 * (precision * (seen - common[:, None]) ** 2).sum(axis=1)
    scale = np.inf if is_flat else float(np.median(np.sqrt(variance)))
    log_chance -= np.log1p((spread[:, 0] / scale) ** 2)
    chance = np.exp(log_chance - log_chance.max())
    chance /= chance.sum()
    own = spread**2 * precision
    mean = own * seen + (1 - own) * common[:, None]
    within = own * variance + (1 - own) ** 2 / total[:, None]
    drawn = chance @ mean
    sd = np.sqrt(chance @ (within + (mean - drawn) ** 2))
    return Shrunk(drawn, sd, float(chance @ common), float(chance @ spread[:, 0]))


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
