"""A, B and C: as many accounts as the team has the hours to work, as long as an account brings more than working it costs.

With `previous` tiers and the noise of the log expected value, accounts keep their tier within that noise of a cut. In the
order in which seats are filled, who had the tier stands one noise SD higher and who had a lower one stands one lower. So all
seats are filled, never more; nobody moves but the way the plain cut says; who passes a cut by twice the noise moves at once;
who passes it by less moves where a seat is free; and the same values again change nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from winworth.scoring.seats import TIERS, Seats, seats_by_share

UNSURE = (0.3, 0.7)  # the chance of its tier within which an account is borderline
Z80 = 1.2816  # half the width of an 80 % interval, in standard deviations
MANY_TIE = 0.01
NEAR = 25  # accounts on either side of a cut that tell the noise there
REASONS = {
    "new": {"en": "not scored last time", "fr": "absent de la notation précédente"},
    "rose": {"en": "rose past the cut", "fr": "passé au-dessus du seuil"},
    "fell": {"en": "fell past the cut", "fr": "passé sous le seuil"},
    "held": {"en": "held: past the cut by no more than noise", "fr": "maintenu : l'écart au seuil ne dépasse pas le bruit"},
    "cost": {"en": "does not pay the cost of a higher tier", "fr": "ne couvre pas le coût d'une priorité supérieure"},
}


@dataclass(frozen=True)
class Cut:
    """Where a tier ends: the expected value at the cut, that of the last account in it with its 80 % interval, and ties.

    `threshold` is infinite where the tier takes nobody. `low` and `high` are NaN where the noise is not known. `n_tied`
    accounts have exactly the expected value at the cut, and stand on both sides of it in the order of their ids.
    """

    threshold: float
    marginal: float
    low: float
    high: float
    n_tied: int

    @property
    def log(self) -> float:
        """The log of the threshold; minus infinity where everything passes."""
        return float(np.log(self.threshold)) if self.threshold > 0 else -np.inf

    def to_dict(self) -> dict[str, float | int | None]:
        """Return it for JSON; what there is not is null."""
        return {name: (value if np.isfinite(value) else None) for name, value in self.__dict__.items()}


@dataclass(frozen=True)
class Tiers:
    """Tiers by account: `table` has tier, tier_doubt (the chance that the account belongs in another tier; NaN where the
    noise is not known), previous_tier ("" where there is none) and tier_change_reason (a key of REASONS, or "").
    """

    table: pd.DataFrame
    cuts: Mapping[str, Cut]

    @property
    def is_borderline(self) -> pd.Series:
        """Whether the chance of an account's tier lies within .3-.7: whom a seller's word would help most."""
        return (1 - self.table["tier_doubt"]).between(*UNSURE)

    def ties(self) -> tuple[str, ...]:
        """Say where more than one account in a hundred has exactly the expected value at a cut."""
        n = len(self.table)
        return tuple(
            f"{cut.n_tied} of {n} accounts tie at the cut of tier {tier}: their ids decide, not their worth."
            for tier, cut in self.cuts.items()
            if cut.n_tied > MANY_TIE * n
        )


def cut_tiers(
    worth: pd.Series,
    account_ids: pd.Series,
    seats: Seats,
    *,
    noise: np.ndarray | None = None,
    previous: pd.Series | None = None,
) -> Tiers:
    """Fill the seats of A, then of B, by `worth`; ties are put in order by account id, and who is unknown stands last.

    `noise` is the standard deviation of each account's log worth; `previous` the tier it had, missing where it is new. An
    account that does not bring its cost leaves its seat to nobody.

    >>> worth, ids = pd.Series([900.0, 80.0, 300.0]), pd.Series(["a", "b", "c"])
    >>> found = cut_tiers(worth, ids, Seats({"A": 1, "B": 2}, {"A": 500, "B": 100}))
    >>> found.table["tier"].tolist(), found.table["tier_change_reason"].tolist()
    (['A', 'C', 'B'], ['', 'cost', ''])
    >>> round(found.cuts["A"].threshold), found.cuts["A"].marginal
    (520, 900.0)
    """
    filling = _Filling(worth.to_numpy(dtype=float), _places(account_ids), seats)
    plain = filling.fill(filling.logs, filling.logs)
    sd = np.full(len(worth), np.nan) if noise is None else np.asarray(noise, dtype=float)
    cuts, chosen = {tier: filling.cut(code, plain.code, sd) for code, tier in enumerate(TIERS[:2])}, plain
    before = _codes(previous, worth.index)
    if previous is not None and noise is not None:
        margin = [filling.at_cut(code, plain.code, sd) for code in (0, 1)]
        chosen = filling.fill(*(filling.logs + margin[k] * _incumbent(before, k) for k in (0, 1)))
    letters = np.array([*TIERS, ""], dtype=object)
    reason = _reasons(chosen, plain, before) if previous is not None else np.where(chosen.is_poor, "cost", "")
    table = pd.DataFrame(
        {
            "tier": letters[chosen.code],
            "tier_doubt": 1 - _chance(filling.logs, sd, [cut.log for cut in cuts.values()], chosen.code),
            "previous_tier": letters[before],
            "tier_change_reason": reason,
        },
        index=worth.index,
    )
    return Tiers(table.astype({name: "str" for name in table if name != "tier_doubt"}), cuts)


def assign_tiers(rank_by: pd.Series, account_ids: pd.Series, *, shares: Mapping[str, float]) -> pd.Series:
    """Return each account's tier: the highest share A is A, the next share B is B, the rest C.

    >>> assign_tiers(pd.Series([5.0, 9.0, 5.0, 1.0]), pd.Series(list("bacd")), shares={"A": 0.25, "B": 0.25}).tolist()
    ['B', 'A', 'C', 'C']
    """
    return cut_tiers(rank_by, account_ids, seats_by_share(shares, len(rank_by))).table["tier"]


@dataclass(frozen=True)
class _Filled:
    """Who sits where: 0 for A, 1 for B, 2 for C; and who would have had a higher seat but does not pay its cost."""

    code: np.ndarray
    is_poor: np.ndarray


@dataclass(frozen=True)
class _Filling:
    """What seats are filled by: worth, each account's place in the order of ids, and the seats."""

    worth: np.ndarray
    place: np.ndarray
    seats: Seats

    @property
    def logs(self) -> np.ndarray:
        """The log of worth; minus infinity where it is nothing, or not known."""
        with np.errstate(divide="ignore"):
            return np.log(np.where(self.worth > 0, self.worth, 0.0))

    def fill(self, for_a: np.ndarray, for_b: np.ndarray) -> _Filled:
        """Fill the seats of A by one order of log worth, then those of B by another."""
        code, is_poor = np.full(len(self.worth), 2), np.zeros(len(self.worth), dtype=bool)
        for k, by in enumerate((for_a, for_b)):
            order = np.lexsort((self.place, -self.worth, -by))
            first = order[code[order] == 2][: self.seats.n[TIERS[k]]]
            cost = self.seats.cost[TIERS[k]]
            pays = by[first] >= np.log(cost) if cost > 0 else np.ones(len(first), dtype=bool)
            code[first[pays]] = k
            is_poor[first[~pays]] = True
        return _Filled(code, is_poor)

    def cut(self, tier: int, code: np.ndarray, sd: np.ndarray) -> Cut:
        """Say where a tier ends, between the last account in it and the first below."""
        within, below = self.worth[code == tier], self.worth[code > tier]
        if not len(within):
            return Cut(np.inf, np.nan, np.nan, np.nan, 0)
        last, cost = within.min(), self.seats.cost[TIERS[tier]]
        following = np.nanmax(below, initial=-np.inf)
        threshold = np.sqrt(last * following) if following > 0 else max(last, 0.0)
        threshold = max(threshold, cost) if len(below) else cost
        spread = Z80 * self.at_cut(tier, code, sd)
        n_tied = int((self.worth == last).sum()) if last == following else 0
        return Cut(*(float(x) for x in (threshold, last, last * np.exp(-spread), last * np.exp(spread))), n_tied)

    def at_cut(self, tier: int, code: np.ndarray, sd: np.ndarray) -> float:
        """Return the noise of the accounts next to a cut, half of them on either side; 0 where there are none."""
        n = int((code <= tier).sum())
        near = np.lexsort((self.place, -self.worth))[max(n - NEAR, 0) : n + NEAR]
        return float(np.sqrt(np.mean(sd[near] ** 2))) if len(near) else 0.0


