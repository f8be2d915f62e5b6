"""One event table's features, by sorted keys: each costs events + examples, never their pairs.

An event is alive for the as-of dates from the day it became known up to the end of its window. What is alive on a day is
what has started by then less what has ended by then, and both are positions in sorted arrays. An event entered later
than its window is long is never alive, so that late entries need no join.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

_DAY_BITS = 18
_OFFSET = 100_000  # the days before 1970 that a key can hold
_NEVER = 2**_DAY_BITS - 1 - _OFFSET
_HALVINGS = 500  # of a double's 1,022
_DIGITS = 14  # that a difference of two running sums can tell


@dataclass(frozen=True)
class Moments:
    """Entities on days: `entity` int64 codes from 0 (-1: none) and `day` int64 days since 1970."""

    entity: np.ndarray
    day: np.ndarray


@dataclass(frozen=True)
class Events:
    """Events of entities: when each happened, when it was known (both days since 1970), and a value or none."""

    entity: np.ndarray
    happened: np.ndarray
    available: np.ndarray
    value: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "Events":
        """Keep some of the events."""
        value = None if self.value is None else self.value[rows]
        return Events(self.entity[rows], self.happened[rows], self.available[rows], value)

    def ends(self, within: int | None) -> np.ndarray:
        """Return the first as-of day on which each event has left the window."""
        return np.full(len(self.entity), _NEVER) if within is None else self.happened + within


def count(events: Events, at: Moments, *, within: int | None = None) -> np.ndarray:
    """Count the events known on each day that happened in the `within` days up to it; missing where there is no entity."""
    alive = events.take(events.available < events.ends(within))
    counted = _started(alive.entity, alive.available, at)
    if within is not None:
        counted = counted - _started(alive.entity, alive.ends(within), at)
    return np.where(at.entity < 0, np.nan, counted)


def total(events: Events, at: Moments, *, within: int | None = None) -> np.ndarray:
    """Sum the values of the events that `count` counts; events without a value add nothing.

    A sum over a window is rounded to the fourteenth digit of all that came before, or to the sixth decimal if that is finer.
    """
    alive = events.take((events.available < events.ends(within)) & ~np.isnan(events.value))
    summed = _running_sum(alive.entity, alive.available, alive.value, at)
    if within is not None:
        summed = _difference(summed, _running_sum(alive.entity, alive.ends(within), alive.value, at))
    present = count(alive, at, within=within)
    return np.where(present > 0, summed, present)


def mean(events: Events, at: Moments, *, within: int | None = None) -> np.ndarray:
    """Average the values of the events that `count` counts; missing where none has a value."""
    valued = events.take(~np.isnan(events.value))
    return _ratio(total(valued, at, within=within), count(valued, at, within=within))


def share(part: Events, whole: Events, at: Moments, *, within: int | None = None) -> np.ndarray:
    """Return which share of the events of `whole` are in `part`; missing where there are none."""
    return _ratio(count(part, at, within=within), count(whole, at, within=within))


def trend(events: Events, at: Moments, *, within: int, against: int) -> np.ndarray:
    """Return the log of the count in the last `within` days over what the `against` days before them lead to expect.

    One is added to both, so that nothing at all gives 0.
    """
    recent = count(events, at, within=within)
    before = count(events, at, within=within + against) - recent
    return np.log((recent + 1) / (before * within / against + 1))


def distinct(events: Events, at: Moments, *, within: int | None = None) -> np.ndarray:
    """Count the different values of the events that `count` counts; `value` holds int codes, below 0 is none."""
    ends = events.ends(within)
    kept = (events.available < ends) & (events.value >= 0)
    entity, value, start, end = events.entity[kept], events.value[kept], events.available[kept], ends[kept]
    order = np.lexsort((end, start, value, entity))
    entity, value, start, end = entity[order], value[order], start[order], end[order]
    same = np.zeros(len(entity), dtype=bool)
    same[1:] = (entity[1:] == entity[:-1]) & (value[1:] == value[:-1])
    reach = pd.Series(end).groupby(np.cumsum(~same)).cummax().to_numpy()
    opens = ~same
    opens[1:] |= start[1:] > reach[:-1]
    closes = np.ones(len(entity), dtype=bool)
    closes[:-1] = opens[1:]
    present = _started(entity[opens], start[opens], at) - _started(entity[opens], reach[closes], at)
    return np.where(at.entity < 0, np.nan, present)


def latest(events: Events, at: Moments, *, order: np.ndarray | None = None) -> np.ndarray:
    """Return the row number of the event that happened last among those known on each day, or -1.

    Events of one day are put in order by `order` (int, greater is later) where given.
    """
    tie = np.zeros(len(events.entity)) if order is None else order
    by_time = np.lexsort((tie, events.happened))
    rank = np.empty(len(by_time), dtype=np.int64)
    rank[by_time] = np.arange(len(by_time))
    rows = np.lexsort((rank, events.available, events.entity))
    best = pd.Series(rank[rows]).groupby(events.entity[rows]).cummax().to_numpy()
    place = _last_place(events.entity[rows], events.available[rows], at)
    return np.where(place < 0, -1, by_time[best[place]] if len(best) else -1)


def days_since_last(events: Events, at: Moments, *, within: int | None = None) -> np.ndarray:
    """Return the days since the last event known; missing where there is none (in the window)."""
    row = latest(events, at)
    days = np.where(row < 0, np.nan, at.day - (events.happened[row] if len(events.happened) else 0))
    return days if within is None else np.where(days < within, days, np.nan)


def days_since_first(events: Events, at: Moments) -> np.ndarray:
    """Return the days since the first event known; missing where there is none."""
    rows = np.lexsort((events.happened, events.available, events.entity))
    first = pd.Series(events.happened[rows]).groupby(events.entity[rows]).cummin().to_numpy()
    place = _last_place(events.entity[rows], events.available[rows], at)
    return np.where(place < 0, np.nan, at.day - (first[place] if len(first) else 0))


def decayed_count(events: Events, at: Moments, *, half_life: float) -> np.ndarray:
    """Count known events, each worth half as much for every `half_life` days since it happened.

    Running sums of powers of two would overflow: they start anew with every era of 500 half-lives, and what is older than
    the last two eras is worth nothing.
    """
    sorted_ = events.take(np.lexsort((events.happened, events.available, events.entity)))
    span = max(int(_HALVINGS * half_life), 1)
    n_eras = 2**_DAY_BITS // span + 3
    era, era_at = (np.maximum(day + _OFFSET, 0) // span + 1 for day in (sorted_.available, at.day))
    entity = sorted_.entity * n_eras + era
    worth = np.exp2((sorted_.happened + _OFFSET - era * span) / half_life)  # at the end of its era
    gain = np.r_[pd.Series(worth).groupby(entity).cumsum().to_numpy(), 0.0]
    decayed = np.zeros(len(at.day))
    for reached in (era_at, era_at - 1):
        place = _last_place(entity, sorted_.available, Moments(at.entity * n_eras + reached, at.day))
        decayed += gain[place] * np.exp2((reached * span - _OFFSET - at.day) / half_life)
    return np.where(at.entity < 0, np.nan, decayed)


def _difference(later: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """Subtract one running sum from another, without the dust that the subtraction of doubles leaves."""
    reach = np.maximum(np.abs(later), np.abs(earlier))
    scale = 10.0 ** np.clip(_DIGITS - np.ceil(np.log10(np.maximum(reach, 1e-200))), 6, None)
    return np.round((later - earlier) * scale) / scale


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _keys(entity: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Put entity and day into one int64 that sorts by entity, then day."""
    return (entity.astype(np.int64) << _DAY_BITS) + np.clip(day + _OFFSET, 0, _NEVER + _OFFSET)


