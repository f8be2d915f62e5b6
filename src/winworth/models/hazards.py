"""When an open deal will close: hazards of winning and losing, period by period, for dates only.

The probability that deals are ranked by is `WinModel`'s, whose attributions are exact; nothing here is attributed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from winworth.models.censoring import Histories
from winworth.models.linear import row_sums
from winworth.models.trees import TreeSize
from winworth.models.win import WinModel

MOST_DAYS = 3650  # the modelled distribution of days to close is cut here
LEAST_ROWS = 50  # person-periods in the last period with a hazard of its own, those of later periods among them
CHUNK = 5000  # rows taken at a time, so that memory does not grow with the number of deals


@dataclass(frozen=True)
class DaysToClose:
    """Days from now until deals close, won or lost: mean and 80 % interval; and the mean to a win where it is one."""

    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    to_win: np.ndarray


class CompetingHazards:
    """Learn the chance that a deal still open is won, or lost, in each period of `period_days` after it was observed.

    Two binary models on person-periods, with the age of the deal and the periods since it was observed as features: won or
    not, and lost or not where it was not won (a continuation-ratio form of competing risks; Tutz and Schmid 2016, ch. 8;
    examples at several ages are landmarks as in van Houwelingen 2007). `C` and `size` are those of `WinModel`. Periods
    beyond the data have the hazard of the last one; `last_age_` and `last_since_` are where that begins, in periods.
    """

    def __init__(
        self,
        C: float | None = 0.1,
        size: TreeSize | None = None,
        period_days: int = 30,
        seed: int = 0,
        threads: int = 2,
    ):
        self.C = C
        self.size = size
        self.period_days = period_days
        self.seed = seed
        self.threads = threads

    def fit(
        self,
        X: np.ndarray,
        histories: Histories,
        age_days: np.ndarray,
        *,
        day: int,
        sample_weight: np.ndarray | None = None,
    ) -> "CompetingHazards":
        """Learn from rows of a NumPy matrix, the age of their deals when observed, and what is known of them on `day`.

        A period counts only where `day` lies at or after its end, whatever came of it: to keep those of deals that closed
        and drop those of deals still open would raise the hazards. Raises ValueError without a win or without a loss.
        """
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        row, since, is_last = self._periods(histories, day)
        won, lost = is_last & histories.won[row], is_last & ~histories.won[row]
        if not won.any() or not lost.any():
            raise ValueError(f"Hazards need both won and lost deals, and {day} knows {won.sum()} and {lost.sum()}.")
        age = np.asarray(age_days, dtype=float)[row] / self.period_days + since
        self.last_since_, self.last_age_ = _last_common(since), _last_common(age)
        rows = self._person_periods(np.asarray(X, dtype=float)[row], age, since)
        rest = ~won
        self.won_ = self._model().fit(rows, won, weight[row])
        self.lost_ = self._model().fit(rows[rest], lost[rest], weight[row][rest])
        return self

    def hazards(self, X: np.ndarray, age_days: np.ndarray, n_periods: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the chance to be won, and lost, in each coming period of deals open before it: (rows, n_periods) each."""
        if not len(X):
            return np.zeros((0, n_periods)), np.zeros((0, n_periods))
        age = np.asarray(age_days, dtype=float) / self.period_days
        reach = max(self.last_since_, self.last_age_ - age.min())
        n = min(n_periods, int(np.ceil(reach)) + 1)
        row, since = np.repeat(np.arange(len(X)), n), np.tile(np.arange(n), len(X))
        rows = self._person_periods(np.asarray(X, dtype=float)[row], age[row] + since, since)
        won = self.won_.predict_proba(rows)[:, 1]
        lost = (1 - won) * self.lost_.predict_proba(rows)[:, 1]
        until = np.minimum(np.arange(n_periods), n - 1)
        return won.reshape(len(X), n)[:, until], lost.reshape(len(X), n)[:, until]

    def win_probability_by(self, X: np.ndarray, age_days: np.ndarray, days: float) -> np.ndarray:
        """Return the chance that each deal, open at its present age, is won within `days` from now."""
        n = max(1, int(np.ceil(days / self.period_days)))
        return np.concatenate([_read(won, days / self.period_days) for won, _ in self._curves(X, age_days, n)])

    def days_to_close(self, X: np.ndarray, age_days: np.ndarray) -> DaysToClose:
        """Return when each deal, open at its present age, will close: deals that never would count as ten years."""
        n = MOST_DAYS // self.period_days
        parts = [_summary(won, lost) for won, lost in self._curves(X, age_days, n)]
        return DaysToClose(*(np.concatenate(part) * self.period_days for part in zip(*parts, strict=True)))

    def to_files(self, name: str) -> dict[str, object]:
        """Return what the model learnt, by file name: JSON-ready, and LightGBM's text."""
        learnt = {"period_days": self.period_days, "last_since": self.last_since_, "last_age": self.last_age_}
        return {f"{name}.json": learnt} | self.won_.to_files(f"{name}_won") | self.lost_.to_files(f"{name}_lost")

    @classmethod
    def from_files(cls, files: Mapping[str, object], name: str) -> "CompetingHazards":
        """Rebuild what `to_files` wrote under a name, ready to predict."""
        learnt = files[f"{name}.json"]
        model = cls(period_days=learnt["period_days"])
        model.last_since_, model.last_age_ = learnt["last_since"], learnt["last_age"]
        model.won_, model.lost_ = (
            WinModel.from_files(files[f"{name}_{end}.json"], files.get(f"{name}_{end}_trees.txt")) for end in ("won", "lost")
        )
        return model

    def _model(self) -> WinModel:
        return WinModel(self.C, self.size, (), self.seed, self.threads)

    def _periods(self, histories: Histories, day: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return for each person-period its row, its place after the observation, and whether the deal ended in it."""
        n_seen = np.maximum((day - histories.observed) // self.period_days, 0)
        ended_in = (histories.ended - histories.observed - 1) // self.period_days
        n = np.minimum(n_seen, ended_in + 1)
        row = np.repeat(np.arange(len(n)), n)
        since = np.arange(len(row)) - np.repeat(np.cumsum(n) - n, n)
        return row, since, since == ended_in[row]

    def _person_periods(self, X: np.ndarray, age: np.ndarray, since: np.ndarray) -> np.ndarray:
        """Add to each row the age of its deal and the periods since it was observed, as far as the data go."""
        age, since = np.minimum(age, self.last_age_), np.minimum(since, self.last_since_)
        # the first period is unlike the others, which the ridge half can tell only by a column of its own
        return np.column_stack([X, age, since, age == 0, since == 0])

    def _curves(self, X: np.ndarray, age_days: np.ndarray, n: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Go through rows in chunks: the chance to have been won, and lost, by the end of each period, 0 in front."""
        for start in range(0, max(len(X), 1), CHUNK):
            won, lost = self.hazards(X[start : start + CHUNK], age_days[start : start + CHUNK], n)
            still_open = np.cumprod(np.column_stack([np.ones(len(won)), 1 - won - lost]), axis=1)[:, :-1]
            none = np.zeros((len(won), 1))
            yield tuple(np.hstack([none, np.cumsum(still_open * hazard, axis=1)]) for hazard in (won, lost))


def _last_common(period: np.ndarray) -> float:
    """Return the last whole period with enough rows, those of later periods among them."""
    counts = np.bincount(period.astype(int))
    reached = np.cumsum(counts[::-1])[::-1]
    return float(np.flatnonzero(reached >= min(LEAST_ROWS, reached[0]))[-1])


def _summary(won: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, 10 % and 90 % point of the periods to close, and the mean of those to a win; even within a period."""
    closed = won + lost
    middle = np.arange(closed.shape[1] - 1) + 0.5
    mean = row_sums(np.diff(closed) * middle) + (1 - closed[:, -1]) * (closed.shape[1] - 1)
    to_win = row_sums(np.diff(won) * middle) / won[:, -1]
    return mean, _reached(closed, 0.1), _reached(closed, 0.9), to_win


def _reached(curve: np.ndarray, share: float) -> np.ndarray:
    """Return the periods after which each row's curve reaches a share; its whole length where it never does."""
    after = np.clip((curve < share).sum(axis=1), 1, curve.shape[1] - 1)
    rows = np.arange(len(curve))
    before, step = curve[rows, after - 1], curve[rows, after] - curve[rows, after - 1]
    part = np.divide(share - before, step, out=np.ones(len(curve)), where=step > 0)
    return after - 1 + np.clip(part, 0, 1)


def _read(curve: np.ndarray, periods: float) -> np.ndarray:
    """Read each row's curve after a number of periods, straight between their ends."""
    low = min(int(periods), curve.shape[1] - 2)
    return curve[:, low] + (curve[:, low + 1] - curve[:, low]) * (periods - low)
