"""What came of decisions: tiers, weights and deals won, at the scoring before each and now."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.bundle import open_version
from winworth.config import Settings
from winworth.crm.read import read_crm
from winworth.crm.snapshot import take_snapshot
from winworth.errors import ConfigError, WinworthError
from winworth.flows.tiering import earlier_scores
from winworth.review.decided import AccountSince, Decision, Outcome


@dataclass(frozen=True)
class Standing:
    """What a scoring says: its day, its accounts, and the weights that ran, by criterion."""

    as_of: date
    accounts: pd.DataFrame
    weights: dict[str, int]


def outcomes(settings: Settings, accounts: pd.DataFrame, weights: pd.Series, *, as_of: date, home: Path) -> tuple[Outcome, ...]:
    """Say of each decision made by `as_of` what has come of it; `accounts` and `weights` (in force) are those of the day.

    Deals are read from the extract only where a decision names accounts. Raises ConfigError for a criterion that is none and
    for an account that was never scored.
    """
    made = [one for one in settings.decisions if one.decided_on <= as_of]
    if not made:
        return ()
    now = Standing(as_of, accounts, weights.astype(int).to_dict())
    won = _won(settings, as_of=as_of) if any(one.accounts for one in made) else None
    return tuple(_outcome(one, at, now, _before(home, one.decided_on, as_of), won) for at, one in enumerate(made))


def _outcome(one: Decision, at: int, now: Standing, then: Standing | None, won: pd.DataFrame | None) -> Outcome:
    if one.criterion and one.criterion not in now.weights and one.criterion not in (then.weights if then else {}):
        known = ", ".join(sorted(now.weights))
        raise ConfigError(
            f"decisions.yaml: decisions.{at}.criterion: {one.criterion} is no criterion. Name one of {known}, or leave it out."
        )
    weight = (then and then.weights.get(one.criterion), now.weights.get(one.criterion)) if one.criterion else None
    n_in_tier = (then and _n(then, one.tier), _n(now, one.tier)) if one.tier else None
    named = tuple(_account(key, one, at, now, then, won) for key in one.accounts)
    return Outcome(one, then and then.as_of, named, weight, n_in_tier)


def _account(key: str, one: Decision, at: int, now: Standing, then: Standing | None, won: pd.DataFrame | None) -> AccountSince:
    rows = [None if standing is None else _row(standing, key) for standing in (then, now)]
    if all(row is None for row in rows):
        raise ConfigError(
            f"decisions.yaml: decisions.{at}.accounts: {key} is no account of any scoring. Mend its id, or drop it."
        )
    name = next(str(row["name"]) for row in reversed(rows) if row is not None)
    tiers = ["" if row is None else str(row["tier"]) for row in rows]
    n_won = None
    if won is not None:
        since = won[(won["account_id"] == key) & (won["closed_on"] > pd.Timestamp(one.decided_on))]
        n_won = len(since)
    return AccountSince(key, name, *tiers, n_won)


def _row(standing: Standing, key: str) -> pd.Series | None:
    found = standing.accounts[standing.accounts["account_id"] == key] if len(standing.accounts) else standing.accounts
    return found.iloc[0] if len(found) else None


def _n(standing: Standing, tier: str) -> int:
    return int((standing.accounts["tier"] == tier).sum()) if len(standing.accounts) else 0


def _before(home: Path, day: date, as_of: date) -> Standing | None:
    """Read the latest scoring up to the day of a decision, and before `as_of`; None where there is none."""
    last = min(date.fromordinal(day.toordinal() + 1), as_of)
    earlier = earlier_scores(home, last)
    return None if earlier is None else Standing(earlier.as_of, earlier.accounts, _weights(earlier.run, home))


def _weights(run: dict, home: Path) -> dict[str, int]:
    """Return the weights that a scoring ran with; none where its version is gone."""
    if run.get("overrides"):
        return {name: weight["agreed"] for name, weight in run["overrides"]["weights"].items()}
    try:
        table = open_version(home / "models" / run["model_version"]).json("weights.json")["table"]
    except WinworthError:
        return {}
    rows = zip(table["criterion"], table["family"], table["weight"], strict=True)
    return {name: int(weight) for name, family, weight in rows if family != "context"}


def _won(settings: Settings, *, as_of: date) -> pd.DataFrame | None:
    """Return the won deals as known on the day; None where deals have no dates or accounts."""
    crm = read_crm(settings.crm, root=settings.folder, threads=settings.training.threads)
    snapshot = take_snapshot(crm, as_of=as_of, waived=settings.waived(as_of))
    if not (snapshot.has_dates and snapshot.has_accounts):
        return None
    deals = snapshot["deals"]
    return deals.loc[deals["status"] == "won", ["account_id", "closed_on"]]


def read_run(home: Path, as_of: date) -> dict:
    """Return what the scores of the day say of themselves; nothing where there are none."""
    path = home / "scores" / as_of.isoformat() / "run.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
