"""What moved since the last scoring: old and new model on old and new data, between old and new cuts."""

from dataclasses import dataclass
from functools import cache
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
    """This scoring: what was read, the version in use, the accounts as they are published, what run.json says of tiers, and
    whether overrides move accounts.
    """

    prepared: Prepared
    bundle: Bundle
    accounts: pd.DataFrame
    tiering: dict
    is_overruled: bool = False


@dataclass(frozen=True)
class Moved:
    """What run.json says of movement (None where it was not measured), the files beside the scores, and warnings."""

    record: dict | None = None
    files: dict[str, bytes] | None = None
    warnings: tuple[str, ...] = ()


def moved_since(earlier: Earlier | None, today: Today, settings: Settings, home: Path) -> Moved:
    """Split what changed since the latest earlier scoring by cause; nothing where there is none.

    Old data are today's extract as it was known on the earlier day: what it says anew of that day is `restated`. The weights
    of the scorecard cut no tier, so that their part is 0 as long as tiers are cut by expected value. Where the earlier version
    is gone, or reads what the extract no longer has, a warning says so and nothing is split.
    """
    if earlier is None:
        return Moved()
    if today.is_overruled or earlier.run.get("overrides"):
        return Moved(warnings=(f"What moved since {earlier.as_of} is not split by cause: overrides are in force.",))
    try:
        found = _ledger(earlier, today, settings, home)
    except WinworthError as error:
        return Moved(warnings=(f"What moved since {earlier.as_of} is not split by cause: {error}",))
    if found is None:
        return Moved(
            warnings=(f"What moved since {earlier.as_of} is not split by cause: not both scorings cut tiers in money.",)
        )
    told = {"since": earlier.as_of.isoformat(), "model_version_before": earlier.run["model_version"]} | found.to_dict()
    movers = _named(found.movers, earlier, today)
    files = {"movement.json": as_json(told).encode(), "movement.csv": to_csv(movers)}
    return Moved({name: part for name, part in told.items() if name != "matrix"}, files)


def _ledger(earlier: Earlier, today: Today, settings: Settings, home: Path) -> Ledger | None:
    cuts = [run.get("cuts") for run in (earlier.run.get("tiering", {}), today.tiering)]
    worth = [table["expected_value"] for table in (earlier.accounts, today.accounts)]
    if None in cuts or any(values.isna().any() for values in worth):
        return None
    before = earlier.run["model_version"]
    same = before == today.bundle.version
    bundles = (today.bundle if same else open_version(home / "models" / before), today.bundle)
    waived = settings.waived(today.prepared.snapshot.as_of)
    snapshots = (take_snapshot(today.prepared.crm, as_of=earlier.as_of, waived=waived), today.prepared.snapshot)

    @cache
    def replayed(data: bool, model: bool) -> pd.Series:
        if data and model:
            return today.accounts.set_index("account_id")["expected_value"]
        return account_values(bundles[model], snapshots[data], settings)

    thresholds = tuple({tier: cut["threshold"] for tier, cut in found.items()} for found in cuts)
    return ledger(earlier.accounts, today.accounts, lambda data, model, weights: replayed(data, model or same), thresholds)


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
