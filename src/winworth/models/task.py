"""What a win model is asked: features, outcomes as known on a day, weights, and whose rows they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from winworth.models.by_name import ByName, monotone_columns
from winworth.models.censoring import Histories, outcomes_by
from winworth.models.matrix import FeatureMatrix
from winworth.models.trees import TreeSize
from winworth.models.win import WinModel


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: a ridge strength, a size of trees, both (averaged in log-odds) or neither (base rate).

    `reads` keeps it to context features or to the others, `only` to the features it names.
    """

    name: str
    C: float | None = None
    size: TreeSize | None = None
    reads: Literal["all", "context", "criteria"] = "all"
    only: tuple[str, ...] = ()

    @property
    def may_be_chosen(self) -> bool:
        """Whether it is a rung of the ladder, and no baseline beside it."""
        return self.reads != "criteria" and self.name != "champion"


@dataclass(frozen=True)
class WinTask:
    """Examples to learn winning from.

    `histories` is None where deals have no dates: outcomes are then `won`, all settled. `weight` is that of each
    example; `accounts` are int codes; `context` names the features that say nothing of the account. `stage` and
    `crm_probability` are what the CRM itself said on each example's day (None: it does not say): baselines, never features.
    """

    features: pd.DataFrame
    won: np.ndarray
    weight: np.ndarray
    accounts: np.ndarray
    horizon: int
    histories: Histories | None = None
    directions: Mapping[str, str] = field(default_factory=dict)
    context: frozenset[str] = frozenset()
    seed: int = 0
    threads: int = 2
    stage: pd.Series | None = None
    crm_probability: np.ndarray | None = None

    def outcomes(self, rows: np.ndarray, day: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the outcomes of some rows as known on `day`, and their weights (0: not yet known)."""
        if self.histories is None or day is None:
            return self.won[rows].astype(float), self.weight[rows]
        y, censoring = outcomes_by(self.histories.take(rows), horizon=self.horizon, day=day)
        return y, self.weight[rows] * censoring

    def fit(self, rows: np.ndarray, day: int | None, rung: Rung) -> ByName[WinModel]:
        """Train a rung on some rows with outcomes as known on `day`."""
        y, weight = self.outcomes(rows, day)
        features = self.features.iloc[rows[weight > 0]]
        if rung.reads != "all":
            features = features[[name for name in features if (name in self.context) == (rung.reads == "context")]]
        if rung.only:
            features = features[[name for name in features if name in rung.only]]
        matrix = FeatureMatrix().fit(features)
        monotone = monotone_columns(matrix.columns_, self.directions)
        model = WinModel(rung.C, rung.size, monotone, self.seed, self.threads, matrix.blocks_)
        return ByName(matrix, model.fit(matrix.transform(features), y[weight > 0], weight[weight > 0]))

    def margin(self, fitted: ByName[WinModel], rows: np.ndarray) -> np.ndarray:
        """Return the log-odds, before calibration, of some rows."""
        return fitted.model.margin(fitted.matrix.transform(self.features.iloc[rows]))

    def take(self, rows: np.ndarray) -> "WinTask":
        """Return the question put to some of the examples, numbered anew; what the CRM itself said is left behind."""
        kept = {"won": self.won[rows], "weight": self.weight[rows], "accounts": self.accounts[rows], "stage": None}
        features = self.features.iloc[rows].reset_index(drop=True)
        histories = None if self.histories is None else self.histories.take(rows)
        return replace(self, features=features, histories=histories, crm_probability=None, **kept)

    def with_features(self, features: pd.DataFrame) -> "WinTask":
        """Return the same task with other features."""
        return WinTask(**{**self.__dict__, "features": features})
