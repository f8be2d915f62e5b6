"""One event table's features, by sorted keys: each costs events + examples, never their pairs.

An event is alive for the as-of dates from the day it became known up to the end of its window. What is alive on a day is
what has started by then less what has ended by then. Events are sorted once by the day they were known and once by the day
they happened, and where each moment stands in both orders is looked up once: a feature is then the difference of two
running counts or sums. An event entered later than its window is long is never alive, so that late entries need no join.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

_DAY_BITS = 18
_DAY_MASK = 2**_DAY_BITS - 1
_OFFSET = 100_000  # the days before 1970 that a key can hold
_NEVER = _DAY_MASK - _OFFSET
_HALVINGS = 500  # of a double's 1,022
_DIGITS = 14  # that a difference of two running sums can tell


@dataclass(frozen=True)
class Moments:
    """Entities on days: `entity` int64 codes from 0 (-1: none) and `day` int64 days since 1970."""

    entity: np.ndarray
    day: np.ndarray


class Timeline:
    """Events of entities, in the order in which they were known, and where each moment stands among them.

    Made of events in any order: their entity (below 0 they are left out), the day each happened and the day it was known,
    both since 1970. `rows` says which event stands at each place; whatever else is told of events comes in this order.
    """

    def __init__(self, entity: np.ndarray, happened: np.ndarray, available: np.ndarray, at: Moments):
        placed = np.flatnonzero(entity >= 0)
        known = _keys(entity[placed], available[placed])
        self.rows = placed[np.argsort((known << _DAY_BITS) + _in_key(happened[placed]))]
        self.entity = entity[self.rows].astype(np.int32)
        self.happened, self.available = (days[self.rows].astype(np.int32) for days in (happened, available))
        self.at = at
        self.first, self.known = _places(_keys(self.entity, self.available), at, at.day)
        self.by_happened = np.argsort(_keys(self.entity, self.happened))
        self._gone: dict[int, np.ndarray] = {}

    def gone(self, within: int) -> np.ndarray:
        """Return how many events, in the order in which they happened, stand before each moment's window."""
        if within not in self._gone:
            keys = _keys(self.entity, self.happened)[self.by_happened]
            self._gone[within] = _places(keys, self.at, self.at.day - within)[1]
        return self._gone[within]

    def alive(self, chosen: np.ndarray, within: int | None) -> np.ndarray:
        """Return which of the chosen events are ever in a window."""
        return chosen if within is None else chosen & (self.available < self.happened + within)

    def unless_missing(self, measured: np.ndarray) -> np.ndarray:
        """Return what was measured, missing where a moment has no entity."""
        return np.where(self.at.entity < 0, np.nan, measured)


def count(line: Timeline, chosen: np.ndarray, *, within: int | None = None) -> np.ndarray:
    """Count the events known on each day that happened in the `within` days up to it; missing where there is no entity."""
    alive = line.alive(chosen, within)
    low, high = _chosen_places(alive, line.first, line.known)
    counted = (high - low).astype(float)
    if within is not None:
        low, high = _chosen_places(alive[line.by_happened], line.first, line.gone(within))
        counted -= high - low
    return line.unless_missing(counted)


def total(line: Timeline, chosen: np.ndarray, value: np.ndarray, *, within: int | None = None) -> np.ndarray:
    """Sum the values of the events that `count` counts; events without a value add nothing.

    A sum over a window is rounded to the fourteenth digit of all that came before, or to the sixth decimal if that is finer.
    """
    valued = line.alive(chosen & ~np.isnan(value), within)
    rows = np.flatnonzero(valued)
    low, high = _chosen_places(valued, line.first, line.known)
    summed = _read(_running_sum(line.entity[rows], line.available[rows], value[rows]), low, high, none=0.0)
    if within is not None:
        rows = line.by_happened[valued[line.by_happened]]
        low, high = _chosen_places(valued[line.by_happened], line.first, line.gone(within))
        gone = _read(_running_sum(line.entity[rows], line.happened[rows], value[rows]), low, high, none=0.0)
        summed = _difference(summed, gone)
    present = count(line, valued, within=within)
    return np.where(present > 0, summed, present)


