"""One account, line by line: what each criterion adds to its score, and by which values."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.bundle import Bundle
from winworth.config import Settings
from winworth.errors import ConfigError, did_you_mean
from winworth.features.build import build_features
from winworth.features.examples import scoring_examples
from winworth.flows.customers import read_customers, residual_values
from winworth.flows.overruling import Overruled, under_overrides
from winworth.flows.predict import open_champion
from winworth.flows.prepare import prepare
from winworth.scoring.expected import by_account, with_residual
from winworth.scoring.lifting import Step, smallest_changes, steps_of
from winworth.scoring.scorer import Scored, Scorer
from winworth.weights.reasons import Wording
from winworth.weights.scorecard import Scorecard


@dataclass(frozen=True)
class Explained:
    """One account's best row: its figures, and one line a criterion (label, values, criterion score, weight, points).

    `lift` says what would move it a tier up: `tier` now, `goal` (the tier above) and `at` (expected value from which on it
    would move, noise allowed for), and `ways`, each a list of changes (label, from, to) that would do. `why` says why there
    are none to look for: "not_scored" that day, or not by this "version", no "value", no "card", or "top" already; else "".
    """

    account_id: str
    basis: str
    deal_id: str | None
    figures: dict[str, float | None]
    lines: list[dict]
    lift: dict


def explain(settings: Settings, account_id: str, *, as_of: date, home: Path, lang: str = "en") -> Explained:
    """Score one account with the champion and show its scorecard; the points of the lines add up to its score."""
    bundle = open_champion(home, as_of)
    scorer, ruled = under_overrides(bundle, settings, as_of=as_of, home=home)
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
    wording = Wording(scorer.catalog, lang)
    lines = _lines(scored.criteria.loc[best], features.loc[best], scorer, wording)
    row = Row(features.loc[[best]], bool(own.loc[best, "basis"] == "next_deal"), figures["expected_value"])
    lift = _lift(row, scorer, ruled, bundle, wording, standing(home, as_of, account_id, bundle.version))
    return Explained(account_id, str(account["basis"]), None if pd.isna(deal) else str(deal), figures, lines, lift)


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


@dataclass(frozen=True)
class Row:
    """What an account is shown by: a table of one row, whether that has no deal, and what the account is expected to bring."""

    features: pd.DataFrame
    has_no_deal: bool
    expected_value: float | None


@dataclass(frozen=True)
class Standing:
    """An account's tier in the scores of the day, the tier above ("": none), and the ranking value that surely moves it there.

    `why` says why there is none, as in Explained.
    """

    tier: str = ""
    above: str = ""
    goal: float = np.nan
    why: str = ""


def standing(home: Path, as_of: date, account_id: str, version: str) -> Standing:
    """Read where an account stands, and what surely moves it up.

    Who had a lower tier last time must pass the cut by twice the noise to move at once; who is new by once, since those who
    had the tier stand so much higher.
    """
    folder = home / "scores" / as_of.isoformat()
    if not (folder / "account_scores.parquet").exists():
        return Standing(why="not_scored")
    scores = pd.read_parquet(folder / "account_scores.parquet").set_index("account_id")
    if account_id not in scores.index:
        return Standing(why="not_scored")
    own = scores.loc[account_id]
    if own["model_version"] != version:
        return Standing(why="version")
    tiering = json.loads((folder / "run.json").read_text(encoding="utf-8"))["tiering"]
    above = [name for name in tiering["published"] if name < own["tier"] and tiering["cuts"][name]["threshold"]]
    if not above:
        return Standing(str(own["tier"]), why="top")
    cut, before = tiering["cuts"][above[-1]], str(own["previous_tier"])
    times = 0 if tiering["since"] is None else 2 if before > above[-1] else 0 if before else 1
    goal = float(cut["threshold"] * np.exp(times * (cut["noise"] or 0.0)))
    return Standing(str(own["tier"]), above[-1], goal, "" if tiering["in_money"] else "value")


def _lift(row: Row, scorer: Scorer, ruled: Overruled, bundle: Bundle, wording: Wording, place: Standing) -> dict:
    """Say by which smallest changes the models would expect enough for the tier above."""
    why = place.why or ("value" if row.expected_value is None else "")
    why = why or ("" if "scorecard.json" in bundle.names else "card")
    told = {"tier": place.tier, "goal": place.above, "at": None, "ways": [], "why": why}
    if why:
        return told
    card, values = Scorecard.from_dict(bundle.json("scorecard.json")["card"]), row.features.iloc[0]
    rest = row.expected_value - float(_scored(scorer, row.features, row.has_no_deal).table["expected_value"].iloc[0])

    def worth(rows: pd.DataFrame) -> np.ndarray:
        scored = _scored(scorer, rows, row.has_no_deal)
        return (rest + scored.table["expected_value"].to_numpy(dtype=float)) * np.exp(ruled.shift(scored.criteria))

    steps = steps_of(values, card, scorer.catalog)
    if row.has_no_deal:  # what belongs to a deal counts for nothing until there is one
        steps = {name: own for name, own in steps.items() if name not in card.deal_level}
    ways = smallest_changes(row.features, steps, worth, goal=place.goal)
    return told | {"at": place.goal, "ways": [[_change(step, values, wording) for step in way] for way in ways]}


def _scored(scorer: Scorer, rows: pd.DataFrame, has_no_deal: bool) -> Scored:
    return scorer.explain(rows, np.full(len(rows), has_no_deal))


def _change(step: Step, values: pd.Series, wording: Wording) -> dict:
    label = wording.feature(step.feature)
    return {"label": label, "from": wording.value(values[step.feature]), "to": wording.value(step.value)}
