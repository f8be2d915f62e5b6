"""Tiers in a run: seats from capacity, the noise that training stored, the tiers of last time, and the alarms of A."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.crm.snapshot import Snapshot
from winworth.scoring.inflation import share_alarms, win_rate_alarm
from winworth.scoring.seats import TIERS, Seats, hours_set_aside, seats_for
from winworth.scoring.settings import Scoring
from winworth.scoring.tiers import UNSURE, Tiers, cut_tiers
from winworth.weights.noise import Noise

COLUMNS = ["tier", "tier_doubt", "hours", "previous_tier", "tier_change_reason"]


@dataclass(frozen=True)
class Earlier:
    """The latest scoring before the day: its accounts and deals as published, and its run.json."""

    as_of: date
    accounts: pd.DataFrame
    deals: pd.DataFrame
    run: dict


@dataclass(frozen=True)
class Tiered:
    """Accounts with tier, tier_doubt, hours, previous_tier and tier_change_reason; what run.json says; and warnings."""

    accounts: pd.DataFrame
    record: dict
    warnings: tuple[str, ...]


def earlier_scores(home: Path, as_of: date) -> Earlier | None:
    """Read the latest scores of a day before `as_of`; None where there are none."""
    days = {day: path for path in (home / "scores").glob("*/account_scores.parquet") if (day := _day(path.parent.name))}
    before = [day for day in days if day < as_of]
    if not before:
        return None
    folder = days[max(before)].parent
    accounts, deals = (pd.read_parquet(folder / f"{name}_scores.parquet") for name in ("account", "deal"))
    return Earlier(max(before), accounts, deals, json.loads((folder / "run.json").read_text(encoding="utf-8")))


def tier_accounts(
    accounts: pd.DataFrame,
    scoring: Scoring,
    metrics: Mapping,
    *,
    noise: Noise | None,
    earlier: Earlier | None,
    shift: np.ndarray | float = 0.0,
) -> Tiered:
    """Give every account its tier and hours.

    Accounts are put in order by expected value, or by win probability where no value is known; `shift` is by how much
    leadership's overrides move each in logs. The noise was measured on what
    deals bring; what customers still bring is granted as much, relative to itself, from errors of its own. (Its 80 % interval
    is of what will come, not of what to expect: it would hold every customer in its tier for good.)
    """
    published, in_money = _published(metrics), bool(accounts["expected_value"].notna().all())
    rank = ranked_by(accounts)
    seats = seats_today(accounts, scoring, metrics)
    sd = None if noise is None else noise.at(rank.to_numpy(dtype=float)) * _of_two_parts(accounts)
    found = cut_tiers(rank, accounts["account_id"], seats, noise=sd, previous=_previous(accounts, earlier), shift=shift)
    hours = found.table["tier"].map(scoring.serving.hours).astype(float)
    tiered = accounts.assign(agreed_value=rank * np.exp(shift))
    tiered = tiered.assign(**{name: found.table[name] for name in COLUMNS if name != "hours"}, hours=hours)
    n_a = int((found.table["tier"] == "A").sum())
    share_before = None if earlier is None or not len(earlier.accounts) else float((earlier.accounts["tier"] == "A").mean())
    warnings = (
        *found.ties(),
        *share_alarms(n_a, len(accounts), seats=seats.n["A"], share_before=share_before),
        *_said(published, metrics.get("mode"), noise, earlier),
    )
    return Tiered(tiered, _record(found, scoring, published, noise, earlier) | {"in_money": in_money}, warnings)


def ranked_by(accounts: pd.DataFrame) -> pd.Series:
    """Return what puts accounts in order before any override: expected value, win probability where no value is known."""
    return accounts["expected_value"].fillna(accounts["win_probability"])


def seats_today(accounts: pd.DataFrame, scoring: Scoring, metrics: Mapping) -> Seats:
    """Return the seats that the team gives these accounts, in the tiers that the model version publishes."""
    in_money = bool(accounts["expected_value"].notna().all())
    return seats_for(scoring, len(accounts), published=_published(metrics), in_money=in_money)


def borderline(accounts: pd.DataFrame) -> pd.DataFrame:
    """List the accounts whose tier is about as likely as not: whom a seller's word would help most, the least sure first.

    >>> table = pd.DataFrame({"account_id": ["a", "b"], "name": ["A", "B"], "tier": ["A", "B"], "tier_doubt": [0.1, 0.4]})
    >>> borderline(table.assign(expected_value=9.0, score=50.0))[["account_id", "tier_doubt"]].values.tolist()
    [['b', 0.4]]
    """
    names = ["account_id", "name", "tier", "tier_doubt", "expected_value", "score"]
    unsure = accounts.loc[(1 - accounts["tier_doubt"]).between(*UNSURE), names]
    return unsure.sort_values(["tier_doubt", "account_id"], ascending=[False, True], ignore_index=True)


def due_scores(home: Path, as_of: date, *, horizon_days: int) -> Earlier | None:
    """Read the latest scores whose horizon has passed on `as_of`, with the open deals of their A accounts alone."""
    earlier = earlier_scores(home, (pd.Timestamp(as_of) - pd.Timedelta(days=horizon_days - 1)).date())
    if earlier is None:
        return None
    best = earlier.accounts.loc[earlier.accounts["tier"] == "A", "account_id"]
    return replace(earlier, deals=earlier.deals[earlier.deals["account_id"].isin(best)])


def outcomes_of(due: Earlier | None, snapshot: Snapshot, *, horizon_days: int) -> pd.DataFrame:
    """Return deal_id, win_probability as announced and `won` (within the horizon) of the deals of `due` still on record."""
    if due is None or not snapshot.has_dates:
        return pd.DataFrame({"deal_id": pd.Series(dtype="str"), "win_probability": 0.0, "won": False})
    now = snapshot["deals"].set_index("deal_id").reindex(due.deals["deal_id"])
    in_time = now["closed_on"] <= pd.Timestamp(due.as_of) + pd.Timedelta(days=horizon_days)
    told = due.deals[["deal_id", "win_probability"]].assign(won=((now["status"] == "won") & in_time).to_numpy())
    return told[now["status"].notna().to_numpy()]


def a_still_wins(due: Earlier | None, outcomes: pd.DataFrame) -> tuple[str, ...]:
    """Say where the A accounts of the latest scoring whose horizon has passed won otherwise than announced."""
    if due is None:
        return ()
    alarm = win_rate_alarm(outcomes["win_probability"].to_numpy(dtype=float), outcomes["won"].to_numpy(dtype=bool))
    return () if alarm is None else (f"Since {due.as_of}: {alarm}",)


def _published(metrics: Mapping) -> tuple[str, ...]:
    """Return the tiers that may be given: C alone where all have one chance, as nothing ranks."""
    return ("C",) if metrics.get("mode") == "base_rate" else tuple((metrics.get("tiers") or {}).get("published", TIERS))


def _of_two_parts(accounts: pd.DataFrame) -> np.ndarray:
    """Return by what noise shrinks where worth is a sum of two parts, each as noisy as the whole and apart from the other."""
    share = (accounts["residual_value"] / accounts["expected_value"]).fillna(0.0).clip(0, 1).to_numpy(dtype=float)
    return np.hypot(share, 1 - share)


def _previous(accounts: pd.DataFrame, earlier: Earlier | None) -> pd.Series | None:
    if earlier is None:
        return None
    return accounts["account_id"].map(earlier.accounts.set_index("account_id")["tier"])


def _said(published: tuple[str, ...], mode: str | None, noise: Noise | None, earlier: Earlier | None) -> list[str]:
    said = []
    if mode == "base_rate":
        said.append("Every account has the same chance, the base rate: none is A or B.")
    elif len(published) < len(TIERS):
        said.append(f"Only the tiers {', '.join(published)} are published: the others did not differ in what they brought.")
    if noise is None:
        held = "" if earlier is None else ", and no account is held in its tier"
        said.append(f"The noise of expected values was not measured in training: tiers have no doubt{held}.")
    return said


def _record(found: Tiers, scoring: Scoring, published: tuple[str, ...], noise: Noise | None, earlier: Earlier | None) -> dict:
    """Return what run.json says of tiers."""
    counts, hours = found.table["tier"].value_counts(), scoring.serving.hours
    used = {tier: float(counts.get(tier, 0) * hours[tier]) for tier in TIERS}
    capacity = hours_set_aside(scoring, published)
    return {
        "published": list(published),
        "cuts": {tier: cut.to_dict() for tier, cut in found.cuts.items()},
        "hours_used": used,
        "hours_left": None if capacity is None else {tier: float(capacity[tier] - used[tier]) for tier in ("A", "B")},
        "n_borderline": int(found.is_borderline.sum()),
        "noise": None if noise is None else noise.to_dict(),
        "changes": found.table["tier_change_reason"].replace("", np.nan).value_counts().sort_index().to_dict(),
        "since": None if earlier is None else earlier.as_of.isoformat(),
    }


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
