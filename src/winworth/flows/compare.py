"""Before and after a change, in the segments that it touched and in those that it did not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.config import Settings
from winworth.errors import ConfigError, DataError
from winworth.flows.prepare import prepare
from winworth.flows.tiering import earlier_scores
from winworth.kpi.difference import Difference, difference_in_differences
from winworth.kpi.kitagawa import RateSplit, split_rate
from winworth.kpi.multiple import what_stands
from winworth.kpi.no_action import expect_without_action
from winworth.kpi.quarters import at_equal_age, number_periods, regimes_between
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


@dataclass(frozen=True)
class Compared:
    """The split of the win rate's change, each treated segment's differences with p adjusted for all that was compared, and by
    segment the win rate that was to be expected without any change.
    """

    age_days: int
    n_deals: int
    rate: RateSplit
    differences: dict[str, tuple[Difference, ...]]
    without_action: pd.DataFrame

    def to_dict(self) -> dict:
        """Return it for JSON."""
        told = {segment: [one.to_dict() for one in found] for segment, found in self.differences.items()}
        without = self.without_action.rename_axis("segment").reset_index().to_dict("records")
        whole = {"age_days": self.age_days, "n_deals": self.n_deals, "rate": self.rate.to_dict()}
        return whole | {"differences": told, "without_action": without}


def compare(settings: Settings, question: Question, *, as_of: date, home: Path) -> Compared:
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
    counts = [_counts(rows[rows["period"].ge(0) == is_after]) for is_after in (False, True)]
    last = _counts(rows[rows["period"] == -1])
    return Compared(
        age_days, len(rows), split_rate(*counts), _adjusted(differences), expect_without_action(last["won"], last["n"])
    )


def _difference(rows: pd.DataFrame, outcome: str, name: str, question: Question, crossed: Sequence) -> Difference:
    """Compare one treated segment with the untouched ones; other treated ones are no yardstick."""
    own = rows[(rows["segment"] == name) | ~rows["segment"].isin(question.treated)]
    return difference_in_differences(own, outcome, treated=[name], crossed=crossed)


def _adjusted(differences: dict[str, tuple[Difference, ...]]) -> dict[str, tuple[Difference, ...]]:
    p = {f"{name} {one.outcome}": one.p for name, found in differences.items() for one in found}
    adjusted = what_stands(p)["p_adjusted"]
    return {
        name: tuple(replace(one, p=float(adjusted[f"{name} {one.outcome}"])) for one in found)
        for name, found in differences.items()
    }


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
    if "accounts" not in crm or question.by not in crm["accounts"] or crm.known.get(("accounts", question.by)) != "at_creation":
        kept = [column for (table, column), known in crm.known.items() if table == "accounts" and known == "at_creation"]
        words = f"segments need a column of accounts that is known at_creation; there is {', '.join(sorted(kept))}."
        raise ConfigError(f"--by {question.by}: {words}")
    segment = crm["accounts"].drop_duplicates("account_id").set_index("account_id")[question.by]
    if pd.api.types.is_numeric_dtype(segment):
        raise ConfigError(f"--by {question.by} is a number; segments need a column of levels. Name another.")
    return segment
