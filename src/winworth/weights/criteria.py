"""Criteria weights: attributions summed within a criterion, in log expected value, as integers that sum to 100."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.features.catalog import Catalog
from winworth.weights.attribution import Attributions

CLIP = 3.0


@dataclass(frozen=True)
class CriteriaWeights:
    """What each criterion weighs, and the scale its 0-100 scores are read on.

    `table` has one row a criterion, context last, sorted by weight: family, weight (integer; context has none),
    through_winning and through_worth (they sum to the weight), dispersion and centre (log expected value), direction.
    `reference` is each feature's median attribution, in log expected value's two parts (winning in log-odds, worth in logs).
    `loss_rate` is 1 - mean win probability: what turns log-odds into log probability.
    """

    table: pd.DataFrame
    reference: pd.DataFrame
    loss_rate: float


def criteria_weights(
    attributions: Attributions, catalog: Catalog, *, mean_probability: float, measured: pd.DataFrame, features: pd.DataFrame
) -> CriteriaWeights:
    """Weigh criteria by the mean absolute deviation of their contribution to log expected value.

    A contribution is (1 - mean win probability) x the criterion's part of the log-odds + its part of the log value; parts
    are summed within a criterion, row by row, before absolutes. `measured` says, by row and feature, whether the row can
    have the feature; rows that cannot do not count for it.
    """
    loss_rate = 1.0 - mean_probability
    winning = (attributions.winning * loss_rate).where(measured)
    worth = attributions.worth.where(measured)
    rows = []
    for name, criterion in catalog.criteria.items():
        own = [feature for feature in criterion.features if feature in winning.columns]
        if not own:
            continue
        parts = [part[own].sum(axis=1, min_count=1).dropna() for part in (winning, worth)]
        both = parts[0] + parts[1]
        rows.append(
            {
                "criterion": name,
                "family": criterion.family,
                "dispersion": _spread(both),
                "by_winning": _spread(parts[0]),
                "by_worth": _spread(parts[1]),
                "centre": float(both.median()) if len(both) else 0.0,
                "direction": _direction(both, features[own]),
            }
        )
    reference = pd.DataFrame({"winning": attributions.winning.where(measured).median(), "worth": worth.median()}).fillna(0.0)
    return CriteriaWeights(_weighed(pd.DataFrame(rows).set_index("criterion")), reference, loss_rate)


def integers_to_100(shares: np.ndarray) -> np.ndarray:
    """Round shares to integers that sum to 100, by largest remainder; ties go to the first.

    >>> integers_to_100(np.array([1, 1, 1]))
    array([34, 33, 33])
    """
    if shares.sum() <= 0:
        return np.zeros(len(shares), dtype=int)
    exact = shares / shares.sum() * 100
    whole = np.floor(exact + 1e-9).astype(int)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: 100 - whole.sum()]] += 1
    return whole


def criterion_scores(contributions: pd.DataFrame, weights: CriteriaWeights) -> pd.DataFrame:
    """Put contributions, one column a criterion, on 0-100: 50 is the reference, 3 dispersions reach the ends."""
    scale = weights.table.loc[contributions.columns]
    spread = scale["dispersion"].where(scale["dispersion"] > 0, np.inf)
    return (50 + 50 * (contributions - scale["centre"]) / (CLIP * spread)).clip(0, 100)


def contributions_by_criterion(attributions: Attributions, catalog: Catalog, weights: CriteriaWeights) -> pd.DataFrame:
    """Sum attributions within each weighed criterion, in log expected value."""
    both = attributions.winning * weights.loss_rate + attributions.worth
    names = weights.table.index[weights.table["family"] != "context"]
    own = {name: [f for f in catalog.criteria[name].features if f in both.columns] for name in names}
    return pd.DataFrame({name: both[features].sum(axis=1) for name, features in own.items()}, index=both.index)


def _spread(part: pd.Series) -> float:
    return float((part - part.median()).abs().mean()) if len(part) else 0.0


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
