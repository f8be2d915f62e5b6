"""The last scores whose horizon has passed beside what came of them: by tier, and by tenth of the win probability."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.config import Settings
from winworth.crm.outcomes import attach_outcomes
from winworth.crm.snapshot import Snapshot
from winworth.flows.tiering import Earlier, earlier_scores
from winworth.flows.worth import worth_of
from winworth.models.metrics import account_draws
from winworth.models.promised import sum_of_coins
from winworth.models.shares import effective_n, wilson
from winworth.scoring.seats import TIERS

TENTHS, LEAST = 10, 20


@dataclass(frozen=True)
class Promises:
    """The day of the scores, the version that made them, and a row a group; deals since gone from the extract are counted."""

    scored_on: date
    version: str
    n_gone: int
    groups: tuple[dict, ...]

    def to_dict(self) -> dict:
        """Return it for JSON."""
        return {
            "scored_on": self.scored_on.isoformat(),
            "version": self.version,
            "n_gone": self.n_gone,
            "groups": list(self.groups),
        }


def kept_promises(home: Path, snapshot: Snapshot, settings: Settings, *, horizon_days: int) -> Promises | None:
    """Set the latest matured scores beside what was won and brought; None where no published scores are old enough."""
    earlier = earlier_scores(home, snapshot.as_of - timedelta(days=horizon_days - 1))
    if earlier is None:
        return None
    deals = _outcomes(earlier, snapshot, settings, horizon_days)
    known = deals[deals["is_known"]]
    seed = settings.training.seed
    groups = [_group("tier", tier, known[known["tier"] == tier], seed) for tier in TIERS]
    if len(known) >= TENTHS:
        order = known.sort_values(["win_probability", "deal_id"], ascending=[False, True])
        parts = np.array_split(np.arange(len(order)), TENTHS)
        groups += [_group("tenth", str(at + 1), order.iloc[part], seed) for at, part in enumerate(parts)]
    version = str(earlier.run["model_version"])
    return Promises(earlier.as_of, version, len(deals) - len(known), tuple(g for g in groups if g["n"]))


def _outcomes(earlier: Earlier, snapshot: Snapshot, settings: Settings, horizon_days: int) -> pd.DataFrame:
    """Return each scored deal with its tier, whether it was won in time, and what it brought: seen, and still expected."""
    names = ["deal_id", "account_id", "win_probability", "lifetime_value"]
    rows = attach_outcomes(earlier.deals[names].reset_index(drop=True), snapshot)
    in_time = rows["ended_on"] <= pd.Timestamp(earlier.as_of) + pd.Timedelta(days=horizon_days)
    rows = rows.assign(won=rows["won"] & in_time, is_known=rows["status"].notna())
    money = worth_of(rows, snapshot, settings).money
    tier = rows["account_id"].map(earlier.accounts.set_index("account_id")["tier"])
    brought = np.where(rows["won"], money, 0.0)
    return rows.assign(tier=tier, brought=brought, promised=rows["win_probability"] * rows["lifetime_value"])


def _group(kind: str, name: str, rows: pd.DataFrame, seed: int) -> dict:
    won, told = rows["won"].to_numpy(dtype=float), rows["win_probability"].to_numpy(dtype=float)
    accounts = pd.factorize(rows["account_id"].fillna(rows["deal_id"]))[0]
    coins, n = sum_of_coins(told, won, accounts), effective_n(won, accounts) if len(rows) else 0.0
    low, high = wilson(won.mean() * n if len(rows) else 0.0, n)
    rate = {"value": float(won.mean()) if len(rows) else None, "low": low, "high": high}
    valued = (rows["brought"].notna() & rows["promised"].notna()).to_numpy()
    measured = {"n": len(rows), "n_accounts": len(np.unique(accounts)), "n_won": int(won.sum())}
    return {
        "kind": kind,
        "name": name,
        **measured,
        "win_rate": rate,
        "announced_rate": float(told.mean()) if len(rows) else None,
        "p": coins.p if len(rows) >= LEAST else None,
        "ratio": coins.ratio,
        "margin": _mean(rows.loc[valued, "brought"].to_numpy(dtype=float), accounts[valued], seed),
        "promised_margin": float(rows.loc[valued, "promised"].mean()) if valued.any() else None,
        "n_valued": int(valued.sum()),
    }


def _mean(values: np.ndarray, accounts: np.ndarray, seed: int) -> dict:
    """Return the mean with its 95 % interval over accounts; no interval of a single account, nor where nothing was brought."""
    if not len(values):
        return {"value": None, "low": None, "high": None}
    if len(np.unique(accounts)) < 2 or np.ptp(values) == 0:
        return {"value": float(values.mean()), "low": None, "high": None}
    draws = [(values @ times) / times.sum() for times in account_draws(accounts, seed=seed, n_boot=200) if times.sum()]
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"value": float(values.mean()), "low": float(low), "high": float(high)}
