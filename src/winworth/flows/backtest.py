"""Would working the highest scores first have paid? Asked of quarters that have passed, by scores given before they began."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.atomic import publish_folder
from winworth.bundle import open_version, versions
from winworth.config import Settings
from winworth.errors import ConfigError, DataError
from winworth.flows.kpi import book_of, quarters_of
from winworth.flows.playing import segment_ids
from winworth.flows.prepare import Prepared, prepare
from winworth.flows.published import published_scores
from winworth.flows.scored import accounts_worth
from winworth.kpi.backtest import Backtest
from winworth.kpi.backtest import backtest as judge
from winworth.kpi.book import Book
from winworth.kpi.quarters import Period
from winworth.kpi.worked import MARGIN, TURNOVER, WON, activity_before, basis_of, brought, logged_effort, with_open_deal
from winworth.lock import run_lock
from winworth.scoring.scorer import Scorer
from winworth.sheets import to_csv, to_json

PUBLISHED, BACK = "published", "back"


@dataclass(frozen=True)
class ScoredBefore:
    """Scores that knew nothing of a quarter: account_id, score and segment as of `day`; published then, or given now by a
    version learnt before the quarter (`how`).
    """

    day: date
    how: str
    accounts: pd.DataFrame


@dataclass(frozen=True)
class Backtested:
    """What was found, on how many accounts, by which scores in which quarters; what is counted as brought and as effort."""

    as_of: date
    currency: str
    outcome: str
    effort: str | None
    quarters: tuple[dict, ...]
    n_accounts: int
    found: Backtest
    folder: Path

    def to_dict(self) -> dict:
        """Return it for JSON: what is read by review.effects."""
        whole = {"as_of": self.as_of.isoformat(), "currency": self.currency, "outcome": self.outcome, "effort": self.effort}
        return whole | {"quarters": list(self.quarters), "n_accounts": self.n_accounts} | self.found.to_dict()


def backtest(settings: Settings, *, as_of: date, home: Path) -> Backtested:
    """Judge A-first on the quarters that have scores from before them, and write `home`/backtest/<as_of>."""
    with run_lock(home, "backtest"):
        prepared = prepare(settings, as_of=as_of)
        if not prepared.crm.has_dates or not prepared.crm.has_accounts:
            raise DataError(
                "Deals lack opened_on or account_id, so that no quarter can be looked back on. Map them in crm.yaml."
            )
        book = book_of(settings, prepared, as_of, published_scores(home, as_of))
        quarters = quarters_of(prepared.snapshot, as_of, settings.scoring.kpi.quarters)
        scored = scores_before(book, quarters, prepared, settings, home)
        outcome, effort = basis_of(book, WON, MARGIN, TURNOVER), logged_effort(book)
        rows = rows_of(book, quarters, scored, outcome)
        found = judge(rows, seed=settings.training.seed)
        told = [{"quarter": name, "day": one.day.isoformat(), "scored": one.how} for name, one in scored.items()]
        names = (as_of, settings.crm.currency, outcome, effort and effort.unit, tuple(told))
        done = Backtested(*names, rows["account_id"].nunique(), found, home / "backtest" / as_of.isoformat())
        publish_folder(done.folder, {"backtest.json": to_json(done.to_dict()), "capture.csv": to_csv(found.capture)})
    return done


def scores_before(
    book: Book, quarters: tuple[Period, ...], prepared: Prepared, settings: Settings, home: Path
) -> dict[str, ScoredBefore]:
    """Return, by quarter, the scores published last before it, or else those of the last version learnt before it.

    Quarters with neither are left out; with none at all ConfigError is raised: later scores know who bought.
    """
    found = {}
    for quarter in quarters:
        last = quarter.start - pd.Timedelta(days=1)
        published = book.scored_within(pd.Timestamp.min, last)
        if published and {"score", "segment"} <= set(published[1].accounts):
            found[quarter.name] = ScoredBefore(published[0], PUBLISHED, published[1].accounts)
        elif back := _back_scored(book, last.date(), prepared, settings, home):
            found[quarter.name] = back
    if not found:
        raise ConfigError(
            f"No scores below {home} were published before any quarter from {quarters[0].name} to {quarters[-1].name}, and no "
            "model version was learnt before them. Scores of a later day know who bought, and would look good whatever they "
            "are worth. Score now (winworth predict) and come back when a quarter has passed."
        )
    return found


def _back_scored(book: Book, day: date, prepared: Prepared, settings: Settings, home: Path) -> ScoredBefore | None:
    earlier = [name for name in versions(home / "models") if date.fromisoformat(name[:10]) <= day]
    if not earlier:
        return None
    bundle = open_version(home / "models" / earlier[-1])
    then = replace(prepared, snapshot=book.at(day))
    accounts = accounts_worth(Scorer.from_files(bundle.contents), then, bundle, settings)[1]
    kept = accounts[["account_id", "score"]].assign(segment=segment_ids(accounts["segment"]))
    return ScoredBefore(day, BACK, kept)


def rows_of(book: Book, quarters: tuple[Period, ...], scored: Mapping[str, ScoredBefore], outcome: str) -> pd.DataFrame:
    """Return one row an account and quarter: account_id, period, segment (apart with an open deal and without one), score,
    activity, outcome, and where effort is logged whether it was worked.
    """
    effort, rows = logged_effort(book), []
    for quarter in quarters:
        if quarter.name not in scored:
            continue
        own = scored[quarter.name].accounts[["account_id", "segment", "score"]].dropna(subset="account_id")
        by_account = own["account_id"].map
        told = {
            "period": quarter.name,
            "segment": own["segment"].astype("str")
            + own["account_id"].isin(with_open_deal(book, quarter)).map({True: " open", False: ""}),
            "activity": by_account(activity_before(book, quarter)).fillna(0.0).astype(float),
            "outcome": by_account(brought(book, quarter, outcome)).fillna(0.0).astype(float),
        }
        if effort is not None:
            told["worked"] = by_account(effort.within(quarter)).fillna(0.0) > 0
        rows.append(own.assign(**told))
    return pd.concat(rows, ignore_index=True)
