"""Score every account and open deal with the champion, and publish the files all or nothing."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from winworth.atomic import publish_folder
from winworth.bundle import Bundle, champion, open_version
from winworth.config import Settings
from winworth.crm.parts import n_accounts
from winworth.errors import ConfigError
from winworth.flows.in_parts import ranked_in_parts, scratch_in
from winworth.flows.prepare import prepare
from winworth.flows.ranked import Ranked, rank_accounts, with_words
from winworth.flows.scored import Wanted
from winworth.flows.scored_part import ScoredPart, score_part, task_for
from winworth.lock import run_lock
from winworth.scoring.scorer import as_json
from winworth.sheets import to_csv, to_parquet

MANY = 20_000  # accounts, beyond which Parquet is read in parts
PART = 5_000
SHOWN = 100  # rows


@dataclass(frozen=True)
class Predicted:
    """The scores of one as-of date, and where they were published; of scores made in parts the first rows alone."""

    accounts: pd.DataFrame
    deals: pd.DataFrame
    folder: Path
    run: dict


def predict(
    settings: Settings,
    *,
    as_of: date,
    home: Path,
    lang: str = "en",
    wanted: Wanted = Wanted(),  # noqa: B008 (frozen)
    accounts_at_once: int | None = None,
) -> Predicted:
    """Score what is open on `as_of` with the champion and write `home`/scores/<as_of>.

    An extract of Parquet files with more than `MANY` accounts is read in parts of whole accounts, so that memory hardly grows;
    `accounts_at_once` sets their size (0: read all at once). Scores are the same either way. Raises IntegrityError where the
    champion's files are not what its manifest says, before LightGBM opens one.
    """
    with run_lock(home, "predict"):
        task = task_for(settings, open_champion(home, as_of), as_of=as_of, home=home, wanted=wanted)
        folder = home / "scores" / as_of.isoformat()
        if at_once := _at_once(settings, accounts_at_once):
            with scratch_in(home) as scratch:
                ranked, part, files = ranked_in_parts(task, scratch, accounts_at_once=at_once, lang=lang)
                publish_folder(folder, files | _beside(ranked, part))
            accounts, deals = (_first(folder / f"{name}_scores.parquet") for name in ("account", "deal"))
            return Predicted(accounts, deals, folder, ranked.run)
        part = score_part(task, prepare(settings, as_of=as_of, catalog=task.scorer.catalog))
        ranked = rank_accounts(task, part, lang=lang)
        deals = with_words(part.deals, part.deal_words[lang])
        files = _beside(ranked, part)
        for name, table in (("account_scores", ranked.accounts), ("deal_scores", deals)):
            files |= {f"{name}.csv": to_csv(table, excel_fr=wanted.excel_fr), f"{name}.parquet": to_parquet(table)}
        # for pages in a language other than that of the scores
        files |= {f"account_texts_{code}.parquet": to_parquet(text) for code, text in ranked.texts.items()}
        publish_folder(folder, files)
        return Predicted(ranked.accounts, deals, folder, ranked.run)


def _at_once(settings: Settings, wanted: int | None) -> int:
    """Return how many accounts to score at a time; 0 for all."""
    if wanted is not None:
        return wanted
    n = n_accounts(settings.crm, settings.folder)
    return PART if n is not None and n > MANY else 0


def _first(path: Path) -> pd.DataFrame:
    file = pq.ParquetFile(path)
    return next(file.iter_batches(SHOWN), file.schema_arrow.empty_table()).to_pandas()


def _beside(ranked: Ranked, part: ScoredPart) -> dict[str, bytes]:
    return {"run.json": as_json(ranked.run).encode(), "quarantine.csv": to_csv(part.quarantine), **ranked.files}


def open_champion(home: Path, as_of: date) -> Bundle:
    """Open the champion, verified; it must not have been trained later than `as_of`."""
    bundle = open_version(home / "models" / champion(home / "models"))
    if bundle.as_of > as_of:
        raise ConfigError(
            f"The champion {bundle.version} knows deals up to {bundle.as_of}; scores as of {as_of} would know the future. "
            "Score a later day, or train as of an earlier one."
        )
    return bundle
