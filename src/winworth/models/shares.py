"""Shares of few cases, and the difference of two, with intervals that hold where the normal one does not."""

import numpy as np

Z95 = 1.959963984540054


def wilson(successes: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's interval of a share, by default of 95 % (Wilson 1927); the whole of 0-1 where there are no cases.

    >>> low, high = wilson(1, 20)
    >>> round(low, 3), round(high, 3)
    (0.009, 0.236)
    """
    if n == 0:
        return 0.0, 1.0
    share, spread = successes / n, z * np.sqrt(successes / n * (1 - successes / n) / n + z**2 / (4 * n**2))
    middle = share + z**2 / (2 * n)
    return float((middle - spread) / (1 + z**2 / n)), float((middle + spread) / (1 + z**2 / n))


def newcombe(one: tuple[float, float], other: tuple[float, float], z: float = Z95) -> tuple[float, float]:
    """Return the interval of the difference of two shares, each (share, n), from Wilson's of either (Newcombe 1998, method 10).

    >>> low, high = newcombe((56 / 70, 70), (48 / 80, 80))
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)
    """
    (p, n), (q, m) = one, other
    (p_low, p_high), (q_low, q_high) = wilson(p * n, n, z), wilson(q * m, m, z)
    down, up = np.hypot(p - p_low, q_high - q), np.hypot(p_high - p, q - q_low)
    return float(p - q - down), float(p - q + up)


def effective_n(cases: np.ndarray, accounts: np.ndarray) -> float:
    """Return how many cases of separate accounts tell a share as surely as these, which share accounts (Kish 1965).

    `cases` are 0 or 1, one a row; never more than there are rows, and as many where no account has two. Where all are the
    same, accounts are what is counted.

    >>> round(effective_n(np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0]), np.array([7, 7, 8, 8, 9, 9])), 9)
    2.0
    """
    codes = np.unique(accounts, return_inverse=True)[1]
    n, n_accounts = len(cases), int(codes.max(initial=-1)) + 1
    share = cases.mean() if n else 0.0
    if n_accounts < 2 or n_accounts == n or share in (0, 1):
        return float(n_accounts)
    by_account = np.bincount(codes, cases - share)
    inflation = (by_account**2).sum() * n_accounts / (n_accounts - 1) / (n * share * (1 - share))
    return float(n / max(inflation, 1.0))
