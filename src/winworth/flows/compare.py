"""Before and after a change, in the segments that it touched and in those that it did not."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from winworth.atomic import publish_folder
from winworth.config import Settings
from winworth.crm.snapshot import Snapshot
from winworth.errors import ConfigError, DataError, did_you_mean
from winworth.flows.playing import segment_ids
from winworth.flows.prepare import prepare
from winworth.flows.tiering import earlier_scores
from winworth.kpi.changes import OUTCOMES, Scene, deals
from winworth.kpi.difference import LEAST_EARLIER, Difference
from winworth.kpi.kitagawa import RateSplit, split_figures, split_rate
from winworth.kpi.multiple import what_stands
from winworth.kpi.no_action import expect_without_action
from winworth.kpi.quarters import MONTHS, period_starts, regimes_between
from winworth.kpi.relative import relative_difference
from winworth.kpi.sides import path_by_side
from winworth.lock import run_lock
from winworth.models.metrics import Figure
from winworth.models.shares import wilson
from winworth.review.trend_chart import trend_charts
from winworth.sheets import to_json
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

    @property
    def name(self) -> str:
        """A folder's name of its own: what segments are, which are treated, and what is compared, as a short hash."""
        asked = sha256("\0".join([self.by, *sorted(self.treated), *sorted(self.outcomes)]).encode()).hexdigest()
        return f"{self.split.isoformat()}-{asked[:8]}"


