"""Score every account and open deal with the champion, and publish the files all or nothing."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.atomic import publish_folder
from winworth.bundle import Bundle, champion, open_version
from winworth.config import Settings
from winworth.errors import ConfigError
from winworth.features.build import absent_features, build_features
from winworth.features.examples import scoring_examples
from winworth.flows.customers import read_customers, residual_values
from winworth.flows.dates import DATE_COLUMNS, WON_BY, close_dates, read_dates
from winworth.flows.movement import Today, moved_since
from winworth.flows.overruling import overrule, require_agreed
from winworth.flows.playing import with_plays
from winworth.flows.prepare import Prepared, prepare
from winworth.flows.profile import COMMITTEE, committees, icp_rules
from winworth.flows.record import read_record
from winworth.flows.tiering import COLUMNS as TIER_COLUMNS
from winworth.flows.tiering import a_still_wins, borderline, earlier_scores, tier_accounts
from winworth.lock import run_lock
from winworth.models.reliability import VennAbers
from winworth.scoring.expected import by_account, with_residual
from winworth.scoring.scorer import Scorer, as_json
from winworth.sheets import to_csv, to_parquet
from winworth.weights.reasons import Wording, reasons

LANGUAGES = ("en", "fr")
OLD = 200  # days: two quarters and some patience
_TEXTS = ["account_id", "reason_1", "reason_2", "reason_3", "segment_label"]
_DOUBT = ("win_low", "win_high")
_LEAD = ["win_probability", "lifetime_value", "value_low", "value_high", "expected_value", "score"]


@dataclass(frozen=True)
class Predicted:
    """The scores of one as-of date, and where they were published."""

    accounts: pd.DataFrame
    deals: pd.DataFrame
    folder: Path
    run: dict


@dataclass(frozen=True)
class Wanted:
    """What scores are written with beside the usual: CSV for a French Excel; for open deals, `doubt` (win_low and win_high, the
    Venn-Abers interval of their win probability) and the chance to be won `by` a day.
    """

    excel_fr: bool = False
    doubt: bool = False
    by: date | None = None


def predict(settings: Settings, *, as_of: date, home: Path, lang: str = "en", wanted: Wanted = Wanted()) -> Predicted:  # noqa: B008 (frozen)
    """Score what is open on `as_of` with the champion and write `home`/scores/<as_of>.

    Raises IntegrityError where the champion's files are not what its manifest says, before LightGBM opens one.
    """
    if wanted.by is not None and wanted.by <= as_of:
        raise ConfigError(f"--by {wanted.by} is not later than the as-of date {as_of}: what was won by then is known.")
    with run_lock(home, "predict"):
        bundle = open_champion(home, as_of)
        learnt = Scorer.from_files(bundle.contents)
        ruled = overrule(learnt, bundle, settings, as_of=as_of)
        require_agreed(ruled, home)
        scorer = ruled.scorer(learnt)
        prepared = prepare(settings, as_of=as_of, catalog=scorer.catalog)
        scored, worth = accounts_worth(scorer, prepared, bundle, settings, wanted)
        rows, words = scored.table, scored.words
        prepared = replace(prepared, warnings=(*prepared.warnings, *ruled.notes, *scored.warnings))
        metrics, earlier, doubt = bundle.json("metrics.json"), earlier_scores(home, as_of), scorer.weights.doubt
        noise, shift = doubt and doubt.noise, ruled.shift(worth)
        tiered = tier_accounts(worth, settings.scoring, metrics, noise=noise, earlier=earlier, shift=shift)
        late = a_still_wins(home, prepared.snapshot, horizon_days=metrics["horizon_days"])
        prepared = replace(prepared, warnings=(*prepared.warnings, *tiered.warnings, *late))
        accounts = _in_order(tiered.accounts)
        deals = rows[rows["basis"] == "open_deal"].drop(columns=["basis", "name"]).reset_index(drop=True)
        texts = {code: with_words(accounts, said)[_TEXTS] for code, said in words.items()}
        accounts, deals = with_words(accounts, words[lang]), with_words(deals, words[lang])
        previous = None if earlier is None else earlier.accounts
        played = with_plays(accounts, texts, prepared, settings, lang=lang, previous=previous)
        accounts, texts = played.accounts, played.texts
        moved = moved_since(earlier, Today(prepared, bundle, accounts, tiered.record, bool(ruled.overrides)), settings, home)
        prepared = replace(prepared, warnings=(*prepared.warnings, *played.warnings, *moved.warnings))
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


@dataclass(frozen=True)
class Rows:
    """One row for each open deal and each account without one: figures and criterion scores; by language reason_1..3 and
    segment_label; and what was strange about them.
    """

    table: pd.DataFrame
    words: dict[str, pd.DataFrame]
    warnings: tuple[str, ...]


def score_rows(scorer: Scorer, prepared: Prepared, bundle: Bundle, wanted: Wanted = Wanted()) -> Rows:  # noqa: B008 (frozen)
    """Score each open deal and each account without one."""
    rows = scoring_examples(prepared.snapshot, exclude_kinds=tuple(bundle.json("metrics.json")["exclude_kinds"]))
    features = build_features(rows, prepared.snapshot, scorer.catalog)
    scored = scorer.explain(features, (rows["basis"] == "next_deal").to_numpy())
    weight = scorer.weights.table["weight"]
    words = {}
    for lang in LANGUAGES:
        told = reasons(features, scored.by_feature, scored.criteria, weight, Wording(scorer.catalog, lang))
        words[lang] = told.assign(segment_label=_segment_labels(scorer, scored.placed.segment, lang))
    table = scored.table.rename(columns={"value_if_won": "lifetime_value"})[_LEAD]
    known = rows[["account_id", "deal_id", "basis"]].assign(
        name=_names(rows, prepared), as_of=prepared.snapshot.as_of.isoformat()
    )
    dates = close_dates(read_dates(bundle.contents), rows, features, as_of=prepared.snapshot.as_of, by=wanted.by)
    placed = {"segment": scored.placed.segment, "segment_mark": scored.placed.mark}
    last = {"value_basis": basis_of(bundle)} | placed | {"model_version": bundle.version}
    last = pd.DataFrame(last, index=rows.index)
    last.insert(2, "icp_rule", icp_rules(bundle.contents, features))
    dates = dates.join(committees(bundle.contents, rows, prepared.snapshot, scored.placed.segment))
    if wanted.doubt:
        table = table.join(_win_interval(scorer, features, bundle))
    return Rows(pd.concat([known, table, dates, last, scored.criteria.round(1)], axis=1), words, _strange(scorer, features))


def basis_of(bundle: Bundle) -> str:
    """Return what the version's values are made of: margin, turnover, deal_amount or none."""
    return bundle.json("metrics.json").get("value_definition", {}).get("basis", "deal_amount")


