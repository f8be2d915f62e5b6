"""Before and after a change, in the segments that it touched and in those that it did not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pandas as pd

from winworth.atomic import publish_folder
from winworth.config import Settings
from winworth.errors import ConfigError, DataError
from winworth.flows.prepare import prepare
from winworth.flows.tiering import earlier_scores
from winworth.kpi.difference import Difference, difference_in_differences
from winworth.kpi.kitagawa import RateSplit, split_figures, split_rate
from winworth.kpi.multiple import what_stands
from winworth.kpi.no_action import expect_without_action
from winworth.kpi.quarters import at_equal_age, number_periods, period_starts, regimes_between
from winworth.kpi.sides import path_by_side
from winworth.lock import run_lock
from winworth.models.metrics import Figure
from winworth.models.shares import wilson
from winworth.review.trend_chart import trend_charts
from winworth.sheets import to_json
from winworth.tables import CrmTables

SEGMENT = "segment"
MOST_EARLIER = 8  # quarters before the change that are compared


@dataclass(frozen=True)
class Question:
    """What changed: on which day, in which segments, and by which column of accounts segments are told (`segment`: those of
    the scores published before the change).
    """

    split: date
    treated: tuple[str, ...]
    by: str = SEGMENT

    @property
    def name(self) -> str:
        """A folder's name of its own: what segments are, and which are treated, as a short hash."""
        asked = sha256("\0".join([self.by, *sorted(self.treated)]).encode()).hexdigest()
        return f"{self.split.isoformat()}-{asked[:8]}"


@dataclass(frozen=True)
class Compared:
    """The split of the win rate's change, each treated segment's differences with p adjusted for all that was compared, and by
    segment the win rate that was to be expected without any change.

    `sides` are both sides' outcomes by period, by segment and outcome; `starts` the first days of the periods; `folder` where
    compare.json and the charts were written.
    """

    question: Question
    as_of: date
    currency: str
    age_days: int
    n_deals: int
    rate: RateSplit
    differences: dict[str, tuple[Difference, ...]]
    without_action: pd.DataFrame
    rate_figures: Mapping[str, Figure]
    sides: Mapping[tuple[str, str], pd.DataFrame]
    starts: Mapping[int, date]
    folder: Path = Path()

    def to_dict(self) -> dict:
        """Return it for JSON: what is read by review.effects."""
        told = {segment: [self._told(segment, one) for one in found] for segment, found in self.differences.items()}
        rate = self.rate.to_dict() | {name: figure.to_dict() for name, figure in self.rate_figures.items()}
        starts = {str(period): day.isoformat() for period, day in self.starts.items()}
        asked = {"split": self.question.split.isoformat(), "treated": list(self.question.treated), "by": self.question.by}
        whole = {"as_of": self.as_of.isoformat(), "question": asked, "currency": self.currency, "age_days": self.age_days}
        whole |= {"n_deals": self.n_deals, "rate": rate, "starts": starts, "differences": told}
        return whole | {"without_action": [_without(str(name), row) for name, row in self.without_action.iterrows()]}

    def _told(self, segment: str, one: Difference) -> dict:
        sides = self.sides.get((segment, one.outcome))
        return one.to_dict() | {"sides": [] if sides is None else sides.to_dict("records")}


def compare(settings: Settings, question: Question, *, as_of: date, home: Path) -> Compared:
    """Compare before and after, and write `home`/compared/<as_of>/<question>: compare.json and charts in every language."""
    with run_lock(home, "compare"):
        found = look(settings, question, as_of=as_of, home=home)
        told, folder = found.to_dict(), home / "compared" / as_of.isoformat() / question.name
        publish_folder(folder, {"compare.json": to_json(told)} | trend_charts(told))
    return replace(found, folder=folder)


