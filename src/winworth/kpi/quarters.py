"""Quarters that have passed, quarters counted from a change and cut where the rules changed, and deals seen at equal age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

ALL = "all"
MONTHS = 3


@dataclass(frozen=True)
class Period:
    """The days from `start` to `end`, both included; `quarters` are what it is made of."""

    name: str
    start: pd.Timestamp
    end: pd.Timestamp
    quarters: tuple["Period", ...] = ()

    def holds(self, days: pd.Series) -> pd.Series:
        """Tell which days lie in it."""
        return (days >= self.start) & (days <= self.end)


def quarters_until(as_of: date, *, most: int, first: pd.Timestamp) -> tuple[Period, ...]:
    """Return the last whole quarters that had passed at the end of `as_of`, none that ended before the day `first`.

    >>> [period.name for period in quarters_until(date(2026, 6, 29), most=2, first=pd.Timestamp("2020-01-01"))]
    ['2025 Q4', '2026 Q1']
    """
    last = pd.Period(as_of, "Q")
    if last.end_time.normalize() > pd.Timestamp(as_of):
        last -= 1
    names = [last - back for back in reversed(range(most))]
    bounds = [(f"{q.year} Q{q.quarter}", q.start_time, q.end_time.normalize()) for q in names]
    return tuple(Period(name, start, end) for name, start, end in bounds if end >= first)


def whole(quarters: tuple[Period, ...]) -> Period:
    """Join quarters into one period."""
    return Period(ALL, quarters[0].start, quarters[-1].end, quarters)


@dataclass(frozen=True)
class Regime:
    """A day from which figures mean something else: a new price list, a new definition of won, another CRM."""

    __pydantic_config__ = {"extra": "forbid"}

    on: date
    what: str

    def __str__(self) -> str:
        return f"{self.what} ({self.on})"


def number_periods(days: pd.Series, *, split: date, regimes: Sequence[Regime] = ()) -> pd.Series:
    """Number the quarter of each day: 0 begins on the day of the change, -1 ends before it; a regime change cuts a quarter.

    A day that is missing has no period.

    >>> days = pd.Series(pd.to_datetime(["2025-12-31", "2026-01-01", "2026-04-02"]))
    >>> number_periods(days, split=date(2026, 1, 1)).tolist()
    [-1, 0, 1]
    >>> number_periods(days, split=date(2026, 1, 1), regimes=[Regime(date(2026, 2, 1), "new prices")]).tolist()
    [-1, 0, 2]
    """
    known = days.dropna()
    if known.empty:
        return pd.Series(pd.NA, index=days.index, dtype="Int64")
    bounds, first = _bounds(known, split, regimes)
    place = np.searchsorted(bounds, known.to_numpy().astype("datetime64[s]"), "right")
    return pd.Series(place - first, index=known.index, dtype="Int64").reindex(days.index)


def period_starts(days: pd.Series, *, split: date, regimes: Sequence[Regime] = ()) -> dict[int, date]:
    """Return the first day of every period that `number_periods` gives these days.

    >>> days = pd.Series(pd.to_datetime(["2025-12-31", "2026-01-01"]))
    >>> period_starts(days, split=date(2026, 1, 1))
    {-1: datetime.date(2025, 10, 1), 0: datetime.date(2026, 1, 1)}
    """
    numbers = sorted(number_periods(days, split=split, regimes=regimes).dropna().unique())
    bounds, first = _bounds(days.dropna(), split, regimes) if numbers else (np.array([]), 0)
    return {int(number): pd.Timestamp(bounds[int(number) + first - 1]).date() for number in numbers}


def _bounds(known: pd.Series, split: date, regimes: Sequence[Regime]) -> tuple[np.ndarray, int]:
    """Return the first days of all periods round some days, and how many of them are not after the change."""
    start = pd.Timestamp(split)
    cuts = {pd.Timestamp(regime.on) for regime in regimes}
    for step, is_past in ((-1, lambda day: day <= known.min()), (1, lambda day: day > known.max())):
        n, day = 0, start
        while not is_past(day):
            cuts.add(day)
            n += step
            day = start + pd.DateOffset(months=MONTHS * n)
        cuts.add(day)
    bounds = np.array(sorted(cuts | {start}), dtype="datetime64[s]")
    return bounds, int(np.searchsorted(bounds, np.datetime64(start, "s"), "right"))


def regimes_between(first: date, last: date, regimes: Sequence[Regime]) -> tuple[Regime, ...]:
    """Return the regime changes after `first` and up to `last`, in order: a comparison of the two days goes across them."""
    return tuple(sorted((r for r in regimes if first < r.on <= last), key=lambda r: r.on))


def at_equal_age(deals: pd.DataFrame, *, as_of: date, age_days: int) -> pd.DataFrame:
    """Return the deals that had reached an age by `as_of`, with `won`: whether they were won by that age.

    A deal that is older today than another has had more time to be won; at equal age both have had the same. Deals younger
    than that are left out, and what came of a deal after that age is not counted.

    >>> opened, closed = (pd.to_datetime(days) for days in (["2026-01-01"] * 2, ["2026-02-01", "2026-05-30"]))
    >>> deals = pd.DataFrame({"status": ["won", "won"], "opened_on": opened, "closed_on": closed})
    >>> at_equal_age(deals, as_of=date(2026, 6, 30), age_days=90)["won"].tolist()
    [1.0, 0.0]
    """
    age = (pd.Timestamp(as_of) - deals["opened_on"]).dt.days
    took = (deals["closed_on"] - deals["opened_on"]).dt.days
    won = (deals["status"] == "won") & (took <= age_days)
    return deals.assign(won=won.astype(float))[age >= age_days]
