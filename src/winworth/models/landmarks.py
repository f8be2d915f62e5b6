"""What is known of customers at the end of earlier months, and what each brought in the windows that followed."""

from dataclasses import dataclass

import numpy as np

from winworth.models.endings import Endings, last_purchase
from winworth.models.purchases import DAYS_IN_MONTH, Purchases, gap_moments, window_sum

N_LANDMARKS = 12  # as many earlier months, evenly spaced, are looked back from
PRIOR_MONTHS = 3.0  # of one common purchase, towards which a customer's own rate is shrunk
DIGITS = 6  # of amounts in the unit of money: the rounding of a currency's factor must not part two equal amounts
STATE = (
    "tenure",
    "recency",
    "n_days",
    "gap",
    "gap_variation",
    "overdue",
    "recency_of_tenure",
    "margin_a_day",
    "margin_3_months",
    "margin_12_months",
    "margin_last_month",
    "months_ahead",
    "age_ahead",
    "anniversary_ahead",
)


@dataclass(frozen=True)
class States:
    """One row a customer at the end of one month.

    `account` is its position in the log's accounts, `X` its features (the first eleven of `STATE`; times in months, money in
    units), and `rate` its own margin a month, shrunk, in units of money.
    """

    account: np.ndarray
    X: np.ndarray
    rate: np.ndarray


@dataclass(frozen=True)
class Windows:
    """One row a landmark, customer and window of `step` months after it, in that order.

    `ahead` = 1, 2, ... counts the windows after the landmark; 0 is the landmark itself. `margin` is what the window brought,
    in units of money; `is_at_risk` whether the customer had not left before it, `is_last` whether it left in it; `is_known`
    whether the as-of date tells so. `month` is the landmark's.
    """

    account: np.ndarray
    month: np.ndarray
    ahead: np.ndarray
    X: np.ndarray
    rate: np.ndarray
    margin: np.ndarray
    is_at_risk: np.ndarray
    is_last: np.ndarray
    is_known: np.ndarray


def states_at(purchases: Purchases, month: int, *, unit: float) -> States:
    """Describe all customers who had bought by the end of a month, from what was in the log by then."""
    starts, ends = purchases.starts(), purchases.position(month)
    n_days = window_sum(purchases.n_days, starts, ends)
    account = np.flatnonzero(n_days > 0)
    today, first = purchases.day_of(month), _first_purchase(purchases)
    tenure, recency = ((today - day) / DAYS_IN_MONTH for day in (first, last_purchase(purchases, month)))
    mean, deviation = (days / DAYS_IN_MONTH for days in gap_moments(purchases, ends))
    margins = {back: window_sum(purchases.margin, purchases.position(month - back), ends) / unit for back in (1, 3, 12)}
    total = window_sum(purchases.margin, starts, ends) / unit
    columns = [
        tenure,
        recency,
        n_days,
        mean,
        np.divide(deviation, mean, out=np.full(len(mean), np.nan), where=mean > 0),
        recency / np.fmax(mean + 1.645 * np.nan_to_num(deviation), 1 / DAYS_IN_MONTH),
        recency / np.maximum(tenure, 1 / DAYS_IN_MONTH),
        np.round(total / np.maximum(n_days, 1), DIGITS),
        *(np.round(margins[back], DIGITS) for back in (3, 12, 1)),
    ]
    rate = (np.maximum(total, 0) + 1) / (np.nan_to_num(tenure) + PRIOR_MONTHS)
    return States(account, np.column_stack(columns)[account], rate[account])


def look_ahead(states: States, ahead: np.ndarray, *, step: int) -> np.ndarray:
    """Return the features of each row of states in the window `ahead`: those of the state, and how far off the window is."""
    age = states.X[:, 0] + ahead * step
    anniversary = np.floor(age / 12) > np.floor((age - step) / 12)
    return np.column_stack([states.X, ahead * step, age, anniversary])


def landmarks_of(purchases: Purchases, *, step: int) -> range:
    """Return about `N_LANDMARKS` months, evenly spaced from the latest that was followed for a whole window."""
    oldest = int(-purchases.month.min(initial=0))
    return range(-step, -oldest - 1, -max(1, oldest // N_LANDMARKS))


def n_windows(purchases: Purchases, *, step: int, most_ahead: int) -> int:
    """Return how many windows a customer has at most."""
    return sum(min(most_ahead, -month // step) for month in landmarks_of(purchases, step=step))


def windows_of(purchases: Purchases, endings: Endings, *, unit: float, step: int, most_ahead: int) -> Windows:
    """Look back from about a dozen earlier months, and from each at the windows seen whole by the as-of date."""
    oldest = int(-purchases.month.min(initial=0))
    first_ahead = 0 if endings.basis == "silence" else 1
    parts = []
    for month in landmarks_of(purchases, step=step):
        states = states_at(purchases, month, unit=unit)
        is_customer = endings.day[states.account] > purchases.day_of(month)
        if endings.basis == "contract":
            states = States(states.account[is_customer], states.X[is_customer], states.rate[is_customer])
        for ahead in range(first_ahead, min(most_ahead, -month // step) + 1):
            parts.append(_window(purchases, endings, states, (month, ahead, step), unit))
    if not parts:
        parts = [_window(purchases, endings, states_at(purchases, -oldest - 1, unit=unit), (-oldest - 1, 0, step), unit)]
    found = Windows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    order = np.lexsort([found.ahead, found.account, found.month])
    return Windows(*(column[order] for column in vars(found).values()))


def _window(
    purchases: Purchases, endings: Endings, states: States, of: tuple[int, int, int], unit: float
) -> tuple[np.ndarray, ...]:
    month, ahead, step = of
    account = states.account
    start, end = month + max(ahead - 1, 0) * step, month + ahead * step
    margin = window_sum(purchases.margin, purchases.position(start), purchases.position(end))[account] / unit
    day, until = endings.day[account], purchases.day_of(end)
    is_at_risk = (day > purchases.day_of(start)) | (ahead == 0)
    is_known = until <= endings.known_until[account]
    n = len(account)
    X = look_ahead(states, np.full(n, ahead), step=step)
    told = (account, np.full(n, month), np.full(n, ahead), X, states.rate, np.round(margin, DIGITS))
    return (*told, is_at_risk, is_at_risk & (day <= until), is_known)


def _first_purchase(purchases: Purchases) -> np.ndarray:
    starts = purchases.starts()
    return np.fmin.reduceat(np.append(purchases.first_day, np.nan), starts) if len(starts) else np.zeros(0)
