"""Who the ideal customers are, who decides there, and how long they take: learnt in training, applied to scores."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.crm.size_class import CLASSES
from winworth.crm.snapshot import Snapshot
from winworth.flows.retrain import Learnt, Retrain
from winworth.scoring.cycles import cycles_and_baskets, cycles_record
from winworth.scoring.icp import Icp, Period, apply_rules, icp_features, learn_icp, read_rules
from winworth.scoring.lift import Realised
from winworth.scoring.personas import Personas, days_known, learn_personas, roles_in
from winworth.scoring.scorer import as_json
from winworth.weights.reasons import Wording

LANGUAGES = ("en", "fr")
MOST_SEARCHED = 10_000  # deals that rules are sought among, and held to, drawn by the seed
UNKNOWN = "unknown"
COMMITTEE = ("committee", "missing_role")


@dataclass(frozen=True)
class Profile:
    """What metrics.json has under `icp`, `personas` and `size_classes`: None where nothing can be said, and why in `notes`."""

    icp: dict | None
    personas: dict | None
    size_classes: dict | None
    notes: tuple[str, ...]

    def record(self) -> dict:
        """Return the parts of metrics.json."""
        return {"icp": self.icp, "personas": self.personas, "size_classes": self.size_classes}

    def to_files(self) -> dict[str, bytes]:
        """Return the model version's files: what scoring applies."""
        kept = {"icp.json": self.icp, "personas.json": self.personas}
        return {name: as_json(content).encode() for name, content in kept.items() if content is not None}


def learn_profile(retrain: Retrain, learnt: Learnt, segment: np.ndarray) -> Profile:
    """Learn all three; `segment` is the label of each example's segment."""
    icp, icp_note = _icp(retrain, learnt)
    personas, role_note = _personas(retrain, segment)
    notes = tuple(note for note in (icp_note, role_note) if note)
    return Profile(icp, personas, _size_classes(retrain), notes)


def icp_rules(contents: Mapping[str, bytes], features: pd.DataFrame) -> np.ndarray:
    """Return for each row of a feature table the number of the first rule of the model version that holds; 0: none."""
    return apply_rules(read_rules(json.loads(contents["icp.json"])) if "icp.json" in contents else [], features)


def committees(contents: Mapping[str, bytes], rows: pd.DataFrame, snapshot: Snapshot, segment: np.ndarray) -> pd.DataFrame:
    """Return `committee` and `missing_role` of scored rows; nothing is said without contacts, or of what is no open deal."""
    nothing = pd.DataFrame({"committee": np.nan, "missing_role": pd.Series("", rows.index, dtype="str")}, rows.index)
    is_open = (rows["basis"] == "open_deal").to_numpy()
    if "personas.json" not in contents or not roles_in(snapshot) or not is_open.any():
        return nothing
    personas = Personas.from_dict(json.loads(contents["personas.json"]))
    deals = rows[is_open].reset_index(drop=True)
    days = days_known(deals, snapshot, list(personas.table["role"].unique()))
    told = personas.committee(days, segment[is_open], deals["age_days"].to_numpy(dtype=float))
    nothing.loc[is_open, list(COMMITTEE)] = told.to_numpy()
    return nothing.astype({"committee": "float64", "missing_role": "str"})


def _icp(retrain: Retrain, learnt: Learnt) -> tuple[dict | None, str]:
    """Find rules among deals known before the locked quarter, hold them to it, and say what was sought where."""
    fold = learnt.fold
    names = icp_features(retrain.catalog, list(retrain.examples.features.columns))
    if fold is None:
        return None, "There are too few deals to look for an ideal customer profile."
    if not names:
        return None, "No feature says who an account is before anyone sells to it: there is no ideal customer profile."
    worth = learnt.worth or retrain.worth
    before = learnt.worth_before.money
    in_money = all((money[rows] > 0).any() for money, rows in ((before, fold.train), (worth.money, fold.test)))
    past = _some(_period(retrain, before if in_money else None, fold.train, fold.train_day), names, retrain.task.seed)
    locked = _some(_period(retrain, worth.money if in_money else None, fold.test, fold.test_day), names, retrain.task.seed)
    icp = learn_icp(past, locked, seed=retrain.task.seed)
    wordings = {lang: Wording(retrain.catalog, lang) for lang in LANGUAGES}
    by = worth.basis if in_money else "wins"
    said = {"period": fold.name, "by": by, "features": names, "n_past": len(past), "n_locked": len(locked)}
    return icp.to_dict(wordings) | said, _icp_note(icp)