def _win_interval(scorer: Scorer, features: pd.DataFrame, bundle: Bundle) -> pd.DataFrame:
    if "calibration.json" not in bundle.names:
        return pd.DataFrame(np.nan, features.index, list(_DOUBT))
    past = {name: np.asarray(column, dtype=float) for name, column in bundle.json("calibration.json").items()}
    margin = scorer.win.model.margin(scorer.win.matrix.transform(features))
    low, high = VennAbers(past["margin"], past["won"], past["weight"]).interval(margin)
    return pd.DataFrame({"win_low": low, "win_high": high}, index=features.index)


def _strange(scorer: Scorer, features: pd.DataFrame) -> tuple[str, ...]:
    """Say which features have levels in more than a twentieth of the rows that training pooled or never saw."""
    unseen = scorer.win.matrix.unseen_levels(features)
    return tuple(
        f"{n} of {len(features)} rows have a {name} that training saw too rarely, or never: it counts as other."
        for name, n in unseen.items()
        if n > 0.05 * len(features)
    )


def _segment_labels(scorer: Scorer, segment: np.ndarray, lang: str) -> np.ndarray:
    return segment if scorer.segments is None else scorer.segments.label_of(segment, lang)


def with_words(table: pd.DataFrame, words: pd.DataFrame) -> pd.DataFrame:
    """Put reasons and segment labels, found by the row a table's row comes from, before the model version."""
    told = words.loc[table["row"]].set_axis(table.index)
    place = table.columns.get_loc("model_version")
    return pd.concat([table.iloc[:, :place], told, table.iloc[:, place:]], axis=1).drop(columns="row")


def accounts_worth(
    scorer: Scorer,
    prepared: Prepared,
    bundle: Bundle,
    settings: Settings,
    wanted: Wanted = Wanted(),  # noqa: B008 (frozen)
) -> tuple[Rows, pd.DataFrame]:
    """Score every row, and make one row an account of them with what it is worth; `row` tells which row it shows."""
    _require_features(scorer, prepared)
    scored = score_rows(scorer, prepared, bundle, wanted)
    scored = replace(scored, table=scored.table.assign(row=scored.table.index))
    residual = residual_values(read_customers(bundle.contents), prepared.snapshot, settings)
    return scored, _accounts(scored.table, residual.set_index("account_id")["value"])


def _accounts(rows: pd.DataFrame, residual: pd.Series) -> pd.DataFrame:
    """Make one row an account, with what it still brings as a customer."""
    return with_residual(by_account(rows.drop(columns=[*DATE_COLUMNS, WON_BY, *COMMITTEE, *_DOUBT], errors="ignore")), residual)


def _in_order(accounts: pd.DataFrame) -> pd.DataFrame:
    """Put columns in the order people read them, and the accounts worth most first."""
    values = [*_LEAD[:-2], "residual_value", *_LEAD[-2:]]
    lead = ["account_id", "name", "as_of", "basis", "deal_id", *values, *TIER_COLUMNS]
    accounts = accounts[lead + [name for name in accounts.columns if name not in lead]]
    rank = accounts["expected_value"].fillna(accounts["win_probability"])
    return accounts.loc[rank.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _names(rows: pd.DataFrame, prepared: Prepared) -> pd.Series:
    if "accounts" not in prepared.snapshot or "name" not in prepared.snapshot["accounts"]:
        return rows["account_id"]
    names = prepared.snapshot["accounts"].set_index("account_id")["name"]
    return names.reindex(rows["account_id"]).set_axis(rows.index)


def _require_features(scorer: Scorer, prepared: Prepared) -> None:
    lacking = absent_features(scorer.catalog, prepared.snapshot)
    if lacking:
        tables = ", ".join(sorted(set(lacking.values())))
        raise ConfigError(
            f"The champion was trained on {len(lacking)} features of tables the extract no longer has: {tables}. "
            "Map them in conf/crm.yaml, or train again without them."
        )


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
