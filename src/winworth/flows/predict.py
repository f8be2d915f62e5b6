"""Score every account and open deal with the champion, and publish the files all or nothing."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.atomic import publish_folder
from winworth.bundle import Bundle, champion, open_version
from winworth.config import Settings
from winworth.errors import ConfigError
from winworth.flows.prepare import prepare
from winworth.flows.ranked import rank_accounts, with_words
from winworth.flows.scored import Wanted
from winworth.flows.scored_part import score_part, task_for
from winworth.lock import run_lock
from winworth.scoring.scorer import as_json
from winworth.sheets import to_csv, to_parquet


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
    with run_lock(home, "predict"):
        task = task_for(settings, open_champion(home, as_of), as_of=as_of, home=home, wanted=wanted)
        part = score_part(task, prepare(settings, as_of=as_of, catalog=task.scorer.catalog))
        ranked = rank_accounts(task, part, lang=lang)
        deals = with_words(part.deals, part.deal_words[lang])
        files = {"run.json": as_json(ranked.run).encode(), "quarantine.csv": to_csv(part.quarantine)}
        for name, table in (("account_scores", ranked.accounts), ("deal_scores", deals)):
            files |= {f"{name}.csv": to_csv(table, excel_fr=wanted.excel_fr), f"{name}.parquet": to_parquet(table)}
        # for pages in a language other than that of the scores
        files |= {f"account_texts_{code}.parquet": to_parquet(text) for code, text in ranked.texts.items()}
        folder = home / "scores" / as_of.isoformat()
        publish_folder(folder, files | ranked.files)
        return Predicted(ranked.accounts, deals, folder, ranked.run)


def open_champion(home: Path, as_of: date) -> Bundle:
    """Open the champion, verified; it must not have been trained later than `as_of`."""
    bundle = open_version(home / "models" / champion(home / "models"))
    if bundle.as_of > as_of:
        raise ConfigError(
            f"The champion {bundle.version} knows deals up to {bundle.as_of}; scores as of {as_of} would know the future. "
            "Score a later day, or train as of an earlier one."
        )
    return bundle
