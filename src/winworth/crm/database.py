"""A PostgreSQL database as a source: each table or query is fetched once, only what is mapped, as a Parquet file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from winworth.crm.header import name_faults
from winworth.crm.mapping import CrmMap, TableMap
from winworth.crm.wording import printable
from winworth.errors import ConfigError, DataError, ResourceError, listed

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Cursor

SCHEMES = ("postgresql", "postgres")
_SECRET = ("user", "password", "passfile", "service", "sslpassword")
_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def check_database(mapping: CrmMap) -> None:
    """Raise ConfigError where a table has not exactly one source, or where the database's address holds a credential."""
    for name, table_map in mapping.tables.items():
        given = [kind for kind in ("file", "table", "query") if getattr(table_map, kind)]
        if len(given) != 1:
            had = listed(given) if given else "none of them"
            raise ConfigError(f"tables.{name} needs one of file, table and query, and has {had}. Mend it in conf/crm.yaml.")
        if given != ["file"] and mapping.database is None:
            raise ConfigError(f"tables.{name} names a {given[0]}, and conf/crm.yaml has no `database`: postgresql://host/name.")
    if mapping.database is None:
        return
    address = urlsplit(mapping.database)
    if address.scheme not in SCHEMES:
        raise ConfigError(f"database is a {address.scheme or 'nameless'} address; postgresql://host:port/name is read.")
    if "@" in address.netloc or any(key in _SECRET for key, _ in parse_qsl(address.query)):
        raise ConfigError(
            "database holds a user or a password. Keep both out of conf/crm.yaml and set PGUSER and PGPASSWORD (or PGPASSFILE) "
            "in the environment."
        )


def as_files(mapping: CrmMap, folder: Path | None = None) -> CrmMap:
    """Return the map that reads what was fetched: <table>.parquet in `folder`, or in the map's own folder."""
    tables = {
        name: table_map if table_map.file else replace(table_map, file=str(_fetched(folder, name)), table=None, query=None)
        for name, table_map in mapping.tables.items()
    }
    return replace(mapping, tables=tables, database=None)


def fetch_tables(mapping: CrmMap, folder: Path) -> None:
    """Write each table and query of the map to <table>.parquet in `folder`: the mapped columns only, in a fixed order of rows.

    All tables are of one moment, and the database is only read, whatever a query says. Raises ConfigError where the driver
    is absent, DataError where the database does not answer or a query fails; neither names a password.
    """
    asked = {name: table_map for name, table_map in mapping.tables.items() if not table_map.file}
    with _cursor(mapping.database or "") as cursor:
        for name, table_map in asked.items():
            try:
                _fetch(cursor, name, table_map, folder)
            except OSError as error:
                raise ResourceError(f"{name} cannot be written below {folder}: {error.strerror}. Free some space.") from error


def _fetched(folder: Path | None, name: str) -> Path:
    return Path(f"{name}.parquet") if folder is None else folder / f"{name}.parquet"


@contextmanager
def _cursor(address: str) -> Iterator["Cursor"]:
    try:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise ConfigError("A database is named and its driver is absent. Install winworth[postgres].") from error
    try:
        with dbapi.connect(address) as connection, connection.cursor() as cursor:
            cursor.execute(_ONE_MOMENT)
            yield cursor
    except (Error, pa.ArrowException) as error:
        raise DataError(f"The database: {_without_secret(str(error))} See `database` in conf/crm.yaml.") from None


def _without_secret(said: str) -> str:
    told = printable(" ".join(said.split()), limit=300)
    secret = os.environ.get("PGPASSWORD")
    return told.replace(secret, "***") if secret else told


def _fetch(cursor: "Cursor", name: str, table_map: TableMap, folder: Path) -> None:
    source = f"({table_map.query.strip().rstrip(';')}\n) AS asked" if table_map.query else _named(table_map.table or "")
    cursor.execute(f"SELECT * FROM {source} LIMIT 0")
    kinds = dict(zip(_schema(cursor).names, _schema(cursor).types, strict=True))
    wanted = list(dict.fromkeys(column.source for column in table_map.columns.values()))
    faults = name_faults(f"{name} in the database", list(kinds), wanted, option=f"tables.{name}")
    if faults:
        raise DataError("\n".join(faults))
    columns = ", ".join(_column(column, kinds[column]) for column in wanted)
    order = ", ".join(str(at) for at in range(1, len(wanted) + 1))
    cursor.execute(f"SELECT {columns} FROM {source} ORDER BY {order}")
    with cursor.fetch_record_batch() as rows, pq.ParquetWriter(_fetched(folder, name), _plain(rows.schema)) as out:
        for batch in rows:
            out.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=_plain(rows.schema)))


def _schema(cursor: "Cursor") -> pa.Schema:
    return cursor.fetch_arrow_table().schema


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, field.type) for field in schema])


def _column(name: str, kind: pa.DataType) -> str:
    """Return a column as asked for: days, whole and broken numbers and text as they are, all else as its text."""
    tests = (pa.types.is_date, pa.types.is_timestamp, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    is_known = pa.types.is_string(kind) or any(test(kind) for test in tests)
    return _quoted(name) if is_known else f"{_quoted(name)}::text AS {_quoted(name)}"


def _named(table: str) -> str:
    return ".".join(_quoted(part) for part in table.split("."))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
