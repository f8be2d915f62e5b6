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

    def batches(self, scratch: Path) -> Iterator[pa.Table]:
        """Yield the rows in order, in the types of the pieces; missing ones come last."""
        import duckdb

        schema = pq.read_schema(self.pieces[0])
        kept = pa.schema([field for field in schema if field.name not in self.left_out])
        names = ", ".join(map(_quoted, kept.names))
        order = ", ".join(f"{_quoted(name)} NULLS LAST" for name in self.by)
        settings = {
            "threads": 1,
            "memory_limit": SORT_MEMORY,
            "temp_directory": str(scratch),
            "preserve_insertion_order": False,
        }
        with duckdb.connect(config=settings) as connection:
            rows = connection.from_parquet([str(path) for path in self.pieces]).order(order).project(names)
            for batch in rows.to_arrow_reader(ROWS):
                yield pa.Table.from_batches([batch]).cast(kept)


def write_merged(merged: Merged, parquet: Path, csv: Path | None, *, scratch: Path, excel_fr: bool = False) -> None:
    """Write the rows in order as Parquet, and as the CSV that `to_csv` writes."""
    with _written(csv) as text:
        writer = None
        for batch in merged.batches(scratch):
            writer = writer or pq.ParquetWriter(
                parquet, batch.schema, version="2.6", compression="zstd", compression_level=3, store_schema=False
            )
            writer.write_table(batch)
            if text is not None:
                text.write(_without_header(to_csv(batch.to_pandas(), excel_fr=excel_fr), is_first=text.tell() == 0))
        if writer is not None:
            writer.close()


@contextmanager
def _written(path: Path | None) -> Iterator[IO[bytes] | None]:
    if path is None:
        yield None
        return
    with path.open("xb") as file:
        yield file


def _without_header(csv: bytes, *, is_first: bool) -> bytes:
    return csv if is_first else csv.removeprefix(BOM.encode()).partition(b"\n")[2]


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
