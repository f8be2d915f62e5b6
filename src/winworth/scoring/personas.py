"""Who sits in the buying committees of deals that were won, by role and never by name, and whom an open deal lacks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from winworth.crm.snapshot import Snapshot
from winworth.features.build import build_features
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.models.shares import Z95, effective_n, newcombe, wilson

ROLES = ("decider", "influencer", "buyer", "user", "it", "finance", "legal")
LABELS = {
    "en": dict(zip(ROLES, ("decision maker", "influencer", "buyer", "user", "IT", "finance", "legal"), strict=True)),
    "fr": dict(
        zip(ROLES, ("décideur", "prescripteur", "acheteur", "utilisateur", "informatique", "finance", "juridique"), strict=True)
    ),
}
LEAST = 10  # deals won, and deals not won, below which a cell is hidden
USUAL = 0.5  # a role is usual where at least so many of the deals won had it
LEVEL = 0.05
ALL = "all"
_SHARES = ("won", "won_low", "won_high", "not_won", "not_won_low", "not_won_high", "difference", "low", "high")
_FIRST = ("first_won", "first_won_low", "first_won_high", "first_not_won", "first_difference", "first_low", "first_high")
COLUMNS = ("segment", "age_days", "role", "n_won", "n_not_won", *_SHARES, "is_clear", *_FIRST)


@dataclass(frozen=True)
class Personas:
    """How often each role was known when deals of an age were looked at, won and not won, by segment and for `all`.

    `table` has one row a segment, age and role, with COLUMNS: shares of deals that knew the role, their difference and 95 %
    intervals; the shares of deals of which it was the role known first; NaN where the cell is hidden. `is_clear` says that
    the difference is above 0 beyond chance, over all the cells shown at that age.
    """

    table: pd.DataFrame

    def committee(self, days: pd.DataFrame, segment: np.ndarray, age_days: np.ndarray) -> pd.DataFrame:
        """Return for open deals how complete their committee is, and the role they lack that is worth most.

        `days` is what `days_known` measured today. `committee` is the share, of the roles that at least half of the deals won
        in its segment knew at its age, that the deal knows (NaN: no role is usual); `missing_role` the role, of those not
        known, with the largest clear difference between deals won and not won ("": none). A segment without figures of its
        own, or without a clear difference, goes by all deals. Who knew a role won more often: that is no promise of what
        meeting one does.
        """
        cells = {key: cell.set_index("role") for key, cell in self.table.groupby(["segment", "age_days"], sort=False)}
        found = pd.DataFrame({"committee": np.nan, "missing_role": pd.Series("", index=days.index, dtype="str")}, days.index)
        for (label, age), rows in _groups(segment, self._landmark(age_days)):
            both = [cells[key, age] for key in (label, ALL) if (key, age) in cells]
            known = days.iloc[rows].notna()
            found.iloc[rows, 0] = _coverage(both, known)
            found.iloc[rows, 1] = _missing(both, known)
        return found

    def _landmark(self, age_days: np.ndarray) -> np.ndarray:
        """Return the latest age of the table that each deal has reached; the first where its age is unknown."""
        ages = np.sort(self.table["age_days"].unique())
        if not len(ages):
            return np.zeros(len(age_days))
        reached = np.searchsorted(ages, np.nan_to_num(np.asarray(age_days, dtype=float)), side="right")
        return ages[np.maximum(reached - 1, 0)]

    def to_dict(self) -> dict:
        """Return the table for JSON: one record a row, null where hidden."""
        records = self.table.to_dict("records")
        return {"cells": [{n: None if isinstance(v, float) and np.isnan(v) else v for n, v in r.items()} for r in records]}

    @classmethod
    def from_dict(cls, learnt: Mapping) -> "Personas":
        """Rebuild what `to_dict` wrote."""
        table = pd.DataFrame(learnt["cells"], columns=list(COLUMNS))
        return cls(table.astype({name: "float64" for name in (*_SHARES, *_FIRST)} | {"is_clear": "bool"}))


def roles_in(snapshot: Snapshot) -> list[str]:
    """List the roles of the contacts known, the canonical ones first.

    There are none without contacts or days to go by, nor where the extract does not say that a role was known in time.
    """
    contacts = snapshot.tables.get("contacts", pd.DataFrame())
    in_time = snapshot.known.get(("contacts", "role")) not in (None, "at_close")  # latest_only is blank unless signed for
    if not snapshot.has_dates or not snapshot.has_accounts or "role" not in contacts or not in_time:
        return []
    found = set(contacts["role"].dropna().unique())
    return [role for role in ROLES if role in found] + sorted(found - set(ROLES))


def days_known(examples: pd.DataFrame, snapshot: Snapshot, roles: list[str]) -> pd.DataFrame:
    """Return for how many days each example's account had been known by a contact of each role, on the example's own day.

    One row an example and one column a role, NaN where nobody was known yet. A contact that was met later, and above all one
    that was met because the deal was won, changes nothing: it is measured as every feature is.

    >>> days = pd.to_datetime(["2026-01-01", "2026-03-05"]).astype("datetime64[s]")
    >>> contacts = pd.DataFrame({"account_id": "A", "role": ["it", "decider"], "known_on": days})
    >>> known = Snapshot({"contacts": contacts}, {}, days[1].date())
    >>> examples = pd.DataFrame({"deal_id": ["D"], "account_id": ["A"], "observed_on": days[:1] + pd.Timedelta(days=30)})
    >>> days_known(examples, known, ["decider", "it"])
       decider    it
    0      NaN  30.0
    """
    features = {role: Feature(days_since_first="contacts", where={"role": role}) for role in roles}
    return build_features(examples, snapshot, Catalog({"roles": Criterion("purchase_maturity", {}, features)}))


def learn_personas(days: pd.DataFrame, deals: pd.DataFrame) -> Personas:
    """Compare the roles known in deals won and not won.

    `days` is what `days_known` measured on the same rows as `deals`: segment, age_days, won (bool) and account, one row a deal
    and age at which it was still open, its outcome settled. Deals are compared at one age, never after their end: the longer
    a deal lives, the more people are known, whatever comes of it.

    >>> deals = pd.DataFrame({"segment": "1", "age_days": 0.0, "won": [True] * 20 + [False] * 20, "account": range(40)})
    >>> days = pd.DataFrame({"decider": [5.0] * 16 + [float("nan")] * 4 + [9.0] * 4 + [float("nan")] * 16})
    >>> table = learn_personas(days, deals).table
    >>> table[["segment", "role", "n_won", "won", "not_won", "difference", "low", "is_clear"]].round(2)
      segment     role  n_won  won  not_won  difference   low  is_clear
    0     all  decider     20  0.8      0.2         0.6  0.29      True
    """
    known, first = days.notna().to_numpy(), _first(days)
    rows, cells = [], list(_cells(deals))
    for age in sorted(deals["age_days"].unique()):
        of_age = [(segment, mask) for segment, a, mask in cells if a == age]
        shown = [mask for _, mask in of_age if _is_shown(deals["won"].to_numpy()[mask])]
        z = norm.isf(LEVEL / 2 / max(len(shown) * days.shape[1], 1))
        for segment, mask in of_age:
            part = deals[mask]
            for k, role in enumerate(days.columns):
                told = _told(known[mask, k], first[mask, k], part, z)
                rows.append({"segment": segment, "age_days": float(age), "role": role} | told)
    return Personas(pd.DataFrame(rows, columns=list(COLUMNS)))


def _cells(deals: pd.DataFrame) -> Iterator[tuple[str, float, np.ndarray]]:
    """Yield each segment and age, all segments first; where there is one segment it is all."""
    segment, age = deals["segment"].astype("str").to_numpy(dtype=object), deals["age_days"].to_numpy()
    labels = sorted(set(segment))
    for at in np.unique(age):
        yield ALL, at, age == at
        for label in labels if len(labels) > 1 else ():
            yield label, at, (age == at) & (segment == label)


def _is_shown(won: np.ndarray) -> bool:
    return bool(min(won.sum(), (~won).sum()) >= LEAST)


def _first(days: pd.DataFrame) -> np.ndarray:
    """Return each row's share of being the role known first: 1, or parts of it for roles known on one day."""
    longest = days.max(axis=1).to_numpy()[:, None]
    is_first = (days.to_numpy() == longest).astype(float)
    return is_first / np.maximum(is_first.sum(axis=1, keepdims=True), 1)