def _icp_note(icp: Icp) -> str:
    n = len(icp.not_held)
    if icp.rules:
        return ""
    if not n:
        return f"No ideal customer profile is published: none of {icp.n_tried} rules lifted what past deals brought."
    return f"No ideal customer profile is published: {n} rules found on past deals did not hold on the locked quarter."


def _period(retrain: Retrain, money: np.ndarray | None, rows: np.ndarray, day: int | None) -> Period:
    """Take each deal once, as it was first observed, with what came of it within the horizon as known on a day."""
    is_first = ~retrain.examples.rows["deal_id"].duplicated().to_numpy()
    rows = rows[is_first[rows]]
    won, weight = retrain.task.outcomes(rows, day)
    rows, won, weight = (x[weight > 0] for x in (rows, won, weight))
    money = np.full(len(rows), np.nan) if money is None else money[rows]
    realised = Realised.of(won, money, weight, retrain.examples.account[rows])
    return Period(retrain.examples.features.iloc[rows].reset_index(drop=True), realised)


def _some(period: Period, names: list[str], seed: int) -> Period:
    """Keep the features named, and at most MOST_SEARCHED deals drawn by the seed."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(period))[:MOST_SEARCHED])
    r = period.realised
    kept = Realised(r.value[rows], r.won[rows], r.weight[rows], r.account[rows])
    return Period(period.features.iloc[rows][names].reset_index(drop=True), kept)


def _personas(retrain: Retrain, segment: np.ndarray) -> tuple[dict | None, str]:
    """Compare roles in deals whose horizon has passed: no deal counts as not won that may still be."""
    snapshot, task = retrain.prepared.snapshot, retrain.task
    roles = roles_in(snapshot)
    if not roles or task.histories is None:
        return None, "No contact has a role known in time: nothing is said of buying committees."
    rows, day = retrain.examples.rows, np.datetime64(retrain.as_of, "D").astype(int)
    is_settled = task.histories.observed + task.horizon <= day
    settled = np.flatnonzero(is_settled)
    if not len(settled):
        return None, "No deal is old enough to tell whose committee won: nothing is said of buying committees."
    won, _ = task.outcomes(settled, int(day))
    deals = pd.DataFrame(
        {
            "segment": segment[settled],
            "age_days": rows["age_days"].to_numpy()[settled],
            "won": won.astype(bool),
            "account": retrain.examples.account[settled],
        }
    )
    days = days_known(rows.iloc[settled].reset_index(drop=True), snapshot, roles)
    return learn_personas(days, deals).to_dict(), ""


def _size_classes(retrain: Retrain) -> dict | None:
    """Return cycle and basket by the size class of the account, None without classes or days."""
    snapshot = retrain.prepared.snapshot
    accounts = snapshot.tables.get("accounts", pd.DataFrame())
    if (
        "size_class" not in accounts
        or accounts["size_class"].isna().all()
        or not snapshot.has_dates
        or not snapshot.has_accounts
    ):
        return None
    deals = snapshot["deals"]
    if "kind" in deals:
        deals = deals[~deals["kind"].isin(retrain.settings.training.win.exclude_kinds)]
    classes = accounts.set_index("account_id")["size_class"].reindex(deals["account_id"]).fillna(UNKNOWN).to_numpy()
    opened, ended = (_days(deals[name]) for name in ("opened_on", "closed_on"))
    whose = deals["account_id"].fillna("\0" + deals["deal_id"])
    table = pd.DataFrame(
        {
            "group": classes,
            "account": pd.factorize(whose, sort=True)[0],
            "opened": opened,
            "ended": ended,
            "won": (deals["status"] == "won").to_numpy(),
            "amount": deals["amount"].to_numpy(dtype=float) if "amount" in deals else np.nan,
        }
    )
    training = retrain.settings.training
    day = int(np.datetime64(retrain.as_of, "D").astype(int))
    told = cycles_record(cycles_and_baskets(table, day=day, seed=training.seed, n_boot=training.n_boot))
    n_accounts = accounts["size_class"].fillna(UNKNOWN).value_counts()
    ordered = sorted(told, key=lambda name: (CLASSES.index(name) if name in CLASSES else len(CLASSES), name == UNKNOWN, name))
    return {name: {"n_accounts": int(n_accounts.get(name, 0))} | told[name] for name in ordered}


def _days(dates: pd.Series) -> np.ndarray:
    days = dates.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(float))