def _places(ids: pd.Series) -> np.ndarray:
    return np.argsort(np.argsort(ids.to_numpy(dtype=object).astype(str), kind="stable"), kind="stable")


def _codes(previous: pd.Series | None, index: pd.Index) -> np.ndarray:
    """Return 0, 1, 2 for the tier each account had, 3 where it had none."""
    if previous is None:
        return np.full(len(index), 3)
    return previous.reindex(index).map({tier: code for code, tier in enumerate(TIERS)}).fillna(3).to_numpy(dtype=int)


def _incumbent(before: np.ndarray, tier: int) -> np.ndarray:
    """Return 1 for who had the tier or a higher one, -1 for who had a lower one, 0 for who is new."""
    return np.select([before == 3, before <= tier], [0.0, 1.0], -1.0)


def _chance(logs: np.ndarray, sd: np.ndarray, cuts: list[float], code: np.ndarray) -> np.ndarray:
    """Return the chance that each account is truly in the tier it is given, its log worth being normal about what is seen."""
    far = [np.where(np.isfinite(logs) | np.isfinite(cut), logs - cut, 0.0) if cut > -np.inf else np.inf for cut in cuts]
    above_a, above_b = (ndtr(gap / np.maximum(sd, 1e-12)) for gap in far)
    above_b = np.maximum(above_a, above_b)
    return np.select([code == 0, code == 1], [above_a, above_b - above_a], 1 - above_b)


def _reasons(chosen: _Filled, plain: _Filled, before: np.ndarray) -> np.ndarray:
    told = [chosen.is_poor, before == 3, chosen.code < before, chosen.code > before, plain.code != chosen.code]
    return np.select(told, ["cost", "new", "rose", "fell", "held"], "")
