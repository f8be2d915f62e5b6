"""Deals that the champion has not learnt from, and what has come of them by now."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd
from scipy.special import expit

from winworth.bundle import Bundle
from winworth.config import Settings
from winworth.errors import DataError
from winworth.flows.dates import CloseDates, read_dates
from winworth.flows.learn import Examples, day_number, examples_of, win_task
from winworth.flows.prepare import Prepared
from winworth.models.task import WinTask
from winworth.scoring.scorer import Scorer


@dataclass(frozen=True)
class Fresh:
    """Examples observed since a version was made, of deals that taught it nothing.

    `margin` is its log-odds before calibration, `z` after it; `share` the part of the horizon's chance that has had its time
    by now, `won` whether the deal was won within that time; `weight` is 0 where the outcome within the whole horizon is not
    known, or cannot be told yet of any; `is_first` marks each deal's first example; `day` is that of the version.
    """

    rows: pd.DataFrame
    features: pd.DataFrame
    accounts: np.ndarray
    margin: np.ndarray
    z: np.ndarray
    share: np.ndarray
    won: np.ndarray
    weight: np.ndarray
    is_first: np.ndarray

    @property
    def announced(self) -> np.ndarray:
        """The chance to be won by now, as announced on the example's day."""
        return self.share * expit(self.z)

    def take(self, kept: np.ndarray) -> "Fresh":
        """Keep some of the examples."""
        tables = {name: getattr(self, name)[kept].reset_index(drop=True) for name in ("rows", "features")}
        arrays = {name: value[kept] for name, value in self.__dict__.items() if name not in tables}
        return Fresh(**tables, **arrays)


@dataclass(frozen=True)
class Observed:
    """All examples of a day as a version sees them, and the question put to it."""

    examples: Examples
    task: WinTask


def observe(prepared: Prepared, scorer: Scorer, bundle: Bundle, settings: Settings) -> Observed:
    """Observe every deal as the version's training did; raises DataError where deals have no dates."""
    if not prepared.snapshot.has_dates:
        raise DataError(
            "Deals have no opened_on, so that nothing can be told of what came since training. Map it in conf/crm.yaml."
        )
    metrics = bundle.json("metrics.json")
    win = replace(settings.training.win, horizon_days=metrics["horizon_days"], exclude_kinds=tuple(metrics["exclude_kinds"]))
    settings = replace(settings, training=replace(settings.training, win=win))
    examples = examples_of(prepared.snapshot, scorer.catalog, settings)
    return Observed(examples, win_task(examples, scorer.catalog, settings, prepared.snapshot))


def fresh_examples(observed: Observed, scorer: Scorer, bundle: Bundle, *, day: int) -> Fresh:
    """Return what was observed since the version's day, of deals none of whose outcomes it could know."""
    examples, task, since = observed.examples, observed.task, day_number(bundle.as_of)
    rows, histories = examples.rows, task.histories
    learnt = rows["deal_id"].isin(rows.loc[task.outcomes(np.arange(len(rows)), since)[1] > 0, "deal_id"]).to_numpy()
    kept = np.flatnonzero((histories.observed > since) & (histories.observed < day) & ~learnt)
    features = examples.features.iloc[kept].reset_index(drop=True)
    margin = scorer.win.model.margin(scorer.win.matrix.transform(features))
    histories, kept_rows = histories.take(kept), rows.iloc[kept].reset_index(drop=True)
    followed = np.minimum(day - histories.observed, task.horizon)
    can_tell = day - since > task.horizon
    share = share_by_now(read_dates(bundle.contents), features, kept_rows["age_days"], followed, horizon=task.horizon)
    whole = Fresh(
        rows=kept_rows,
        features=features,
        accounts=examples.account[kept],
        margin=margin,
        z=scorer.win.model.platt_.apply(margin),
        share=share,
        won=(histories.won & (histories.ended - histories.observed <= followed)).astype(float),
        weight=task.outcomes(kept, day)[1] if can_tell else np.zeros(len(kept)),
        is_first=~kept_rows["deal_id"].duplicated().to_numpy(),
    )
    return whole.take(whole.share > 0)


def share_by_now(
    dates: CloseDates | None, features: pd.DataFrame, age_days: pd.Series, followed: np.ndarray, *, horizon: int
) -> np.ndarray:
    """Return the part of each example's chance within the horizon that falls within the days it was followed.

    By the version's own hazards; without them 1 where the horizon has passed and 0 elsewhere: such rows tell nothing yet.
    """
    share = np.where(followed >= horizon, 1.0, 0.0)
    if dates is None or not len(features):
        return share
    age = age_days.to_numpy(dtype=float)
    for days in np.unique(followed[followed < horizon]):
        at = np.flatnonzero(followed == days)
        part, age_then = features.iloc[at], age[at]
        by_now, in_all = (dates.won_by(part, age_then, days=n) for n in (int(days), horizon))
        share[at] = np.clip(by_now / np.maximum(in_all, 1e-9), 0, 1)
    return share


def first_day_known(bundle: Bundle, horizon_days: int) -> str:
    """Return the first day on which an outcome within the whole horizon is known of a deal observed since the version."""
    return (bundle.as_of + timedelta(days=horizon_days + 1)).isoformat()
