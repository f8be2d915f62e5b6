"""The cells of one file as text, each row with its physical line; rows that have no shape are put aside."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from winworth.crm.header import Dialect, Header, name_faults, read_header
from winworth.crm.lines import Layout, RejectedRows, RowLines, row_lines
from winworth.crm.parquet import as_text, column_names, read_whole
from winworth.crm.source import PlainFile
from winworth.crm.swallowed import refuse_swallowed_rows
from winworth.crm.wording import printable
from winworth.errors import DataError, ResourceError

MAX_CELL = 64 << 10
MAX_ROW = 4 << 20
MAX_ROWS = 5_000_000
_NO_TEXT = "\x01\x02"
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

    `rejects` has the line and the rule of each row that has no shape. An empty cell is empty text.
    `typed` names the columns that have a type of their own, in Parquet; their text is ISO.
    """

    text: pd.DataFrame
    line: np.ndarray
    place: np.ndarray
    rejects: pd.DataFrame
    typed: frozenset[str] = frozenset()

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
        try:
            return _text_cells(connection, plain, dialect, header, sources)
        except duckdb.OutOfMemoryException as error:
            raise ResourceError(f"{plain.name} does not fit into memory. Split the export by year.") from error
        except duckdb.Error as error:
            said = printable(str(error).splitlines()[0], limit=200)
            raise DataError(f"{plain.name} cannot be cut into rows: {said} Export it again.") from error


def _text_cells(
    connection: duckdb.DuckDBPyConnection, plain: PlainFile, dialect: Dialect, header: Header, sources: Mapping[str, str]
) -> Cells:
    _load(connection, plain, dialect, header)
    rejects = connection.execute(
        "SELECT line, arg_min(error_type, byte_position) AS error, "
        r"any_value(length(ltrim(csv_line, chr(10))) - length(replace(ltrim(csv_line, chr(10)), chr(10), ''))) AS inner_breaks "
        "FROM reject_errors GROUP BY line ORDER BY line"
    ).df()
    lines, n_breaks = _lines(connection, plain, header, rejects)
    shapeless = pd.DataFrame({"line": lines.rejected, "rule": rejects["error"].map(_SHAPE_RULES).fillna("F12-shape")})
    broken = _broken_rows(connection, header, plain, lines)
    if n_breaks:
        refuse_swallowed_rows(connection, plain, dialect, header, lines)
    chosen = ", ".join(f"c{header.names.index(source)} AS k{at}" for at, source in enumerate(sources.values()))
    text = connection.sql(f"SELECT {chosen} FROM cells ORDER BY rowid").to_arrow_table().to_pandas()
    text.columns = pd.Index(list(sources))
    kept = ~np.isin(np.arange(len(text)), broken["row"])
    unfit = pd.concat([shapeless, pd.DataFrame({"line": lines.accepted[broken["row"]], "rule": broken["rule"]})])
    return Cells(text[kept].reset_index(drop=True), lines.accepted[kept], lines.accepted_place[kept], unfit.sort_values("line"))


def _load(connection: duckdb.DuckDBPyConnection, plain: PlainFile, dialect: Dialect, header: Header) -> None:
    """Read the file once into the table `cells`.

    One thread reads, for several may disagree on a line break within quotes. No text stands for a missing cell, as DuckDB
    lets a row be too long where the cell beyond the last is missing.
    """
    columns = ", ".join(f"c{at}: 'VARCHAR'" for at in range(header.n_cells))
    quote = _literal(dialect.quote)
    connection.execute(
        f"CREATE TABLE cells AS FROM read_csv({_literal(str(plain.path))}, columns = {{{columns}}}, auto_detect = false, "
        f"all_varchar = true, strict_mode = true, header = false, skip = {header.n_records}, new_line = '\\n', comment = '', "
        f"delim = {_literal(dialect.separator)}, quote = {quote}, escape = {quote}, parallel = false, "
        f"nullstr = '{_NO_TEXT}', store_rejects = true, rejects_limit = 0, max_line_size = {MAX_ROW})"
    )
    n_rows = connection.execute("SELECT count(*) FROM cells").fetchone()[0]
    if n_rows > MAX_ROWS:
        raise ResourceError(f"{plain.name} has {n_rows:,} rows, more than {MAX_ROWS:,}. Split it by year or export Parquet.")


