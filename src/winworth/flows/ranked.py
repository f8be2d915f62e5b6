"""From scored accounts to ranked ones: tiers, plays, sellers, what moved, and the files beside the scores."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.flows.movement import Today, moved_since
from winworth.flows.playing import with_plays
from winworth.flows.scored import FIGURES
from winworth.flows.scored_part import ScoredPart, Task
from winworth.flows.tiering import COLUMNS as TIER_COLUMNS
from winworth.flows.tiering import a_still_wins, borderline, tier_accounts
from winworth.flows.unlike_training import strangeness_said
from winworth.sheets import to_csv

OLD = 200  # days: two quarters and some patience
_VALUES = [*FIGURES[:-2], "residual_value", "expected_value", "agreed_value", "score"]
LEAD = ["account_id", "name", "as_of", "basis", "deal_id", *_VALUES, *TIER_COLUMNS]


@dataclass(frozen=True)
class Ranked:
    """Accounts as they are published, the one worth most first; by language their texts; files beside them; and run.json.
    `order` tells the row of the part that each comes from.
    """

    accounts: pd.DataFrame
    order: np.ndarray
    texts: Mapping[str, pd.DataFrame]
    files: Mapping[str, bytes]
    run: dict


def rank_accounts(task: Task, part: ScoredPart, *, lang: str) -> Ranked:
    """Give each account its tier, play, seller and rank, beside all others.

    `part` holds every account; of its columns only some are looked at (`scored_part.NARROW`), the others are carried along.
    """
    metrics, doubt, earlier = task.bundle.json("metrics.json"), task.scorer.weights.doubt, task.earlier
    worth, shift = part.accounts.drop(columns="shift"), part.accounts["shift"].to_numpy()
    how = {"noise": doubt and doubt.noise, "earlier": earlier, "shift": shift}
    tiered = tier_accounts(worth, task.settings.scoring, metrics, **how)
    accounts = _in_order(tiered.accounts)
    order, accounts = accounts.index, accounts.reset_index(drop=True)
    words = {code: said.loc[order].reset_index(drop=True) for code, said in part.words.items()}
    texts = {code: accounts[["account_id"]].join(said) for code, said in words.items()}
    accounts = with_words(accounts, words[lang])
    previous = None if earlier is None else earlier.accounts
    played = with_plays(accounts, texts, task.settings, lang=lang, previous=previous)
    moved = moved_since(earlier, Today(task.bundle.version, played.accounts, tiered.record), part.replay)
    strange, late = strangeness_said(part.strange), a_still_wins(task.due, part.due)
    warnings = [*part.warnings, *task.ruled.notes, *strange, *tiered.warnings, *late, *played.warnings, *moved.warnings]
    run = _run(task, part, played.accounts) | {"tiering": tiered.record, "movement": moved.record}
    run["warnings"] = warnings + run["warnings"]
    files = {"borderline.csv": to_csv(borderline(played.accounts), excel_fr=task.wanted.excel_fr)}
    return Ranked(played.accounts, order.to_numpy(), played.texts, played.files | (moved.files or {}) | files, run)


def with_words(table: pd.DataFrame, words: pd.DataFrame) -> pd.DataFrame:
    """Put reasons and segment labels, row by row, before the model version."""
    place = table.columns.get_loc("model_version") if "model_version" in table else len(table.columns)
    return pd.concat([table.iloc[:, :place], words, table.iloc[:, place:]], axis=1)


def _in_order(accounts: pd.DataFrame) -> pd.DataFrame:
    """Put columns in the order people read them, and the accounts worth most first."""
    lead = [name for name in LEAD if name in accounts]
    accounts = accounts[lead + [name for name in accounts.columns if name not in lead]]
    return accounts.loc[accounts["agreed_value"].sort_values(ascending=False, kind="stable").index]


def _run(task: Task, part: ScoredPart, accounts: pd.DataFrame) -> dict:
    warnings, old = [], (task.as_of - task.bundle.as_of).days
    if not len(accounts):
        others = f"; {part.n_deals} open deals are in deal_scores" if part.n_deals else " and no open deal to score"
        warnings.append(f"There is no account{others}.")
    if old > OLD:
        warnings.append(f"The champion is {old} days old. Train again: make train promote.")
    return {
        "as_of": task.as_of.isoformat(),
        "model_version": task.bundle.version,
        "n_accounts": len(accounts),
        "n_open_deals": part.n_deals,
        "tiers": accounts["tier"].value_counts().sort_index().to_dict(),
        "read": part.read,
        "warnings": warnings,
        "overrides": task.ruled.to_dict() if task.ruled.overrides else None,
    }
