"""All families side by side: examples and a snapshot become one column a feature, checked against the catalogue."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winworth.crm.snapshot import Snapshot, available_on
from winworth.errors import ConfigError, did_you_mean
from winworth.features import asof
from winworth.features.asof import Moments, Timeline
from winworth.features.catalog import Catalog, Condition, Feature
from winworth.tables import TABLES, CrmTables

VIRTUAL = {"age_days": "number", "quarter": "level"}
SELLER = ("deals", "owner_id")
_VERSIONS = {"deals": "deal_versions", "accounts": "account_versions"}
_DAY0 = np.datetime64("1970-01-01", "D")


def build_features(examples: pd.DataFrame, snapshot: Snapshot, catalog: Catalog) -> pd.DataFrame:
    """Measure every feature of every example as of its own day (`observed_on`).

    Returns one row an example in the same order and one column a feature: float64 for numbers, text for levels; missing
    is NaN. A feature of a table that the extract lacks is left out; `absent_features` lists those.
    """
    measured = _Measured(examples.reset_index(drop=True), snapshot)
    left_out = absent_features(catalog, snapshot)
    columns = {name: measured(spec) for name, spec in catalog.features.items() if name not in left_out}
    return pd.DataFrame(columns, index=measured.examples.index)


def absent_features(catalog: Catalog, tables: Snapshot | CrmTables) -> dict[str, str]:
    """Name the features whose table the extract does not have, with that table."""
    return {n: spec.reads for n, spec in catalog.features.items() if spec.reads != "example" and spec.reads not in tables}


def is_deal_level(spec: Feature) -> bool:
    """Whether the feature belongs to one deal, so that an account without an open deal cannot have it yet."""
    return spec.by == "deal" or (spec.verb == "value" and spec.reads in ("deals", "deal_versions", "stage_changes"))


def check_catalog(catalog: Catalog, crm: CrmTables, waived: frozenset[tuple[str, str]] = frozenset()) -> None:
    """Raise ConfigError where a feature reads a column that is not there, or whose kind or `known` does not allow it.

    What counts an account's deals reads them from the day they ended, so that it may read what is known at_close.
    """
    absent = absent_features(catalog, crm)
    silent, refused = set(), set()
    for name, spec in catalog.features.items():
        if name in absent:
            continue
        _require_keys(name, spec, crm)
        of_ended = spec.reads == "deals" and spec.verb != "value"
        for column in spec.columns:
            _require_column(name, spec.reads, column, crm)
            if spec.reads == "deals" and spec.verb == "value" and column in ("status", "closed_on"):
                raise ConfigError(f"The feature {name} reads deals.{column}: that is the outcome itself, never a feature.")
            known = crm.known.get((spec.reads, column))
            if spec.reads == "example" or (of_ended and column == "status"):
                continue
            _require_kind(name, spec, column, crm)
            if known is None:
                silent.add(f"{spec.reads}.{column}")
            elif (known == "at_close" and not of_ended) or (known == "latest_only" and (spec.reads, column) not in waived):
                refused.add(f"{name} reads {spec.reads}.{column} ({known})")
            elif (spec.reads, column) == SELLER and SELLER not in waived:
                raise ConfigError(
                    f"The feature {name} reads deals.owner_id: it would score accounts by who works them, and people by their "
                    "results. Remove it from conf/criteria.yaml, or sign for deals.owner_id in conf/leak_waivers.yaml."
                )
            elif known == "dated" and spec.reads in _VERSIONS and not of_ended:
                _require_column(name, _VERSIONS[spec.reads], column, crm)
    if silent:
        raise ConfigError(
            f"Features read {len(silent)} columns that do not say when they are known: {', '.join(sorted(silent))}. Add known: "
            "at_creation, dated, latest_only or at_close to each in conf/crm.yaml."
        )
    if refused:
        raise ConfigError(
            f"{len(refused)} features read what was not known in time: {', '.join(sorted(refused))}. Remove them from "
            "conf/criteria.yaml, map a dated history, or sign for a latest_only column in conf/leak_waivers.yaml."
        )


def _require_column(feature: str, table: str, column: str, crm: CrmTables) -> None:
    if table == "example":
        if column not in VIRTUAL:
            raise ConfigError(f"The feature {feature} reads example.{column}. {did_you_mean(column, VIRTUAL)}")
        return
    if table not in crm:
        raise ConfigError(f"The feature {feature} needs the table {table}, which conf/crm.yaml does not map.")
    if column not in crm[table].columns:
        raise ConfigError(
            f"The feature {feature} reads {table}.{column}, which conf/crm.yaml does not map. "
            f"{did_you_mean(column, crm[table].columns)}"
        )


def _require_keys(feature: str, spec: Feature, crm: CrmTables) -> None:
    """Raise where the rows of a table cannot be put on the examples' accounts or deals, or on days."""
    table = spec.reads
    if table == "example" or (spec.verb == "value" and not TABLES[table].is_event):
        return
    by = "deal" if spec.verb == "value" and "account_id" not in crm[table] else spec.by
    if f"{by}_id" not in crm[table]:
        other = "account" if by == "deal" else "deal"
        raise ConfigError(
            f"The feature {feature} reads {table} by {by}, and {table} has no {by}_id. Map it, or write by: {other}."
        )
    if table == "deals" and "closed_on" not in crm[table]:
        raise ConfigError(f"The feature {feature} counts deals that ended, and conf/crm.yaml does not map deals.closed_on.")


