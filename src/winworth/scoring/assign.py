"""Who works which account: the most expected value within each seller's hours, owners keeping what they can."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

WORKED = ("A", "B")
_NOBODY = -1
_TINY = 1e-9


def assign_sellers(
    accounts: pd.DataFrame, sellers: Mapping[str, float], *, hours: Mapping[str, float], territory: pd.Series | None = None
) -> pd.DataFrame:
    """Give each A and B account a seller within the hours a quarter that `sellers` has for each.

    `accounts` has account_id, tier, worth (what ranks: expected value) and owner (missing: nobody's); `hours` is what an
    account of each tier takes. Where all fits, who holds an account keeps it, and the rest go where the expected value already
    held is least for the hours. Where it does not, the accounts that are worked have the highest total worth that any
    assignment has, and owners keep what their places then allow. Without `sellers` owners keep what they hold, and accounts
    without one are levelled over them. Returns, by row: seller (missing: C, or beyond capacity), rank_in_seller, and rank: the
    place among worked accounts of the `territory` (of all, without one); the highest worth is 1, ties by account id.

    >>> accounts = pd.DataFrame({"account_id": list("abcd"), "tier": list("AABC"), "worth": [9.0, 8.0, 3.0, 1.0],
    ...                          "owner": ["V1", "V1", None, "V2"]})
    >>> assign_sellers(accounts, {"V1": 10, "V2": 14}, hours={"A": 10, "B": 4, "C": 0})
      seller  rank_in_seller  rank
    0     V1               1     1
    1     V2               1     2
    2     V2               2     3
    3    NaN            <NA>  <NA>
    """
    work = accounts[accounts["tier"].isin(WORKED)].sort_values(["worth", "account_id"], ascending=[False, True])
    hold = dict(sellers) or _present_hours(work, hours)
    names = sorted(hold)
    owner = work["owner"].map({name: k for k, name in enumerate(names)}).fillna(_NOBODY).to_numpy(dtype=int)
    task = _Task(
        worth=work["worth"].fillna(0).to_numpy(dtype=float),
        kind=(work["tier"] != WORKED[0]).to_numpy(dtype=int),
        owner=owner,
        need=np.array([hours[tier] for tier in WORKED], dtype=float),
        hours=np.array([hold[name] for name in names], dtype=float),
    )
    found = _keeping(task) if names else owner
    if names and (found == _NOBODY).any():
        found = _exact(task)
    seller = pd.Series(np.array([*names, None], dtype=object)[found], index=work.index, dtype="str")
    return _ranked(accounts, seller, not names, territory)


@dataclass(frozen=True)
class _Task:
    """Accounts from the highest worth down: worth, kind (a place in `need`, the hours each kind takes) and the owner's place
    in `hours`, those that each seller has.
    """

    worth: np.ndarray
    kind: np.ndarray
    owner: np.ndarray
    need: np.ndarray
    hours: np.ndarray

    def held(self, found: np.ndarray) -> np.ndarray:
        """Return the worth that each seller holds."""
        return np.bincount(found[found >= 0], self.worth[found >= 0], minlength=len(self.hours)).astype(float)


def _present_hours(work: pd.DataFrame, hours: Mapping[str, float]) -> dict[str, float]:
    """Give each present owner what its accounts take, or an even share of all with room for one account more."""
    taken = work["tier"].map(hours).groupby(work["owner"]).sum()
    even = work["tier"].map(hours).astype(float).sum() / max(len(taken), 1) + max(hours[tier] for tier in WORKED)
    return taken.clip(lower=even).to_dict()


def _keeping(task: _Task) -> np.ndarray:
    """Let owners keep, from the highest worth down, what fits their hours; give the rest to those with room."""
    needs = task.need[task.kind]
    used = pd.Series(needs).groupby(task.owner).cumsum().to_numpy()
    limit = np.where(task.owner >= 0, task.hours[task.owner], -1.0)
    found = np.where(used <= limit + _TINY, task.owner, _NOBODY)
    kept = found >= 0
    room = task.hours - np.bincount(found[kept], needs[kept], minlength=len(task.hours))
    return _place(task, found, np.flatnonzero(~kept), room, needs)


def _place(task: _Task, found: np.ndarray, rest: np.ndarray, room: np.ndarray, needs: np.ndarray) -> np.ndarray:
    """Give the accounts of `rest`, a few at a time, to sellers with room, so that worth for the hours is level.

    Each round is an assignment problem: the cost of a pair is what it adds to the sum of (worth held)^2 / hours, which is least
    where worth is in proportion to hours.
    """
    found, room, held = found.copy(), room.copy(), task.held(found)
    share = np.maximum(task.hours, _TINY)
    at_once = max(1, len(room) // 4)
    while len(rest):
        rest = rest[needs[rest] <= room.max() + _TINY]  # room only shrinks: what fits nowhere now never will
        block = rest[:at_once]
        if not len(block):
            break
        fits = needs[block][:, None] <= room + _TINY
        worth = task.worth[block][:, None]
        cost = ((held + worth) ** 2 - held**2) / share
        spread = np.abs(cost[fits]).max(initial=0) + 1
        rows, columns = linear_sum_assignment(np.where(fits, cost / spread, 2.0 + len(block)))
        good = fits[rows, columns]
        rows, columns = rows[good], columns[good]
        found[block[rows]] = columns
        held[columns] += task.worth[block[rows]]
        room[columns] -= needs[block[rows]]
        rest = np.r_[np.delete(block, rows), rest[at_once:]]
    return found


def _exact(task: _Task) -> np.ndarray:
    """Work the accounts of highest total worth: first how many places of each kind, then who keeps, then who moves."""
    places = _places(task)
    found = np.full(len(task.worth), _NOBODY)
    for kind in (0, 1):
        worked = np.flatnonzero(task.kind == kind)[: places[:, kind].sum()]
        owner = task.owner[worked]
        turn = pd.Series(worked).groupby(owner).cumcount().to_numpy()
        keeps = (owner >= 0) & (turn < places[owner, kind])
        found[worked[keeps]] = owner[keeps]
        room = places[:, kind] - np.bincount(owner[keeps], minlength=len(places)).astype(float)
        found = _place(task, found, worked[~keeps], room, np.ones(len(found)))
    return found


def _places(task: _Task) -> np.ndarray:
    """Return how many accounts of each kind each seller works, for the highest total worth.

    For each number of A places in all, the most B places beside them, and among equals those by which owners keep most, seller
    by seller (dynamic programming, exact for two kinds); then the best number, by the sums of the highest worths.
    """
    totals = np.bincount(task.kind, minlength=2)
    mine = np.stack([np.bincount(task.owner[(task.kind == k) & (task.owner >= 0)], minlength=len(task.hours)) for k in (0, 1)])
    little = 0.5 / (totals.sum() + 1)  # what keeping an account counts beside a place: all together less than one
    best = np.full(totals[0] + 1, -np.inf)
    best[0], reach, chosen = 0.0, 0, []
    for hours, own in zip(task.hours, mine.T, strict=True):
        a = np.arange(_times(hours, task.need[0], totals[0]) + 1)
        b = np.array([_times(hours - n * task.need[0], task.need[1], totals[1]) for n in a])
        gain = b + little * (np.minimum(a, own[0]) + np.minimum(b, own[1]))
        reach = min(reach + len(a) - 1, totals[0])
        then, choice = np.full_like(best, -np.inf), np.zeros(len(best), dtype=np.int32)
        for n, more in zip(a, gain, strict=True):
            to = slice(n, reach + 1)
            candidate = best[: reach + 1 - n] + more
            better = candidate > then[to]
            then[to][better], choice[to][better] = candidate[better], n
        best = then
        chosen.append((choice, b))
    return _traced(task, best, chosen)


def _traced(task: _Task, best: np.ndarray, chosen: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    sums = [np.r_[0.0, np.cumsum(task.worth[task.kind == kind])] for kind in (0, 1)]
    n_b = np.where(np.isfinite(best), np.floor(best + _TINY), 0).astype(int)
    total = np.where(np.isfinite(best), sums[0] + sums[1][np.minimum(n_b, len(sums[1]) - 1)], -np.inf)
    left, places = int(total.argmax()), []
    for choice, b in reversed(chosen):
        n = int(choice[left])
        places.append((n, int(b[n])))
        left -= n
    return np.array(places[::-1])


def _times(hours: float, need: float, most: int) -> int:
    """Return how often `need` goes into `hours`, at most `most`."""
    return int(min(most, (hours + _TINY) // need)) if need > 0 else int(most)


def _ranked(accounts: pd.DataFrame, seller: pd.Series, all_count: bool, territory: pd.Series | None) -> pd.DataFrame:
    """Number what is worked, from the highest worth down (the order of `seller`), by seller and by territory."""
    worked = seller if all_count else seller[seller.notna()]
    where = pd.Series("", worked.index) if territory is None else territory.reindex(worked.index).fillna("")
    found = {
        "seller": seller,
        "rank_in_seller": worked.groupby(worked).cumcount() + 1,
        "rank": where.groupby(where).cumcount() + 1,
    }
    return pd.DataFrame({name: column.reindex(accounts.index) for name, column in found.items()}).astype(
        {"seller": "str", "rank_in_seller": "Int64", "rank": "Int64"}
    )
