"""Record what leadership agreed to change, once its price on later deals and on today's accounts is known."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.agreed import NAME, append_record, holding, read_record
from winworth.bundle import Bundle
from winworth.config import Settings
from winworth.errors import ConfigError
from winworth.flows.overruling import Overruled, as_entry, overrule
from winworth.flows.predict import open_champion
from winworth.flows.prepare import prepare
from winworth.flows.scored import accounts_worth
from winworth.flows.tiering import tier_accounts
from winworth.lock import run_lock
from winworth.scoring.scorer import Scorer


@dataclass(frozen=True)
class Agreed:
    """The overrides in force with their price, the accounts that change tier by them (id, name, tier before and after), what
    was added to the record and where it is.
    """

    ruled: Overruled
    moved: pd.DataFrame
    changes: tuple[dict, ...]
    record: Path
    last_hash: str


def agree(settings: Settings, *, as_of: date, home: Path) -> Agreed:
    """Price overrides.yaml with the champion, and record what is new in it and what is no longer there.

    Raises ConfigError for an entry that makes no sense, IntegrityError where the record was altered.
    """
    with run_lock(home, "agree"):
        path = home / "models" / NAME
        bundle = open_champion(home, as_of)
        scorer = Scorer.from_files(bundle.contents)
        ruled = overrule(scorer, bundle, settings, as_of=as_of)
        told, now = holding(read_record(path)), [as_entry(one) for one in settings.overrides]
        if not told and not now:
            raise ConfigError(f"There is no override in {settings.folder / 'overrides.yaml'}, and none is in the record.")
        moved = _moved(settings, ruled, scorer, bundle, as_of)
        about = {"as_of": as_of.isoformat(), "model_version": bundle.version, "price": ruled.price and ruled.price.to_dict()}
        changes = [{"change": "agreed", "override": one} | about for one in now if one not in told]
        changes += [{"change": "withdrawn", "override": one} | about for one in told if one not in now]
        entries = append_record(path, changes) if changes else read_record(path)
        return Agreed(ruled, moved, tuple(changes), path, entries[-1]["hash"] if entries else "")


def _moved(settings: Settings, ruled: Overruled, scorer: Scorer, bundle: Bundle, as_of: date) -> pd.DataFrame:
    """Return the accounts that stand in another tier by the overrides than without them, those of most worth first."""
    prepared = prepare(settings, as_of=as_of, catalog=scorer.catalog)
    worth = accounts_worth(scorer, prepared, bundle, settings)[1]
    metrics, how = bundle.json("metrics.json"), {"noise": None, "earlier": None}
    tier, agreed = (
        tier_accounts(worth, settings.scoring, metrics, **how, shift=shift).accounts["tier"]
        for shift in (0.0, ruled.shift(worth))
    )
    both = worth[["account_id", "name", "expected_value"]].assign(tier=tier, agreed_tier=agreed)
    return both[tier != agreed].sort_values("expected_value", ascending=False, kind="stable").reset_index(drop=True)