def _require_kind(feature: str, spec: Feature, column: str, crm: CrmTables) -> None:
    """Raise where a verb needs numbers and the column has none, a condition needs words, or a date would be a value."""
    values = crm[spec.reads][column]
    if spec.verb in ("sum", "mean") and column == spec.column and not pd.api.types.is_numeric_dtype(values):
        raise ConfigError(
            f"The feature {feature} is a {spec.verb}, and {spec.reads}.{column} holds no numbers. Count it instead."
        )
    if spec.in_wholes_of is not None and not pd.api.types.is_numeric_dtype(values):
        raise ConfigError(
            f"The feature {feature} is in_wholes_of {spec.in_wholes_of:g}, and {spec.reads}.{column} holds no numbers."
        )
    if column in {*spec.where, *spec.among} and (_is_date(values) or pd.api.types.is_numeric_dtype(values)):
        raise ConfigError(
            f"The feature {feature} has a condition on {spec.reads}.{column}, which holds no words. Map it as a level."
        )
    if _is_date(values):
        raise ConfigError(
            f"The feature {feature} reads the date {spec.reads}.{column}. Use days_since_first or days_since_last."
        )


class _Measured:
    """Measures features of one set of examples, putting each event table on their entities once."""

    def __init__(self, examples: pd.DataFrame, snapshot: Snapshot):
        self.examples = examples
        self.snapshot = snapshot
        self._events: dict[tuple[str, str], _Events] = {}

    def __call__(self, spec: Feature) -> np.ndarray | pd.Series:
        if spec.verb != "value":
            return _by_verb(spec, self._events_of(spec.reads, spec.by))
        return self._value(spec) if spec.in_wholes_of is None else _is_whole(self._value(spec), spec.in_wholes_of)

    def _events_of(self, table: str, by: str) -> "_Events":
        if (table, by) not in self._events:
            happened_on = TABLES[table].happened_on or "closed_on"
            self._events[table, by] = _Events(self.snapshot[table], f"{by}_id", happened_on, self.examples)
        return self._events[table, by]

    def _value(self, spec: Feature) -> pd.Series:
        table, column = spec.reads, spec.column
        if table == "example":
            return self.examples[column]
        if TABLES[table].is_event:
            return self._latest(table, spec.by if "account_id" in self.snapshot[table] else "deal", column, spec.where)
        if self.snapshot.known.get((table, column)) == "dated":
            return self._latest(_VERSIONS[table], "deal" if table == "deals" else "account", column, {})
        return self._lasting(table, column)

    def _lasting(self, table: str, column: str) -> pd.Series:
        """Look up what does not change; blank where the row itself was entered after the example's day."""
        key, born = ("deal_id", "opened_on") if table == "deals" else ("account_id", "created_on")
        of = self.snapshot[table].set_index(key).reindex(self.examples[key]).reset_index(drop=True)
        return of[column].where(~(of[born] > self.examples["observed_on"])) if born in of else of[column]

    def _latest(self, table: str, by: str, column: str, where: Condition) -> pd.Series:
        events = self._events_of(table, by)
        place = asof.latest(events.line, events.chosen(where), order=events.codes(column))
        row = np.r_[events.line.rows, -1][place]
        return self.snapshot[table][column].reset_index(drop=True).reindex(row).reset_index(drop=True)


