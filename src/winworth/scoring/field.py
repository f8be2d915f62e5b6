"""The accounts that sellers judge blind: drawn by tier, in an order that tells nothing; and a coin for each borderline one."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from winworth.errors import IntegrityError
from winworth.scoring.tiers import UNSURE

BORDERLINE = "borderline"
IDLE = " without a deal"
_FIGURES = ("as_of", "model_version", "horizon_days", "seed")
HELD = ["account_id", "stratum", "tier", "win_probability", "reason_1"]


@dataclass(frozen=True)
class FieldKey:
    """What the sheet hides: each account's tier and win probability, and the accounts that its stratum stands for.

    `accounts` has account_id, stratum, tier, win_probability (missing where no chance is asked) and reason_1, in the sheet's
    order; `sizes` is how many accounts each stratum has; deals of `exclude_kinds` are no wins. `sheet` is the digest of all
    the rest: the sheet bears it, so that neither fits another scoring.
    """

    as_of: str
    model_version: str
    horizon_days: int
    exclude_kinds: tuple[str, ...]
    seed: int
    sizes: Mapping[str, int]
    accounts: pd.DataFrame

    @property
    def sheet(self) -> str:
        """The name that sheet and key share."""
        return hashlib.sha256(json.dumps(self._content(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]

    @property
    def is_asked(self) -> pd.Series:
        """Whether the sheet asks an account's chance."""
        return self.accounts["win_probability"].notna()

    def _content(self) -> dict:
        rows = self.accounts[HELD].astype(object).where(self.accounts[HELD].notna(), None).values.tolist()
        told = {name: getattr(self, name) for name in _FIGURES}
        kinds, sizes = list(self.exclude_kinds), {name: int(n) for name, n in self.sizes.items()}
        return told | {"exclude_kinds": kinds, "sizes": sizes, "accounts": [dict(zip(HELD, row, strict=True)) for row in rows]}

    def to_dict(self) -> dict:
        """Return all of it, for JSON."""
        return {"sheet": self.sheet, **self._content()}

    @classmethod
    def from_dict(cls, read: Mapping, where: str) -> "FieldKey":
        """Rebuild what `to_dict` wrote; raises IntegrityError where it was changed since."""
        try:
            told = {name: read[name] for name in (*_FIGURES, "sizes")}
            accounts = pd.DataFrame(read["accounts"], columns=HELD).astype({"win_probability": float})
            key = cls(**told, exclude_kinds=tuple(read["exclude_kinds"]), accounts=accounts)
            is_whole = key.sheet == read["sheet"]
        except (KeyError, TypeError, ValueError):
            is_whole = False
        if not is_whole:
            raise IntegrityError(f"{where} is not the key that was written: it was changed since. Restore it from a copy.")
        return key


def is_borderline(accounts: pd.DataFrame) -> pd.Series:
    """Tell whose `tier_doubt` is .3 to .7; nobody where doubts are not known."""
    if "tier_doubt" not in accounts:
        return pd.Series(False, accounts.index)
    return (1 - accounts["tier_doubt"]).between(*UNSURE)


def has_open_deal(accounts: pd.DataFrame) -> pd.Series:
    """Tell whose win probability is that of deals open on the day; that of the others is of a deal not yet opened."""
    return accounts["basis"] == "open_deal"


def strata(accounts: pd.DataFrame) -> pd.Series:
    """Return each account's stratum: borderline or else its tier, apart for those without an open deal."""
    level = accounts["tier"].mask(is_borderline(accounts), BORDERLINE)
    return level.where(has_open_deal(accounts), level + IDLE)


