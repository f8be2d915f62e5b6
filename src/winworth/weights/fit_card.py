"""From attributions to the scorecard: how each feature is cut, what each place is worth, and which features pair."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression

from winworth.errors import DataError
from winworth.features.build import is_deal_level
from winworth.features.catalog import Catalog
from winworth.models.folds import fold_of_groups
from winworth.weights.bins import LevelBins, cut_levels, cut_number
from winworth.weights.pairs import Cut, choose_pairs
from winworth.weights.scorecard import Scorecard
from winworth.weights.whole_points import Drawn, Scale, whole_card

SMOOTH = 5.0  # a place of so many rows keeps half of its mean
SWEEPS = 8
N_SPLITS = 5
FINE = 48  # intervals of a feature that a pair's boundaries are chosen from


@dataclass(frozen=True)
class CardRows:
    """The rows a card is learnt from: features, each feature's out-of-fold contribution, and whose rows they are.

    Contributions are in log expected value, NaN where the row cannot have the feature (as an account without a deal);
    `groups` are int codes of accounts.
    """

    features: pd.DataFrame
    contributions: pd.DataFrame
    groups: np.ndarray


@dataclass(frozen=True)
class CardLimits:
    """How large a card may be: `bins` a feature, `most_bins` where they pay, `max_pairs` two-way tables.

    More bins must explain `bins_pay` of the variance of the contributions' sum on held-out rows, a pair `pairs_pay`. A bin
    has `least_share` of the rows or more, and 10; a level with a row of its own twice as many.
    """

    bins: int = 6
    most_bins: int = 10
    levels: int = 20
    max_pairs: int = 3
    bins_pay: float = 0.002
    pairs_pay: float = 0.005
    least_share: float = 0.005


@dataclass(frozen=True)
class Lesson:
    """What the card shall follow: each criterion's contribution less its reference, and each feature's; the rows' folds."""

    by_criterion: pd.DataFrame
    by_feature: pd.DataFrame
    fold: np.ndarray
    directions: Mapping[str, str]

    @property
    def variance(self) -> float:
        """The variance of the contributions' sum: what gains are shares of."""
        return float(np.var(self.by_criterion.sum(axis=1)))


def fit_scorecard(
    rows: CardRows, catalog: Catalog, weights: pd.DataFrame, limits: CardLimits | None = None, *, seed: int
) -> Scorecard:
    """Learn the scorecard whose criterion scores follow the criteria's contributions.

    `weights` has one row a criterion, with family, weight, dispersion and centre, as `CriteriaWeights.table`; context and
    criteria without contributions are left out. The same rows and columns in another order give the same card.
    Raises DataError where there are no rows.
    """
    if not len(rows.features):
        raise DataError("A scorecard needs rows to learn from, and there are none. Weigh the criteria on past deals instead.")
    limits = limits or CardLimits()
    own = _features_by_criterion(rows, catalog, weights)
    rows = _in_order(rows, [name for names in own.values() for name in names])
    lesson = _lesson(rows, own, catalog, weights["centre"], seed)
    cuts = {name: _cut(rows, lesson, name, limits) for name in lesson.by_feature}
    values: dict[str, np.ndarray] = {}
    for criterion, names in own.items():
        values |= _within({name: cuts[name] for name in names}, lesson, criterion)
    told = sum(values[name][cut.places] * cut.has for name, cut in cuts.items())
    left = lesson.by_criterion.sum(axis=1).to_numpy() - told
    weighed = [name for criterion, names in own.items() for name in names if weights["weight"][criterion] > 0]
    fine = {name: _finer(rows, lesson, cuts[name], limits) for name in weighed} if limits.max_pairs else {}
    pays = limits.pairs_pay * lesson.variance
    grids, left = choose_pairs(fine, left, lesson.fold, most=limits.max_pairs, pays=pays)
    scale = Scale(weights["weight"].loc[list(own)].astype(int).to_dict(), weights["dispersion"].to_dict())
    deal_level = tuple(name for name in cuts if is_deal_level(catalog.features[name]))
    r2 = 1 - float(np.var(left)) / lesson.variance if lesson.variance > 0 else 1.0
    return whole_card(Drawn(own, cuts, fine, values, tuple(grids), lesson.directions, scale), deal_level, r2)


def _features_by_criterion(rows: CardRows, catalog: Catalog, weights: pd.DataFrame) -> dict[str, list[str]]:
    """Return the features of each weighed criterion that have contributions, in the order of the weights and the catalogue."""
    found = {}
    for name in weights.index[weights["family"] != "context"]:
        own = [feature for feature in catalog.criteria[name].features if feature in rows.contributions.columns]
        if own:
            found[name] = own
    return found


def _in_order(rows: CardRows, names: list[str]) -> CardRows:
    """Put the rows in an order that depends on what they hold alone, so that sums do not depend on how they came."""
    features, parts = rows.features[names].reset_index(drop=True), rows.contributions[names].reset_index(drop=True)
    words = [features[name].astype(object).fillna("").astype(str) for name in features.select_dtypes(exclude="number")]
    keys = [np.unique(column, return_inverse=True)[1] for column in words]
    keys += [features[name].to_numpy(dtype=float, na_value=np.nan) for name in features.select_dtypes("number")]
    order = np.lexsort([rows.groups, *keys, *parts.to_numpy(dtype=float, na_value=np.nan).T])
    return CardRows(features.iloc[order].reset_index(drop=True), parts.iloc[order].reset_index(drop=True), rows.groups[order])


