"""What scoring makes of some accounts, all of them or a part: all that must be read of the extract to publish scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.bundle import Bundle
from winworth.config import Settings
from winworth.errors import ConfigError
from winworth.flows.movement import Past, Replay, past_to_replay, replayed
from winworth.flows.overruling import Overruled, under_overrides
from winworth.flows.playing import present_owners, regions
from winworth.flows.prepare import Prepared
from winworth.flows.record import read_record
from winworth.flows.scored import Wanted, accounts_worth
from winworth.flows.tiering import Earlier, due_scores, earlier_scores, outcomes_of
from winworth.scoring.scorer import Scorer

TEXTS = ["reason_1", "reason_2", "reason_3", "segment_label"]


@dataclass(frozen=True)
class Task:
    """What accounts are scored with on a day: the champion, its scorer under the overrides in force, what the scores are
    written with, and the scorings they are set beside: the latest, and the latest whose horizon has passed (`due`).
    """

    as_of: date
    bundle: Bundle
    scorer: Scorer
    ruled: Overruled
    settings: Settings
    wanted: Wanted
    earlier: Earlier | None
    due: Earlier | None
    past: Past | Replay


def task_for(settings: Settings, bundle: Bundle, *, as_of: date, home: Path, wanted: Wanted) -> Task:
    """Gather what accounts are scored with and set beside."""
    if wanted.by is not None and wanted.by <= as_of:
        raise ConfigError(f"--by {wanted.by} is not later than the as-of date {as_of}: what was won by then is known.")
    scorer, ruled = under_overrides(bundle, settings, as_of=as_of, home=home)
    earlier = earlier_scores(home, as_of)
    due = due_scores(home, as_of, horizon_days=bundle.json("metrics.json")["horizon_days"])
    past = past_to_replay(earlier, bundle, home, is_overruled=bool(ruled.overrides))
    return Task(as_of, bundle, scorer, ruled, settings, wanted, earlier, due, past)


@dataclass(frozen=True)
class ScoredPart:
    """Accounts and open deals with all figures but tiers, sorted by account.

    `words` has by language reason_1..3 and segment_label of each row of `accounts`, and of `deals` under `deal_words`.
    `accounts` also has owner_id and region as the extract tells them, and the `shift` that overrides give. `due` says what
    came of the deals of earlier A accounts, `strange` counts what training never saw, `read` where the rows of each file went.
    """

    accounts: pd.DataFrame
    deals: pd.DataFrame
    words: Mapping[str, pd.DataFrame]
    deal_words: Mapping[str, pd.DataFrame]
    replay: Replay
    due: pd.DataFrame
    strange: pd.DataFrame
    read: list[dict]
    quarantine: pd.DataFrame
    warnings: tuple[str, ...]
    n_deals: int


def score_part(task: Task, prepared: Prepared) -> ScoredPart:
    """Score the accounts and open deals that were prepared."""
    scored, worth = accounts_worth(task.scorer, prepared, task.bundle, task.settings, task.wanted)
    rows = scored.table
    deals = rows[rows["basis"] == "open_deal"].drop(columns=["basis", "name"]).reset_index(drop=True)
    places = {"owner_id": present_owners(prepared), "region": regions(prepared.snapshot)}
    accounts = worth.assign(**{name: worth["account_id"].map(found).astype("str") for name, found in places.items()})
    accounts = accounts.assign(shift=task.ruled.shift(accounts))
    return ScoredPart(
        accounts.drop(columns="row"),
        deals.drop(columns="row"),
        *({lang: _of_rows(said, table["row"]) for lang, said in scored.words.items()} for table in (accounts, deals)),
        replayed(task.past, prepared, task.bundle, task.settings),
        outcomes_of(task.due, prepared.snapshot, horizon_days=task.bundle.json("metrics.json")["horizon_days"]),
        scored.strange,
        read_record(prepared.crm.report),
        prepared.crm.report.quarantine,
        prepared.warnings,
        len(deals),
    )


def _of_rows(words: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    return words[TEXTS].loc[rows].reset_index(drop=True)
