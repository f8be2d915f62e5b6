"""Criteria weights: attributions summed within a criterion, in log expected value, as integers that sum to 100."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from winworth.features.catalog import Catalog
from winworth.weights.attribution import Attributions

if TYPE_CHECKING:
    from winworth.weights.doubt import Doubt

CLIP = 3.0
PARTS = ("winning", "worth")


@dataclass(frozen=True)
class CriteriaWeights:
    """What each criterion weighs, and the scale its 0-100 scores are read on.

    `table` has one row a criterion, context last, sorted by weight: family, weight (integer; context has none),
    through_winning and through_worth (they sum to the weight), dispersion and centre (log expected value), direction.
    `reference` is each feature's median attribution, in log expected value's two parts (winning in log-odds, worth in logs).
    `loss_rate` is 1 - mean win probability: what turns log-odds into log probability. `slopes` has for each criterion what
    its part of winning and its part of worth are multiplied by; where it has no row, by 1. `doubt` is None where it was not
    measured.
    """

    table: pd.DataFrame
    reference: pd.DataFrame
    loss_rate: float
    slopes: pd.DataFrame = field(default_factory=pd.DataFrame)
    doubt: "Doubt | None" = None

    @property
    def criteria(self) -> pd.DataFrame:
        """The rows of the table that are criteria, without context."""
        return self.table[self.table["family"] != "context"]

    @property
    def shares(self) -> pd.Series:
        """Each criterion's exact weight, in points of 100; all 0 where nothing weighs."""
        return shares(self.criteria["dispersion"])


def criteria_weights(
    attributions: Attributions,
    catalog: Catalog,
    *,
    mean_probability: float,
    measured: pd.DataFrame,
    features: pd.DataFrame,
    slopes: pd.DataFrame | None = None,
) -> CriteriaWeights:
    """Weigh criteria by the mean absolute deviation of their contribution to log expected value.

    A contribution is (1 - mean win probability) x slope x the criterion's part of the log-odds + slope x its part of the log
    value; parts are summed within a criterion, row by row, before absolutes. `measured` says, by row and feature, whether
    the row can have the feature; rows that cannot do not count for it.
    """
    loss_rate = 1.0 - mean_probability
    slopes = pd.DataFrame() if slopes is None else slopes
    parts = {name: getattr(attributions, name).where(measured) for name in PARTS}
    reference = pd.DataFrame({name: part.median() for name, part in parts.items()}).fillna(0.0)
    scaled = _in_log_value(Attributions(**parts), catalog, slopes, loss_rate)
    rows = []
    for name, own in owned(catalog, measured).items():
        winning, worth = (getattr(scaled, part)[own].sum(axis=1, min_count=1).dropna() for part in PARTS)
        both = winning + worth
        rows.append(
            {
                "criterion": name,
                "family": catalog.criteria[name].family,
                "dispersion": spread(both),
                "by_winning": spread(winning),
                "by_worth": spread(worth),
                "centre": float(both.median()) if len(both) else 0.0,
                "direction": _direction(both, features[own]),
            }
        )
    return CriteriaWeights(_weighed(pd.DataFrame(rows).set_index("criterion")), reference, loss_rate, slopes)


def owned(catalog: Catalog, columns: pd.DataFrame) -> dict[str, list[str]]:
    """Return, for each criterion and each context that has any, its features among some columns."""
    own = {name: [f for f in criterion.features if f in columns] for name, criterion in catalog.criteria.items()}
    return {name: features for name, features in own.items() if features}


def shares(dispersion: pd.Series) -> pd.Series:
    """Return shares in points of 100; all 0 where nothing weighs."""
    return 100 * dispersion / dispersion.sum() if dispersion.sum() > 0 else dispersion * 0.0


def integers_to_100(shares: np.ndarray) -> np.ndarray:
    """Round shares to integers that sum to 100, by largest remainder; ties go to the first.

    >>> integers_to_100(np.array([1, 1, 1]))
    array([34, 33, 33])
    """
    return integers_to(100, shares)


def integers_to(total: int, shares: np.ndarray) -> np.ndarray:
    """Round shares to integers that sum to a total, by largest remainder; all 0 where nothing weighs."""
    if shares.sum() <= 0:
        return np.zeros(len(shares), dtype=int)
    exact = shares / shares.sum() * total
    whole = np.floor(exact + 1e-9).astype(int)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: total - whole.sum()]] += 1
    return whole


def criterion_scores(contributions: pd.DataFrame, weights: CriteriaWeights) -> pd.DataFrame:
    """Put contributions, one column a criterion, on 0-100: 50 is the reference, 3 dispersions reach the ends."""
    scale = weights.table.loc[contributions.columns]
    spread = scale["dispersion"].where(scale["dispersion"] > 0, np.inf)
    return (50 + 50 * (contributions - scale["centre"]) / (CLIP * spread)).clip(0, 100)


def contributions(attributions: Attributions, catalog: Catalog, weights: CriteriaWeights) -> pd.DataFrame:
    """Return each feature's contribution in log expected value."""
    scaled = _in_log_value(attributions, catalog, weights.slopes, weights.loss_rate)
    return scaled.winning + scaled.worth


def contributions_by_criterion(attributions: Attributions, catalog: Catalog, weights: CriteriaWeights) -> pd.DataFrame:
    """Sum contributions within each weighed criterion, in log expected value; 0 for one of which the model reads nothing."""
    both = contributions(attributions, catalog, weights)
    own = owned(catalog, both)
    return pd.DataFrame({name: both[own.get(name, [])].sum(axis=1) for name in weights.criteria.index}, index=both.index)


def spread(part: pd.Series) -> float:
    """Return the mean distance from the median; 0 where there are no rows."""
    return float((part - part.median()).abs().mean()) if len(part) else 0.0


def _in_log_value(attributions: Attributions, catalog: Catalog, slopes: pd.DataFrame, loss_rate: float) -> Attributions:
    owner = [catalog.criterion_of[name] for name in attributions.winning.columns]
    held = slopes.reindex(index=owner, columns=list(PARTS)).fillna(1.0)
    winning = attributions.winning * (loss_rate * held["winning"].to_numpy())
    return Attributions(winning, attributions.worth * held["worth"].to_numpy())


def _direction(contribution: pd.Series, features: pd.DataFrame) -> str:
    """Say whether more of the criterion's strongest number helps; levels have no direction."""
    correlations = []
    for column in features.select_dtypes("number"):
        pair = pd.concat([features[column], contribution], axis=1).dropna()
        if len(pair) > 10 and pair.iloc[:, 0].nunique() > 1 and pair.iloc[:, 1].nunique() > 1:
            correlations.append(float(pair.corr(method="spearman").iloc[0, 1]))
    if not correlations:
        return ""
    strongest = max(correlations, key=abs)
    return "" if abs(strongest) < 0.1 else ("up" if strongest > 0 else "down")


def _weighed(table: pd.DataFrame) -> pd.DataFrame:
    """Add integer weights of the criteria, split by what they work through; context stands last, without a weight."""
    context = table["family"] == "context"
    shares = table["dispersion"].where(~context, 0.0).to_numpy()
    weight = integers_to_100(shares)
    parts = table["by_winning"] + table["by_worth"]
    through = np.round(weight * (table["by_winning"] / parts.where(parts > 0, 1.0)).to_numpy()).astype(int)
    table = table.assign(weight=weight, through_winning=through, through_worth=weight - through, is_context=context)
    table = table.sort_values(["is_context", "weight", "dispersion"], ascending=[True, False, False])
    order = ["family", "weight", "through_winning", "through_worth", "direction", "dispersion", "centre"]
    return table[order]
