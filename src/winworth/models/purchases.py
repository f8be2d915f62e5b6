"""An invoice or purchase log becomes one row an account and month, netted, with the days on which something was bought."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from winworth.errors import DataError, listed

DAYS_IN_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Purchases:
    """What accounts bought by the end of the as-of date: rows sorted by account and month, months counted back from it.

    `accounts` are the sorted ids and `of` the position of each row's account among them; `month` is 0 for the month that
    ends on the as-of date (31 May, say, starts it on 1 May) and falls into the past. `margin` is net of credit notes;
    a month that nets to nothing or less has no purchase. `n_days` counts days with a purchase, `first_day` and `last_day`
    bound them (days since 1970), `gaps` and `squares` sum the days between purchases that end in the month, and
    their squares. `longest_gap` has, by account, the 95 % point of the days between its purchases, NaN with one purchase.
    """

    as_of: pd.Timestamp
    accounts: pd.Index
    of: np.ndarray
    month: np.ndarray
    margin: np.ndarray
    n_days: np.ndarray
    first_day: np.ndarray
    last_day: np.ndarray
    gaps: np.ndarray
    squares: np.ndarray
    longest_gap: np.ndarray

    def day_of(self, month: int) -> int:
        """Return the last day of a month counted back from the as-of date, in days since 1970."""
        return _day(self.as_of + pd.DateOffset(months=month) + _to_month_end(self.as_of, month))

    def position(self, month: int) -> np.ndarray:
        """Return, for each account, the row before which its rows up to and with a month end."""
        span = int(-self.month.min(initial=0)) + 2
        key = self.of * span + self.month + (span - 1)
        return np.searchsorted(key, np.arange(len(self.accounts)) * span + np.clip(month + span - 1, -1, span - 1), "right")

    def of_accounts(self, kept: np.ndarray) -> "Purchases":
        """Return the purchases of the accounts at some positions, ascending."""
        rows = np.isin(self.of, kept)
        columns = ("month", "margin", "n_days", "first_day", "last_day", "gaps", "squares")
        parts = {name: getattr(self, name)[rows] for name in columns}
        of = np.searchsorted(kept, self.of[rows])
        return replace(self, accounts=self.accounts[kept], of=of, longest_gap=self.longest_gap[kept], **parts)

    def starts(self) -> np.ndarray:
        """Return each account's first row."""
        return np.searchsorted(self.of, np.arange(len(self.accounts)))


def net_purchases(log: pd.DataFrame, *, as_of: date, sample_weight: np.ndarray | None = None) -> Purchases:
    """Net a log by account and month, up to and with the as-of date; later rows are not read.

    The log has `account_id`, one column of dates (whatever its name), `amount`, and `margin` where it is known, else the
    amount is the margin. A row's weight says how much of it counts: a row given twice at half weight is the row given
    once. Raises DataError where a column lacks, or a row lacks its account, date, amount or margin.
    """
    on, as_of = _date_column(log), pd.Timestamp(as_of).normalize()
    day = log[on].dt.floor("D")
    seen = (day <= as_of) | day.isna()
    weight = _weights(log, sample_weight)
    columns = ["account_id", on, "amount", *(["margin"] if "margin" in log else [])]
    read, weight = log.loc[seen.to_numpy(), columns], weight[seen.to_numpy()]
    _refuse_missing(read, columns)
    accounts = pd.Index(np.sort(read["account_id"].unique()))
    rows = pd.DataFrame(
        {
            "of": accounts.get_indexer(read["account_id"]),
            "day": day[seen].to_numpy().astype("datetime64[D]").astype(np.int64),
            "amount": read["amount"].to_numpy(dtype=float) * weight,
            "margin": read["margin" if "margin" in read else "amount"].to_numpy(dtype=float) * weight,
        }
    )
    return _netted(rows, accounts, as_of)


