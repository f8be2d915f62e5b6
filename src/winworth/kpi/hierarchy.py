"""Groups that resemble each other: each one's figure drawn towards that of all, as far as its own doubt says."""

from dataclasses import dataclass

import numpy as np

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