def _started(entity: np.ndarray, day: np.ndarray, at: Moments) -> np.ndarray:
    """Count the entity's days up to and including each moment."""
    keys = np.sort(_keys(entity, day))
    first = np.searchsorted(keys, at.entity.astype(np.int64) << _DAY_BITS, side="left")
    return (np.searchsorted(keys, _keys(at.entity, at.day), side="right") - first).astype(float)


def _last_place(entity: np.ndarray, day: np.ndarray, at: Moments) -> np.ndarray:
    """Return the position, in arrays sorted by entity and day, of the last one up to each moment, or -1."""
    keys = _keys(entity, day)
    first = np.searchsorted(keys, at.entity.astype(np.int64) << _DAY_BITS, side="left")
    place = np.searchsorted(keys, _keys(at.entity, at.day), side="right") - 1
    return np.where((place < first) | (at.entity < 0), -1, place)


def _running_sum(entity: np.ndarray, day: np.ndarray, value: np.ndarray, at: Moments) -> np.ndarray:
    """Sum each entity's values up to each moment; the sum starts anew with every entity, so that none feels another."""
    rows = np.lexsort((value, day, entity))
    running = pd.Series(value[rows]).groupby(entity[rows]).cumsum().to_numpy()
    place = _last_place(entity[rows], day[rows], at)
    return np.where(place < 0, 0.0, running[place] if len(running) else 0.0)
