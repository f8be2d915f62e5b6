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

    `threshold` is what ranks at the cut, and infinite where the tier takes nobody. `noise` is that of the accounts next to it
    in logs; `low`, `high` and it are NaN where it is not known. `n_tied` accounts have exactly the expected value at the cut,
    and stand on both sides of it in the order of their ids.
    """

    threshold: float
    marginal: float
    low: float
    high: float
    noise: float
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
    shift: np.ndarray | float = 0.0,
) -> Tiers:
    """Fill the seats of A, then of B, by `worth`; ties are put in order by account id, and who is unknown stands last.

    `noise` is the standard deviation of each account's log worth; `previous` the tier it had, missing where it is new; `shift`
    is by how much leadership moves accounts in the order, in logs: thresholds are then in worth so moved, while the last
    account's worth, and what must pay its cost, is worth as it is. An account that does not bring its cost leaves its seat to
    nobody.

    >>> worth, ids = pd.Series([900.0, 80.0, 300.0]), pd.Series(["a", "b", "c"])
    >>> found = cut_tiers(worth, ids, Seats({"A": 1, "B": 2}, {"A": 500, "B": 100}))
    >>> found.table["tier"].tolist(), found.table["tier_change_reason"].tolist()
    (['A', 'C', 'B'], ['', 'cost', ''])
    >>> round(found.cuts["A"].threshold), found.cuts["A"].marginal
    (520, 900.0)
    """
    plain_worth = worth.to_numpy(dtype=float)
    filling = _Filling(plain_worth, plain_worth * np.exp(shift), _places(account_ids), seats)
    plain = filling.fill(np.zeros((2, len(worth))))
    sd = np.full(len(worth), np.nan) if noise is None else np.asarray(noise, dtype=float)
    cuts, chosen = {tier: filling.cut(code, plain.code, sd) for code, tier in enumerate(TIERS[:2])}, plain
    before = _codes(previous, worth.index)
    if previous is not None and noise is not None:
        margin = [filling.at_cut(code, plain.code, sd) * _incumbent(before, code) for code in (0, 1)]
        chosen = filling.fill(np.array(margin))
    letters = np.array([*TIERS, ""], dtype=object)
    reason = _reasons(chosen, plain, before) if previous is not None else np.where(plain.is_poor, "cost", "")
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
    """What seats are filled by: worth as it is and as it ranks, each account's place in the order of ids, and the seats."""

    plain: np.ndarray
    worth: np.ndarray
    place: np.ndarray
    seats: Seats

    @property
    def logs(self) -> np.ndarray:
        """The log of worth; minus infinity where it is nothing, or not known."""
        with np.errstate(divide="ignore"):
            return np.log(np.where(self.worth > 0, self.worth, 0.0))

    def fill(self, margin: np.ndarray) -> _Filled:
        """Fill the seats of A, then of B, by log worth and what is granted (`margin`, one row a tier) against noise."""
        code, is_poor = np.full(len(self.worth), 2), np.zeros(len(self.worth), dtype=bool)
        for k, granted in enumerate(margin):
            order = np.lexsort((self.place, -self.worth, -(self.logs + granted)))
            first = order[code[order] == 2][: self.seats.n[TIERS[k]]]
            cost = self.seats.cost[TIERS[k]]
            pays = (self.plain * np.exp(granted))[first] >= cost if cost > 0 else np.ones(len(first), dtype=bool)
            code[first[pays]] = k
            is_poor[first[~pays]] = True
        return _Filled(code, is_poor)

    def cut(self, tier: int, code: np.ndarray, sd: np.ndarray) -> Cut:
        """Say where a tier ends, between the last account in it and the first below."""
        within, below = self.worth[code == tier], self.worth[code > tier]
        cost, noise = self.seats.cost[TIERS[tier]], self.at_cut(tier, code, sd)
        if not len(within):
            threshold = cost if cost > 0 and self.seats.n[TIERS[tier]] else np.inf
            return Cut(float(threshold), np.nan, np.nan, np.nan, noise, 0)
        last = within.min()
        brings = float(self.plain[code == tier][within == last].min())
        following = np.nanmax(below, initial=-np.inf)
        threshold = np.sqrt(last * following) if following > 0 else max(last, 0.0)
        threshold = max(threshold, cost) if len(below) else cost
        low, high = brings * np.exp(-Z80 * noise), brings * np.exp(Z80 * noise)
        n_tied = int((self.worth == last).sum()) if last == following else 0
        return Cut(*(float(x) for x in (threshold, brings, low, high, noise)), n_tied)

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
    is_poor = chosen.is_poor & plain.is_poor
    told = [before == 3, chosen.code < before, chosen.code > before, is_poor, plain.code != chosen.code]
    return np.select(told, ["new", "rose", "fell", "cost", "held"], "")
