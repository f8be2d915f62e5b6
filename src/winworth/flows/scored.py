"""Score each open deal and each account without one, and make one row an account of them."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from winworth.bundle import Bundle
from winworth.config import Settings
from winworth.errors import ConfigError
from winworth.features.build import absent_features, build_features
from winworth.features.examples import scoring_examples
from winworth.flows.customers import read_customers, residual_values
from winworth.flows.dates import DATE_COLUMNS, WON_BY, close_dates, read_dates
from winworth.flows.prepare import Prepared
from winworth.flows.profile import COMMITTEE, committees, icp_rules
from winworth.flows.unlike_training import refuse_impossible, unlike_training
from winworth.models.reliability import VennAbers
from winworth.scoring.expected import by_account, with_residual
from winworth.scoring.scorer import Scorer
from winworth.weights.reasons import Wording, reasons

LANGUAGES = ("en", "fr")
FIGURES = ["win_probability", "lifetime_value", "value_low", "value_high", "expected_value", "score"]
_DOUBT = ("win_low", "win_high")


@dataclass(frozen=True)
class Wanted:
    """What scores are written with beside the usual: CSV for a French Excel; for open deals, `doubt` (win_low and win_high, the
    Venn-Abers interval of their win probability) and the chance to be won `by` a day.
    """

    excel_fr: bool = False
    doubt: bool = False
    by: date | None = None


@dataclass(frozen=True)
class Rows:
    """One row for each open deal and each account without one: figures and criterion scores; by language reason_1..3 and
    segment_label; and the counts of what was strange about them (`unlike_training`).
    """

    table: pd.DataFrame
    words: dict[str, pd.DataFrame]
    strange: pd.DataFrame


def score_rows(scorer: Scorer, prepared: Prepared, bundle: Bundle, wanted: Wanted = Wanted()) -> Rows:  # noqa: B008 (frozen)
    """Score each open deal and each account without one."""
    rows = scoring_examples(prepared.snapshot, exclude_kinds=tuple(bundle.json("metrics.json")["exclude_kinds"]))
    features = build_features(rows, prepared.snapshot, scorer.catalog)
    scored = scorer.explain(features, (rows["basis"] == "next_deal").to_numpy())
    refuse_impossible(scored.table, rows, has_value=scorer.value is not None)
    weight = scorer.weights.table["weight"]
    words = {}
    for lang in LANGUAGES:
        told = reasons(features, scored.by_feature, scored.criteria, weight, Wording(scorer.catalog, lang))
        words[lang] = told.assign(segment_label=_segment_labels(scorer, scored.placed.segment, lang))
    table = scored.table.rename(columns={"value_if_won": "lifetime_value"})[FIGURES]
    known = rows[["account_id", "deal_id", "basis"]].assign(
        name=_names(rows, prepared), as_of=prepared.snapshot.as_of.isoformat()
    )
    dates = close_dates(read_dates(bundle.contents), rows, features, as_of=prepared.snapshot.as_of, by=wanted.by)
    placed = {"segment": scored.placed.segment, "segment_mark": scored.placed.mark}
    last = {"value_basis": basis_of(bundle)} | placed | {"model_version": bundle.version}
    last = pd.DataFrame(last, index=rows.index)
    last.insert(3, "icp_rule", icp_rules(bundle.contents, features))
    dates = dates.join(committees(bundle.contents, rows, prepared.snapshot, scored.placed.segment))
    if wanted.doubt:
        table = table.join(_win_interval(scorer, features, bundle))
    return Rows(
        pd.concat([known, table, dates, last, scored.criteria.round(1)], axis=1),
        words,
        unlike_training(scorer.win.matrix, scorer.catalog, features, rows),
    )


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


def _segment_labels(scorer: Scorer, segment: np.ndarray, lang: str) -> np.ndarray:
    return segment if scorer.segments is None else scorer.segments.label_of(segment, lang)


def accounts_worth(
    scorer: Scorer,
    prepared: Prepared,
    bundle: Bundle,
    settings: Settings,
    wanted: Wanted = Wanted(),  # noqa: B008 (frozen)
) -> tuple[Rows, pd.DataFrame]:
    """Score every row, and make one row an account of them with what it is worth; `row` tells which row it shows."""
    require_features(scorer, prepared)
    scored = score_rows(scorer, prepared, bundle, wanted)
    scored = replace(scored, table=scored.table.assign(row=scored.table.index))
    residual = residual_values(read_customers(bundle.contents), prepared.snapshot, settings)
    return scored, _accounts(scored.table, residual.set_index("account_id")["value"])


def _accounts(rows: pd.DataFrame, residual: pd.Series) -> pd.DataFrame:
    """Make one row an account, with what it still brings as a customer."""
    return with_residual(by_account(rows.drop(columns=[*DATE_COLUMNS, WON_BY, *COMMITTEE, *_DOUBT], errors="ignore")), residual)


def _names(rows: pd.DataFrame, prepared: Prepared) -> pd.Series:
    if "accounts" not in prepared.snapshot or "name" not in prepared.snapshot["accounts"]:
        return rows["account_id"]
    names = prepared.snapshot["accounts"].set_index("account_id")["name"]
    return names.reindex(rows["account_id"]).set_axis(rows.index)


def require_features(scorer: Scorer, prepared: Prepared) -> None:
    """Raise ConfigError where the extract lacks a table that the model version reads."""
    lacking = absent_features(scorer.catalog, prepared.snapshot)
    if lacking:
        tables = ", ".join(sorted(set(lacking.values())))
        raise ConfigError(
            f"The champion was trained on {len(lacking)} features of tables the extract no longer has: {tables}. "
            "Map them in conf/crm.yaml, or train again without them."
        )
