"""Sellers against the model: a blind sheet goes out, and what it says when it comes back."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.atomic import publish_folder, write_file
from winworth.bundle import open_version
from winworth.config import Settings
from winworth.errors import ConfigError, DataError, did_you_mean
from winworth.flows.prepare import prepare
from winworth.lock import run_lock
from winworth.models.metrics import Figure
from winworth.scoring.field import FieldKey, draw, hold_out, strata
from winworth.scoring.field_sheet import answers_of, read_sheet, write_sheet
from winworth.scoring.judged import judge
from winworth.scoring.scorer import as_json
from winworth.sheets import to_csv

FOLDER = "validation"


@dataclass(frozen=True)
class SentOut:
    """A blind sheet, the folder of its key, how many accounts of each stratum it has, and how many were held out."""

    sheet: Path
    folder: Path
    strata: dict[str, int]
    n_hold_out: int
    n_borderline: int


@dataclass(frozen=True)
class CameBack:
    """What a filled sheet says: figures by name, answered of sent, of how many a chance was asked and how many of those won,
    the day outcomes are complete, and what to talk about.
    """

    folder: Path
    n_sent: int
    n_answered: int
    n_asked: int
    n_won: int | None
    known_from: date
    figures: dict[str, Figure]
    disagreements: pd.DataFrame


def send_out(settings: Settings, *, as_of: date, home: Path, out: Path, lang: str = "en", n: int = 60) -> SentOut:
    """Write the blind sheet of the scores of `as_of` to `out`; its key and holdout.csv to `home`/validation/<as_of>-<sheet>.

    The same scores, size and seed (training.yaml) give the same bytes. Raises ConfigError where there are no scores of that
    day, or where `out` holds something else: it may have been filled in.
    """
    if out.suffix.lower() != ".xlsx":
        raise ConfigError(f"--out {out} is no name for a workbook. End it in .xlsx.")
    with run_lock(home, "validate"):
        accounts, seed = _scores(home, as_of), settings.training.seed
        drawn = draw(accounts, n=n, seed=seed)
        key = _key(home, accounts, drawn, seed)
        held = hold_out(accounts, seed=seed)
        content = write_sheet(key, drawn, lang=lang)
        if out.exists() and out.read_bytes() != content:
            raise ConfigError(f"{out} is there already, and may have been filled in. Name another file, or move it away.")
        folder = home / FOLDER / f"{key.as_of}-{key.sheet[:8]}"
        publish_folder(folder, {"key.json": as_json(key.to_dict()).encode(), "holdout.csv": to_csv(held)})
        out.parent.mkdir(parents=True, exist_ok=True)
        write_file(out, content)
    sizes = drawn["stratum"].value_counts().sort_index().to_dict()
    return SentOut(out, folder, sizes, int((held["arm"] == "hold_out").sum()), len(held))


def bring_back(settings: Settings, *, as_of: date, home: Path, filled: Path, n_boot: int = 1000) -> CameBack:
    """Read a filled sheet, and judge sellers and model by each other and by what was known on `as_of` of what came since.

    Outcomes count once the horizon has passed for all: before, only the quick would be known. Writes verdict.json and
    judged.csv to `home`/validation/<as_of>-<sheet>-answers. Raises DataError for a sheet with faults, IntegrityError for a
    changed key.
    """
    if not filled.is_file():
        raise ConfigError(f"There is no file {filled}. Name the filled sheet with --in.")
    with run_lock(home, "validate"):
        read = read_sheet(filled.read_bytes(), filled.name)
        folder, key = _find_key(home, read.sheet, filled.name)
        answers = key.accounts.merge(answers_of(read, key, filled.name), on="account_id", validate="one_to_one")
        known_from = date.fromisoformat(key.as_of) + timedelta(days=key.horizon_days)
        answers = answers.assign(size=answers["stratum"].map(key.sizes), won=np.nan)
        if as_of >= known_from:
            answers = answers.assign(won=_won(settings, key, as_of))
        judged = judge(answers, seed=key.seed, n_boot=n_boot)
        figures = {f.name: getattr(judged, f.name) for f in fields(judged) if f.name != "disagreements"}
        answered = int((answers["seller_tier"].notna() | answers["seller_chance"].notna()).sum())
        n_won = int(answers["won"].sum()) if answers["won"].notna().any() else None
        counts = (len(answers), answered, int(key.is_asked.sum()), n_won)
        done = CameBack(folder.with_name(f"{folder.name}-answers"), *counts, known_from, figures, judged.disagreements)
        publish_folder(done.folder, {"verdict.json": as_json(verdict(done)).encode(), "judged.csv": to_csv(answers)})
    return done


def verdict(done: CameBack) -> dict:
    """Return the figures and counts, for JSON."""
    figures = {name: figure.to_dict() for name, figure in done.figures.items()}
    counts = {name: asdict(done)[name] for name in ("n_sent", "n_answered", "n_asked", "n_won")}
    return counts | {"known_from": done.known_from.isoformat(), "figures": figures}


def _scores(home: Path, as_of: date) -> pd.DataFrame:
    path = home / "scores" / as_of.isoformat() / "account_scores.parquet"
    if not path.exists():
        known = [found.parent.name for found in (home / "scores").glob("*/account_scores.parquet")]
        raise ConfigError(f"There are no scores of {as_of} below {home}. {did_you_mean(as_of.isoformat(), known)} Run predict.")
    accounts = pd.read_parquet(path)
    if not len(accounts):
        raise DataError(f"The scores of {as_of} have no account to judge.")
    return accounts


def _key(home: Path, accounts: pd.DataFrame, drawn: pd.DataFrame, seed: int) -> FieldKey:
    version, sizes = str(accounts["model_version"].iloc[0]), strata(accounts).value_counts().to_dict()
    metrics = open_version(home / "models" / version).json("metrics.json")
    told = (str(accounts["as_of"].iloc[0]), version, metrics["horizon_days"], tuple(metrics["exclude_kinds"]))
    return FieldKey(*told, seed, sizes, drawn[["account_id", "stratum", "tier", "win_probability", "reason_1"]])


def _find_key(home: Path, sheet: str, where: str) -> tuple[Path, FieldKey]:
    paths = sorted((home / FOLDER).glob(f"????-??-??-{sheet[:8]}/key.json")) if sheet.isalnum() else []
    for path in paths:
        key = FieldKey.from_dict(json.loads(path.read_text(encoding="utf-8")), str(path))
        if key.sheet == sheet:
            return path.parent, key
    raise DataError(
        f"{where} bears the number {sheet[:40]!r}, and no sheet of that number was written from {home}. Name with --home the "
        "folder it was written from, or copy the number back from the sheet that was sent out."
    )


def _won(settings: Settings, key: FieldKey, as_of: date) -> np.ndarray:
    """Tell whether each account signed, within the horizon, a deal open on the sheet's day; missing where not asked."""
    deals = prepare(settings, as_of=as_of).snapshot["deals"]
    if not {"account_id", "closed_on"} <= set(deals.columns):
        return np.full(len(key.accounts), np.nan)
    day = pd.Timestamp(key.as_of)
    counts = (deals["status"] == "won") & (deals["closed_on"] - day).dt.days.between(1, key.horizon_days)
    if "opened_on" in deals:
        counts &= deals["opened_on"] <= day
    if "kind" in deals:
        counts &= ~deals["kind"].isin(key.exclude_kinds)
    won = key.accounts["account_id"].isin(deals.loc[counts, "account_id"])
    return won.astype(float).where(key.is_asked).to_numpy()