def _lines(
    connection: duckdb.DuckDBPyConnection, plain: PlainFile, header: Header, rejects: pd.DataFrame
) -> tuple[RowLines, int]:
    """Return where the rows stand, and how many line breaks there are within their cells."""
    n_accepted = connection.execute("SELECT count(*) FROM cells").fetchone()[0]
    inner = np.zeros(n_accepted, dtype=np.int64)
    if n_accepted + len(rejects) != len(plain.line_ends) - header.n_lines:
        joined = f"concat_ws('', {', '.join(f'c{at}' for at in range(header.n_cells))})"
        breaks = connection.execute(
            f"SELECT rowid AS row, length(cell) - length(replace(cell, chr(10), '')) AS n FROM (SELECT rowid, {joined} AS cell "
            "FROM cells) WHERE contains(cell, chr(10))"
        ).fetchnumpy()
        inner[breaks["row"]] = breaks["n"]
    rejected = RejectedRows(
        at=rejects["line"].to_numpy(dtype=np.int64) - header.n_records - 1,
        inner=rejects["inner_breaks"].to_numpy(dtype=np.int64),
    )
    layout = Layout(plain.line_ends, header.n_lines, blanks_are_rows=header.n_cells == 1)
    return row_lines(layout, inner, rejected, name=plain.name), int(inner.sum())


def _broken_rows(connection: duckdb.DuckDBPyConnection, header: Header, plain: PlainFile, lines: RowLines) -> pd.DataFrame:
    """Return the accepted rows that hold what no cell should; a second export below the first is refused outright."""
    second = connection.execute("SELECT min(rowid) FROM cells WHERE starts_with(c0, chr(65279))").fetchone()[0]
    if second is not None:
        raise DataError(
            f"{plain.name}, line {lines.accepted[second]}: a second file begins here, so two exports were put together. "
            "Keep them apart and name a pattern in conf/crm.yaml."
        )
    tests = [(f"strlen(c{at}) > {MAX_CELL}", "F18-long-cell") for at in range(header.n_cells)]
    tests += [(f"c{len(header.names)} <> ''", "F12-long-row")] * header.is_padded
    if plain.has_nul:
        tests += [(f"contains(c{at}, chr(0))", "F17-nul") for at in range(header.n_cells)]
    cases = " ".join(f"WHEN {test} THEN '{rule}'" for test, rule in tests)
    return connection.execute(
        f"FROM (SELECT rowid AS row, CASE {cases} END AS rule FROM cells) WHERE rule IS NOT NULL ORDER BY row"
    ).df()


def _parquet_cells(plain: PlainFile, sources: Mapping[str, str], option: str) -> Cells:
    faults = name_faults(plain.name, column_names(plain.path, plain.name), sources.values(), option=option)
    if faults:
        raise DataError("\n".join(faults))
    table = read_whole(plain.path, plain.name, list(dict.fromkeys(sources.values())))
    columns = {column: as_text(table.column(source), plain.name) for column, source in sources.items()}
    places = np.arange(1, table.num_rows + 1)
    typed = frozenset(column for column, source in sources.items() if not pa.types.is_string(_flat(table.column(source).type)))
    return Cells(pa.table(columns).to_pandas(), places, places, _no_rejects(), typed)


def _no_rejects() -> pd.DataFrame:
    return pd.DataFrame({"line": np.array([], dtype=np.int64), "rule": np.array([], dtype=str)})


def _flat(kind: pa.DataType) -> pa.DataType:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if pa.types.is_large_string(inner) or pa.types.is_string_view(inner) else inner


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