def _told(known: np.ndarray, first: np.ndarray, part: pd.DataFrame, z: float) -> dict:
    won, account = part["won"].to_numpy(dtype=bool), part["account"].to_numpy()
    counts = {"n_won": int(won.sum()), "n_not_won": int((~won).sum()), "is_clear": False}
    if not _is_shown(won):
        return counts
    presence, order = (
        [(float(cases[rows].mean()), effective_n(cases[rows], account[rows])) for rows in (won, ~won)]
        for cases in (known.astype(float), first)
    )
    shares = (presence[0][0], *_wilson(presence[0]), presence[1][0], *_wilson(presence[1]))
    difference = (presence[0][0] - presence[1][0], *newcombe(*presence))
    firsts = (order[0][0], *_wilson(order[0]), order[1][0], order[0][0] - order[1][0], *newcombe(*order))
    named = dict(zip((*_SHARES, *_FIRST), (*shares, *difference, *firsts), strict=True))
    return counts | named | {"is_clear": newcombe(*presence, z)[0] > 0}


def _wilson(share: tuple[float, float]) -> tuple[float, float]:
    return wilson(share[0] * share[1], share[1], Z95)


def _groups(segment: np.ndarray, age: np.ndarray) -> Iterator[tuple[tuple[str, float], np.ndarray]]:
    labels = pd.DataFrame({"segment": np.asarray(segment).astype(str), "age": age})
    yield from labels.groupby(["segment", "age"]).indices.items()


def _coverage(cells: list[pd.DataFrame], known: pd.DataFrame) -> np.ndarray:
    """Return how many of the usual roles each deal knows, by the first cell that is shown."""
    for cell in cells:
        if cell["won"].notna().any():
            usual = [role for role in cell.index[cell["won"] >= USUAL] if role in known]
            return known[usual].mean(axis=1).to_numpy() if usual else np.full(len(known), np.nan)
    return np.full(len(known), np.nan)


def _missing(cells: list[pd.DataFrame], known: pd.DataFrame) -> np.ndarray:
    """Return the role each deal lacks with the largest clear difference, by the first cell that has a clear one."""
    missing = np.full(len(known), "", dtype=object)
    clear = next((cell[cell["is_clear"]] for cell in cells if cell["is_clear"].any()), pd.DataFrame())
    for role in clear.sort_values("difference", kind="stable").index if len(clear) else ():
        missing[~known[role].to_numpy()] = role  # the largest comes last
    return missing