def mean(line: Timeline, chosen: np.ndarray, value: np.ndarray, *, within: int | None = None) -> np.ndarray:
    """Average the values of the events that `count` counts; missing where none has a value."""
    return _ratio(total(line, chosen, value, within=within), count(line, chosen & ~np.isnan(value), within=within))


def share(line: Timeline, part: np.ndarray, whole: np.ndarray, *, within: int | None = None) -> np.ndarray:
    """Return which share of the events of `whole` are in `part`; missing where there are none."""
    return _ratio(count(line, part, within=within), count(line, whole, within=within))


def trend(line: Timeline, chosen: np.ndarray, *, within: int, against: int) -> np.ndarray:
    """Return the log of the count in the last `within` days over what the `against` days before them lead to expect.

    One is added to both, so that nothing at all gives 0.
    """
    recent = count(line, chosen, within=within)
    before = count(line, chosen, within=within + against) - recent
    return np.log((recent + 1) / (before * within / against + 1))


def distinct(line: Timeline, chosen: np.ndarray, value: np.ndarray, *, within: int | None = None) -> np.ndarray:
    """Count the different values of the events that `count` counts; `value` holds int codes, below 0 is none.

    Events of one value whose lives touch are one life, and a day has as many values as lives.
    """
    rows = np.flatnonzero(line.alive(chosen & (value >= 0), within))
    holder = line.entity[rows] * (value.max(initial=0) + np.int64(1)) + value[rows]
    order = np.argsort(holder, kind="stable")
    rows, holder = rows[order], holder[order]
    start = line.available[rows]
    end = np.full(len(rows), _NEVER) if within is None else line.happened[rows] + within
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = holder[1:] != holder[:-1]
    reach = _in_day(np.maximum.accumulate(_keys(np.cumsum(fresh), end)))
    opens = fresh
    opens[1:] |= start[1:] > reach[:-1]
    closes = np.ones(len(rows), dtype=bool)
    closes[:-1] = opens[1:]
    lives = [(start, opens), (reach, closes)]
    begun, over = (np.sort(_keys(line.entity[rows][edge], days[edge])) for days, edge in lives)
    (first, began), (last, ended) = (_places(keys, line.at, line.at.day) for keys in (begun, over))
    return line.unless_missing((began - first - (ended - last)).astype(float))


def latest(line: Timeline, chosen: np.ndarray, *, order: np.ndarray) -> np.ndarray:
    """Return the place of the event that happened last among those known on each day, or -1.

    Events of one day are put in order by `order` (int, greater is later).
    """
    by_time = np.lexsort((order, line.happened, line.entity))
    rank = np.empty(len(by_time), dtype=np.int64)
    rank[by_time] = np.arange(len(by_time))
    low, high = _chosen_places(chosen, line.first, line.known)
    best = _read(np.maximum.accumulate(rank[chosen]), low, high, none=-1)
    return np.where(best < 0, -1, np.r_[by_time, -1][best])


def days_since_last(line: Timeline, chosen: np.ndarray, *, within: int | None = None) -> np.ndarray:
    """Return the days since the last event known; missing where there is none (in the window)."""
    low, high = _chosen_places(chosen, line.first, line.known)
    last = _in_day(np.maximum.accumulate(_keys(line.entity[chosen], line.happened[chosen])))
    days = line.at.day - _read(last.astype(float), low, high, none=np.nan)
    return days if within is None else np.where(days < within, days, np.nan)


def days_since_first(line: Timeline, chosen: np.ndarray) -> np.ndarray:
    """Return the days since the first event known; missing where there is none."""
    low, high = _chosen_places(chosen, line.first, line.known)
    first = -_in_day(np.maximum.accumulate(_keys(line.entity[chosen], -line.happened[chosen])))
    return line.at.day - _read(first.astype(float), low, high, none=np.nan)


