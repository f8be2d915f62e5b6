"""A Parquet file is what it says, every value valid, or refused with a sentence: a damaged one may come from anywhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from winworth.errors import DataError


def read_whole(path: Path, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the table of some columns, or of all; raises DataError, calling the file `name`, where it is damaged."""
    with refusing_damage(name):
        table = pq.read_table(path, columns=columns, pre_buffer=False)
        table.validate(full=True)  # text that is not UTF-8, levels that their dictionary does not have
    return table


def column_names(path: Path, name: str) -> list[str]:
    """Return the names of a Parquet file's columns; raises DataError where it is damaged."""
    with refusing_damage(name):
        return pq.read_schema(path).names


def as_text(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Write a typed column as ISO text; a time of day is cut to its day. Raises DataError for what has no text."""
    with refusing_damage(name):
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp(column.type.unit)).cast(pa.date32(), safe=False)
        return column.cast(pa.string())


@contextmanager
def refusing_damage(name: str) -> Iterator[None]:
    """Turn what reading a damaged Parquet file says into a DataError that calls it `name`."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"{name} cannot be read as Parquet: {said}. Export it again.") from error
