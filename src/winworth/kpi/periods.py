"""Quarters that have passed, and the whole of them."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

ALL = "all"


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