def look(settings: Settings, question: Question, *, as_of: date, home: Path) -> Compared:
    """Compare win rate and money won a deal, by the quarter in which deals opened, all deals seen at the same age.

    A deal counts as won where it was won within the horizon of its opening; younger deals are left out. What a regime change
    of training.yaml cuts is a period of its own.
    """
    age_days, regimes = settings.training.win.horizon_days, settings.training.regimes
    prepared = prepare(settings, as_of=as_of)
    deals = prepared.snapshot["deals"]
    if not prepared.crm.has_dates or not prepared.crm.has_accounts:
        raise DataError(
            "Deals lack opened_on or account_id, so that there is no before and after of segments. Map them in crm.yaml."
        )
    if "kind" in deals:
        deals = deals[~deals["kind"].isin(settings.training.win.exclude_kinds)]
    segment = _segments(prepared.crm, question, home)
    deals = deals.assign(segment=deals["account_id"].map(segment)).dropna(subset=["segment", "opened_on"])
    seen = at_equal_age(deals, as_of=as_of, age_days=age_days)
    rows = seen.assign(period=number_periods(seen["opened_on"], split=question.split, regimes=regimes))
    rows = rows[rows["period"] >= -MOST_EARLIER]
    if rows.empty:
        raise DataError(f"No deal had reached {age_days} days by {as_of}. Choose a later --as-of.")
    crossed = regimes_between(rows["opened_on"].min().date(), rows["opened_on"].max().date(), regimes)
    if "amount" in rows:
        rows = rows.assign(amount_won=rows["amount"].fillna(0.0).where(rows["won"] == 1, 0.0))
    outcomes = [name for name in ("won", "amount_won") if name in rows]
    differences = {
        name: tuple(_difference(rows, outcome, name, question, crossed) for outcome in outcomes) for name in question.treated
    }
    sides = {
        (name, outcome): path_by_side(_beside(rows, name, question), outcome, treated=[name])
        for name in question.treated
        for outcome in outcomes
    }
    counts = [_counts(rows[rows["period"].ge(0) == is_after]) for is_after in (False, True)]
    last = _counts(rows[rows["period"] == -1])
    without = expect_without_action(last["won"], last["n"]).assign(n=last["n"])
    training = settings.training
    split = rows.assign(group=rows["segment"], is_after=rows["period"].ge(0))
    figures = split_figures(split, seed=training.seed, n_boot=training.n_boot)
    starts = period_starts(rows["opened_on"], split=question.split, regimes=regimes)
    starts = {period: day for period, day in starts.items() if period >= -MOST_EARLIER}
    adjusted = _adjusted(differences)
    asked = (question, as_of, settings.crm.currency)
    return Compared(*asked, age_days, len(rows), split_rate(*counts), adjusted, without, figures, sides, starts)


def _difference(rows: pd.DataFrame, outcome: str, name: str, question: Question, crossed: Sequence) -> Difference:
    """Compare one treated segment with the untouched ones; other treated ones are no yardstick."""
    return difference_in_differences(_beside(rows, name, question), outcome, treated=[name], crossed=crossed)


def _beside(rows: pd.DataFrame, name: str, question: Question) -> pd.DataFrame:
    return rows[(rows["segment"] == name) | ~rows["segment"].isin(question.treated)]


def _adjusted(differences: dict[str, tuple[Difference, ...]]) -> dict[str, tuple[Difference, ...]]:
    p = {f"{name} {one.outcome}": one.p for name, found in differences.items() for one in found}
    adjusted = what_stands(p)["p_adjusted"]
    return {
        name: tuple(replace(one, p=float(adjusted[f"{name} {one.outcome}"])) for one in found)
        for name, found in differences.items()
    }


def _without(name: str, row: pd.Series) -> dict:
    """Return a segment's rate in the last quarter before (Wilson's interval) and the one to expect next."""
    n = int(row["n"])
    seen = Figure(row["seen"], *wilson(row["seen"] * n, n), n)
    return {"segment": name, "seen": seen.to_dict(), "expected": Figure(row["expected"], row["low"], row["high"], n).to_dict()}


def _counts(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby("segment")["won"].agg(won="sum", n="count")


def _segments(crm: CrmTables, question: Question, home: Path) -> pd.Series:
    """Return each account's segment as it stood before the change: one told by what came later selects on the outcome."""
    if question.by == SEGMENT:
        earlier = earlier_scores(home, question.split)
        if earlier is None:
            raise ConfigError(
                f"No scores were published before {question.split} below {home}, and segments of a later day would select "
                "accounts by what came of them. Name a column of accounts that does not change with --by."
            )
        return earlier.accounts.set_index("account_id")["segment"]
    return segments_by(crm, question.by)


def segments_by(crm: CrmTables, by: str) -> pd.Series:
    """Return, by account_id, the level of a column of accounts that is known from the first day; ConfigError for any other."""
    if "accounts" not in crm or by not in crm["accounts"] or crm.known.get(("accounts", by)) != "at_creation":
        kept = [column for (table, column), known in crm.known.items() if table == "accounts" and known == "at_creation"]
        words = f"segments need a column of accounts that is known at_creation; there is {', '.join(sorted(kept))}."
        raise ConfigError(f"--by {by}: {words}")
    segment = crm["accounts"].drop_duplicates("account_id").set_index("account_id")[by]
    if pd.api.types.is_numeric_dtype(segment):
        raise ConfigError(f"--by {by} is a number; segments need a column of levels. Name another.")
    return segment
