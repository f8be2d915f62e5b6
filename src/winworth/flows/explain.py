"""One account, line by line: what each criterion adds to its score, and by which values."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.config import Settings
from winworth.errors import ConfigError, did_you_mean
from winworth.features.build import build_features
from winworth.features.examples import scoring_examples
from winworth.flows.customers import read_customers, residual_values
from winworth.flows.predict import open_champion
from winworth.flows.prepare import prepare
from winworth.scoring.expected import by_account, with_residual
from winworth.scoring.scorer import Scorer
from winworth.weights.reasons import Wording


@dataclass(frozen=True)
class Explained:
    """One account's best row: its figures, and one line a criterion (label, values, criterion score, weight, points)."""

    account_id: str
    basis: str
    deal_id: str | None
    figures: dict[str, float | None]
    lines: list[dict]


def explain(settings: Settings, account_id: str, *, as_of: date, home: Path, lang: str = "en") -> Explained:
    """Score one account with the champion and show its scorecard; the points of the lines add up to its score."""
    bundle = open_champion(home, as_of)
    scorer = Scorer.from_files(bundle.contents)
    prepared = prepare(settings, as_of=as_of, catalog=scorer.catalog)
    rows = scoring_examples(prepared.snapshot, exclude_kinds=tuple(bundle.json("metrics.json")["exclude_kinds"]))
    own = rows[rows["account_id"] == account_id].reset_index(drop=True)
    if not len(own):
        known = rows["account_id"].dropna().unique()
        raise ConfigError(f"No account {account_id} is known on {as_of}. {did_you_mean(account_id, known[:50_000])}"[:300])
    features = build_features(own, prepared.snapshot, scorer.catalog)
    scored = scorer.explain(features, (own["basis"] == "next_deal").to_numpy())
    rows = own.join(scored.table.rename(columns={"value_if_won": "lifetime_value"})).assign(row=own.index)
    residual = residual_values(read_customers(bundle.contents), prepared.snapshot, settings)
    account = with_residual(by_account(rows), residual.set_index("account_id")["value"]).iloc[0]
    best, deal = int(account["row"]), account["deal_id"]
    names = ["win_probability", "lifetime_value", "value_low", "value_high", "residual_value", "expected_value", "score"]
    figures = {name: None if pd.isna(account[name]) else float(account[name]) for name in names}
    lines = _lines(scored.criteria.loc[best], features.loc[best], scorer, Wording(scorer.catalog, lang))
    return Explained(account_id, str(account["basis"]), None if pd.isna(deal) else str(deal), figures, lines)


def _lines(scores: pd.Series, values: pd.Series, scorer: Scorer, wording: Wording) -> list[dict]:
    weight = scorer.weights.table["weight"]
    lines = []
    for name, score in scores.items():
        own = [feature for feature in scorer.catalog.criteria[name].features if feature in values.index]
        said = "; ".join(f"{wording.feature(feature)} {wording.value(values[feature])}" for feature in own)
        points = float(score) * int(weight[name]) / 100
        line = {"criterion": wording.criterion(name), "values": said, "score": float(score)}
        lines.append(line | {"weight": int(weight[name]), "points": points})
    return lines
