"""Score every account and open deal with the champion, and publish the files all or nothing."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow.parquet as pq

from winworth.atomic import publish_folder
from winworth.bundle import Bundle, champion, open_version
from winworth.config import Settings
from winworth.crm.parts import n_accounts
from winworth.errors import ConfigError
from winworth.flows.in_parts import Engine, embedded, ranked_in_parts, scratch_in
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
class InParts:
    """How an extract is cut: parts of about so many accounts (0: one whole; None: as its size asks), and who scores them."""

    accounts_at_once: int | None = None
    engine: Literal["embedded", "spark"] = "embedded"

    def size(self, settings: Settings) -> int:
        """Return how many accounts to score at a time; 0 for all."""
        if self.engine == "spark" and self.accounts_at_once == 0:
            raise ConfigError("--engine spark scores parts, and --accounts-at-once 0 reads the whole. Leave one out.")
        if self.accounts_at_once is not None:
            return self.accounts_at_once
        n = n_accounts(settings.crm, settings.folder)
        return PART if self.engine == "spark" or (n is not None and n > MANY) else 0

    def started(self, home: Path) -> Engine:
        """Return what scores the parts; Spark is started where it does not run yet."""
        if self.engine == "embedded":
            return embedded
        from winworth.flows.on_spark import on_spark

        return on_spark(home)


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
    in_parts: InParts = InParts(),  # noqa: B008 (frozen)
) -> Predicted:
    """Score what is open on `as_of` with the champion and write `home`/scores/<as_of>.

    An extract of Parquet files with more than `MANY` accounts is read in parts of whole accounts, so that memory hardly grows.
    Scores are the same whatever `in_parts` says. Raises IntegrityError where the champion's files are not what its manifest
    says, before LightGBM opens one.
    """
    with run_lock(home, "predict"):
        task = task_for(settings, open_champion(home, as_of), as_of=as_of, home=home, wanted=wanted)
        folder = home / "scores" / as_of.isoformat()
        if at_once := in_parts.size(settings):
            engine = in_parts.started(home)
            with scratch_in(home) as scratch:
                ranked, part, files = ranked_in_parts(task, scratch, accounts_at_once=at_once, lang=lang, engine=engine)
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
