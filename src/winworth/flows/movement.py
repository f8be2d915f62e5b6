"""What moved since the last scoring: old and new model on old and new data, between old and new cuts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.bundle import Bundle, open_version
from winworth.config import Settings
from winworth.crm.snapshot import Snapshot, take_snapshot
from winworth.errors import ConfigError, IntegrityError, WinworthError
from winworth.features.build import absent_features, build_features
from winworth.features.examples import scoring_examples
from winworth.flows.customers import read_customers, residual_values
from winworth.flows.prepare import Prepared
from winworth.flows.tiering import Earlier
from winworth.scoring.expected import by_account, with_residual
from winworth.scoring.movement import Ledger, ledger
from winworth.scoring.scorer import Scorer, as_json
from winworth.sheets import to_csv


@dataclass(frozen=True)
class Today:
    """This scoring: the version in use, the accounts as they are published, and what run.json says of tiers."""

    version: str
    accounts: pd.DataFrame
    tiering: dict


@dataclass(frozen=True)
class Past:
    """What is to be replayed: the day of the earlier scoring, and its version where that is another than today's."""

    as_of: date
    bundle: Bundle | None


@dataclass(frozen=True)
class Replay:
    """Expected values by account_id, by whether data and model are today's; or the reason why there are none."""

    values: Mapping[tuple[bool, bool], pd.Series] = field(default_factory=dict)
    refused: str = ""


_NO_MONEY = "not both scorings cut tiers in money."


@dataclass(frozen=True)
class Moved:
    """What run.json says of movement (None where it was not measured), the files beside the scores, and warnings."""

    record: dict | None = None
    files: dict[str, bytes] | None = None
    warnings: tuple[str, ...] = ()


def past_to_replay(earlier: Earlier | None, bundle: Bundle, home: Path, *, is_overruled: bool) -> Past | Replay:
    """Say what must be replayed to split what changed since a scoring by cause, or why nothing can be."""
    if earlier is None:
        return Replay()
    if is_overruled or earlier.run.get("overrides"):
        return Replay(refused="overrides are in force.")
    if not _in_money(earlier.run.get("tiering", {}), earlier.accounts):
        return Replay(refused=_NO_MONEY)
    before = earlier.run["model_version"]
    try:
        return Past(earlier.as_of, None if before == bundle.version else open_version(home / "models" / before))
    except WinworthError as error:
        return Replay(refused=str(error))


def replayed(past: Past | Replay, prepared: Prepared, bundle: Bundle, settings: Settings) -> Replay:
    """Value the accounts of an extract as it was known on the earlier day, and by the earlier version."""
    if isinstance(past, Replay):
        return past
    waived = settings.waived(prepared.snapshot.as_of)
    snapshots = (take_snapshot(prepared.crm, as_of=past.as_of, waived=waived), prepared.snapshot)
    worlds = [(False, True)] if past.bundle is None else [(False, False), (False, True), (True, False)]
    try:
        bundles = (past.bundle, bundle)
        return Replay({(data, model): account_values(bundles[model], snapshots[data], settings) for data, model in worlds})
    except WinworthError as error:
        return Replay(refused=str(error))


def moved_since(earlier: Earlier | None, today: Today, replay: Replay) -> Moved:
    """Split what changed since the latest earlier scoring by cause; nothing where there is none.

    Old data are today's extract as it was known on the earlier day: what it says anew of that day is `restated`. The weights
    of the scorecard cut no tier, so that their part is 0 as long as tiers are cut by expected value. Where the earlier version
    is gone, or reads what the extract no longer has, a warning says so and nothing is split.
    """
    if earlier is None:
        return Moved()
    refused = replay.refused or ("" if _in_money(today.tiering, today.accounts) else _NO_MONEY)
    if refused:
        return Moved(warnings=(f"What moved since {earlier.as_of} is not split by cause: {refused}",))
    found = _ledger(earlier, today, replay)
    told = {"since": earlier.as_of.isoformat(), "model_version_before": earlier.run["model_version"]} | found.to_dict()
    movers = _named(found.movers, earlier, today)
    files = {"movement.json": as_json(told).encode(), "movement.csv": to_csv(movers)}
    return Moved({name: part for name, part in told.items() if name != "matrix"}, files)


def _in_money(tiering: Mapping, accounts: pd.DataFrame) -> bool:
    return tiering.get("cuts") is not None and not accounts["expected_value"].isna().any()


def _ledger(earlier: Earlier, today: Today, replay: Replay) -> Ledger:
    same = earlier.run["model_version"] == today.version
    now = today.accounts.set_index("account_id")["expected_value"]
    values = {**replay.values, (True, True): now}
    thresholds = tuple(
        {tier: cut["threshold"] for tier, cut in tiering["cuts"].items()} for tiering in (earlier.run["tiering"], today.tiering)
    )
    return ledger(earlier.accounts, today.accounts, lambda data, model, weights: values[data, model or same], thresholds)


def account_values(bundle: Bundle, snapshot: Snapshot, settings: Settings) -> pd.Series:
    """Return the expected value of every account of a snapshot by a model version, by account_id."""
    try:
        scorer, customers = Scorer.from_files(bundle.contents), read_customers(bundle.contents)
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"{bundle.version} was written by another winworth, which this one cannot read.") from error
    lacking = absent_features(scorer.catalog, snapshot)
    if lacking:
        tables = ", ".join(sorted(set(lacking.values())))
        raise ConfigError(f"{bundle.version} reads tables that the extract no longer has: {tables}.")
    rows = scoring_examples(snapshot, exclude_kinds=tuple(bundle.json("metrics.json")["exclude_kinds"]))
    scored = scorer.explain(build_features(rows, snapshot, scorer.catalog), (rows["basis"] == "next_deal").to_numpy())
    table = scored.table.rename(columns={"value_if_won": "lifetime_value"})
    residual = residual_values(customers, snapshot, settings)
    accounts = with_residual(by_account(rows.join(table)), residual.set_index("account_id")["value"])
    return accounts.set_index("account_id")["expected_value"]


def _named(movers: pd.DataFrame, earlier: Earlier, today: Today) -> pd.DataFrame:
    names = pd.concat([table.set_index("account_id")["name"] for table in (today.accounts, earlier.accounts)])
    names = names[~names.index.duplicated()]
    movers = movers.assign(name=movers["account_id"].map(names))
    return movers[["account_id", "name", *(column for column in movers if column not in ("account_id", "name"))]]
