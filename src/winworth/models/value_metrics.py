"""How good predicted values of customers are: order, totals, deciles and the top, always beside what needs no model."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from winworth.models.metrics import Figure, account_draws, gini, lift_at, spearman
from winworth.models.purchases import Purchases, window_sum

TOP = 0.1


def compare_values(y: np.ndarray, predicted: Mapping[str, np.ndarray], *, seed: int, n_boot: int = 200) -> pd.DataFrame:
    """Measure each prediction of what accounts brought, one row a way of predicting, one element an account.

    `total` is predicted over observed with its 95 % interval over accounts, `decile_wape` the error of decile totals over
    the observed total, `top_share` what the highest tenth brought of it. A figure that is not defined is NaN.

    >>> y = np.array([0.0, 10.0, 30.0, 0.0])
    >>> compare_values(y, {"ours": y / 2, "constant": np.full(4, 10.0)}, seed=0)[["mae", "gini", "total"]].abs()
               mae  gini  total
    ours       5.0   1.0    0.5
    constant  10.0   0.0    1.0
    """
    return pd.DataFrame({way: _measured(y, p, seed, n_boot) for way, p in predicted.items()}).T


def total_ratio(y: np.ndarray, predicted: np.ndarray, *, seed: int, n_boot: int = 200) -> Figure:
    """Return predicted over observed total, with a 95 % interval by a bootstrap over accounts; NaN where nothing came."""
    if not len(y) or y.sum() <= 0:
        return Figure(np.nan, np.nan, np.nan, len(y))
    draws = account_draws(np.arange(len(y)), seed=seed, n_boot=n_boot)
    ratios = [counts @ predicted / total for counts in draws if (total := counts @ y) > 0]
    low, high = np.quantile(ratios, [0.025, 0.975]) if ratios else (np.nan, np.nan)
    return Figure(float(predicted.sum() / y.sum()), float(low), float(high), len(y))


def decile_table(y: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """Return accounts, predicted and observed totals by decile of the prediction, highest last; equal ones stay together.

    >>> decile_table(np.array([1.0, 3.0]), np.array([2.0, 2.5])).reset_index()
       decile  n  predicted  observed
    0       3  1        2.0       1.0
    1       8  1        2.5       3.0
    """
    share = (rankdata(predicted) - 0.5) / max(len(y), 1)
    decile = np.minimum(np.floor(share * 10).astype(int), 9) + 1
    rows = pd.DataFrame({"decile": decile, "predicted": predicted, "observed": y})
    sums = rows.groupby("decile")[["predicted", "observed"]].sum()
    sums.insert(0, "n", rows.groupby("decile").size())
    return sums


def decile_wape(y: np.ndarray, predicted: np.ndarray) -> float:
    """Return the absolute error of decile totals over the observed total; NaN where nothing came."""
    table = decile_table(y, predicted)
    return float((table["predicted"] - table["observed"]).abs().sum() / y.sum()) if y.sum() > 0 else float("nan")


def top_share(y: np.ndarray, predicted: np.ndarray, share: float = TOP) -> float:
    """Return what the share of accounts with the highest predictions brought of the total; those that tie count in part."""
    return share * lift_at(share)(y, predicted, np.ones(len(y))) if len(y) else float("nan")


def largest_share(y: np.ndarray) -> float:
    """Return the largest account's share of the total, which says how far the other figures hang on it."""
    return float(y.max() / y.sum()) if len(y) and y.sum() > 0 else float("nan")


def chance_behind(y: np.ndarray, predicted: np.ndarray, rival: np.ndarray, *, seed: int, n_boot: int = 200) -> float:
    """Return the share of bootstrap draws of accounts in which the rival puts them in a better order (normalised Gini)."""
    every, behind = np.arange(len(y)), []
    for counts in account_draws(every, seed=seed, n_boot=n_boot):
        rows = np.repeat(every, counts.astype(int))
        behind.append(gini(y[rows], predicted[rows]) < gini(y[rows], rival[rows]))
    return float(np.mean(behind)) if behind else float("nan")


def without_model(purchases: Purchases, *, months: int) -> dict[str, np.ndarray]:
    """Return what needs no model, by account: past spend, the last 12 months carried on, and a constant for all.

    The constant is the mean of what customers would bring in `months` if all went on at their rate since their first month.
    """
    starts, ends = purchases.starts(), purchases.position(0)
    past = window_sum(purchases.margin, starts, ends)
    last = window_sum(purchases.margin, purchases.position(-12), ends)
    n_months = 1 - purchases.month[starts] if len(starts) else np.ones(0)
    constant = float((past / n_months).mean() * months) if len(past) else 0.0
    return {"past spend": past, "last 12 months": last * months / 12, "constant": np.full(len(past), constant)}


def _measured(y: np.ndarray, predicted: np.ndarray, seed: int, n_boot: int) -> dict[str, float]:
    total = total_ratio(y, predicted, seed=seed, n_boot=n_boot)
    return {
        "mae": float(np.mean(np.abs(predicted - y))) if len(y) else float("nan"),
        "spearman": spearman(y, predicted),
        "gini": gini(y, predicted),
        "total": total.value,
        "total_low": total.low,
        "total_high": total.high,
        "decile_wape": decile_wape(y, predicted),
        "top_share": top_share(y, predicted),
        "largest_share": largest_share(y),
    }