def gap_moments(purchases: Purchases, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each account's gaps, in days, before the rows `ends`; NaN without a gap."""
    starts = purchases.starts()
    n = window_sum(purchases.n_days, starts, ends) - 1
    sums, squares = (window_sum(x, starts, ends) for x in (purchases.gaps, purchases.squares))
    mean = np.divide(sums, n, out=np.full(len(n), np.nan), where=n > 0)
    spread = np.divide(squares, n, out=np.full(len(n), np.nan), where=n > 1) - mean**2
    return mean, np.sqrt(np.maximum(spread, 0))


def window_sum(values: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Sum values from each start up to before its end; 0 where that is nothing.

    Each window is summed by itself, so that no account's money is lost beside a larger one's.

    >>> window_sum(np.array([1.0, 2.0, 4.0]), np.array([0, 1, 2]), np.array([2, 1, 3]))
    array([3., 0., 4.])
    """
    padded = np.append(values, 0).astype(float)
    bounds = np.column_stack([starts, np.maximum(ends, starts)]).ravel()
    sums = np.add.reduceat(padded, bounds)[::2] if len(bounds) else np.zeros(0)
    return np.where(ends > starts, sums, 0.0)


def _netted(rows: pd.DataFrame, accounts: pd.Index, as_of: pd.Timestamp) -> Purchases:
    days = rows.assign(month=_months_back(rows["day"].to_numpy(), as_of))
    # sorted by every value, so that sums do not depend on the order of the rows
    days = days.sort_values(["of", "month", "day", "amount", "margin"], kind="stable")
    days = days.groupby(["of", "month", "day"], sort=False, as_index=False)[["amount", "margin"]].sum()
    keys = [days["of"], days["month"]]
    net = days["amount"].groupby(keys).transform("sum").to_numpy()
    bought = (days["amount"].to_numpy() > 0) & (net > 1e-9 * days["amount"].abs().groupby(keys).transform("sum").to_numpy())
    days = days.assign(bought=bought, **_gaps(days, bought))
    longest = _longest_gap(days["of"].to_numpy(), days["gap"].to_numpy(), len(accounts))
    days = days.assign(first=days["day"].where(bought), last=days["day"].where(bought))
    parts = {"margin": "sum", "bought": "sum", "first": "min", "last": "max", "gap": "sum", "square": "sum"}
    months = days.groupby(["of", "month"], sort=False, as_index=False).agg(parts)
    columns = ("of", "month", "margin", "bought", "first", "last", "gap", "square")
    return Purchases(as_of, accounts, *(months[name].to_numpy() for name in columns), longest)


def _gaps(days: pd.DataFrame, bought: np.ndarray) -> dict[str, np.ndarray]:
    """Return the days since the account's purchase before, on days with a purchase but its first; else 0."""
    gap = np.zeros(len(days))
    of, day, at = days["of"].to_numpy()[bought], days["day"].to_numpy()[bought], np.flatnonzero(bought)
    again = of[1:] == of[:-1]
    gap[at[1:]] = np.where(again, np.diff(day), 0)
    return {"gap": gap, "square": gap**2}


def _longest_gap(of: np.ndarray, gap: np.ndarray, n_accounts: int) -> np.ndarray:
    """Return the 95 % point of each account's gaps, straight between the two nearest."""
    of, gap = of[gap > 0], gap[gap > 0]
    gap = np.append(gap[np.lexsort([gap, of])], np.nan)
    n = np.bincount(of, minlength=n_accounts)
    at = np.cumsum(n) - n + 0.95 * np.maximum(n - 1, 0)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, np.cumsum(n) - 1)
    return np.where(n > 0, gap[low] + (at - low) * (gap[high] - gap[low]), np.nan)


def _months_back(day: np.ndarray, as_of: pd.Timestamp) -> np.ndarray:
    """Return the month of each day: 0 up to the as-of date, -1 up to the same day a month earlier, and so on."""
    date_of = pd.DatetimeIndex(day.astype("datetime64[D]"))
    last = np.minimum(31 if as_of.is_month_end else as_of.day, date_of.days_in_month)
    months = (date_of.year - as_of.year) * 12 + date_of.month - as_of.month
    return (months + (date_of.day > last)).to_numpy(dtype=np.int64)


def _to_month_end(as_of: pd.Timestamp, month: int) -> pd.Timedelta:
    there = as_of + pd.DateOffset(months=month)
    return pd.Timedelta(days=there.days_in_month - there.day if as_of.is_month_end else 0)


def _day(at: pd.Timestamp) -> int:
    return (at.normalize() - pd.Timestamp(0)).days


def _date_column(log: pd.DataFrame) -> str:
    lacking = [name for name in ("account_id", "amount") if name not in log]
    if lacking:
        raise DataError(f"The log lacks the columns {listed(lacking)}. Rename the columns that hold them.")
    dates = [name for name, column in log.items() if pd.api.types.is_datetime64_any_dtype(column)]
    if len(dates) != 1:
        told = listed(dates) if dates else "none"
        raise DataError(
            f"The log needs one column of dates and has {len(dates)} ({told}). Keep the day of the purchase only; text becomes "
            "dates by pandas.to_datetime."
        )
    if log[dates[0]].dt.tz is not None:
        raise DataError(
            f"All {len(log)} dates in {dates[0]} carry a time zone. Make them the days of the company's own calendar: "
            f".dt.tz_convert(...).dt.tz_localize(None)."
        )
    return dates[0]


def _weights(log: pd.DataFrame, sample_weight: np.ndarray | None) -> np.ndarray:
    if sample_weight is None:
        return np.ones(len(log))
    weight = np.asarray(sample_weight, dtype=float)
    if len(weight) != len(log):
        raise DataError(f"There are {len(weight)} weights for {len(log)} rows of the log. Give one a row.")
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(bad):
        raise DataError(
            f"{len(bad)} of {len(weight)} weights are not finite numbers at or above 0; the first is {weight[bad[0]]} on row "
            f"{log.index[bad[0]]}. Leave those rows out, or weigh them 0."
        )
    return weight


def _refuse_missing(read: pd.DataFrame, columns: list[str]) -> None:
    for name in columns:
        values = read[name]
        bad = ~np.isfinite(values.to_numpy(dtype=float, na_value=np.nan)) if name in ("amount", "margin") else values.isna()
        if (n := int(np.sum(bad))) > 0:
            first = int(np.flatnonzero(bad)[0])
            raise DataError(
                f"{n} of {len(read)} rows of the log have no finite {name}; the first is account "
                f"{read['account_id'].iloc[first]}, row {read.index[first]}. Put in what is known or leave those rows out: "
                "missing is not 0."
            )
