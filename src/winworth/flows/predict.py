"""Score every account and open deal with the champion, and publish the files all or nothing."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.atomic import publish_folder
from winworth.bundle import Bundle, champion, open_version
from winworth.config import Settings
from winworth.errors import ConfigError
from winworth.flows.movement import Today, moved_since
from winworth.flows.overruling import under_overrides
from winworth.flows.playing import with_plays
from winworth.flows.prepare import Prepared, prepare
from winworth.flows.record import read_record
from winworth.flows.scored import FIGURES, Wanted, accounts_worth
from winworth.flows.tiering import COLUMNS as TIER_COLUMNS
from winworth.flows.tiering import a_still_wins, borderline, earlier_scores, tier_accounts
from winworth.lock import run_lock
from winworth.scoring.scorer import as_json
from winworth.sheets import to_csv, to_parquet

OLD = 200  # days: two quarters and some patience
_TEXTS = ["account_id", "reason_1", "reason_2", "reason_3", "segment_label"]


@dataclass(frozen=True)
class Predicted:
    """The scores of one as-of date, and where they were published."""

    accounts: pd.DataFrame
    deals: pd.DataFrame
    folder: Path
    run: dict


def predict(settings: Settings, *, as_of: date, home: Path, lang: str = "en", wanted: Wanted = Wanted()) -> Predicted:  # noqa: B008 (frozen)
    """Score what is open on `as_of` with the champion and write `home`/scores/<as_of>.

    Raises IntegrityError where the champion's files are not what its manifest says, before LightGBM opens one.
    """
    if wanted.by is not None and wanted.by <= as_of:
        raise ConfigError(f"--by {wanted.by} is not later than the as-of date {as_of}: what was won by then is known.")
    with run_lock(home, "predict"):
        bundle = open_champion(home, as_of)
        scorer, ruled = under_overrides(bundle, settings, as_of=as_of, home=home)
        prepared = prepare(settings, as_of=as_of, catalog=scorer.catalog)
        scored, worth = accounts_worth(scorer, prepared, bundle, settings, wanted)
        rows, words = scored.table, scored.words
        metrics, earlier, doubt = bundle.json("metrics.json"), earlier_scores(home, as_of), scorer.weights.doubt
        how = {"noise": doubt and doubt.noise, "earlier": earlier, "shift": ruled.shift(worth)}
        tiered = tier_accounts(worth, settings.scoring, metrics, **how)
        late = a_still_wins(home, prepared.snapshot, horizon_days=metrics["horizon_days"])
        warnings = (*prepared.warnings, *ruled.notes, *scored.warnings, *tiered.warnings, *late)
        accounts = _in_order(tiered.accounts)
        deals = rows[rows["basis"] == "open_deal"].drop(columns=["basis", "name"]).reset_index(drop=True)
        texts = {code: with_words(accounts, said)[_TEXTS] for code, said in words.items()}
        accounts, deals = with_words(accounts, words[lang]), with_words(deals, words[lang])
        previous = None if earlier is None else earlier.accounts
        played = with_plays(accounts, texts, prepared, settings, lang=lang, previous=previous)
        accounts, texts = played.accounts, played.texts
        moved = moved_since(earlier, Today(prepared, bundle, accounts, tiered.record, bool(ruled.overrides)), settings, home)
        prepared = replace(prepared, warnings=(*warnings, *played.warnings, *moved.warnings))
        run = _run(bundle, prepared, accounts, deals, as_of) | {"tiering": tiered.record, "movement": moved.record}
        run |= {"overrides": ruled.to_dict() if ruled.overrides else None}
        folder = home / "scores" / as_of.isoformat()
        written = _files(accounts, deals, prepared, run, wanted.excel_fr) | _text_files(texts) | (moved.files or {})
        written["borderline.csv"] = to_csv(borderline(accounts), excel_fr=wanted.excel_fr)
        publish_folder(folder, written | played.files)
        return Predicted(accounts, deals, folder, run)


def open_champion(home: Path, as_of: date) -> Bundle:
    """Open the champion, verified; it must not have been trained later than `as_of`."""
    bundle = open_version(home / "models" / champion(home / "models"))
    if bundle.as_of > as_of:
        raise ConfigError(
            f"The champion {bundle.version} knows deals up to {bundle.as_of}; scores as of {as_of} would know the future. "
            "Score a later day, or train as of an earlier one."
        )
    return bundle


def with_words(table: pd.DataFrame, words: pd.DataFrame) -> pd.DataFrame:
    """Put reasons and segment labels, found by the row a table's row comes from, before the model version."""
    told = words.loc[table["row"]].set_axis(table.index)
    place = table.columns.get_loc("model_version")
    return pd.concat([table.iloc[:, :place], told, table.iloc[:, place:]], axis=1).drop(columns="row")


def _in_order(accounts: pd.DataFrame) -> pd.DataFrame:
    """Put columns in the order people read them, and the accounts worth most first."""
    values = [*FIGURES[:-2], "residual_value", *FIGURES[-2:]]
    lead = ["account_id", "name", "as_of", "basis", "deal_id", *values, *TIER_COLUMNS]
    accounts = accounts[lead + [name for name in accounts.columns if name not in lead]]
    rank = accounts["expected_value"].fillna(accounts["win_probability"])
    return accounts.loc[rank.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _run(bundle: Bundle, prepared: Prepared, accounts: pd.DataFrame, deals: pd.DataFrame, as_of: date) -> dict:
    warnings = list(prepared.warnings)
    if not len(accounts):
        others = f"; {len(deals)} open deals are in deal_scores" if len(deals) else " and no open deal to score"
        warnings.append(f"There is no account{others}.")
    if (as_of - bundle.as_of).days > OLD:
        warnings.append(f"The champion is {(as_of - bundle.as_of).days} days old. Train again: make train promote.")
    return {
        "as_of": as_of.isoformat(),
        "model_version": bundle.version,
        "n_accounts": len(accounts),
        "n_open_deals": len(deals),
        "tiers": accounts["tier"].value_counts().sort_index().to_dict(),
        "read": read_record(prepared.crm.report),
        "warnings": warnings,
    }


def _text_files(texts: dict[str, pd.DataFrame]) -> dict[str, bytes]:
    """Return each language's reasons and segment labels, for pages in a language other than that of the scores."""
    return {f"account_texts_{lang}.parquet": to_parquet(text) for lang, text in texts.items()}


def _files(accounts: pd.DataFrame, deals: pd.DataFrame, prepared: Prepared, run: dict, excel_fr: bool) -> dict[str, bytes]:
    written = {"run.json": as_json(run).encode(), "quarantine.csv": to_csv(prepared.crm.report.quarantine)}
    for name, table in (("account_scores", accounts), ("deal_scores", deals)):
        written[f"{name}.csv"] = to_csv(table, excel_fr=excel_fr)
        written[f"{name}.parquet"] = to_parquet(table)
    return written
