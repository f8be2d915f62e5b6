"""What the column map says of each column, checked against the contract of its table and with every default filled in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from winworth.crm.mapping import LOCALES, ColumnMap, CrmMap, Join, Locale, TableMap
from winworth.errors import ConfigError, did_you_mean, listed
from winworth.tables import TABLES, Column, Kind, Known

Missing = Literal["keep", "quarantine", "out_of_scope"]
_NEEDED_AT_THE_END = {("deals", "closed_on")}  # of won and lost deals; an open one has none


@dataclass(frozen=True)
class CellRule:
    """How the cells of one column are read. `format_is_declared` tells a format of its own from its locale's default, and
    `decimal_is_declared` a decimal mark.

    `is_own` columns are the company's own, not canonical; `personal` ones are kept though they hold what names people.
    """

    name: str
    source: str
    kind: Kind
    locale_name: str
    locale: Locale
    format_is_declared: bool
    decimal_is_declared: bool
    missing: Missing
    values: Mapping[str, str]
    aliases: Mapping[str, str]
    missing_values: frozenset[str]
    levels: tuple[str, ...]
    is_own: bool = False
    personal: bool = False


def check_mapping(mapping: CrmMap) -> None:
    """Raise ConfigError for a table, a column or an option that the contract does not know, or lacks."""
    for name in mapping.tables:
        if name not in TABLES:
            raise ConfigError(f"There is no table {name} (conf/crm.yaml, tables). {did_you_mean(name, TABLES)}")
    for table in TABLES.values():
        if table.required and table.name not in mapping.tables:
            raise ConfigError(f"The table {table.name} is needed. Map it in conf/crm.yaml under tables.{table.name}.")
    for name, table_map in mapping.tables.items():
        _check_table(name, table_map)
        cell_rules(name, mapping)
        for join in table_map.joins:
            look_up_rules(name, join, mapping)


def _check_table(name: str, table_map: TableMap) -> None:
    table = TABLES[name]
    lacking = [column for column, rule in table.columns.items() if rule.required and column not in _mapped(table_map)]
    if lacking:
        raise ConfigError(f"{name} lacks the columns {', '.join(lacking)}. Map them in conf/crm.yaml under {name}.columns.")
    if table_map.key and table.key not in table_map.columns:
        raise ConfigError(
            f"{name} has `key: true` but no column {table.key or 'that could be a key'}. Map it or leave `key` out."
        )
    if table_map.known and not table.is_event:
        raise ConfigError(f"{name}.known: only a table of events has one default. Declare `known` for each column of {name}.")
    if not 0 <= table_map.max_quarantine_share <= 1:
        raise ConfigError(f"{name}.max_quarantine_share is {table_map.max_quarantine_share}; it is a share between 0 and 1.")
    _check_dialect(table_map.separator, table_map.quote, where=name)
    for join in table_map.joins:
        _check_dialect(join.separator or table_map.separator, table_map.quote, where=f"{name}.joins")
        _check_join(name, table_map, join)


def _check_dialect(separator: str, quote: str, *, where: str) -> None:
    if len(separator) != 1 or len(quote) > 1 or separator == quote or {separator, quote} & set("\r\n\0"):
        raise ConfigError(f"{where}: separator {separator!r} and quote {quote!r} must be two different characters.")


def _check_join(name: str, table_map: TableMap, join: Join) -> None:
    absent = [column for column in join.on if column not in table_map.columns]
    if absent or not join.on:
        raise ConfigError(
            f"{name}.joins: {join.file} is joined on {', '.join(absent) or 'nothing'}, which {name} does not map."
        )
    twice = [column for column in join.columns if column in table_map.columns]
    if twice:
        raise ConfigError(
            f"{name}.joins: {join.file} adds {listed(twice)}, which {name}.columns maps already. Keep one of them."
        )


def _mapped(table_map: TableMap) -> set[str]:
    return set(table_map.columns).union(*(join.columns for join in table_map.joins))


def key_of(name: str, table_map: TableMap) -> str | None:
    """Return the column whose values may not repeat, or None where rows are their own key."""
    key = TABLES[name].key
    return key if table_map.key is not False and key in table_map.columns else None


def cell_rules(name: str, mapping: CrmMap) -> dict[str, CellRule]:
    """Return the rule of each mapped column of a table."""
    table_map = mapping.tables[name]
    locale_name = table_map.locale or mapping.locale
    key = key_of(name, table_map)
    return {
        column: _rule(name, column, column_map, locale_name, needed=column == key)
        for column, column_map in table_map.columns.items()
    }


def look_up_rules(name: str, join: Join, mapping: CrmMap) -> dict[str, CellRule]:
    """Return the rules of a look-up file: its key columns, under the names they have in the table, then those it adds."""
    table_map = mapping.tables[name]
    locale_name = table_map.locale or mapping.locale
    keys = {
        column: _rule(name, column, ColumnMap(source, kind=table_map.columns[column].kind), locale_name, needed=True)
        for column, source in join.on.items()
    }
    for column, rule in keys.items():
        if rule.kind not in ("id", "level"):
            raise ConfigError(f"{name}.joins: {join.file} is joined on {column}, a {rule.kind}. Join on an id or a level.")
    added = {column: _rule(name, column, column_map, locale_name, needed=False) for column, column_map in join.columns.items()}
    return keys | added


def known_columns(mapping: CrmMap) -> dict[tuple[str, str], Known]:
    """Return when each column that says so is known."""
    declared = {
        (name, column): column_map.known or table_map.known
        for name, table_map in mapping.tables.items()
        for columns in (table_map.columns, *(join.columns for join in table_map.joins))
        for column, column_map in columns.items()
    }
    return {column: known for column, known in declared.items() if known is not None}


def _rule(table: str, name: str, column_map: ColumnMap, locale_name: str, *, needed: bool) -> CellRule:
    where = f"{table}.columns.{name}"
    canonical = TABLES[table].columns.get(name)
    _check_choice(locale_name, LOCALES, f"{table}.locale")
    _check_choice(column_map.known, get_args(Known), f"{where}.known")
    _check_choice(column_map.missing, get_args(Missing), f"{where}.missing")
    _check_choice(column_map.decimal, (".", ","), f"{where}.decimal")
    kind = _kind(column_map, canonical, table=table, name=name)
    levels = canonical.levels if canonical else ()
    for value in column_map.values.values():
        if levels and value not in levels:
            raise ConfigError(f"{where}.values: {value!r} is none of {', '.join(levels)}.")
    _check_aliases(column_map.aliases, where)
    needed = needed or (canonical is not None and canonical.required) or (table, name) in _NEEDED_AT_THE_END
    return CellRule(
        name=name,
        source=column_map.source,
        kind=kind,
        locale_name=locale_name,
        locale=_locale(column_map, LOCALES[locale_name]),
        format_is_declared=column_map.format is not None,
        decimal_is_declared=column_map.decimal is not None,
        missing=column_map.missing or ("quarantine" if needed else "keep"),
        values=column_map.values,
        aliases=column_map.aliases,
        missing_values=frozenset(text.strip() for text in column_map.missing_values),
        levels=levels,
        is_own=canonical is None,
        personal=column_map.personal,
    )


def _kind(column_map: ColumnMap, canonical: Column | None, *, table: str, name: str) -> Kind:
    where = f"{table}.columns.{name}"
    _check_choice(column_map.kind, get_args(Kind), f"{where}.kind")
    if canonical is None and column_map.kind is None:
        hint = did_you_mean(name, TABLES[table].columns)
        raise ConfigError(f"{where} is no canonical column, so it needs a `kind` ({', '.join(get_args(Kind))}). {hint}")
    if canonical and column_map.kind not in (None, canonical.kind):
        raise ConfigError(
            f"{where}.kind is {column_map.kind}, but {name} is a {canonical.kind} in every company. Leave `kind` out."
        )
    return canonical.kind if canonical else column_map.kind


def _check_aliases(aliases: Mapping[str, str], where: str) -> None:
    """Refuse a spelling that is mended into one that is mended itself: it would be left half way, or go round in a circle."""
    chains = [(old, new) for old, new in aliases.items() if new in aliases and aliases[new] != new]
    if chains:
        old, new = chains[0]
        raise ConfigError(
            f"{where}.aliases: {old!r} becomes {new!r}, which becomes {aliases[new]!r} ({len(chains)} like this). "
            "Write the last one for each of them."
        )


def _check_choice(value: str | None, known: Iterable[str], where: str) -> None:
    if value is not None and value not in known:
        raise ConfigError(f"{where} is {value!r}. {did_you_mean(value, known)}")


def _locale(column_map: ColumnMap, locale: Locale) -> Locale:
    decimal = column_map.decimal or locale.decimal
    return Locale(decimal, locale.thousands.replace(decimal, ""), column_map.format or locale.date_format)