@dataclass(frozen=True)
class Compared:
    """The split of the win rate's change, each treated segment's differences with p adjusted for all that was compared, and by
    segment the win rate that was to be expected without any change.

    `sides` are both sides' outcomes by period, by segment and outcome; `starts` the first days of the periods; `untold` says
    why an outcome could not be compared, by a key of review.effects; `folder` is where compare.json and the charts stand.
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
    untold: tuple[dict, ...] = ()
    folder: Path = Path()

    def to_dict(self) -> dict:
        """Return it for JSON: what is read by review.effects."""
        told = {segment: [self._told(segment, one) for one in found] for segment, found in self.differences.items()}
        rate = self.rate.to_dict() | {name: figure.to_dict() for name, figure in self.rate_figures.items()}
        starts = {str(period): day.isoformat() for period, day in self.starts.items()}
        asked = {"split": self.question.split.isoformat(), "treated": list(self.question.treated), "by": self.question.by}
        asked |= {"outcomes": list(self.question.outcomes)}
        whole = {"as_of": self.as_of.isoformat(), "question": asked, "currency": self.currency, "age_days": self.age_days}
        whole |= {"n_deals": self.n_deals, "rate": rate, "starts": starts, "differences": told, "untold": list(self.untold)}
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


def asked_before(home: Path, as_of: date) -> tuple[Question, ...]:
    """Return the questions of the latest day before `as_of` on which anything was compared; none where nothing was."""
    days = [path.name for path in (home / "compared").glob("????-??-??") if path.name < as_of.isoformat()]
    if not days:
        return ()
    documents = sorted((home / "compared" / max(days)).glob("*/compare.json"))
    asked = [json.loads(path.read_text(encoding="utf-8"))["question"] for path in documents]
    return tuple(
        Question(date.fromisoformat(one["split"]), tuple(one["treated"]), one["by"], tuple(one.get("outcomes", ())))
        for one in asked
    )


def look(settings: Settings, question: Question, *, as_of: date, home: Path) -> Compared:
    """Compare what a change can move (kpi/changes.py) in the segments that it touched with the untouched ones."""
    prepared = prepare(settings, as_of=as_of)
    return look_at(prepared.crm, prepared.snapshot, settings, question, home=home)


def look_at(crm: CrmTables, snapshot: Snapshot, settings: Settings, question: Question, *, home: Path) -> Compared:
    """Compare what is known of an extract on the snapshot's day; scores below `home` tell segments where no column does.

    All deals are seen at the same age, the horizon of the win model; younger ones are left out. What a regime change of
    training.yaml cuts is a period of its own.
    """
    scene = _scene(crm, snapshot, settings, question, home)
    rows, regimes, training = deals(scene), scene.regimes, settings.training
    if rows.empty:
        raise DataError(f"No deal had reached {scene.age_days} days by {snapshot.as_of}. Choose a later --as-of.")
    crossed = regimes_between(rows["opened_on"].min().date(), rows["opened_on"].max().date(), regimes)
    with threadpool_limits(1, user_api="blas"):  # on one thread sums do not depend on how many there are
        differences, sides, untold = _differences(scene, rows, question, crossed)
    counts = [_counts(rows[rows["period"].ge(0) == is_after]) for is_after in (False, True)]
    last = _counts(rows[rows["period"] == -1])
    without = expect_without_action(last["won"], last["n"]).assign(n=last["n"])
    split = rows.assign(group=rows["segment"], is_after=rows["period"].ge(0))
    figures = split_figures(split, seed=training.seed, n_boot=training.n_boot)
    starts = period_starts(rows["opened_on"], split=question.split, regimes=regimes)
    starts = {period: day for period, day in starts.items() if period >= scene.first_period}
    asked = (question, snapshot.as_of, settings.crm.currency, scene.age_days, len(rows), split_rate(*counts))
    return Compared(*asked, _adjusted(differences), without, figures, sides, starts, untold)


def _scene(crm: CrmTables, snapshot: Snapshot, settings: Settings, question: Question, home: Path) -> Scene:
    if not crm.has_dates or not crm.has_accounts:
        raise DataError(
            "Deals lack opened_on or account_id, so that there is no before and after of segments. Map them in crm.yaml."
        )
    strange = [name for name in question.outcomes if name not in OUTCOMES]
    if strange:
        raise ConfigError(f"--outcome {strange[0]} is nothing that is compared. {did_you_mean(strange[0], OUTCOMES)}")
    win, lag = settings.training.win, settings.scoring.kpi.cac_lag_months
    segment, told_on = _segments(crm, question, home)
    _check_treated(segment, question)
    told = (segment, question.by, question.split, win.horizon_days)
    return Scene(snapshot, *told, settings.training.regimes, win.exclude_kinds, lag, told_on)


def _check_treated(segment: pd.Series, question: Question) -> None:
    names = segment.dropna().unique()
    absent = [name for name in question.treated if name not in names]
    if absent:
        raise DataError(f"No rows are in the segment {absent[0]}. {did_you_mean(absent[0], names)}")
    if set(names) <= set(question.treated):
        raise DataError("All segments are treated, and none is left to compare them with. Name fewer of them with --treated.")


Sides = dict[tuple[str, str], pd.DataFrame]


def _differences(
    scene: Scene, rows: pd.DataFrame, question: Question, crossed: Sequence
) -> tuple[dict[str, tuple[Difference, ...]], Sides, tuple[dict, ...]]:
    """Compare every outcome that is asked for, or that the extract can tell; raise the fault where none of them can."""
    found: dict[str, list[Difference]] = {name: [] for name in question.treated}
    sides: Sides = {}
    untold: list[dict] = []
    faults: list[DataError] = []
    for name in question.outcomes or OUTCOMES:
        spec = OUTCOMES[name]
        told = rows if spec.rows is deals else spec.rows(scene)
        if told is None or name not in told:
            untold.append({"outcome": name, "why": "absent"})
            faults.append(DataError(f"{name} needs {spec.needs}, which the extract does not have. Map it in crm.yaml."))
            continue
        for segment in question.treated:
            own = _beside(told, segment, question)
            try:
                one = relative_difference(own, name, treated=[segment], crossed=crossed, how=spec.how)
            except DataError as error:
                untold.append({"outcome": name, "why": "thin", "segment": segment})
                faults.append(error)
                continue
            found[segment].append(replace(one, is_selected=scene.is_selected))
            sides[segment, name] = path_by_side(spec.told(own, name), name, treated=[segment])
    if not any(found.values()):
        raise faults[0]
    return {name: tuple(own) for name, own in found.items()}, sides, tuple(untold)


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


def _segments(crm: CrmTables, question: Question, home: Path) -> tuple[pd.Series, date | None]:
    """Return each account's segment as it stood before the change, and the day it was told: later ones select on the outcome.

    Scores from before enough earlier quarters to compare come first, since those quarters told nothing of the segments.
    """
    if question.by == SEGMENT:
        long_ago = pd.Timestamp(question.split) - pd.DateOffset(months=MONTHS * LEAST_EARLIER)
        earlier = earlier_scores(home, long_ago.date()) or earlier_scores(home, question.split)
        if earlier is None:
            raise ConfigError(
                f"No scores were published before {question.split} below {home}, and segments of a later day would select "
                "accounts by what came of them. Name a column of accounts that does not change with --by."
            )
        return segment_ids(earlier.accounts.set_index("account_id")["segment"]), earlier.as_of
    return segments_by(crm, question.by), None


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
