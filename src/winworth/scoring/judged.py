"""Sellers' judgement beside the model's: who ranks better, what both know together, and where they disagree."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from winworth.models.metrics import Figure, auc

TIERS = ("A", "B", "C")
_SUREST = 0.01  # a seller's 0 % counts as 1 %, a 100 % as 99 %: what is certain has no log-odds
_LEAST = 10  # won or lost accounts below which no AUC is told


@dataclass(frozen=True)
class Judged:
    """Figures with 95 % intervals; NaN where there is too little to tell.

    `agreement` is Cohen's kappa of the tiers, `same_tier` the share alike; `seller`, `model`, `combined` are AUCs on what came
    of the accounts since, `gain` is combined minus model. `disagreements` has the accounts worth a talk, the widest first.
    """

    agreement: Figure
    same_tier: Figure
    seller: Figure
    model: Figure
    combined: Figure
    gain: Figure
    disagreements: pd.DataFrame


def judge(answers: pd.DataFrame, *, seed: int, n_boot: int = 1000) -> Judged:
    """Compare answered accounts: account_id, stratum, size (accounts it stands for), tier, win_probability (missing where no
    chance was asked), seller_tier and seller_chance (0-1; missing where not answered), won (0 or 1; missing where not known).

    Figures of tiers are of all scored accounts, AUCs of those with a chance: the answers of a stratum stand for its size, and
    the intervals draw accounts anew within strata (normal on the log-odds of shares and AUCs). Seller and model are combined
    by the mean of their log-odds.
    """
    rows = answers.assign(combined=combine(answers["seller_chance"], answers["win_probability"]))
    tiered = rows[rows["seller_tier"].notna()]
    told, ours = (tiered[name].map(TIERS.index).to_numpy(dtype=int) for name in ("seller_tier", "tier"))
    known = rows[rows[["won", "seller_chance", "win_probability"]].notna().all(axis=1)]
    won = known["won"].to_numpy(dtype=float)
    enough = min((won == 1).sum(), (won == 0).sum()) >= _LEAST

    def of(name: str, weight: np.ndarray) -> float:
        return auc(won, known[name].to_numpy(dtype=float), weight) if enough else np.nan

    def gain(weight: np.ndarray) -> float:
        return of("combined", weight) - of("win_probability", weight)

    def measured(value: Callable[[np.ndarray], float], on: pd.DataFrame, scale: _Scale = _PLAIN) -> Figure:
        return _figure(value, on, scale, seed, n_boot)

    return Judged(
        measured(lambda w: kappa(told, ours, w), tiered),
        measured(lambda w: float(np.average(told == ours, weights=w)) if len(w) else np.nan, tiered, _ODDS),
        measured(lambda w: of("seller_chance", w), known, _ODDS),
        measured(lambda w: of("win_probability", w), known, _ODDS),
        measured(lambda w: of("combined", w), known, _ODDS),
        measured(gain, known),
        disagreements(rows),
    )


def kappa(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> float:
    """Return Cohen's kappa (1960) of two codings by 0, 1, 2: agreement beyond chance; NaN where chance alone agrees always."""
    table = np.zeros((3, 3))
    np.add.at(table, (first, second), weight)
    if table.sum() <= 0:
        return float("nan")
    table /= table.sum()
    by_chance = table.sum(axis=0) @ table.sum(axis=1)
    return float((np.trace(table) - by_chance) / (1 - by_chance)) if by_chance < 1 - 1e-12 else float("nan")


def combine(seller: pd.Series, model: pd.Series) -> pd.Series:
    """Return the chance whose log-odds are the mean of the two; missing where one is.

    >>> combine(pd.Series([0.5, 1.0, None]), pd.Series([0.2, 0.2, 0.2])).round(3).tolist()
    [0.333, 0.833, nan]
    """
    held = seller.astype(float).clip(_SUREST, 1 - _SUREST)
    return expit((logit(held) + logit(model.astype(float).clip(1e-6, 1 - 1e-6))) / 2)


def disagreements(rows: pd.DataFrame, limit: int = 10) -> pd.DataFrame:
    """Return the accounts on which tiers or chances lie furthest apart, the widest first; none where all agree.

    Two tiers apart comes before one, and one before none; within them, by the distance of the log-odds, from a factor of three
    in the odds on.
    """
    steps = (rows["seller_tier"].map(TIERS.index, na_action="ignore") - rows["tier"].map(TIERS.index)).abs().fillna(0)
    held = rows["seller_chance"].astype(float).clip(_SUREST, 1 - _SUREST)
    apart = (logit(held) - logit(rows["win_probability"])).abs().fillna(0)
    wide = rows.assign(_steps=steps, _apart=apart)[(steps > 0) | (apart > np.log(3))]
    ordered = wide.sort_values(["_steps", "_apart", "account_id"], ascending=[False, False, True])
    return ordered.drop(columns=["_steps", "_apart"]).head(limit).reset_index(drop=True)


def stratum_draws(stratum: pd.Series, *, seed: int, n_boot: int) -> np.ndarray:
    """Return, for each replicate, what each row counts: of n rows of a stratum n - 1 are drawn and scaled up to n, so that
    small strata do not look surer than they are (Rao and Wu 1988).
    """
    rng, n = np.random.default_rng(seed), len(stratum)
    flat, first = np.zeros(n_boot * n), np.arange(n_boot)[:, None] * n
    for places in stratum.reset_index(drop=True).groupby(stratum.to_numpy()).indices.values():
        drawn = max(len(places) - 1, 1)
        picked = places[rng.integers(0, len(places), (n_boot, drawn))]
        flat += np.bincount((first + picked).ravel(), minlength=len(flat)) * (len(places) / drawn)
    return flat.reshape(n_boot, n)


@dataclass(frozen=True)
class _Scale:
    """Where a figure's error is close to normal, and back: log-odds for shares, as it is for differences."""

    there: Callable = staticmethod(lambda value: value)
    back: Callable = staticmethod(lambda value: np.clip(value, -1, 1))


_PLAIN = _Scale()
_ODDS = _Scale(lambda value: logit(np.clip(value, 0.005, 0.995)), expit)


def _figure(value: Callable[[np.ndarray], float], rows: pd.DataFrame, scale: _Scale, seed: int, n_boot: int) -> Figure:
    weight = (rows["size"] / rows.groupby("stratum")["size"].transform("size")).to_numpy(dtype=float)
    found = np.array([value(weight * counts) for counts in stratum_draws(rows["stratum"], seed=seed, n_boot=n_boot)])
    finite, known = scale.there(found[np.isfinite(found)]), value(weight)
    wide = 1.96 * finite.std() if len(finite) > n_boot // 2 else np.nan
    low, high = (float(scale.back(scale.there(known) + side * wide)) for side in (-1, 1))
    return Figure(known, low, high, len(rows))
