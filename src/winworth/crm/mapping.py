"""How a company's own files and columns map to the canonical tables: the shape of crm.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from winworth.tables import Kind, Known

STRICT = {"extra": "forbid"}


@dataclass(frozen=True)
class Locale:
    """How numbers and dates are written: a decimal mark, the marks that part thousands, a date format (strptime)."""

    decimal: str
    thousands: str
    date_format: str


LOCALES: dict[str, Locale] = {
    "fr": Locale(",", " \u00a0\u202f.'", "%d/%m/%Y"),
    "en": Locale(".", ",", "%m/%d/%Y"),
    "iso": Locale(".", "", "%Y-%m-%d"),
}


@dataclass(frozen=True)
class ColumnMap:
    """One canonical column: where it comes from and how its cells are read.

    `values` is a complete mapping, so a cell outside it is an error; `aliases` mends spellings and lets the rest pass.
    `missing` says what becomes of a row whose cell is empty; required columns are quarantined unless it says otherwise.
    `decimal` and `format` overrule the locale. `kind` is needed where the column is not canonical. `personal` keeps a column
    that holds names, e-mail addresses or phone numbers of people; without it such a column is dropped.
    """

    __pydantic_config__ = STRICT

    source: str
    kind: Kind | None = None
    known: Known | None = None
    format: str | None = None
    decimal: Literal[".", ","] | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    missing_values: tuple[str, ...] = ()
    missing: Literal["keep", "quarantine", "out_of_scope"] | None = None
    personal: bool = False


@dataclass(frozen=True)
class Join:
    """A look-up file whose columns are added to a table: `on` maps the table's canonical column to the file's header."""

    __pydantic_config__ = STRICT

    file: str
    on: Mapping[str, str]
    columns: Mapping[str, ColumnMap]
    separator: str | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class TableMap:
    """One canonical table: its file or files (a name or a pattern), their dialect and its columns; in place of a file, the
    name of a `table` of the database (schema.name) or a `query` to it.

    `key: true` declares that the table's key column is a key: duplicates are then dropped or refused. `known` is the
    default of the columns of an event table.
    """

    __pydantic_config__ = STRICT

    file: str = ""
    columns: Mapping[str, ColumnMap] = field(default_factory=dict)
    table: str | None = None
    query: str | None = None
    separator: str = ","
    quote: str = '"'
    encoding: str | None = None
    locale: Literal["fr", "en", "iso"] | None = None
    key: bool | None = None
    known: Known | None = None
    joins: tuple[Join, ...] = ()
    max_quarantine_share: float = 0.05


@dataclass(frozen=True)
class CrmMap:
    """The whole of crm.yaml. `folder` is relative to the configuration's folder; `archive` keeps each training's raw files.
    `database` is the address of a PostgreSQL database without user or password, which the environment has (PGUSER, PGPASSWORD).
    """

    __pydantic_config__ = STRICT

    company: str
    tables: Mapping[str, TableMap]
    folder: str = "."
    locale: Literal["fr", "en", "iso"] = "iso"
    currency: str = "EUR"
    archive: bool = False
    database: str | None = None
