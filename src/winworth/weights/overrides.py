"""What leadership changed: a criterion's weight, who, why, until when; the rest is rescaled, and the price measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from winworth.errors import ConfigError, did_you_mean
from winworth.features.catalog import STRICT
from winworth.models.linear import row_sums
from winworth.models.metrics import Figure, spearman
from winworth.weights.criteria import CLIP, CriteriaWeights, integers_to
from winworth.weights.fidelity import captured
from winworth.weights.scorecard import Scorecard

MOST_DAYS = 184  # two quarters


@dataclass(frozen=True)
class Override:
    """One weight that leadership sets, signed and dated; in force from `agreed_on` to `until`, both days included."""

    __pydantic_config__ = STRICT

    criterion: str
    weight: int
    who: str
    why: str
    agreed_on: date
    until: date

    def __post_init__(self):
        if not 0 <= self.weight <= 100:
            raise ValueError(f"weight is {self.weight}; it must be a whole number from 0 to 100")
        if not self.who.strip() or not self.why.strip():
            raise ValueError("who and why must say something: an override is signed")
        if not 0 <= (self.until - self.agreed_on).days <= MOST_DAYS:
            raise ValueError(
                f"until is {self.until}; it must lie within two quarters ({MOST_DAYS} days) of agreed_on {self.agreed_on}"
            )


@dataclass(frozen=True)
class Overrides:
    """The whole of overrides.yaml."""

    __pydantic_config__ = STRICT

    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True)
class LaterScores:
    """Rows later than those a card and models were learnt from: criterion scores by that card, what the models expect.

    `log_value` is the log of expected value in money, or of win probability where no value is known (`in_money` False);
    `account` int codes; `won` is the outcome (0, 1), known where `weight` is above 0; `unit` is one point of the score in log
    expected value, `capacity` the share of accounts that the team had the seats for as A.
    """

    criteria: pd.DataFrame
    log_value: np.ndarray
    account: np.ndarray
    won: np.ndarray
    weight: np.ndarray
    unit: float
    capacity: float
    in_money: bool

    def to_dict(self) -> dict:
        """Return the rows for JSON."""
        columns = {name: getattr(self, name).tolist() for name in ("account", "won", "weight")}
        columns |= {
            "log_value": np.round(self.log_value, 6).tolist(),
            "in_money": self.in_money,
            "unit": self.unit,
            "capacity": self.capacity,
        }
        return columns | {"criteria": self.criteria.to_dict("list")}

    @classmethod
    def from_dict(cls, read: dict) -> "LaterScores":
        """Rebuild what `to_dict` wrote."""
        arrays = {name: np.asarray(read[name]) for name in ("log_value", "account", "won", "weight")}
        plain = {name: read[name] for name in ("in_money", "unit", "capacity")}
        return cls(criteria=pd.DataFrame(read["criteria"]), **plain, **arrays)


@dataclass(frozen=True)
class Price:
    """What overrides cost on later rows, by the models' expected value; each with its 95 % interval over accounts.

    `captured` is the expected value within capacity without them, `change` what they add to it (below 0: cost), in money or,
    where no value is known, in wins; `change_share` the same as a share; `wins_change` what they add to the share of all
    wins that fell within capacity, as it came out; `spearman` the rank correlation between both orders.
    """

    captured: Figure
    change: Figure
    change_share: Figure
    wins_change: Figure
    spearman: float
    in_money: bool

    def to_dict(self) -> dict:
        """Return the price for JSON."""
        figures = {name: getattr(self, name).to_dict() for name in ("captured", "change", "change_share", "wins_change")}
        spearman = self.spearman if np.isfinite(self.spearman) else None
        return figures | {"spearman": spearman, "in_money": self.in_money}


def in_force(overrides: Sequence[Override], criteria: Sequence[str], *, as_of: date) -> tuple[list[Override], list[str]]:
    """Return the overrides that hold on a day, and a note for each that does not, any longer or yet.

    Raises ConfigError for a criterion that is not weighed (of one that has ended nothing is asked), for two at once on one, and
    where they sum to more than 100.
    """
    for one in overrides:
        if one.until >= as_of and one.criterion not in criteria:
            raise ConfigError(f"overrides.yaml: {one.criterion} is no criterion. {did_you_mean(one.criterion, criteria)}")
    now = [one for one in overrides if one.agreed_on <= as_of <= one.until]
    notes = [
        f"The override of {o.criterion} by {o.who} ended on {o.until}: it is ignored." for o in overrides if o.until < as_of
    ]
    notes += [f"The override of {o.criterion} by {o.who} begins on {o.agreed_on}." for o in overrides if o.agreed_on > as_of]
    names = [one.criterion for one in now]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"overrides.yaml: {twice[0]} is overruled twice on {as_of}. Keep one, or let one end earlier.")
    if (total := sum(one.weight for one in now)) > 100:
        raise ConfigError(f"overrides.yaml: the weights set sum to {total}; at most 100 can be given away.")
    return now, notes


def overruled(weights: pd.Series, overrides: Sequence[Override]) -> pd.Series:
    """Return integer weights with overrides in them; the rest keep their proportions and all sum to 100.

    >>> held = Override("size", 40, "CM", "pilot", date(2026, 7, 1), date(2026, 9, 30))
    >>> overruled(pd.Series({"size": 50, "budget": 30, "source": 20}), [held]).to_dict()
    {'size': 40, 'budget': 36, 'source': 24}
    """
    return rescaled(weights, {one.criterion: one.weight for one in overrides})


def rescaled(weights: pd.Series, given: Mapping[str, int]) -> pd.Series:
    """Return integer weights with those given in them; the rest keep their proportions and all sum to 100.

    Raises ConfigError where points are left and no other criterion weighs anything.

    >>> rescaled(pd.Series({"size": 50, "budget": 30, "source": 20}), {"size": 0}).to_dict()
    {'size': 0, 'budget': 60, 'source': 40}
    """
    held = pd.Series(dict(given), dtype="int64")
    rest = weights.drop(held.index)
    left = 100 - int(held.sum())
    if left and rest.sum() == 0:
        raise ConfigError(
            f"overrides.yaml: {left} points are left, and no other criterion weighs anything. Give them away too."
        )
    return pd.concat([held, pd.Series(integers_to(left, rest.to_numpy(dtype=float)), rest.index)]).reindex(weights.index)


def log_unit(weights: CriteriaWeights, card: Scorecard | None) -> float:
    """Return what one point of the score is in log expected value: `reach` dispersions of every criterion are 50 points."""
    reach = CLIP if card is None else card.losses.reach
    return float(reach * weights.criteria["dispersion"].sum() / 50)


def log_shift(criteria: pd.DataFrame, before: pd.Series, after: pd.Series, *, unit: float) -> np.ndarray:
    """Return by how much other weights move each row in log expected value; `unit` is that of one point of the score."""
    moved = (after - before).reindex(criteria.columns).fillna(0).to_numpy(dtype=float)
    return unit * row_sums(criteria.to_numpy(dtype=float) * moved) / 100


def price(later: LaterScores, before: pd.Series, after: pd.Series, *, seed: int, n_boot: int = 200) -> Price:
    """Measure what ranking by the weights `after` rather than `before` brings within capacity."""
    capacity = later.capacity
    shift = log_shift(later.criteria, before, after, unit=later.unit)
    value, wins = np.exp(later.log_value), later.won * later.weight
    ranked = later.log_value + shift
    found = []
    every = np.ones(len(value))
    for n in [every, *page_draws(later.account, seed=seed, n_boot=n_boot)]:
        money = [captured(by, value, n, capacity=capacity) for by in (later.log_value, ranked)]
        won = [captured(by, wins, n, capacity=capacity) for by in (later.log_value, ranked)]
        all_won = float(n @ wins)
        share = (money[1] - money[0]) / money[0] if money[0] > 0 else np.nan
        found.append((money[0], money[1] - money[0], share, (won[1] - won[0]) / all_won if all_won > 0 else np.nan))
    figures = [_figure(column, len(value)) for column in np.array(found).T]
    return Price(*figures, spearman=float(spearman(later.log_value, ranked)), in_money=later.in_money)


def page_draws(groups: np.ndarray, *, seed: int, n_boot: int) -> list[np.ndarray]:
    """Return, for each replicate, how often each row is drawn when whole groups are drawn with replacement.

    The draws are those of Tommy Ettinger's mulberry32, which the review's page makes too: a price has one range.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    n = int(codes.max(initial=-1)) + 1
    at = np.uint32(seed % 2**32) + np.arange(1, n_boot * n + 1, dtype=np.uint64).astype(np.uint32) * np.uint32(0x6D2B79F5)
    mixed = (at ^ (at >> 15)) * (at | np.uint32(1))
    mixed = (mixed + (mixed ^ (mixed >> 7)) * (mixed | np.uint32(61))) ^ mixed
    drawn = ((mixed ^ (mixed >> 14)) / 2.0**32 * n).astype(np.int64).reshape(n_boot, n)
    return [np.bincount(one, minlength=n)[codes].astype(float) for one in drawn]


def _figure(found: np.ndarray, n: int) -> Figure:
    draws = found[1:][np.isfinite(found[1:])]
    low, high = np.quantile(draws, [0.025, 0.975]) if len(draws) else (np.nan, np.nan)
    return Figure(float(found[0]), float(low), float(high), n)
