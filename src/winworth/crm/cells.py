"""The cells of one file as text, each row with its physical line; rows that have no shape are put aside."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from winworth.crm.header import Dialect, Header, name_faults, read_header
from winworth.crm.lines import RowLines, row_lines
from winworth.crm.source import PlainFile
from winworth.errors import DataError, ResourceError

MAX_CELL = 64 << 10
MAX_ROW = 4 << 20
MAX_ROWS = 5_000_000
_SHAPE_RULES = {
    "MISSING COLUMNS": "F11-short-row",
    "TOO MANY COLUMNS": "F12-long-row",
    "UNQUOTED VALUE": "F09-quote",
    "LINE SIZE OVER MAXIMUM": "F18-long-cell",
    "INVALID ENCODING": "F06-encoding",
}


@dataclass(frozen=True)
class Cells:
    """The rows of one file: `text` by canonical column, and each row's physical `line` and `place` in the file, from 1.

    `rejects` has the line and the rule of each row that has no shape. An empty cell is missing, whether quoted or not.
    """

    text: pd.DataFrame
    line: np.ndarray
    place: np.ndarray
    rejects: pd.DataFrame

    @property
    def n_read(self) -> int:
        """How many rows the file has, with a shape or without."""
        return len(self.text) + len(self.rejects)


def read_cells(plain: PlainFile, dialect: Dialect, sources: Mapping[str, str], *, option: str, threads: int) -> Cells:
    """Read the columns that `sources` names (canonical name to header) as text.

    Raises DataError where the header does not fit `sources`, or where the file cannot be cut into rows.
    """
    if plain.is_parquet:
        return _parquet_cells(plain, sources, option)
    if plain.is_empty:
        nothing = np.array([], dtype=np.int64)
        return Cells(pd.DataFrame(columns=list(sources), dtype="str"), nothing, nothing, _no_rejects())
    header = read_header(plain, dialect, sources.values(), option=option)
    settings = {"threads": threads, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    with duckdb.connect(config=settings) as connection:
        connection.execute(f"SET allowed_directories = [{_literal(str(plain.path.parent))}]")
        connection.execute("SET enable_external_access = false")
        return _text_cells(connection, plain, dialect, header, sources)


def _text_cells(
    connection: duckdb.DuckDBPyConnection, plain: PlainFile, dialect: Dialect, header: Header, sources: Mapping[str, str]
) -> Cells:
    n_columns = len(header.names)
    _load(connection, plain, dialect, header)
    rejects = connection.execute(
        "SELECT line, arg_min(error_type, byte_position) AS error, "
        r"any_value(length(ltrim(csv_line, chr(10))) - length(replace(ltrim(csv_line, chr(10)), chr(10), ''))) AS inner_breaks "
        "FROM reject_errors GROUP BY line ORDER BY line"
    ).df()
    lines = _lines(connection, plain, header, rejects)
    shapeless = pd.DataFrame({"line": lines.rejected, "rule": rejects["error"].map(_SHAPE_RULES).fillna("F12-shape")})
    broken = _broken_rows(connection, n_columns, plain, lines)
    chosen = ", ".join(f"c{header.names.index(source)} AS k{at}" for at, source in enumerate(sources.values()))
    text = connection.sql(f"SELECT {chosen} FROM cells ORDER BY rowid").to_arrow_table().to_pandas()
    text.columns = pd.Index(list(sources))
    kept = ~np.isin(np.arange(len(text)), broken["row"])
    unfit = pd.concat([shapeless, pd.DataFrame({"line": lines.accepted[broken["row"]], "rule": broken["rule"]})])
    return Cells(text[kept].reset_index(drop=True), lines.accepted[kept], lines.accepted_place[kept], unfit.sort_values("line"))


def _load(connection: duckdb.DuckDBPyConnection, plain: PlainFile, dialect: Dialect, header: Header) -> None:
    """Read the file once into the table `cells`; one reader, as several may disagree on a line break within quotes."""
    columns = ", ".join(f"c{at}: 'VARCHAR'" for at in range(len(header.names)))
    quote = _literal(dialect.quote)
    connection.execute(
        f"CREATE TABLE cells AS FROM read_csv({_literal(str(plain.path))}, columns = {{{columns}}}, auto_detect = false, "
        f"all_varchar = true, strict_mode = true, header = false, skip = {header.n_records}, new_line = '\\n', comment = '', "
        f"delim = {_literal(dialect.separator)}, quote = {quote}, escape = {quote}, parallel = false, "
        f"store_rejects = true, rejects_limit = 0, max_line_size = {MAX_ROW})"
    )
    n_rows = connection.execute("SELECT count(*) FROM cells").fetchone()[0]
    if n_rows > MAX_ROWS:
        raise ResourceError(f"{plain.name} has {n_rows:,} rows, more than {MAX_ROWS:,}. Split it by year or export Parquet.")


def _lines(connection: duckdb.DuckDBPyConnection, plain: PlainFile, header: Header, rejects: pd.DataFrame) -> RowLines:
    n_accepted = connection.execute("SELECT count(*) FROM cells").fetchone()[0]
    inner = np.zeros(n_accepted, dtype=np.int64)
    if n_accepted + len(rejects) != len(plain.line_ends) - header.n_lines:
        joined = f"concat_ws('', {', '.join(f'c{at}' for at in range(len(header.names)))})"
        breaks = connection.execute(
            f"SELECT rowid AS row, length(cell) - length(replace(cell, chr(10), '')) AS n FROM (SELECT rowid, {joined} AS cell "
            "FROM cells) WHERE contains(cell, chr(10))"
        ).fetchnumpy()
        inner[breaks["row"]] = breaks["n"]
    return row_lines(
        plain.line_ends,
        header.n_lines,
        inner,
        rejects["line"].to_numpy(dtype=np.int64) - header.n_records - 1,
        rejects["inner_breaks"].to_numpy(dtype=np.int64),
        name=plain.name,
    )


def _broken_rows(connection: duckdb.DuckDBPyConnection, n_columns: int, plain: PlainFile, lines: RowLines) -> pd.DataFrame:
    """Return the accepted rows that hold what no cell should; a second export below the first is refused outright."""
    second = connection.execute("SELECT min(rowid) FROM cells WHERE starts_with(c0, chr(65279))").fetchone()[0]
    if second is not None:
        raise DataError(
            f"{plain.name}, line {lines.accepted[second]}: a second file begins here, so two exports were put together. "
            "Keep them apart and name a pattern in conf/crm.yaml."
        )
    tests = [(f"strlen(c{at}) > {MAX_CELL}", "F18-long-cell") for at in range(n_columns)]
    if plain.has_nul:
        tests += [(f"contains(c{at}, chr(0))", "F17-nul") for at in range(n_columns)]
    cases = " ".join(f"WHEN {test} THEN '{rule}'" for test, rule in tests)
    return connection.execute(
        f"FROM (SELECT rowid AS row, CASE {cases} END AS rule FROM cells) WHERE rule IS NOT NULL ORDER BY row"
    ).df()


def _parquet_cells(plain: PlainFile, sources: Mapping[str, str], option: str) -> Cells:
    try:
        faults = name_faults(plain.name, pq.read_schema(plain.path).names, sources.values(), option=option)
        if faults:
            raise DataError("\n".join(faults))
        table = pq.read_table(plain.path, columns=list(dict.fromkeys(sources.values())), pre_buffer=False)
        columns = {column: _as_text(table.column(source)) for column, source in sources.items()}
    except pa.ArrowException as error:
        raise DataError(f"{plain.name} cannot be read as Parquet: {error}. Export it again.") from error
    places = np.arange(1, table.num_rows + 1)
    text = pa.table(columns).to_pandas()
    return Cells(text, places, places, _no_rejects())


def _no_rejects() -> pd.DataFrame:
    return pd.DataFrame({"line": np.array([], dtype=np.int64), "rule": np.array([], dtype=str)})


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write a typed column as ISO text; a time of day is cut to its day."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp(column.type.unit)).cast(pa.date32(), safe=False)
    return column.cast(pa.string())


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
