"""What monitoring compares with: how features and scores were spread when a version was trained. Counts only, no row."""

from datetime import date

import numpy as np
import pandas as pd

from winworth.features.catalog import Catalog
from winworth.flows.learn import Examples, day_number
from winworth.flows.retrain import Retrain
from winworth.models.censoring import Histories, outcomes_by
from winworth.models.drift import spread_of
from winworth.models.task import WinTask
from winworth.scoring.scorer import Scorer, as_json

YEAR = 365  # days looked back on: all seasons once, and no further, as counts of an account's past grow with its history


def reference_files(retrain: Retrain, scorer: Scorer) -> dict[str, bytes]:
    """Return reference.json; nothing where deals have no dates."""
    if retrain.task.histories is None:
        return {}
    told = reference_of(scorer, retrain.examples, retrain.task, as_of=retrain.as_of)
    return {"reference.json": as_json(told).encode()}


def reference_of(scorer: Scorer, examples: Examples, task: WinTask, *, as_of: date) -> dict:
    """Return how features were spread on the examples of the year up to `as_of`, and scores on those that are open."""
    day = day_number(as_of)
    last = task.histories.observed > day - YEAR
    levels, accounts = scorer.win.matrix.levels_, examples.account[last]
    spread = {
        name: spread_of(examples.features.loc[last, name], accounts, levels.get(name)) for name in compared_features(scorer)
    }
    n_deals = int(examples.rows.loc[last, "deal_id"].nunique())
    score = spread_of(*unsettled_scores(scorer, examples, task, day=day))
    ages = examples.rows.loc[last, "age_days"].astype(int).value_counts(normalize=True).sort_index()
    told = {"as_of": as_of.isoformat(), "n_deals": n_deals, "ages": {str(age): float(share) for age, share in ages.items()}}
    return told | {"features": spread, "score": score}


def compared_features(scorer: Scorer) -> list[str]:
    """Return the features whose spread is compared: all that the win model reads but a deal's age and the calendar's."""
    return [name for name in scorer.win.matrix.features_ if not _is_of_calendar(scorer.catalog, name)]


def unsettled_scores(scorer: Scorer, examples: Examples, task: WinTask, *, day: int) -> tuple[pd.Series, np.ndarray]:
    """Return the log-odds before calibration, and the accounts, of examples whose outcome is open on `day`.

    No model trained on that day has learnt from them, so that scores of two days compare alike.
    """
    histories: Histories = task.histories
    weight = outcomes_by(histories, horizon=task.horizon, day=day)[1]
    rows = np.flatnonzero((weight == 0) & (histories.observed <= day))
    features = examples.features.iloc[rows].reset_index(drop=True)
    margin = scorer.win.model.margin(scorer.win.matrix.transform(features))
    return pd.Series(np.round(margin, 9)), examples.account[rows]


def _is_of_calendar(catalog: Catalog, name: str) -> bool:
    return catalog.features[name].reads == "example"
