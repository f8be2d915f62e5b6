"""Do announced chances come true: by pool-adjacent-violators, free of bins; and an interval for each by Venn-Abers."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Corp:
    """The Brier score parted: miscalibration - discrimination + uncertainty (Dimitriadis, Gneiting and Jordan 2021)."""

    miscalibration: float
    discrimination: float
    uncertainty: float


def corp(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> Corp:
    """Part the Brier score of probabilities by what isotonic recalibration would still gain."""
    rate = np.average(y, weights=w)
    given, best, flat = (np.average((y - q) ** 2, weights=w) for q in (p, _pooled(p, y, w), np.full(len(y), rate)))
    return Corp(float(given - best), float(flat - best), float(flat))


def reliability_curve(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> list[dict[str, float]]:
    """Return the steps of the recalibrated curve: each block's mean prediction, observed share and weight."""
    pooled = _pooled(p, y, w)
    steps = []
    for level in np.unique(pooled):
        block = pooled == level
        predicted = float(np.average(p[block], weights=w[block]))
        steps.append({"predicted": predicted, "observed": float(level), "weight": float(w[block].sum())})
    return steps


class VennAbers:
    """An interval [p0, p1] for each probability, by inductive Venn-Abers prediction (Vovk, Petej and Fedorova 2015).

    p0 and p1 are what isotonic calibration would say if the new deal were added as not won and as won: where few past
    deals had such a margin they lie apart. Calibration rows are given by margin, outcome and weight.
    """

    def __init__(self, margin: np.ndarray, won: np.ndarray, weight: np.ndarray):
        order = np.argsort(margin, kind="stable")
        self.margin, self.won, self.weight = margin[order], won[order], weight[order]

    def interval(self, margin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return p0 and p1 of each margin."""
        place = np.searchsorted(self.margin, margin, side="left")
        last = np.searchsorted(self.margin, margin, side="right")
        ends = {
            (a, b): tuple(self._with(m, a, b, won) for won in (0.0, 1.0)) for m, a, b in zip(margin, place, last, strict=True)
        }
        both = np.array([ends[pair] for pair in zip(place, last, strict=True)]).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def _with(self, margin: float, place: int, last: int, won: float) -> float:
        x = np.insert(self.margin, place, margin)
        y = np.insert(self.won, place, won)
        w = np.insert(self.weight, place, np.average(self.weight))
        return float(_pooled(x, y, w)[place])


def _pooled(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    from sklearn.isotonic import IsotonicRegression

    return IsotonicRegression(y_min=0, y_max=1).fit(x, y, sample_weight=w).predict(x)
