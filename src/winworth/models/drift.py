"""Whether a feature is spread as it was: PSI against what chance alone gives at this n, as far as accounts repeat."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import f as fisher
from scipy.stats import hypergeom

from winworth.models.matrix import MISSING, OTHER

BINS = 10
LEAST = 20  # rows below which nothing is told
LEAST_EXPECTED = 8.0  # of the rows now, in a bin that stands alone
LARGE_PSI = 0.1
LARGE_GAP = 0.05  # rise of a share (missing, new levels, out of range) that goes without saying
FALSE_ALARMS = 0.01  # chance of any alarm where nothing has drifted, over all that is tested


@dataclass(frozen=True)
class Shift:
    """One test of one feature: `what` is values, missing or new_levels; the size of the change, then and now as shares where
    it is a share, the chance of as much without drift, and how many rows tell it.
    """

    feature: str
    what: str
    size: float
    p: float
    n: int
    then: float | None = None
    now: float | None = None

    @property
    def is_large(self) -> bool:
        """Whether it is large enough to matter, were it no chance."""
        return self.size > (LARGE_PSI if self.what == "values" else LARGE_GAP)


def spread_of(column: pd.Series, accounts: np.ndarray, levels: list[str] | None = None) -> dict:
    """Return how a feature is spread, for JSON: a number by tenths (`edges`), a feature with levels by its known levels.

    `inflation` says by how much shares vary more than those of as many separate accounts would. Shares leave out what is
    missing; of levels, those not known are `new_levels`.

    >>> told = spread_of(pd.Series([1.0, 2.0, 3.0, None]), np.arange(4))
    >>> told["edges"], told["low"], told["high"], told["missing"]["share"]
    ([1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8], 1.0, 3.0, 0.25)
    """
    told: dict = {"n": len(column), "missing": _share(column.isna().to_numpy(), accounts)}
    here = column.notna().to_numpy()
    if levels is None:
        values = column[here].to_numpy(dtype=float)
        edges = np.quantile(values, np.arange(1, BINS) / BINS) if len(values) else np.array([])
        ends = {"low": float(values.min()), "high": float(values.max())} if len(values) else {"low": None, "high": None}
        told |= {"edges": [float(f"{edge:.12g}") for edge in np.unique(edges)]} | ends
    else:
        known = [level for level in levels if level not in (OTHER, MISSING)]
        told |= {"levels": known, "new_levels": _share(here & ~column.isin(known).to_numpy(), accounts)}
    counts = _counts(told, column[here])
    return told | {"counts": counts.sum(axis=0).astype(int).tolist(), "inflation": _inflation(counts, accounts[here])}


def at_ages_of(then: Mapping[str, float] | None, ages: np.ndarray) -> np.ndarray | None:
    """Return a weight a row, 1 on average, under which ages have the shares that they had; None where none are known.

    A month in which few deals open has fewer young ones; what grows with a deal's age would seem to have drifted. An age that
    was never observed then counts as it does now.

    >>> at_ages_of({"0": 0.5, "30": 0.5}, np.array([0, 30, 30, 30])).round(2).tolist()
    [2.0, 0.67, 0.67, 0.67]
    """
    if not then or not len(ages):
        return None
    now = pd.Series(ages).astype(int).astype(str)
    weight = now.map(then).astype(float) / now.map(now.value_counts(normalize=True))
    return (weight.fillna(1.0) / weight.fillna(1.0).mean()).to_numpy()


def drifted(
    feature: str, then: Mapping, column: pd.Series, accounts: np.ndarray, weight: np.ndarray | None = None
) -> list[Shift]:
    """Test a feature now against how it was spread (`spread_of`); nothing where too few rows tell.

    Under `weight` (`at_ages_of`) its values are compared; what is missing or new is told of the rows as they are.

    Without drift PSI, over the sum of what each side varies by, is about chi-square with one degree less than bins (Yurdakul
    and Naranjo 2020), each side's variance inflated as its accounts repeat; as that is estimated, F stands for chi-square (Rao
    and Scott 1981, Thomas and Rao 1987). Bins in which fewer than 8 rows are expected are joined with their neighbours.
    """
    if len(column) < LEAST or then["n"] < LEAST:
        return []
    found = [_more(feature, "missing", then["missing"], column.isna().to_numpy(), accounts)]
    here = column.notna().to_numpy()
    if "levels" in then:
        new = here & ~column.isin(then["levels"]).to_numpy()
        found.append(_more(feature, "new_levels", then["new_levels"], new, accounts))
    before = np.asarray(then["counts"], dtype=float)
    if here.sum() < LEAST or before.sum() < LEAST:
        return found
    own = np.ones(int(here.sum())) if weight is None else weight[here]
    by_row = _counts(then, column[here]) * own[:, None]
    inflation = _inflation(by_row, accounts[here], own)
    groups = _joined(before / before.sum(), least=LEAST_EXPECTED * inflation / len(by_row))
    if len(groups) < 2:
        return found
    before, now = (np.add.reduceat(counts, groups) for counts in (before, by_row.sum(axis=0)))
    size = psi(before, now)
    varies, free = then["inflation"] / before.sum() + inflation / now.sum(), len(groups) - 1
    p = float(fisher.sf(size / varies / free, free, free * max(len(np.unique(accounts[here])) - 1, 1)))
    return [Shift(feature, "values", size, p, int(here.sum())), *found]


def psi(before: np.ndarray, now: np.ndarray) -> float:
    """Return the population stability index of counts in the same bins; half a row is added to each.

    >>> round(psi(np.array([50.0, 50.0]), np.array([60.0, 40.0])), 3)
    0.04
    """
    p, q = ((counts + 0.5) / (counts + 0.5).sum() for counts in (before, now))
    return float(((p - q) * np.log(p / q)).sum())


def alarms(tests: list[Shift], *, level: float = FALSE_ALARMS) -> list[Shift]:
    """Return those tests that are beyond chance after Benjamini and Hochberg (1995) over all of them, and large."""
    if not tests:
        return []
    from scipy.stats import false_discovery_control

    adjusted = false_discovery_control([test.p for test in tests])
    return [test for test, p in zip(tests, adjusted, strict=True) if p <= level and test.is_large]


def out_of_range(then: Mapping, column: pd.Series) -> int:
    """Count the rows whose number lies outside what was seen before."""
    if then.get("low") is None:
        return 0
    return int(((column < then["low"]) | (column > then["high"])).sum())


def _counts(told: Mapping, column: pd.Series) -> np.ndarray:
    """Return one row a value, with a 1 in its bin; the last bin of levels is for those not known."""
    if "levels" in told:
        place = pd.Index(told["levels"]).get_indexer(column)
        n_bins = len(told["levels"]) + 1
        place = np.where(place < 0, n_bins - 1, place)
    else:
        place = np.searchsorted(told["edges"], column.to_numpy(dtype=float), side="left")
        n_bins = len(told["edges"]) + 1
    return (place[:, None] == np.arange(n_bins)).astype(float)


def _inflation(by_row: np.ndarray, accounts: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Return the mean design effect of the bins' shares, at least 1: rows of one account tell less than as many accounts, and
    so do rows of unequal weight.
    """
    codes = np.unique(accounts, return_inverse=True)[1]
    weight = np.ones(len(by_row)) if weight is None else weight
    n, n_accounts = float(weight.sum()), int(codes.max(initial=-1)) + 1
    share = by_row.sum(axis=0) / n if n else np.zeros(by_row.shape[1])
    used = (share > 0) & (share < 1)
    if n_accounts < 2 or (n_accounts == len(by_row) and np.ptp(weight) == 0) or used.sum() < 2:
        return 1.0
    off = by_row[:, used] - weight[:, None] * share[used]
    summed = np.zeros((n_accounts, int(used.sum())))
    np.add.at(summed, codes, off)
    variance = (summed**2).sum(axis=0) * n_accounts / (n_accounts - 1) / n
    return float(max((variance / share[used]).sum() / (used.sum() - 1), 1.0))


def _joined(shares: np.ndarray, *, least: float) -> np.ndarray:
    """Return where groups of neighbouring bins begin, so that each but for want of others holds `least` of the shares."""
    starts, held = [0], 0.0
    for place, share in enumerate(shares):
        if held >= least and shares[place:].sum() >= least:
            starts.append(place)
            held = 0.0
        held += share
    return np.array(starts)


def _share(cases: np.ndarray, accounts: np.ndarray) -> dict:
    both = np.column_stack([cases, ~cases]).astype(float)
    return {"share": float(cases.mean()) if len(cases) else 0.0, "n_effective": len(cases) / _inflation(both, accounts)}


def _more(feature: str, what: str, then: Mapping, cases: np.ndarray, accounts: np.ndarray) -> Shift:
    """Test whether a share has risen, by Fisher's exact test (one side) on as many cases as separate accounts would tell."""
    now = _share(cases, accounts)
    n, m = int(then["n_effective"]), int(now["n_effective"])
    before, after = int(np.ceil(then["share"] * n)), int(now["share"] * m + 1e-9)
    p = float(hypergeom.sf(after - 1, n + m, before + after, m))
    return Shift(feature, what, now["share"] - then["share"], min(p, 1.0), len(cases), then["share"], now["share"])