def _lesson(rows: CardRows, own: Mapping[str, list[str]], catalog: Catalog, centre: pd.Series, seed: int) -> Lesson:
    """Centre contributions: a feature's on its median, which is also what it counts where a row cannot have it."""
    median = rows.contributions.median().fillna(0.0)
    filled = rows.contributions.fillna(median)
    by_criterion = pd.DataFrame({name: filled[features].sum(axis=1) - centre[name] for name, features in own.items()})
    n_splits = min(N_SPLITS, len(np.unique(rows.groups)))
    fold = fold_of_groups(rows.groups, n_splits=n_splits, seed=seed)
    directions = {name: spec.direction for name, spec in catalog.features.items() if spec.direction}
    return Lesson(by_criterion, rows.contributions - median, fold, directions)


def _cut(rows: CardRows, lesson: Lesson, name: str, limits: CardLimits) -> Cut:
    """Cut a feature into few bins, or into more where these explain enough more on folds they were not learnt from."""
    has = lesson.by_feature[name].notna().to_numpy()
    column, target = rows.features[name], lesson.by_feature[name].to_numpy()
    least = _least(has, limits)

    if not pd.api.types.is_numeric_dtype(column):
        bins = cut_levels(column[has], most=limits.levels, least=2 * least)
        return Cut(bins, bins.places_of(column), has)

    def cut(kept: np.ndarray, most: int) -> Cut:
        direction = lesson.directions.get(name)
        bins = cut_number(column[kept], target[kept], most=most, least=least, direction=direction)
        return Cut(bins, bins.places_of(column), has)

    few = cut(has, limits.bins)
    if limits.most_bins <= limits.bins or len(few.bins.edges) < limits.bins - 1:
        return few
    missed = {most: 0.0 for most in (limits.bins, limits.most_bins)}
    for k in np.unique(lesson.fold):
        train, test = has & (lesson.fold != k), has & (lesson.fold == k)
        for most in missed if train.any() else ():
            found = cut(train, most)
            told = _values(found, np.where(train, target, np.nan), lesson.directions.get(name))[found.places[test]]
            missed[most] += float(np.sum((target[test] - told) ** 2))
    gain = (missed[limits.bins] - missed[limits.most_bins]) / len(target)
    return cut(has, limits.most_bins) if gain >= limits.bins_pay * lesson.variance else few


def _finer(rows: CardRows, lesson: Lesson, cut: Cut, limits: CardLimits) -> Cut:
    """Return what a pair may be cut from: many small intervals, or the feature's own where a direction is declared.

    Where table and pair share their boundaries, both together can be held to the direction.
    """
    name = cut.bins.feature
    if isinstance(cut.bins, LevelBins) or name in lesson.directions:
        return cut
    least = _least(cut.has, limits)
    bins = cut_number(rows.features[name][cut.has], lesson.by_feature[name].to_numpy()[cut.has], most=FINE, least=least)
    return Cut(bins, bins.places_of(rows.features[name]), cut.has)


def _least(has: np.ndarray, limits: CardLimits) -> int:
    return max(10, int(np.ceil(limits.least_share * has.sum())))


def _within(cuts: Mapping[str, Cut], lesson: Lesson, criterion: str) -> dict[str, np.ndarray]:
    """Return what each place of a criterion's features is worth.

    One feature after the other follows what the others leave of the criterion's contribution (backfitting, Hastie and
    Tibshirani 1990, 4.4), so that features that tell the same do not count twice.
    """
    target = lesson.by_criterion[criterion].to_numpy()
    directions = lesson.directions
    values = {name: _values(cut, lesson.by_feature[name].to_numpy(), directions.get(name)) for name, cut in cuts.items()}
    for _ in range(SWEEPS):
        told = {name: values[name][cut.places] * cut.has for name, cut in cuts.items()}
        for name, cut in cuts.items():
            rest = target - sum(told[other] for other in told if other != name)
            values[name] = _values(cut, np.where(cut.has, rest, np.nan), directions.get(name))
            told[name] = values[name][cut.places] * cut.has
    return values


def _values(cut: Cut, target: np.ndarray, direction: str | None) -> np.ndarray:
    """Return the mean of the target by place, drawn towards 0 where rows are few, monotone where a direction is declared."""
    known = ~np.isnan(target)
    size = len(cut.bins.places)
    n = np.bincount(cut.places[known], minlength=size)
    means = np.bincount(cut.places[known], target[known], minlength=size) / (n + SMOOTH)
    ordered = slice(0, cut.bins.n_ordered)
    if direction and cut.bins.n_ordered > 1:
        fit = IsotonicRegression(increasing=direction == "up")
        means[ordered] = fit.fit_transform(
            np.arange(cut.bins.n_ordered), means[ordered], sample_weight=np.maximum(n[ordered], 1)
        )
    return means
