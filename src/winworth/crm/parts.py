"""An extract too large for memory, cut into parts of whole accounts: every row of an account lies in the same part.

Parts are Parquet files of the extract's own columns, read one after another by the reader of whole extracts, so that each
part's rows become what they would have become among all others.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from winworth.crm.convert import tidied
from winworth.crm.database import as_files, check_database, fetch_tables
from winworth.crm.header import name_faults
from winworth.crm.intake import paths_of
from winworth.crm.mapping import CrmMap, TableMap
from winworth.crm.parquet import as_text, refusing_damage
from winworth.crm.read import read_crm
from winworth.crm.salesforce import long_id
from winworth.crm.seen_keys import seen_keys
from winworth.errors import ConfigError, DataError, ResourceError, listed
from winworth.tables import TABLES, CrmTables

BATCH = 100_000  # rows
MOST_PARTS = 500  # each has a file open while a table is cut, and systems let a process open 1,024
PLACE = ("winworth_file", "winworth_row")  # where a part's row stood in the extract
WHOLE = ("costs", "rates")  # tables of no account: each part has all of them
_LONG_ID = r"^[A-Za-z0-9]{15}[A-Z0-5]{3}$"  # maybe Salesforce's id of 18 characters: by its checksum the one of 15 is the same


@dataclass(frozen=True)
class Origin:
    """The files that a table's parts come from, what messages call them, and their SHA-256 (of one, or of all of theirs)."""

    paths: Sequence[Path]
    file: str
    sha256: str

    @property
    def named(self) -> dict[str, str]:
        """What a count of rows says of the files."""
        return {"file": self.file, "sha256": self.sha256}

    @classmethod
    def of(cls, folder: Path, file: str) -> "Origin":
        """Find the files that a map names, and hash them."""
        paths = paths_of(folder, file)
        found = [_sha256(path) for path in paths]
        return cls(paths, file, found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest())


@dataclass(frozen=True)
class Parts:
    """An extract in parts: the map that reads one, the folder of each, and by table where their rows come from."""

    mapping: CrmMap
    folders: tuple[Path, ...]
    files: Mapping[str, Origin]


def n_accounts(mapping: CrmMap, root: Path) -> int | None:
    """Return how many accounts an extract of Parquet files has (deals, without accounts); None where it is not one."""
    name = "accounts" if "accounts" in mapping.tables else "deals"
    if mapping.database is not None or _why_not(mapping):
        return None
    try:
        return sum(pq.read_metadata(path).num_rows for path in paths_of(Path(root) / mapping.folder, mapping.tables[name].file))
    except (OSError, pa.ArrowException):
        return None