class _Events:
    """An event table put on the examples' entities; a column is read when a feature first needs it."""

    def __init__(self, frame: pd.DataFrame, key: str, happened_on: str, examples: pd.DataFrame):
        self.frame = frame
        self._coded: dict[str, tuple[np.ndarray, pd.Index]] = {}
        holder, holders = pd.factorize(frame[key])
        entities = pd.Index(examples[key].dropna().unique())
        entity = np.r_[entities.get_indexer(holders), -1][holder]
        entity = np.where(frame[happened_on].isna(), -1, entity)
        at = Moments(entities.get_indexer(examples[key]), _days(examples["observed_on"]))
        self.line = Timeline(entity, _days(frame[happened_on]), _days(available_on(frame, happened_on)), at)

    def chosen(self, *conditions: Condition) -> np.ndarray:
        """Return which events have the levels of every condition."""
        rows = np.ones(len(self.line.rows), dtype=bool)
        for column, levels in (pair for condition in conditions for pair in condition.items()):
            words = self._code(column)[1]
            is_wanted = np.r_[words.isin([levels] if isinstance(levels, str) else levels), False]
            rows &= is_wanted[self.codes(column)]
        return rows

    def numbers(self, column: str) -> np.ndarray:
        """Return a column's values as float64."""
        return self.frame[column].to_numpy(dtype=float)[self.line.rows]

    def codes(self, column: str) -> np.ndarray:
        """Return a column's values as int codes in the order of their text, so that ties do not depend on rows."""
        return self._code(column)[0]

    def _code(self, column: str) -> tuple[np.ndarray, pd.Index]:
        if column not in self._coded:
            code, words = pd.factorize(self.frame[column], sort=True)
            self._coded[column] = code[self.line.rows].astype(np.int32), words
        return self._coded[column]


def _by_verb(spec: Feature, events: _Events) -> np.ndarray:
    """Apply the feature's verb to its events."""
    line, within = events.line, spec.within_days
    if spec.verb in ("deals_won", "deals_lost"):
        return asof.count(line, events.chosen({"status": spec.verb.removeprefix("deals_")}, spec.where), within=within)
    if spec.verb == "share":
        return asof.share(line, events.chosen(spec.among, spec.where), events.chosen(spec.among), within=within)
    chosen = events.chosen(spec.where)
    if spec.verb in ("sum", "invoiced"):
        return asof.total(line, chosen, events.numbers(spec.column or "amount"), within=within)
    if spec.verb == "mean":
        return asof.mean(line, chosen, events.numbers(spec.column), within=within)
    if spec.verb == "distinct":
        return asof.distinct(line, chosen, events.codes(spec.column), within=within)
    if spec.verb == "trend":
        return asof.trend(line, chosen, within=within, against=spec.against_days)
    if spec.verb == "decayed_count":
        return asof.decayed_count(line, chosen, half_life=spec.half_life_days)
    if spec.verb == "days_since_first":
        return asof.days_since_first(line, chosen)
    measure: Mapping = {"count": asof.count, "days_since_last": asof.days_since_last}
    return measure[spec.verb](line, chosen, within=within)


def _is_whole(numbers: pd.Series, unit: float) -> pd.Series:
    """Return 1 where a number is a whole multiple of the unit, 0 where not, missing where it is missing."""
    off = (numbers - (numbers / unit).round() * unit).abs()
    return (off < 1e-6 * unit).astype(float).where(numbers.notna())


def _days(dates: pd.Series) -> np.ndarray:
    """Return days since 1970 as int64; a missing date is the day before all others."""
    days = dates.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), -(10**5), (days - _DAY0).astype(np.int64))


def _is_date(column: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(column)
