"""Before and after a change, in the segments that it touched and in those that it did not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from winworth.config import Settings
from winworth.crm.snapshot import Snapshot
from winworth.errors import ConfigError, DataError, did_you_mean
from winworth.flows.prepare import prepare
from winworth.flows.tiering import earlier_scores
from winworth.kpi.changes import OUTCOMES, Scene, deals
from winworth.kpi.difference import Difference
from winworth.kpi.kitagawa import RateSplit, split_rate
from winworth.kpi.multiple import what_stands
from winworth.kpi.no_action import expect_without_action
from winworth.kpi.quarters import regimes_between
from winworth.kpi.relative import relative_difference
from winworth.tables import CrmTables

SEGMENT = "segment"


@dataclass(frozen=True)
class Question:
    """What changed: on which day, in which segments, and by which column of accounts segments are told (`segment`: those of
    the scores published before the change). `outcomes` are those it was to move; without any, all are compared.
    """

    split: date
    treated: tuple[str, ...]
    by: str = SEGMENT
    outcomes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """The split of the win rate's change, each treated segment's differences with p adjusted for all that was compared, and by
    segment the win rate that was to be expected without any change. `untold` says why an outcome could not be compared.
    """

    age_days: int
    n_deals: int
    rate: RateSplit
    differences: dict[str, tuple[Difference, ...]]
    without_action: pd.DataFrame
    untold: tuple[str, ...] = ()

    def to_dict(self) -> dict:
        """Return it for JSON."""
        told = {segment: [one.to_dict() for one in found] for segment, found in self.differences.items()}
        without = self.without_action.rename_axis("segment").reset_index().to_dict("records")
        whole = {"age_days": self.age_days, "n_deals": self.n_deals, "rate": self.rate.to_dict()}
        return whole | {"differences": told, "without_action": without, "untold": list(self.untold)}


def compare(settings: Settings, question: Question, *, as_of: date, home: Path) -> Compared:
    """Compare what a change can move in the segments that it touched with the untouched ones: see `kpi/changes.py`.

    All deals are seen at the same age, the horizon of the win model; younger ones are left out. What a regime change of
    training.yaml cuts is a period of its own.
    """
    prepared = prepare(settings, as_of=as_of)
    return compare_known(prepared.crm, prepared.snapshot, settings, question, home=home)


def compare_known(crm: CrmTables, snapshot: Snapshot, settings: Settings, question: Question, *, home: Path) -> Compared:
    """Compare what is known of an extract on the snapshot's day; scores below `home` tell segments where no column does."""
    if not crm.has_dates or not crm.has_accounts:
        raise DataError(
            "Deals lack opened_on or account_id, so that there is no before and after of segments. Map them in crm.yaml."
        )
    strange = [name for name in question.outcomes if name not in OUTCOMES]
    if strange:
        raise ConfigError(f"--outcome {strange[0]} is nothing that is compared. {did_you_mean(strange[0], OUTCOMES)}")
    win, regimes = settings.training.win, settings.training.regimes
    scene = Scene(
        snapshot,
        _segments(crm, question, home),
        question.by,
        question.split,
        win.horizon_days,
        regimes,
        win.exclude_kinds,
        settings.scoring.kpi.cac_lag_months,
    )
    rows = deals(scene)
    if rows.empty:
        raise DataError(f"No deal had reached {scene.age_days} days by {snapshot.as_of}. Choose a later --as-of.")
    crossed = regimes_between(rows["opened_on"].min().date(), rows["opened_on"].max().date(), regimes)
    with threadpool_limits(1, user_api="blas"):  # on one thread sums do not depend on how many there are
        differences, untold = _differences(scene, rows, question, crossed)
    counts = [_counts(rows[rows["period"].ge(0) == is_after]) for is_after in (False, True)]
    last = _counts(rows[rows["period"] == -1])
    without = expect_without_action(last["won"], last["n"])
    return Compared(scene.age_days, len(rows), split_rate(*counts), _adjusted(differences), without, untold)


def _differences(
    scene: Scene, rows: pd.DataFrame, question: Question, crossed: Sequence
) -> tuple[dict[str, tuple[Difference, ...]], tuple[str, ...]]:
    """Compare every outcome that is asked for, or that the extract can tell; raise the fault where none of them can."""
    found: dict[str, list[Difference]] = {name: [] for name in question.treated}
    untold: dict[str, DataError] = {}
    for name in question.outcomes or OUTCOMES:
        told = rows if OUTCOMES[name].rows is deals else OUTCOMES[name].rows(scene)
        try:
            if told is None or name not in told:
                raise DataError(f"{name} needs {OUTCOMES[name].needs}, which the extract does not have. Map it in crm.yaml.")
            for segment in question.treated:
                own = told[(told["segment"] == segment) | ~told["segment"].isin(question.treated)]
                how = OUTCOMES[name].how
                found[segment].append(relative_difference(own, name, treated=[segment], crossed=crossed, how=how))
        except DataError as error:
            untold[name] = error
    if not any(found.values()):
        raise next(iter(untold.values()))
    return {name: tuple(own) for name, own in found.items()}, tuple(map(str, untold.values()))


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
