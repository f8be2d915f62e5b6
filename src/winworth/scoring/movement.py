"""Who moved between two scorings, and how much of it is due to data, model, weights and cuts: a ledger whose sums check.

Each account's change is split by Shapley's value (1953) over the four causes: a cause's share is the mean of what it
changes, over every order in which the old could have been replaced by the new. It is exact: 16 replays, no sampling.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from math import factorial

import numpy as np
import pandas as pd

from winworth.scoring.seats import TIERS

CAUSES = ("data", "model", "weights", "cuts")
ALL_CAUSES = (*CAUSES, "restated", "held")
NOBODY = "none"

Value = Callable[[bool, bool, bool, bool], np.ndarray]
Worth = Callable[[bool, bool, bool], pd.Series]


def shapley(value: Value) -> pd.DataFrame:
    """Split value(all new) - value(all old) over data, model, weights and cuts, one row an account.

    `value(data, model, weights, cuts)` returns a number an account; each argument says whether that cause is the new one.

    >>> shapley(lambda data, model, weights, cuts: np.array([10.0 * data + 4.0 * data * model])).values.round(1).tolist()
    [[12.0, 2.0, 0.0, 0.0]]
    """
    worlds = {which: np.asarray(value(*which), dtype=float) for which in product((False, True), repeat=len(CAUSES))}
    n = len(CAUSES)
    found = {}
    for k, cause in enumerate(CAUSES):
        without = [which for which in worlds if not which[k]]
        chance = [factorial(sum(which)) * factorial(n - 1 - sum(which)) / factorial(n) for which in without]
        gains = [worlds[(*which[:k], True, *which[k + 1 :])] - worlds[which] for which in without]
        found[cause] = sum(weight * gain for weight, gain in zip(chance, gains, strict=True))
    return pd.DataFrame(found)


@dataclass(frozen=True)
class Ledger:
    """What changed between two scorings.

    `accounts`: one row an account of either: account_id, previous_tier and tier ("none" where it was not scored), value_before,
    value_now, change, and the change by cause (money in whole cents, which add up); and cause, the main one of a change of
    tier. `matrix`: previous_tier, tier, n, value_before, value_now. `causes`: by cause the money, its part of the number that
    rose and of the number that fell (below 0 where it held others back), and of how many it is the main cause. Beside the
    four causes stand `restated`, what the extract says today of the earlier day and did not say then, and `held`, tiers that
    were kept within noise of a cut.
    """

    accounts: pd.DataFrame
    matrix: pd.DataFrame
    causes: pd.DataFrame

    @property
    def movers(self) -> pd.DataFrame:
        """The accounts that changed tier, came or went, in order of the money that moved."""
        moved = self.accounts[self.accounts["previous_tier"] != self.accounts["tier"]]
        order = np.lexsort((moved["account_id"].to_numpy(dtype=object).astype(str), -moved["change"].abs()))
        return moved.iloc[order].reset_index(drop=True)

    def to_dict(self) -> dict:
        """Return matrix and causes for JSON."""
        totals = self.accounts[["value_before", "value_now", "change"]].sum().round(2).to_dict()
        rose, fell = (int(self.causes[name].sum().round()) for name in ("n_rose", "n_fell"))
        return {
            "totals": totals,
            "n_rose": rose,
            "n_fell": fell,
            "causes": self.causes.reset_index().to_dict("records"),
            "matrix": self.matrix.to_dict("records"),
        }


def ledger(before: pd.DataFrame, now: pd.DataFrame, worth: Worth, cuts: tuple[Mapping, Mapping]) -> Ledger:
    """Set two scorings side by side and split every account's change by cause.

    `before` and `now` have account_id, tier and expected_value as they were published. `worth(data, model, weights)` replays
    expected values by account_id, each argument saying whether to take the new; accounts it does not name are worth nothing.
    `cuts` are the thresholds of A and B before and now.

    >>> before = pd.DataFrame({"account_id": ["a", "b"], "tier": ["B", "C"], "expected_value": [50.0, 10.0]})
    >>> now = before.assign(tier=["A", "C"], expected_value=[80.0, 12.0])
    >>> def worth(data, model, weights):
    ...     return pd.Series({"a": 50.0 + 30 * data, "b": 10.0 + 2 * model})
    >>> found = ledger(before, now, worth, ({"A": 60.0, "B": 20.0}, {"A": 60.0, "B": 20.0}))
    >>> found.movers[["account_id", "previous_tier", "tier", "change", "data", "cause"]].values.tolist()
    [['a', 'B', 'A', 30.0, 30.0, 'data']]
    >>> found.causes.loc[["data", "model"], ["money", "n_rose"]].values.tolist()
    [[30.0, 1.0], [2.0, 0.0]]
    """
    then, today = (table.set_index("account_id") for table in (before, now))
    ids = then.index.union(today.index)
    then, today = then.reindex(ids), today.reindex(ids)
    values = {which: worth(*which).reindex(ids).fillna(0.0).to_numpy() for which in product((False, True), repeat=3)}
    told = [table["expected_value"].fillna(0.0).to_numpy(dtype=float) for table in (then, today)]
    money = shapley(lambda data, model, weights, cut: values[(data, model, weights)])
    money = money.assign(restated=told[1] - told[0] - money.sum(axis=1), held=0.0)
    levels = shapley(lambda data, model, weights, cut: level_at(values[(data, model, weights)], cuts[cut]))
    plain = [level_at(told[k], cuts[k]) for k in (0, 1)]
    first, last = level_at(values[(False, False, False)], cuts[0]), level_at(values[(True, True, True)], cuts[1])
    given = [_levels(table["tier"]) for table in (then, today)]
    held = (given[1] - plain[1]) - (given[0] - plain[0])
    levels = levels.assign(restated=first - plain[0] + plain[1] - last, held=held)
    accounts = _accounts(ids, (then["tier"], today["tier"]), told, in_cents(money, told))
    return _summed(accounts, levels, given[1] - given[0])


def level_at(worth: np.ndarray, cuts: Mapping[str, float | None]) -> np.ndarray:
    """Return 2 for A, 1 for B and 0 for C by the thresholds; a threshold that is None is passed by nobody."""
    a, b = (np.inf if cuts[tier] is None else cuts[tier] for tier in ("A", "B"))
    return np.select([worth >= a, worth >= b], [2.0, 1.0], 0.0)


def in_cents(parts: pd.DataFrame, told: list[np.ndarray]) -> pd.DataFrame:
    """Round parts to whole cents that add up to the change of the rounded values; what rounding leaves goes to the largest.

    >>> in_cents(pd.DataFrame({"data": [1 / 3], "model": [2 / 3]}), [np.array([0.0]), np.array([1.0])]).values.tolist()
    [[33, 67]]
    """
    change = np.rint(told[1] * 100).astype(np.int64) - np.rint(told[0] * 100).astype(np.int64)
    cents = np.rint(parts.to_numpy() * 100).astype(np.int64)
    largest = np.abs(parts.to_numpy()).argmax(axis=1) if len(parts) else np.array([], dtype=int)
    cents[np.arange(len(cents)), largest] += change - cents.sum(axis=1)
    return pd.DataFrame(cents, parts.index, parts.columns)


def _levels(tier: pd.Series) -> np.ndarray:
    return tier.map({"A": 2.0, "B": 1.0, "C": 0.0}).astype(float).fillna(0.0).to_numpy()


def _accounts(ids: pd.Index, tiers: tuple[pd.Series, pd.Series], told: list[np.ndarray], cents: pd.DataFrame) -> pd.DataFrame:
    was, now = (tier.fillna(NOBODY).to_numpy() for tier in tiers)
    value = {name: np.rint(worth * 100) / 100 for name, worth in zip(("value_before", "value_now"), told, strict=True)}
    table = pd.DataFrame({"account_id": ids, "previous_tier": was, "tier": now} | value)
    return pd.concat([table.assign(change=cents.sum(axis=1) / 100), cents / 100], axis=1)


def _summed(accounts: pd.DataFrame, levels: pd.DataFrame, moved: np.ndarray) -> Ledger:
    """Name each mover's main cause and add up: money in whole cents, movers in parts that sum to their number."""
    stayed = ((accounts[["previous_tier", "tier"]] == NOBODY).any(axis=1)) | (moved == 0)
    part = levels.to_numpy() / np.where(stayed, np.inf, moved)[:, None]
    names = np.array(levels.columns, dtype=object)
    cause = np.where(stayed, "", names[part.argmax(axis=1)] if len(part) else "")
    sums = {
        "n_mainly": [int((cause == name).sum()) for name in ALL_CAUSES],
        "money": [np.rint(accounts[name].to_numpy() * 100).sum() / 100 for name in ALL_CAUSES],
        "n_rose": part[moved > 0].sum(axis=0).round(9) + 0.0,
        "n_fell": part[moved < 0].sum(axis=0).round(9) + 0.0,
    }
    causes = pd.DataFrame(sums, index=pd.Index(ALL_CAUSES, name="cause"))
    order = {tier: k for k, tier in enumerate((*TIERS, NOBODY))}
    whole = accounts.groupby(["previous_tier", "tier"], as_index=False).agg(
        n=("account_id", "size"), value_before=("value_before", "sum"), value_now=("value_now", "sum")
    )
    whole = whole.sort_values(["previous_tier", "tier"], key=lambda column: column.map(order), ignore_index=True).round(2)
    return Ledger(accounts.assign(cause=pd.Series(cause, accounts.index, dtype="str")), whole, causes)
