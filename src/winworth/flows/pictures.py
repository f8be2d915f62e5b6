"""What the review draws of a version and cannot measure later: a sample of what moves accounts, cycles, and who stays."""

import json

import numpy as np
import pandas as pd

from winworth.crm.size_class import CLASSES
from winworth.crm.snapshot import Snapshot
from winworth.flows.learn import Reference
from winworth.flows.retrain import Retrain
from winworth.flows.weigh import Weighed
from winworth.flows.worth import margin_log
from winworth.kpi.survival import OPEN, closing
from winworth.models.censoring import Histories
from winworth.models.incidence import Incidence, cumulative_incidence
from winworth.weights.criteria import owned

MOST_ROWS, MOST_STEPS, LEAST = 150, 60, 30
ALL, UNKNOWN = "all", "unknown"


def picture_files(retrain: Retrain, weighed: Weighed | None, reference: Reference) -> dict[str, bytes]:
    """Return pictures.json: `attributions`, `cycles` and `survival`, each null where it cannot be told."""
    told = {
        "attributions": None if weighed is None else sampled(weighed, retrain, reference),
        "cycles": cycles(retrain),
        "survival": survival(retrain.prepared.snapshot, retrain),
    }
    written = json.dumps(told, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return {"pictures.json": written.encode()}


def sampled(weighed: Weighed, retrain: Retrain, reference: Reference) -> dict:
    """Draw at most 150 reference rows by the seed: by criterion what it adds to the log of expected value, less its median,
    and by feature the values and what they add. No row carries an id.
    """
    parts = weighed.contributions
    rows = np.sort(np.random.default_rng(retrain.task.seed).permutation(len(parts))[:MOST_ROWS])
    criteria = set(weighed.weights.criteria.index)
    own = {name: columns for name, columns in owned(retrain.catalog, parts).items() if name in criteria and columns}
    by_criterion = {name: parts[columns].sum(axis=1, min_count=1) for name, columns in own.items()}
    by_feature = {feature: parts[feature] for columns in own.values() for feature in columns}
    return {
        "n": len(rows),
        "criteria": {name: _numbers((part - part.median()).iloc[rows]) for name, part in by_criterion.items()},
        "features": {
            name: {"value": _values(reference.features[name].iloc[rows]), "part": _numbers((part - part.median()).iloc[rows])}
            for name, part in by_feature.items()
        },
    }


def cycles(retrain: Retrain) -> dict | None:
    """Return by size class (or of all, where there are none) the share of deals ended by each day since they opened."""
    snapshot = retrain.prepared.snapshot
    if not snapshot.has_dates:
        return None
    deals = snapshot["deals"].dropna(subset=["opened_on"])
    if "kind" in deals:
        deals = deals[~deals["kind"].isin(retrain.settings.training.win.exclude_kinds)]
    accounts = snapshot.tables.get("accounts", pd.DataFrame())
    group = pd.Series(ALL, deals.index)
    if "size_class" in accounts and snapshot.has_accounts and accounts["size_class"].notna().any():
        known = accounts.set_index("account_id")["size_class"]
        group = deals["account_id"].map(known).fillna(UNKNOWN).astype("str")
    day = _day(pd.Series([pd.Timestamp(snapshot.as_of)]))[0]
    found = {}
    for name in sorted(group.unique(), key=lambda name: (CLASSES.index(name) if name in CLASSES else len(CLASSES), name)):
        rows = deals[group == name]
        ended = np.where(rows["closed_on"].isna(), OPEN, _day(rows["closed_on"]))
        if len(rows) >= LEAST:
            curve = cumulative_incidence(closing(Histories(_day(rows["opened_on"]), ended, np.ones(len(rows), bool))), day=day)
            found[name] = _steps(curve) | {"n": len(rows)}
    return found or None


def survival(snapshot: Snapshot, retrain: Retrain) -> dict | None:
    """Return the share of customers that have stopped buying by each day since their first invoice (Kaplan and Meier).

    A customer has stopped on the day of the last invoice that no other followed within the days of silence; of invoices
    younger than that nobody can say yet.
    """
    silence = retrain.settings.scoring.kpi.churn_silence_days
    log = margin_log(snapshot.tables.get("invoices"), retrain.settings.scoring.value)[0]
    if log is None:
        return None
    span = log.groupby("account_id")["invoiced_on"].agg(["min", "max"])
    day = int(_day(pd.Series([pd.Timestamp(snapshot.as_of)]))[0]) - silence
    first, last = _day(span["min"]), _day(span["max"])
    kept = first < day
    if kept.sum() < LEAST:
        return None
    ended = np.where(last[kept] < day, last[kept], OPEN)
    curve = cumulative_incidence(Histories(first[kept], ended, np.ones(int(kept.sum()), bool)), day=day)
    return None if not len(curve.days) else _steps(curve) | {"n": int(kept.sum()), "silence_days": silence}


def _steps(curve: Incidence) -> dict:
    """Keep at most 60 days of a curve, evenly by the share that has ended."""
    if not len(curve.days):
        return {"days": [], "share": []}
    wanted = np.linspace(curve.won[0], curve.won[-1], MOST_STEPS)
    at = np.unique(np.minimum(np.searchsorted(curve.won, wanted), len(curve.won) - 1))
    return {"days": curve.days[at].astype(int).tolist(), "share": np.round(curve.won[at], 4).tolist()}


def _numbers(column: pd.Series) -> list[float | None]:
    return [round(value, 3) if np.isfinite(value) else None for value in column.astype(float).tolist()]


def _values(column: pd.Series) -> list:
    if pd.api.types.is_numeric_dtype(column):
        return [float(f"{value:.4g}") if np.isfinite(value) else None for value in column.astype(float).tolist()]
    return ["" if pd.isna(value) else str(value)[:60] for value in column.astype(object).tolist()]


def _day(dates: pd.Series) -> np.ndarray:
    days = dates.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), 0, days.astype(np.int64)).astype(np.int64)
