"""The page that leadership reads: what was learnt, who is A, and how surely."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.atomic import write_file
from winworth.bundle import Bundle, champion, open_version
from winworth.config import Settings
from winworth.errors import ConfigError
from winworth.flows.promote import open_challenger
from winworth.flows.record import labelled_weights
from winworth.flows.tiering import ranked_by, seats_today
from winworth.kpi.ledger import KPIS
from winworth.review.page import Review, render
from winworth.review.workbook import to_workbook
from winworth.review.workshop import Workshop
from winworth.scoring.scorer import Scorer
from winworth.weights.overrides import LaterScores, log_unit


@dataclass(frozen=True)
class Reviewed:
    """Where the page and the workbook were written, in which language."""

    page: Path
    workbook: Path
    lang: str


def review(settings: Settings, *, as_of: date, home: Path, lang: str = "en") -> Reviewed:
    """Write `home`/reviews/<as_of>/review-<lang>.html and .xlsx from the champion and the scores of `as_of`.

    Where no champion has been promoted the page shows the challenger and why it was refused, with no account.
    """
    bundle = _bundle(home)
    metrics = bundle.json("metrics.json")
    scorer = Scorer.from_files(bundle.contents)
    accounts, overrides = _accounts(home, as_of, bundle, lang), _overrides(home, as_of)
    told = Review(
        company=settings.crm.company,
        currency=settings.crm.currency,
        as_of=as_of,
        model_version=bundle.version,
        model_as_of=bundle.as_of.isoformat(),
        metrics=metrics,
        weights=labelled_weights(scorer.weights, scorer, lang),
        accounts=accounts,
        warnings=metrics["warnings"],
        overrides=overrides,
        workshop=_workshop(bundle, scorer, settings, accounts, overrides),
    )
    target = home / "reviews" / as_of.isoformat() / f"review-{lang}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_file(target, render(told, lang=lang))
    write_file(target.with_suffix(".xlsx"), to_workbook(told, lang=lang, kpis=_kpis(home, as_of)))
    return Reviewed(target, target.with_suffix(".xlsx"), lang)


def _kpis(home: Path, as_of: date) -> pd.DataFrame | None:
    """Read the ledger that winworth kpi counted for the day, with the unit of each figure; None where it was not run."""
    path = home / "kpi" / as_of.isoformat() / "kpi.parquet"
    if not path.exists():
        return None
    table = pd.read_parquet(path)
    return table.assign(unit=table["kpi"].map({name: spec.unit for name, spec in KPIS.items()}))


def _bundle(home: Path) -> Bundle:
    if (home / "models" / "champion").exists():
        return open_version(home / "models" / champion(home / "models"))
    return open_challenger(home)


def _overrides(home: Path, as_of: date) -> dict | None:
    """Read what the scores of the day say of weights that leadership set."""
    path = home / "scores" / as_of.isoformat() / "run.json"
    return json.loads(path.read_text(encoding="utf-8")).get("overrides") if path.exists() else None


def _workshop(
    bundle: Bundle, scorer: Scorer, settings: Settings, accounts: pd.DataFrame, overrides: dict | None
) -> Workshop | None:
    """Return what other weights are tried on; None without accounts, or where the version keeps no later deals."""
    if accounts.empty or "later.json" not in bundle.names:
        return None
    return Workshop(
        learnt=scorer.weights.criteria["weight"].astype(int),
        unit=log_unit(scorer.weights, scorer.card),
        later=LaterScores.from_dict(bundle.json("later.json")),
        worth=ranked_by(accounts),
        seats=seats_today(accounts, settings.scoring, bundle.json("metrics.json")),
        overrides=tuple((overrides or {}).get("overrides", ())),
    )


def _accounts(home: Path, as_of: date, bundle: Bundle, lang: str) -> pd.DataFrame:
    """Read the scores of the day, their reasons and segments in the page's language."""
    folder = home / "scores" / as_of.isoformat()
    if (folder / "account_scores.parquet").exists():
        scores = pd.read_parquet(folder / "account_scores.parquet")
        made_by = scores["model_version"].unique()
        if len(scores) and (len(made_by) > 1 or made_by[0] != bundle.version):
            raise ConfigError(
                f"The scores of {as_of} were made by {', '.join(made_by)}, and the champion is {bundle.version}. "
                "Run winworth predict again."
            )
        texts = pd.read_parquet(folder / f"account_texts_{lang}.parquet")
        return scores.drop(columns=texts.columns.drop("account_id")).merge(texts, on="account_id", validate="1:1")
    if (home / "models" / "champion").exists():
        raise ConfigError(f"There are no scores of {as_of} in {home / 'scores'}. Run winworth predict first.")
    return pd.DataFrame()
