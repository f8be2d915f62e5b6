"""When open deals will close, and how many days to ask about: what hazards and incidence say of a snapshot."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from winworth.crm.snapshot import Snapshot
from winworth.models.censoring import Histories
from winworth.models.hazards import CompetingHazards
from winworth.models.incidence import proposed_horizon
from winworth.models.matrix import FeatureMatrix
from winworth.models.task import WinTask
from winworth.models.trees import small_trees
from winworth.scoring.scorer import as_json

RIDGE_STRENGTH = 0.1
PERIOD_DAYS = 30
LEAST = 30  # of deals won, and of deals lost, below which no date is given
DATE_COLUMNS = ("expected_close_on", "expected_close_low", "expected_close_high")
WON_BY = "win_probability_by"
_OPEN = 2**40


@dataclass(frozen=True)
class CloseDates:
    """Hazards, and the matrix they were learnt from: feature tables in, dates out."""

    matrix: FeatureMatrix
    hazards: CompetingHazards

    def predict(self, features: pd.DataFrame, age_days: np.ndarray, *, as_of: date) -> pd.DataFrame:
        """Return for each open deal the day it is expected to close, won or lost, and the ends of an 80 % interval.

        One datetime column for each of DATE_COLUMNS; no day is before the one after `as_of`.
        """
        told = self.hazards.days_to_close(self.matrix.transform(features), np.asarray(age_days, dtype=float))
        days = dict(zip(DATE_COLUMNS, (told.expected, told.low, told.high), strict=True))
        start = np.datetime64(as_of, "D")
        later = {name: start + np.maximum(np.round(values), 1).astype("timedelta64[D]") for name, values in days.items()}
        return pd.DataFrame({name: values.astype("datetime64[s]") for name, values in later.items()}, features.index)

    def won_by(self, features: pd.DataFrame, age_days: np.ndarray, *, days: int) -> np.ndarray:
        """Return the chance that each open deal is won within `days` from now."""
        return self.hazards.win_probability_by(self.matrix.transform(features), np.asarray(age_days, dtype=float), days)

    def to_files(self) -> dict[str, bytes]:
        """Return the model version's files for dates: JSON and LightGBM's text, no pickle."""
        files = {"dates_matrix.json": self.matrix.to_dict()} | self.hazards.to_files("dates")
        return {name: (value if isinstance(value, str) else as_json(value)).encode() for name, value in files.items()}


def read_dates(contents: Mapping[str, bytes]) -> CloseDates | None:
    """Rebuild what `to_files` wrote from the verified files of a model version; None where it gives no dates."""
    if "dates.json" not in contents:
        return None
    own = {name: content.decode() for name, content in contents.items() if name.startswith("dates")}
    files = {name: json.loads(content) if name.endswith(".json") else content for name, content in own.items()}
    return CloseDates(FeatureMatrix.from_dict(files["dates_matrix.json"]), CompetingHazards.from_files(files, "dates"))


def learn_dates(task: WinTask, rows: pd.DataFrame, *, as_of: date) -> CloseDates | None:
    """Learn from the examples behind a task (`rows`: deal_id, age_days, ended_on, won) what is known on `as_of`.

    Examples weigh 1 each. None without dates, or with too few deals won or lost a period before `as_of`.
    """
    day = np.datetime64(as_of, "D")
    if task.histories is None:
        return None
    settled = rows[rows["ended_on"] <= pd.Timestamp(day - PERIOD_DAYS)]
    n_deals = settled.groupby("won")["deal_id"].nunique().reindex([True, False], fill_value=0)
    if n_deals.min() < LEAST:
        return None
    matrix = FeatureMatrix().fit(task.features)
    size = small_trees(int(n_deals.sum()))
    hazards = CompetingHazards(RIDGE_STRENGTH, size, PERIOD_DAYS, task.seed, task.threads)
    age = rows["age_days"].to_numpy(dtype=float)
    return CloseDates(matrix, hazards.fit(matrix.transform(task.features), task.histories, age, day=int(day.astype(int))))


def close_dates(
    dates: CloseDates | None, rows: pd.DataFrame, features: pd.DataFrame, *, as_of: date, by: date | None = None
) -> pd.DataFrame:
    """Return DATE_COLUMNS for scored rows (basis, age_days): missing but for open deals whose age is known.

    With a day `by`, WON_BY follows: the chance to be won from `as_of` to that day, by the hazards. The ranked win probability
    is another model, so that at the horizon the two differ a little.
    """
    missing = pd.DataFrame({name: pd.Series(pd.NaT, index=rows.index, dtype="datetime64[s]") for name in DATE_COLUMNS})
    missing = missing if by is None else missing.assign(**{WON_BY: np.nan})
    known = (rows["basis"] == "open_deal") & rows["age_days"].notna()
    if dates is None or not known.any():
        return missing
    features, age = features[known.to_numpy()], rows.loc[known, "age_days"].to_numpy()
    told = dates.predict(features, age, as_of=as_of)
    if by is not None:
        told = told.assign(**{WON_BY: dates.won_by(features, age, days=(by - as_of).days)})
    return told.set_axis(rows.index[known]).reindex(rows.index)


def horizon_to_propose(snapshot: Snapshot, *, exclude_kinds: tuple[str, ...] = ()) -> int | None:
    """Return the days from opening within which 80 % of the wins come; None without dates or without a win."""
    if not snapshot.has_dates:
        return None
    deals = snapshot["deals"]
    deals = deals[deals["opened_on"].notna()]
    if "kind" in deals:
        deals = deals[~deals["kind"].isin(exclude_kinds)]
    opened, closed = (deals[name].to_numpy().astype("datetime64[D]") for name in ("opened_on", "closed_on"))
    ended = np.where(np.isnat(closed), _OPEN, closed.astype(np.int64))
    histories = Histories(opened.astype(np.int64), ended, (deals["status"] == "won").to_numpy())
    return proposed_horizon(histories, day=int(np.datetime64(snapshot.as_of, "D").astype(int)))