def split_extract(mapping: CrmMap, *, root: Path, scratch: Path, accounts_at_once: int) -> Parts:
    """Cut the Parquet files or the database that `mapping` names into parts below `scratch`, of about so many accounts each.

    Rows of `costs` and `rates` go to every part. A deal without an account goes by its own id. Raises ConfigError for an
    extract that cannot be cut.
    """
    check_database(mapping)
    if mapping.database is not None:
        (scratch / "fetched").mkdir()
        fetch_tables(mapping, scratch / "fetched")
        mapping = as_files(mapping, scratch / "fetched")
    if refused := _why_not(mapping):
        raise ConfigError(f"The extract cannot be read in parts: {refused} Read it whole: --accounts-at-once 0.")
    n_parts = min(max(-(-(n_accounts(mapping, root) or 1) // accounts_at_once), 1), MOST_PARTS)
    folders = tuple(scratch / f"part-{k:04}" for k in range(n_parts))
    for folder in folders:
        folder.mkdir()
    found = {name: Origin.of(Path(root) / mapping.folder, table_map.file) for name, table_map in mapping.tables.items()}
    deals = _Deals(n_parts)
    for name in sorted(mapping.tables, key=lambda name: name != "deals"):
        _split(name, mapping.tables[name], found[name].paths, folders, deals)
    tables = {name: replace(table_map, file=f"{name}.parquet") for name, table_map in mapping.tables.items()}
    return Parts(replace(mapping, folder=".", tables=tables, archive=False), folders, found)


def read_part(parts: Parts, at: int, *, threads: int) -> CrmTables:
    """Read one part; what its report says of files and rows is of the extract.

    Raises DataError where a part of the invoices lacks margins: the rate of the others is known of the whole alone.
    """
    folder = parts.folders[at]
    crm = read_crm(parts.mapping, root=folder, threads=threads, is_part=True)
    invoices = crm.tables.get("invoices")
    n_without = 0 if invoices is None or "margin" not in invoices else int(invoices["margin"].isna().sum())
    if n_without:
        raise DataError(
            f"invoices: {n_without:,} rows of part {at + 1} have no margin, and the rate of the others is known of the whole "
            "alone. Fill them, leave margin out of conf/crm.yaml, or read the extract whole: --accounts-at-once 0."
        )
    files = tuple(replace(count, **parts.files[count.table].named) for count in crm.report.files)
    return replace(crm, report=replace(crm.report, files=files, quarantine=_placed(crm.report.quarantine, parts, folder)))


def _placed(quarantine: pd.DataFrame, parts: Parts, folder: Path) -> pd.DataFrame:
    """Name rows put aside by the file and the row of the extract that they came from."""
    placed = [quarantine.iloc[:0]]
    for name, rows in quarantine.groupby("table", sort=True):
        where = (
            pq.read_table(folder / f"{name}.parquet", columns=list(PLACE)).take(rows["row"].to_numpy(dtype=int) - 1).to_pandas()
        )
        names = np.array([path.name for path in parts.files[name].paths], dtype=object)
        lines = rows["raw_line"].str.split(f", {PLACE[0]}=", regex=False).str[0]
        told = {"file": names[where[PLACE[0]]], "row": where[PLACE[1]].to_numpy(), "raw_line": lines}
        placed.append(rows.assign(**told))
    return pd.concat(placed, ignore_index=True)


def _why_not(mapping: CrmMap) -> str:
    for name, table_map in mapping.tables.items():
        if table_map.joins:
            return f"tables.{name} has joins."
        if table_map.file and not table_map.file.lower().endswith(".parquet"):
            return f"tables.{name} is {table_map.file}, and only Parquet files and databases can."
        ids = [table_map.columns[column] for column in ("account_id", "deal_id") if column in table_map.columns]
        if any(column.values or column.aliases for column in ids):
            return f"tables.{name} gives other names to its ids."
        if name not in WHOLE and not ids:
            return f"tables.{name} has neither account_id nor deal_id."
    return "" if "account_id" in mapping.tables["deals"].columns else "deals have no account_id."


class _Deals:
    """Which part each deal lies in, for the rows that name a deal alone."""

    def __init__(self, n_parts: int):
        self.n_parts = n_parts
        self._ids: list[np.ndarray] = [np.array([], dtype=np.uint64)]
        self._parts: list[np.ndarray] = [np.array([], dtype=np.uint16)]

    def add(self, ids: np.ndarray, parts: np.ndarray) -> None:
        """Note the parts of deals, by the hash of their id."""
        self._ids.append(ids)
        self._parts.append(parts.astype(np.uint16))

    def settle(self) -> None:
        """Sort what was noted."""
        ids, parts = np.concatenate(self._ids), np.concatenate(self._parts)
        order = np.argsort(ids, kind="stable")
        self._ids, self._parts = [ids[order]], [parts[order]]

    def parts_of(self, ids: np.ndarray) -> np.ndarray:
        """Return each deal's part; a deal that does not exist goes by its own id, to be put aside there."""
        known, parts = np.append(self._ids[0], 0), np.append(self._parts[0], 0)
        at = np.searchsorted(self._ids[0], ids)
        return np.where((known[at] == ids) & (at < len(known) - 1), parts[at], ids % np.uint64(self.n_parts)).astype(np.int64)


def _split(name: str, table_map: TableMap, paths: Sequence[Path], folders: Sequence[Path], deals: _Deals) -> None:
    """Write one table's rows to the parts, in the order of its files."""
    schema = _schema(name, table_map, paths)
    is_checked = table_map.key or name == "deals"  # a deal is on one row, whatever the map says
    key = TABLES[name].key if is_checked and TABLES[name].key != "account_id" else None
    writers = [pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd") for folder in folders]
    with seen_keys(folders[0].parent) as keys:
        try:
            for batch in _batches(paths, schema):
                parts = None if name in WHOLE else _parts_of(batch, name, table_map, deals)
                for part, rows in _dealt(batch, parts, len(folders)):
                    writers[part].write_table(rows)
                if key in table_map.columns:
                    ids = _ids(batch, table_map, key)
                    keys.add(ids.number[ids.is_known], parts[ids.is_known])
        except OSError as error:
            raise ResourceError(f"{name} cannot be cut into parts below {keys.folder}: {error}. Free some space.") from error
        finally:
            for writer in writers:
                writer.close()
        _refuse_split(name, table_map, paths, keys.in_two_parts())
    if name == "deals":
        deals.settle()


def _refuse_split(name: str, table_map: TableMap, paths: Sequence[Path], split: np.ndarray) -> None:
    """Raise DataError where a key stands under two accounts: its rows lie in two parts, and both would count."""
    if not len(split):
        return
    for batch in _batches(paths, _schema(name, table_map, paths)):
        here = np.flatnonzero(np.isin(_ids(batch, table_map, TABLES[name].key).number, split))
        if len(here):
            file, row = (batch.column(column)[int(here[0])].as_py() for column in PLACE)
            break
    raise DataError(
        f"{name}: {len(split):,} values of {TABLES[name].key} stand under two accounts, first {paths[file].name}, row {row}. "
        "Parts of an extract cannot settle them. Mend the export, or read it whole: --accounts-at-once 0."
    )


def _dealt(batch: pa.Table, parts: np.ndarray | None, n_parts: int) -> Iterator[tuple[int, pa.Table]]:
    """Yield the rows of a batch by part, in their order; all of them to each part where nothing says which."""
    if parts is None:
        yield from ((part, batch) for part in range(n_parts))
        return
    order = np.argsort(parts, kind="stable")
    ends = np.searchsorted(parts[order], np.arange(n_parts + 1))
    batch = batch.take(pa.array(order))
    for part in np.flatnonzero(np.diff(ends)).tolist():
        yield part, batch.slice(ends[part], ends[part + 1] - ends[part])


def _schema(name: str, table_map: TableMap, paths: Sequence[Path]) -> pa.Schema:
    """Return the columns of a table's files, which all have the same, and behind them a row's place."""
    schemas = []
    for path in paths:
        with refusing_damage(path.name):
            schemas.append(pq.read_schema(path).remove_metadata())
        sources = [column.source for column in table_map.columns.values()]
        if faults := name_faults(path.name, schemas[-1].names, sources, option=f"tables.{name}"):
            raise DataError("\n".join(faults))
    for path, schema in zip(paths[1:], schemas[1:], strict=True):
        if schema != schemas[0]:
            raise DataError(
                f"{path.name} has other columns or types than {paths[0].name}: {listed(_differ(schemas[0], schema))}."
            )
    return schemas[0].append(pa.field(PLACE[0], pa.int32())).append(pa.field(PLACE[1], pa.int64()))


def _differ(one: pa.Schema, other: pa.Schema) -> list[str]:
    return sorted({field.name for field in one if field not in other} | {field.name for field in other if field not in one})


def _batches(paths: Sequence[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    """Read the files a batch at a time, each row with its file and its place there, from 1."""
    for at, path in enumerate(paths):
        n_read = 0
        with refusing_damage(path.name), pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(BATCH):
                batch.validate(full=True)
                place = [np.full(len(batch), at, np.int32), np.arange(n_read + 1, n_read + len(batch) + 1)]
                n_read += len(batch)
                yield pa.Table.from_arrays([*batch.columns, *map(pa.array, place)], schema=schema)


def _parts_of(batch: pa.Table, name: str, table_map: TableMap, deals: _Deals) -> np.ndarray:
    account, deal = (_ids(batch, table_map, column) for column in ("account_id", "deal_id"))
    if account is None:
        return deals.parts_of(deal.number)
    number = account.number if name != "deals" or deal is None else np.where(account.is_known, account.number, deal.number)
    parts = (number % np.uint64(deals.n_parts)).astype(np.int64)
    if name == "deals" and deal is not None:
        deals.add(deal.number[deal.is_known], parts[deal.is_known])
    return parts


@dataclass(frozen=True)
class _Ids:
    """A number for each id of a column, the same wherever the id stands, and which cells have an id."""

    number: np.ndarray
    is_known: np.ndarray


def _ids(batch: pa.Table, table_map: TableMap, column: str) -> _Ids | None:
    if column not in table_map.columns:
        return None
    source = table_map.columns[column].source
    text = tidied(as_text(batch.column(source), source).to_pandas().fillna("").astype("str"))
    long = text[text.str.fullmatch(_LONG_ID)]
    text = text.where(~text.index.isin(long.index[[long_id(word[:15]) == word for word in long]]), text.str[:15])
    numbers = pd.util.hash_array(text.to_numpy(dtype=object), categorize=False)
    return _Ids(numbers, (text != "").to_numpy())


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. Put the export there or mend `file` in conf/crm.yaml."
        ) from error
