"""Tables in pieces on disk become one file in order, in little memory: what is sorted spills to disk."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from winworth.sheets import BOM, to_csv

ROWS = 5_000  # held at once, and in a row group of what is written
SORT_MEMORY = "100MB"


@dataclass(frozen=True)
class Merged:
    """Pieces of one table, the columns that put its rows in order, and those of them that are not written."""

    pieces: Sequence[Path]
    by: Sequence[str]
    left_out: Sequence[str] = ()

    @property
    def schema(self) -> pa.Schema:
        """Return what is written: of each column the type that holds the values of all pieces."""
        every = pa.unify_schemas([_told(path) for path in self.pieces], promote_options="permissive")
        first = pq.read_schema(self.pieces[0])
        fields = [first.field(field.name) if pa.types.is_null(field.type) else field for field in every]
        return pa.schema([field for field in fields if field.name not in self.left_out])

    def batches(self, scratch: Path) -> Iterator[pa.Table]:
        """Yield the rows in order; missing ones come last."""
        import duckdb

        kept = self.schema
        names = ", ".join(map(_quoted, kept.names))
        order = ", ".join(f"{_quoted(name)} NULLS LAST" for name in self.by)
        settings = {
            "threads": 1,
            "memory_limit": SORT_MEMORY,
            "temp_directory": str(scratch),
            "preserve_insertion_order": False,
        }
        with duckdb.connect(config=settings) as connection:
            pieces = connection.from_parquet([str(path) for path in self.pieces], union_by_name=True)
            rows = pieces.order(order).project(names)
            for batch in rows.to_arrow_reader(ROWS):
                yield pa.Table.from_batches([batch]).cast(kept)


def write_merged(merged: Merged, parquet: Path, csv: Path | None, *, scratch: Path, excel_fr: bool = False) -> None:
    """Write the rows in order as Parquet, and as the CSV that `to_csv` writes."""
    schema, how = merged.schema, {"version": "2.6", "compression": "zstd", "compression_level": 3, "store_schema": False}
    with _written(csv) as text, pq.ParquetWriter(parquet, schema, **how) as writer:
        if text is not None:
            text.write(to_csv(schema.empty_table().to_pandas(), excel_fr=excel_fr))
        for batch in merged.batches(scratch):
            writer.write_table(batch)
            if text is not None:
                text.write(_without_header(to_csv(batch.to_pandas(), excel_fr=excel_fr)))


@contextmanager
def _written(path: Path | None) -> Iterator[IO[bytes] | None]:
    if path is None:
        yield None
        return
    with path.open("xb") as file:
        yield file


def _without_header(csv: bytes) -> bytes:
    return csv.removeprefix(BOM.encode()).partition(b"\n")[2]


def _told(path: Path) -> pa.Schema:
    """Return a piece's columns; one without a value has no type of its own, whatever pandas took it for."""
    schema, metadata = pq.read_schema(path).remove_metadata(), pq.read_metadata(path)
    chunks = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    for at, field in enumerate(schema):
        found = [(chunk.num_rows, chunk.column(at).statistics) for chunk in chunks]
        if all(told is not None and told.has_null_count and told.null_count == n for n, told in found):
            schema = schema.set(at, field.with_type(pa.null()))
    return schema


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
