"""Whether A, B and C differ in what accounts went on to bring: tiers that do not are not published."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.models.metrics import Figure, account_draws
from winworth.scoring.seats import TIERS
from winworth.scoring.tiers import assign_tiers

SURE = 0.95
LEAST = 20  # accounts of a tier below which nothing is told of it


@dataclass(frozen=True)
class Step:
    """One tier (or two) against a lower one: how far the mean margin of an account differs, with its 90 % interval, and the
    chance that it is above 0.
    """

    higher: str
    lower: str
    difference: Figure
    chance: float

    @property
    def holds(self) -> bool:
        """Whether the higher tier brought more with 95 % certainty."""
        return self.chance >= SURE

    @property
    def says(self) -> str:
        """The step in words."""
        gap = self.difference
        told = f"{self.higher} brought {gap.value:+,.0f} [{gap.low:,.0f} to {gap.high:,.0f}] an account against {self.lower}"
        return f"{told}, more with {self.chance:.0%} certainty" + ("" if self.holds else f"; {SURE:.0%} is asked")


@dataclass(frozen=True)
class Separation:
    """The tiers that may be published, mean margin per account by tier, and the steps between tiers that were tried."""

    published: tuple[str, ...]
    by_tier: dict[str, Figure]
    steps: tuple[Step, ...]

    @property
    def says(self) -> str:
        """What was found, in words."""
        if not self.steps:
            return f"not measured: a tier has fewer than {LEAST} accounts with a known outcome"
        return "; ".join(step.says for step in self.steps)

    def to_dict(self) -> dict:
        """Return it for JSON."""
        steps = [
            {"higher": s.higher, "lower": s.lower, "difference": s.difference.to_dict(), "chance": s.chance, "holds": s.holds}
            for s in self.steps
        ]
        by_tier = {tier: figure.to_dict() for tier, figure in self.by_tier.items()}
        return {"published": list(self.published), "by_tier": by_tier, "steps": steps, "says": self.says}


def tiers_that_differ(
    expected: np.ndarray,
    realised: np.ndarray,
    accounts: np.ndarray,
    *,
    shares: dict[str, float],
    seed: int,
    n_boot: int = 400,
) -> Separation:
    """Cut accounts by what was expected of them, and compare what they brought; the intervals draw accounts anew.

    Rows of one account are added up. Where A brought no more than B the two are one tier, B; where B brought no more than C, C.
    With too few accounts to tell, all tiers are published.

    >>> expected = np.arange(100.0)
    >>> found = tiers_that_differ(expected, (expected > 49) * 10.0, np.arange(100), shares={"A": 0.25, "B": 0.25}, seed=0)
    >>> found.published, round(found.by_tier["A"].value, 1)
    (('B', 'C'), 10.0)
    """
    totals = pd.DataFrame({"expected": expected, "realised": realised}).groupby(accounts).sum()
    tier = assign_tiers(totals["expected"], pd.Series(totals.index, totals.index), shares=shares).to_numpy()
    if min((tier == name).sum() for name in TIERS) < LEAST:
        return Separation(TIERS, {}, ())
    groups = {"A": ("A",), "B": ("B",), "C": ("C",), "AB": ("A", "B"), "BC": ("B", "C")}
    places = {name: np.isin(tier, group) for name, group in groups.items()}
    draws = account_draws(totals.index.to_numpy(), seed=seed, n_boot=n_boot)
    means = pd.DataFrame([_means(totals["realised"].to_numpy(), places, n) for n in (np.ones(len(tier)), *draws)])
    sizes = {name: int(at.sum()) for name, at in places.items()}
    by_tier = {name: _figure(means[name], sizes[name]) for name in TIERS}
    published, steps = _merged(means, sizes)
    return Separation(published, by_tier, steps)


def _means(brought: np.ndarray, places: dict[str, np.ndarray], n: np.ndarray) -> dict[str, float]:
    """Return the mean of each group of accounts, each account counted `n` times; NaN where none was drawn."""
    with np.errstate(invalid="ignore"):
        return {name: float((n @ (brought * at)) / np.float64(n @ at)) for name, at in places.items()}


def _merged(means: pd.DataFrame, sizes: dict[str, int]) -> tuple[tuple[str, ...], tuple[Step, ...]]:
    """Compare neighbours, and what they are merged into where they do not differ."""
    upper, lower = _step(means, sizes, "A", "B"), _step(means, sizes, "B", "C")
    if upper.holds and lower.holds:
        return TIERS, (upper, lower)
    if not upper.holds:
        rest = _step(means, sizes, "AB", "C")
        return (("B", "C") if rest.holds else ("C",)), (upper, rest)
    rest = _step(means, sizes, "A", "BC")
    return (("A", "C") if rest.holds else ("C",)), (upper, lower, rest)


def _step(means: pd.DataFrame, sizes: dict[str, int], higher: str, lower: str) -> Step:
    gap = means[higher] - means[lower]
    return Step(higher, lower, _figure(gap, sizes[higher] + sizes[lower]), float((gap.iloc[1:] > 0).mean()))


def _figure(measured: pd.Series, n: int) -> Figure:
    low, high = measured.iloc[1:].quantile([0.05, 0.95])
    return Figure(float(measured.iloc[0]), float(low), float(high), n)
