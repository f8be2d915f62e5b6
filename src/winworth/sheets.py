"""Tables as bytes: CSV that no spreadsheet takes for a formula, and Parquet that is the same every time."""

import io
import json
import math
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from winworth.errors import DataError

BOM = "\ufeff"
# What a spreadsheet may run, after the blanks and invisible letters that it skips (OWASP ASVS 5.0, 1.2.10).
_SKIPPED = r"[\s\ufeff\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069]*"
_RUNS = r"[=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"
# Quotes in front belong to the pattern, so that reading gives back a text that began with a quote of its own.
_DANGEROUS = re.compile(f"'*{_SKIPPED}{_RUNS}")
_GUARDED = re.compile(f"'{_DANGEROUS.pattern}")
_FIRST = re.compile(r'(?:"(?:[^"]|"")*"|[^",;\r\n]*)([,;]?)')
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?")


def to_csv(frame: pd.DataFrame, *, excel_fr: bool = False) -> bytes:
    """Write a table, without its index, as CSV that is safe to open in a spreadsheet.

    Text is always quoted, and gets a leading ' where a spreadsheet would run it; headers too. Numbers have ten significant
    digits, integers all of theirs, dates are ISO, a missing value is empty. `excel_fr` is what a French Excel opens on a
    double click: byte-order mark, semicolons, decimal comma.

    >>> print(to_csv(pd.DataFrame({"name": ["=1+1", "Zoé"], "score": [0.1, None]})).decode())
    "name","score"
    "'=1+1",0.1
    "Zoé",
    <BLANKLINE>
    """
    if frame.shape[1] == 0:
        return b""
    columns = [[_text(name), *_cells(frame.iloc[:, place], excel_fr)] for place, name in enumerate(frame.columns)]
    separator = ";" if excel_fr else ","
    lines = "\n".join(map(separator.join, zip(*columns, strict=True)))
    return ((BOM if excel_fr else "") + lines + "\n").encode()


def from_csv(content: bytes) -> pd.DataFrame:
    """Read a table that `to_csv` wrote, with or without `excel_fr`, and take the leading ' off again.

    A quoted cell is text, whatever it looks like. Raises DataError for what is no such file.

    >>> from_csv(to_csv(pd.DataFrame({"name": ["=1+1", "007"], "score": [0.1, None]}), excel_fr=True))
       name  score
    0  =1+1    0.1
    1   007    NaN
    """
    try:
        text = content.decode().removesuffix("\n") + "\n"
    except UnicodeDecodeError as error:
        raise DataError(f"this is no CSV of winworth: byte {error.start} is not UTF-8. Write the file again.") from error
    if text == "\n":
        return pd.DataFrame()
    separator = _FIRST.match(text.removeprefix(BOM)).group(1) or (";" if text.startswith(BOM) else ",")
    cells, width = _split(text.removeprefix(BOM), separator)
    columns = [_column(cells[width + place :: width], separator) for place in range(width)]
    return pd.DataFrame(dict(enumerate(columns))).set_axis([_untext(name) for name in cells[:width]], axis=1)


def runs(text: str) -> bool:
    """Tell whether a spreadsheet might run a text as a formula, so that `to_csv` writes it with a leading '.

    >>> runs("=1+1"), runs("Zoé")
    (True, False)
    """
    return bool(_DANGEROUS.match(text))


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Write a table, without its index, as Parquet whose bytes depend on the table alone.

    >>> to_parquet(pd.DataFrame({"score": [7]}))[:4]
    b'PAR1'
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = io.BytesIO()
    # store_schema would write pandas' own notes, which tell the index and how strings were held
    pq.write_table(table, sink, version="2.6", compression="zstd", compression_level=3, store_schema=False)
    return sink.getvalue()


def to_json(document: dict) -> bytes:
    r"""Write a document whose bytes depend on it alone; what is not a finite number is null.

    >>> to_json({"share": float("nan"), "name": "Zoé"}).decode()
    '{\n "share": null,\n "name": "Zoé"\n}\n'
    """
    return (json.dumps(_finite(document), ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _split(text: str, separator: str) -> tuple[list[str], int]:
    """Return all cells, header first and quotes still on, and how many make a record."""
    found = re.findall(rf'("(?:[^"]|"")*"|[^"{separator}\r\n]*)({separator}|\r?\n)', text)
    if sum(len(cell) + len(after) for cell, after in found) != len(text):
        raise DataError("this is no CSV of winworth: a quote stands inside a cell. Write the file again.")
    ends = [place for place, (_, after) in enumerate(found, start=1) if after != separator]
    width = ends[0]
    for record, end in enumerate(ends, start=1):
        if end != record * width:
            raise DataError(f"record {record} has not the {width} cells of the header. Write the file again.")
    return [cell for cell, _ in found], width


def _cells(column: pd.Series, excel_fr: bool) -> list[str]:
    kind = column.dtype
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_integer_dtype(kind):
        return ["" if value is pd.NA else str(value).lower() for value in column.astype(object)]
    if pd.api.types.is_float_dtype(kind):
        numbers = [_number(value) for value in column.to_numpy(dtype=float, na_value=float("nan")).tolist()]
        return [number.replace(".", ",") for number in numbers] if excel_fr else numbers
    if pd.api.types.is_datetime64_any_dtype(kind):
        days = column.dropna()
        form = "%Y-%m-%d" if (days == days.dt.normalize()).all() else "%Y-%m-%dT%H:%M:%S%z"
        return column.dt.strftime(form).fillna("").tolist()
    return [_text(value) if type(value) is str else _cell(value, excel_fr) for value in column.astype(object)]


def _cell(value: Any, excel_fr: bool) -> str:
    """Write one value of a column of mixed kinds."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if pd.api.types.is_bool(value) or pd.api.types.is_integer(value):
        return str(value).lower()
    if pd.api.types.is_float(value):
        return _number(value).replace(".", "," if excel_fr else ".")
    return _text(value)


def _number(value: float) -> str:
    return "" if value != value else f"{value + 0.0:.10g}"  # + 0.0 makes -0.0 a zero


def _text(value: Any) -> str:
    text = str(value).replace('"', '""')
    return f'"\'{text}"' if _DANGEROUS.match(text) else f'"{text}"'


def _untext(cell: str) -> str:
    text = cell[1:-1].replace('""', '"') if cell.startswith('"') else cell
    return text[1:] if _GUARDED.match(text) else text


def _column(cells: Sequence[str], separator: str) -> pd.Series:
    known = set(cells) - {""}
    if any(cell.startswith('"') for cell in known):
        return _texts(cells)
    if known and known <= {"true", "false"}:
        return pd.Series([{"true": True, "false": False}.get(cell) for cell in cells], dtype="boolean" if "" in cells else bool)
    if known and all(_ISO_DAY.fullmatch(cell) for cell in known):
        return pd.to_datetime(pd.Series(cells, dtype=object).replace("", None), format="ISO8601")
    numbers = [cell.replace(",", ".") for cell in cells] if separator == ";" else cells
    try:
        return pd.to_numeric(pd.Series(numbers, dtype=object))
    except ValueError:
        return _texts(cells)


def _texts(cells: Sequence[str]) -> pd.Series:
    return pd.Series([_untext(cell) if cell else None for cell in cells], dtype="str")