def decayed_count(line: Timeline, chosen: np.ndarray, *, half_life: float) -> np.ndarray:
    """Count known events, each worth half as much for every `half_life` days since it happened.

    Running sums of powers of two would overflow: they start anew with every era of 500 half-lives, and what is older than
    the last two eras is worth nothing.
    """
    span = max(int(_HALVINGS * half_life), 1)
    n_eras = 2**_DAY_BITS // span + 3
    era, era_at = (_in_key(day) // span + 1 for day in (line.available[chosen], line.at.day))
    entity = line.entity[chosen] * np.int64(n_eras) + era
    worth = np.exp2((line.happened[chosen] + _OFFSET - era * span) / half_life)  # at the end of its era
    running = pd.Series(worth).groupby(entity, sort=False).cumsum().to_numpy()
    keys = _keys(entity, line.available[chosen])
    decayed = np.zeros(len(line.at.day))
    for reached in (era_at, era_at - 1):
        low, high = _places(keys, Moments(line.at.entity * n_eras + reached, line.at.day), line.at.day)
        decayed += _read(running, low, high, none=0.0) * np.exp2((reached * span - _OFFSET - line.at.day) / half_life)
    return line.unless_missing(decayed)


def _in_key(day: np.ndarray) -> np.ndarray:
    return np.clip(day.astype(np.int64) + _OFFSET, 0, _DAY_MASK)


def _in_day(key: np.ndarray) -> np.ndarray:
    return (key & _DAY_MASK) - _OFFSET


def _keys(entity: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Put entity and day into one int64 that sorts by entity, then day."""
    return (entity.astype(np.int64) << _DAY_BITS) + _in_key(day)


def _places(keys: np.ndarray, at: Moments, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where, in sorted keys, each moment's entity begins, and where its days up to and including `day` end."""
    begin, end = at.entity << _DAY_BITS, _keys(at.entity, day)
    order = np.argsort(end)  # neighbours find their places in memory that is still at hand
    places = np.empty((2, len(end)), dtype=np.int64)
    places[0, order] = np.searchsorted(keys, begin[order])
    places[1, order] = np.searchsorted(keys, end[order], side="right")
    return places[0], places[1]


def _chosen_places(chosen: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn places among all events into places among the chosen ones."""
    before = np.zeros(len(chosen) + 1, dtype=np.int64)
    np.cumsum(chosen, out=before[1:])
    return before[low], before[high]


def _read(running: np.ndarray, low: np.ndarray, high: np.ndarray, *, none: float) -> np.ndarray:
    """Read a running figure at the last place of each moment, `none` where it has no event."""
    return np.where(high > low, np.r_[running, none][np.where(high > low, high - 1, -1)], none)


def _running_sum(entity: np.ndarray, day: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Sum values along sorted entities and days, anew for every entity, so that none feels another.

    The values of one day are put in order first, so that the sum does not depend on the order of rows.
    """
    same = (entity[1:] == entity[:-1]) & (day[1:] == day[:-1])
    tied = np.zeros(len(value), dtype=bool)
    tied[1:] = same
    tied[:-1] |= same
    rows = np.flatnonzero(tied)
    value = value.copy()
    value[rows] = value[rows][np.lexsort((value[rows], day[rows], entity[rows]))]
    return pd.Series(value).groupby(entity, sort=False).cumsum().to_numpy()


def _difference(later: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """Subtract one running sum from another, without the dust that the subtraction of doubles leaves."""
    reach = np.maximum(np.abs(later), np.abs(earlier))
    scale = 10.0 ** np.clip(_DIGITS - np.ceil(np.log10(np.maximum(reach, 1e-200))), 6, None)
    return np.round((later - earlier) * scale) / scale


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
