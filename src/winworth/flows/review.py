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
from winworth.flows.decisions import outcomes, read_run
from winworth.flows.promote import open_challenger
from winworth.flows.record import labelled_weights
from winworth.flows.tiering import earlier_scores, ranked_by, seats_today
from winworth.review.moved import Moved, moved_between
from winworth.review.page import Review, render
from winworth.review.workbook import to_workbook
from winworth.review.workshop import Workshop
from winworth.scoring.scorer import Scorer
from winworth.sheets import from_csv
from winworth.weights.overrides import LaterScores, log_unit
from winworth.weights.scorecard import Scorecard

DOCUMENTS = ("compared/????-??-??/*/compare.json", "backtest/????-??-??/backtest.json", "advice/????-??-??/advice.json")
TEXTS = ("account_id", "name", "basis", "tier", "segment", "segment_label", "reason_1", "reason_2", "reason_3")
FIGURES = ("score", "win_probability", "lifetime_value", "value_low", "value_high", "residual_value", "expected_value")
NO_ACCOUNTS = pd.DataFrame(
    {name: pd.Series(dtype="str") for name in TEXTS} | {name: pd.Series(dtype=float) for name in FIGURES}
)


@dataclass(frozen=True)
class Reviewed:
    """Where the page and the workbook were written, in which language."""

    page: Path
    workbook: Path
    lang: str


def review(settings: Settings, *, as_of: date, home: Path, lang: str = "en", cadence: str = "quarterly") -> Reviewed:
    """Write `home`/reviews/<as_of>/review-<lang>.html and .xlsx from the champion and the scores of `as_of`.

    A monthly review holds its tactics alone.

    Where no champion has been promoted the page shows the challenger and why it was refused, with no account.
    """
    bundle, folder = _bundle(home), home / "scores" / as_of.isoformat()
    metrics, run = bundle.json("metrics.json"), read_run(home, as_of)
    scorer = Scorer.from_files(bundle.contents)
    weights, accounts = labelled_weights(scorer.weights, scorer, lang), _accounts(home, as_of, bundle, lang)
    kpis, kpis_on = _kpis(home, as_of)
    told = Review(
        company=settings.crm.company,
        currency=settings.crm.currency,
        as_of=as_of,
        model_version=bundle.version,
        model_as_of=bundle.as_of.isoformat(),
        metrics=metrics,
        weights=weights,
        accounts=accounts,
        warnings=[*metrics["warnings"], *run.get("warnings", ())],
        overrides=run.get("overrides"),
        cadence=cadence,
        tiering=run.get("tiering") or {},
        moved=_moved(home, accounts, folder, as_of),
        card=_card(bundle),
        catalog=scorer.catalog,
        plays=_table(folder / f"plays_{lang}.csv"),
        kpis=kpis,
        kpis_on=kpis_on,
        documents=_documents(home, as_of),
        pictures=bundle.json("pictures.json") if "pictures.json" in bundle.names else {},
        workshop=_workshop(bundle, scorer, settings, accounts, run.get("overrides")),
        monitored=_monitored(home, as_of, bundle),
        decisions=outcomes(settings, accounts, _in_force(scorer, run), as_of=as_of, home=home),
    )
    name = f"review-{lang}.html" if cadence == "quarterly" else f"review-{cadence}-{lang}.html"
    target = home / "reviews" / as_of.isoformat() / name
    target.parent.mkdir(parents=True, exist_ok=True)
    page, book = render(told, lang=lang), to_workbook(told, lang=lang)  # both or neither, short of a kill between them
    write_file(target, page)
    write_file(target.with_suffix(".xlsx"), book)
    return Reviewed(target, target.with_suffix(".xlsx"), lang)


def _bundle(home: Path) -> Bundle:
    if (home / "models" / "champion").exists():
        return open_version(home / "models" / champion(home / "models"))
    return open_challenger(home)


def _card(bundle: Bundle) -> Scorecard | None:
    """Return the card of the version, in use or not."""
    return Scorecard.from_dict(bundle.json("scorecard.json")["card"]) if "scorecard.json" in bundle.names else None


def _in_force(scorer: Scorer, run: dict) -> pd.Series:
    """Return the weights that run, by criterion: those learnt, or those that leadership set."""
    if run.get("overrides"):
        return pd.Series({name: weight["agreed"] for name, weight in run["overrides"]["weights"].items()}, dtype="int64")
    return scorer.weights.criteria["weight"]


def _table(path: Path) -> pd.DataFrame | None:
    return from_csv(path.read_bytes()) if path.exists() else None


def _kpis(home: Path, as_of: date) -> tuple[pd.DataFrame | None, date | None]:
    """Read the newest KPI ledger of a day up to `as_of`."""
    days = [path.parent.name for path in (home / "kpi").glob("????-??-??/kpi.parquet") if path.parent.name <= as_of.isoformat()]
    if not days:
        return None, None
    return pd.read_parquet(home / "kpi" / max(days) / "kpi.parquet"), date.fromisoformat(max(days))


def _documents(home: Path, as_of: date) -> dict[str, dict]:
    """Read the newest comparison, backtest and advice of a day up to `as_of`, each under its file's name."""
    found = {}
    for pattern in DOCUMENTS:
        known = [path for path in home.glob(pattern) if path.relative_to(home).parts[1] <= as_of.isoformat()]
        if known:
            newest = max(known, key=lambda path: path.relative_to(home).parts[1:])
            found[newest.name] = json.loads(newest.read_text(encoding="utf-8"))
    return found


def _monitored(home: Path, as_of: date, bundle: Bundle) -> dict | None:
    """Read what monitoring said of this version on the day; None where it said to go on, or nothing."""
    path = home / "monitor" / as_of.isoformat() / "monitor.json"
    told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"verdict": "go_on"}
    return told if told["verdict"] != "go_on" and told["model_version"] == bundle.version else None


def _moved(home: Path, accounts: pd.DataFrame, folder: Path, as_of: date) -> Moved | None:
    """Set the scores of the day beside the latest ones before it; causes are those that predict split, where it did."""
    earlier = earlier_scores(home, as_of) if len(accounts) else None
    if earlier is None:
        return None
    told, movers = folder / "movement.json", _table(folder / "movement.csv")
    causes = tuple(json.loads(told.read_text(encoding="utf-8"))["causes"]) if told.exists() else ()
    cause = None if movers is None or "cause" not in movers else movers.set_index("account_id")["cause"].to_dict()
    return moved_between(earlier.accounts, accounts, since=earlier.as_of, causes=causes, cause=cause)


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
        seed=settings.training.seed,
        n_boot=settings.training.n_boot,
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
    return NO_ACCOUNTS