def draw(accounts: pd.DataFrame, *, n: int, seed: int) -> pd.DataFrame:
    """Draw `n` accounts, two with an open deal for each without, and of both as many of each tier as there are.

    Returns the accounts drawn, with `stratum`, in an order that the seed alone decides: the order of the rows given changes
    nothing. Win probability is missing where there is no open deal: what is asked of sellers there is the tier alone.

    >>> accounts = pd.DataFrame({"account_id": list("abcdef"), "tier": list("ACCCCC"), "win_probability": 0.5,
    ...                          "basis": ["open_deal"] * 4 + ["next_deal"] * 2})
    >>> draw(accounts, n=4, seed=1).groupby("stratum")["win_probability"].agg(["size", "count"]).T.to_dict("list")
    {'A': [1, 1], 'C': [2, 2], 'C without a deal': [1, 0]}
    """
    rng = np.random.default_rng(seed)
    known = accounts.assign(
        stratum=strata(accounts), win_probability=accounts["win_probability"].where(has_open_deal(accounts))
    )
    ordered = known.sort_values("account_id")
    shuffled = ordered.iloc[rng.permutation(len(ordered))]
    place = shuffled.groupby("stratum").cumcount()
    turn = place.where(has_open_deal(shuffled), 2 * place + 1)
    chosen = np.lexsort((shuffled["stratum"], turn))[:n]  # round by round, one of each stratum whose turn it is
    return shuffled.iloc[rng.permutation(chosen)].reset_index(drop=True)


def hold_out(accounts: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Toss a coin for each borderline account: worked as the higher of the two tiers it lies between, or as the lower.

    What then becomes of the two arms differs by chance and by the work alone. Only tiers that accounts have lie beside each
    other (`between`). The coin hangs on the seed and the account's id: no other account, and no order, changes it. `chance` is
    that of the arm, for whoever weighs by it later.

    >>> accounts = pd.DataFrame({"account_id": ["a", "b", "c"], "as_of": "2026-06-30", "tier": ["A", "C", "B"],
    ...                          "tier_doubt": [0.4, 0.5, 0.1], "win_probability": [0.5, 0.1, 0.2]})
    >>> hold_out(accounts, seed=1)
      account_id       as_of tier  tier_doubt between       arm work_as  chance
    0          a  2026-06-30    A         0.4     A-B  hold_out       B     0.5
    1          b  2026-06-30    C         0.5     B-C      work       B     0.5
    """
    lies = between(accounts)
    listed = accounts.assign(between=lies)[is_borderline(accounts) & lies.notna()].sort_values("account_id")
    held = np.array([_coin(seed, account) for account in listed["account_id"]], dtype=bool)
    work_as = listed["between"].str[-1].where(held, listed["between"].str[0])
    arm = pd.Series(np.where(held, "hold_out", "work"), listed.index, dtype="str")
    doubt = listed["tier_doubt"] if "tier_doubt" in listed else pd.Series(dtype=float)
    table = listed[["account_id", "as_of", "tier"]].assign(tier_doubt=doubt, between=listed["between"], arm=arm)
    return table.assign(work_as=work_as, chance=0.5).reset_index(drop=True)


def between(accounts: pd.DataFrame) -> pd.Series:
    """Return the border nearest to each account, of those between consecutive tiers that accounts have; missing with one tier.

    The highest tier has the border below it alone, the lowest the one above; one in the middle by the half of it that the
    account stands in (expected value, or else win probability).

    >>> table = pd.DataFrame({"tier": ["A", "C"], "win_probability": [0.5, 0.1]})
    >>> between(table).tolist(), between(table.assign(tier=["B", "C"])).tolist()
    (['A-C', 'A-C'], ['B-C', 'B-C'])
    """
    present = sorted(accounts["tier"].unique())
    borders = [f"{upper}-{lower}" for upper, lower in pairwise(present)]
    above, below = dict(zip(present[1:], borders, strict=True)), dict(zip(present[:-1], borders, strict=True))
    worth = accounts["win_probability"] if "expected_value" not in accounts else accounts["expected_value"].fillna(0)
    is_high = worth >= worth.groupby(accounts["tier"]).transform("median")
    up, down = (accounts["tier"].map(side).astype("str") for side in (above, below))
    return up.where(is_high, down).fillna(up).fillna(down)


def _coin(seed: int, account: str) -> bool:
    return hashlib.sha256(f"{seed}\n{account}".encode()).digest()[0] % 2 == 1
