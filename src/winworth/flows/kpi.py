"""The KPI ledger of an extract: by tier, segment, size class and quarter, as a table and charts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.atomic import publish_folder
from winworth.config import Settings
from winworth.crm.snapshot import Snapshot
from winworth.errors import DataError
from winworth.features.catalog import Feature
from winworth.flows.customers import learn_customers, residual_values
from winworth.flows.prepare import Prepared, prepare
from winworth.flows.published import published_scores
from winworth.kpi.book import Book, Scored
from winworth.kpi.groups import Levels, feature_levels, feature_named, score_levels
from winworth.kpi.ledger import KPIS, ledger
from winworth.kpi.measures import Terms
from winworth.kpi.quarters import Period, quarters_until, whole
from winworth.lock import run_lock
from winworth.review.kpi_charts import kpi_chart
from winworth.review.words import LOCALES, words_in
from winworth.sheets import to_csv, to_parquet

SIZE = Feature(value="accounts.size_class")


@dataclass(frozen=True)
class Counted:
    """The ledger, where it was written, and what a person should know of it."""

    table: pd.DataFrame
    folder: Path
    currency: str
    lang: str
    warnings: tuple[str, ...]


def kpi(settings: Settings, *, as_of: date, home: Path, by: str | None = None, lang: str = "en") -> Counted:
    """Write `home`/kpi/<as_of>: kpi.parquet, kpi.csv, definitions.csv and charts, `by` a feature of criteria.yaml too.

    Tiers and segments are those published below `home` before each period began; a period without any is n/a.
    """
    words = words_in(lang)
    chosen = None if by is None else feature_named(settings.catalog, by)
    with run_lock(home, "kpi"):
        prepared = prepare(settings, as_of=as_of)
        quarters = quarters_of(prepared.snapshot, as_of, settings.scoring.kpi.quarters)
        scores, notes = published_scores(home, as_of), []
        book, last = book_of(settings, prepared, as_of, scores), quarters[-1]
        if book.scored_within(last.start, last.end) is None and (worth := _worth(book.at(last.end), settings)):
            scores[last.end.date()] = worth
            notes.append(words.say("kpi_note_worth", quarter=words.period(last.name)))
        periods = (*quarters, whole(quarters))
        table = ledger(book, periods, _groups(book, periods, by, chosen))
        folder = home / "kpi" / as_of.isoformat()
        publish_folder(folder, _files(table, settings.crm.currency, lang))
    if table.loc[table["group"] == "tier", "mark"].eq("n/a").all():
        notes.append(words.say("kpi_note_unscored"))
    return Counted(table, folder, settings.crm.currency, lang, (*prepared.warnings, *notes))


def definitions() -> pd.DataFrame:
    """Return what each KPI means: its key, name and definition in every language."""
    books = {lang: words_in(lang) for lang in LOCALES}
    rows = [
        {"kpi": name}
        | {f"name_{lang}": book.say(f"kpi_name_{name}") for lang, book in books.items()}
        | {f"definition_{lang}": book.say(f"kpi_def_{name}") for lang, book in books.items()}
        for name in KPIS
    ]
    return pd.DataFrame(rows)


def quarters_of(snapshot: Snapshot, as_of: date, most: int) -> tuple[Period, ...]:
    """Return the last whole quarters that have passed since deals were first opened; raises DataError where there is none."""
    opened = snapshot["deals"]["opened_on"].min() if snapshot.has_dates else pd.Timestamp.min
    quarters = quarters_until(as_of, most=most, first=opened)
    if not quarters:
        raise DataError(f"No quarter with deals has passed on {as_of}. Name a later day, or export more history.")
    return quarters


def book_of(settings: Settings, prepared: Prepared, as_of: date, scores: Mapping[date, Scored]) -> Book:
    """Open the book of an extract, with the scores published by day."""
    training = settings.training
    terms = Terms(training.win.horizon_days, training.seed, training.n_boot)
    kept = (settings.scoring.kpi, training.win.exclude_kinds, settings.waived(as_of))
    return Book(prepared.crm, as_of, terms, *kept, scores)


def _groups(book: Book, periods: tuple[Period, ...], by: str | None, chosen: Feature | None) -> Mapping[str, Levels]:
    groups = {column: score_levels(book, periods, column) for column in ("segment", "tier")}
    groups["size_class"] = feature_levels(book, periods, SIZE)
    if by is not None and chosen is not None:
        groups[by] = feature_levels(book, periods, chosen)
    return groups


def _worth(snapshot: Snapshot, settings: Settings) -> Scored | None:
    """Return what customers are worth where nothing was scored: no tier, no segment, no win probability."""
    customers = learn_customers(snapshot, settings)
    if customers is None:
        return None
    worth = residual_values(customers, snapshot, settings)
    return Scored(worth.rename(columns={"value": "residual_value"}), pd.DataFrame(columns=["deal_id"]))


def _files(table: pd.DataFrame, currency: str, lang: str) -> dict[str, bytes]:
    files = {"kpi.parquet": to_parquet(table), "kpi.csv": to_csv(table), "definitions.csv": to_csv(definitions())}
    units = {name: spec.unit for name, spec in KPIS.items()}
    for group, rows in table[table["quarter"] != "all"].groupby("group"):
        if rows["value"].notna().any():
            files[f"charts/{group}-{lang}.svg"] = kpi_chart(rows, units, currency, lang).encode()
    return files
