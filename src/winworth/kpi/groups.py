"""Which level of a group each account stood on before a period, so that what came of it did not choose the level."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winworth.errors import ConfigError, did_you_mean
from winworth.features.build import build_features, is_deal_level
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.kpi.book import Book
from winworth.kpi.quarters import Period

MOST_LEVELS = 8  # of numbers; more are cut into thirds
THIRDS = ("low third", "middle third", "high third")
UNSAID = "(unknown)"
Levels = Mapping[str, pd.Series | None]


def score_levels(book: Book, periods: tuple[Period, ...], column: str) -> Levels:
    """Return, by period, the tier or segment of each account in the latest scores of a day before the period began.

    None where there were none: today's tiers were given knowing what came since, and would tell of themselves.
    """
    return {period.name: _scored_before(book, period, column) for period in periods}


def feature_levels(book: Book, periods: tuple[Period, ...], spec: Feature) -> Levels:
    """Return, by period, each account's level of a feature as known on the day before the period began.

    An account created since then counts as on the day it was created. Numbers of more than eight values are cut into thirds, at
    the same cuts in every period.
    """
    if "accounts" not in book.snapshot or (spec.verb == "value" and spec.column not in book.snapshot[spec.reads]):
        return {period.name: None for period in periods}
    found = {period.name: _values(book, period, spec) for period in periods}
    every = pd.concat(found.values())
    if pd.api.types.is_numeric_dtype(every) and every.nunique() > MOST_LEVELS:
        cuts = every.quantile([1 / 3, 2 / 3]).to_numpy()
        return {name: _thirds(values, cuts) for name, values in found.items()}
    return {name: values.dropna().map(_written) for name, values in found.items()}


def feature_named(catalog: Catalog, name: str) -> Feature:
    """Find an account's feature, or the one feature of a criterion; raises ConfigError where there is no such thing."""
    features = dict(catalog.features)
    for criterion, spec in catalog.criteria.items():
        if len(spec.features) == 1:
            features.setdefault(criterion, next(iter(spec.features.values())))
    if name not in features:
        raise ConfigError(f"--by {name} is no feature of criteria.yaml. {did_you_mean(name, features)}")
    if is_deal_level(features[name]) or features[name].reads == "example":
        raise ConfigError(f"--by {name} tells of one deal, and the ledger counts accounts. Name a feature of accounts.")
    return features[name]


def _scored_before(book: Book, period: Period, column: str) -> pd.Series | None:
    found = book.scored_within(pd.Timestamp.min, period.start - pd.Timedelta(days=1))
    if found is None or column not in found[1].accounts:
        return None
    return found[1].accounts.dropna(subset=column).set_index("account_id")[column].astype("str")


def _values(book: Book, period: Period, spec: Feature) -> pd.Series:
    accounts = book.at(period.end)["accounts"]
    before = pd.Series(period.start - pd.Timedelta(days=1), accounts.index).astype("datetime64[s]")
    created = accounts.get("created_on", before)
    observed = before.where(~(created > before), created)
    rows = accounts[["account_id"]].assign(observed_on=observed, deal_id=pd.Series(np.nan, accounts.index, dtype="str"))
    catalog = Catalog({"group": Criterion("context", {}, {"level": spec})})
    measured = build_features(rows.assign(age_days=0.0, quarter=""), book.at(period.end), catalog)
    return pd.Series(measured["level"].to_numpy(), rows["account_id"].to_numpy())


def _thirds(values: pd.Series, cuts: np.ndarray) -> pd.Series:
    known = values.dropna()
    return pd.Series(np.array(THIRDS)[np.searchsorted(cuts, known.to_numpy(dtype=float), side="left")], known.index)


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
