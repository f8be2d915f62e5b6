"""What a group of deals brought against all of them: the lift of its mean, and how surely, account by account."""

from dataclasses import dataclass

import numpy as np

from winworth.models.metrics import Figure, account_draws
from winworth.models.outliers import held_within_reason
from winworth.models.shares import effective_n, wilson

LEAST = 10  # accounts below which a lift has no interval


@dataclass(frozen=True)
class Realised:
    """What came of deals, one row each: `value` (money, or 1 for a win; 0 unless won), `won` (0 or 1), weight and account."""

    value: np.ndarray
    won: np.ndarray
    weight: np.ndarray
    account: np.ndarray

    def __len__(self) -> int:
        return len(self.value)

    @classmethod
    def of(cls, won: np.ndarray, money: np.ndarray, weight: np.ndarray, account: np.ndarray) -> "Realised":
        """Value deals by the money of those won (NaN unknown), or by winning alone where no money is known.

        A win of unknown value counts as the mean of the known ones, and one far beyond all others is held within reason:
        a mistyped amount must not make an ideal customer.
        """
        won = won.astype(float)
        known = (won > 0) & (money > 0)
        if not known.any():
            return cls(won, won, weight, account)
        value = np.where(won > 0, money, 0.0)
        value[known] = np.exp(held_within_reason(np.log(value[known])))
        unknown = np.isnan(value)
        value[unknown] = np.average(value[(won > 0) & ~unknown], weights=weight[(won > 0) & ~unknown])
        return cls(value, won, weight, account)


def log_lifts(chosen: np.ndarray, realised: Realised, *, within: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the log of each group's mean value over that of all rows (or of `within`), and its standard error.

    `chosen` has one column a group. Errors are by linearisation, rows of one account counted as one (delta method; Binder
    1983). A group that brought nothing has the lift -inf.
    """
    order = np.argsort(realised.account, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(realised.account[order]) != 0])
    w, v, m = realised.weight[order], realised.value[order], chosen[order]
    base = np.ones(len(w), dtype=bool) if within is None else within[order]
    mean = (w * base) @ v / ((w * base).sum() or 1.0)
    weight, brought = w @ m, (w * v) @ m
    with np.errstate(divide="ignore", invalid="ignore"):
        own = brought / weight
        off = np.add.reduceat((w * v)[:, None] * m, first) - own * np.add.reduceat(w[:, None] * m, first)
        common = np.add.reduceat(w * base * (v - mean), first) / ((w * base).sum() * mean)
        off = off / brought - common[:, None]
        error = np.sqrt((off**2).sum(axis=0) * len(first) / max(len(first) - 1, 1))
        lift = np.log(own / mean)
    nothing = ~(brought > 0)
    return np.where(nothing, -np.inf, lift), np.where(nothing, 0.0, error)


def lift_of(chosen: np.ndarray, realised: Realised, *, seed: int, n_boot: int = 500) -> Figure:
    """Return a group's mean value over that of all rows, with a 95 % percentile interval over accounts; n counts the group.

    A group of fewer than ten accounts has no interval: drawn anew, they vary less than others like them do.
    """
    w, v = realised.weight, realised.value

    def lift(w: np.ndarray) -> float:
        own, every = (w * chosen).sum(), (w * v).sum()
        return float((w * v) @ chosen / own * w.sum() / every) if own > 0 and every > 0 else np.nan

    draws = np.array([lift(w * counts) for counts in account_draws(realised.account, seed=seed, n_boot=n_boot)])
    draws = draws[np.isfinite(draws)]
    is_told = len(draws) > n_boot // 2 and len(np.unique(realised.account[chosen])) >= LEAST
    low, high = np.quantile(draws, [0.025, 0.975]) if is_told else (np.nan, np.nan)
    return Figure(lift(w), float(low), float(high), int(chosen.sum()))


def win_rate_of(chosen: np.ndarray, realised: Realised) -> Figure:
    """Return the win rate of a group with Wilson's interval; its cases are what its weights are worth (Kish), or what its
    deals are where accounts have several that end alike, whichever is less.
    """
    w, won = realised.weight[chosen], realised.won[chosen]
    n = min(float(w.sum() ** 2 / (w**2).sum()), effective_n(won, realised.account[chosen])) if len(w) else 0.0
    share = float(np.average(won, weights=w)) if n else np.nan
    return Figure(share, *(wilson(share * n, n) if n else (np.nan, np.nan)), int(chosen.sum()))


def chance(chosen: np.ndarray, realised: Realised, *, seed: int, n_draws: int = 1999) -> float:
    """Return how often a group dealt at random among accounts would lie as far above the mean of all deals as this one.

    Whole accounts change places, each with all it brought. What is compared is the distance in standard errors, not in money:
    accounts of few deals have means that spread wider than those of accounts dealt at random, and a rule may choose by what
    goes with few deals (Janssen 1997; Chung and Romano 2013). Never below 1 / (n_draws + 1).
    """
    codes = np.unique(realised.account, return_inverse=True)[1]
    w = realised.weight
    weight, brought, own = (np.bincount(codes, x) for x in (w, w * realised.value, w * chosen))
    if not own.sum() > 0:
        return 1.0
    share, rng = own / weight, np.random.default_rng(seed)
    found = _errors_above(share, weight, brought) - 1e-12
    as_much = sum(_errors_above(rng.permutation(share), weight, brought) >= found for _ in range(n_draws))
    return (1 + as_much) / (1 + n_draws)


def _errors_above(share: np.ndarray, weight: np.ndarray, brought: np.ndarray) -> float:
    """Return by how many standard errors the mean of a group, a share of each account, lies above that of all accounts."""
    every, n = brought.sum() / weight.sum(), share @ weight
    mean = share @ brought / n
    spread = np.sqrt(((share * (brought - mean * weight) / n - (brought - every * weight) / weight.sum()) ** 2).sum())
    return float((mean - every) / spread) if spread > 1e-15 * max(abs(every), 1e-300) else 0.0
