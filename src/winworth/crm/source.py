"""One exported file becomes plain text on disk, within limits, or an error that says what it is instead."""

import gzip
import hashlib
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from winworth.crm.plaintext import write_plain_text
from winworth.crm.wording import printable
from winworth.errors import DataError, ResourceError, listed

MAX_FILE = 2 << 30
MAX_PLAIN = 4 << 30
MAX_RATIO = 100
RATIO_FREE = 1 << 20  # a file of a few identical rows may shrink more than MAX_RATIO and harm nobody
BLOCK = 1 << 20
TEXT_SUFFIXES = (".csv", ".txt", ".tsv")

_NOT_TEXT = {
    b"PK\x03\x04": "an Excel workbook or another zip archive. Export it as CSV.",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook. Export it as CSV.",
    b"%PDF": "a PDF document. Export the table as CSV.",
    b"\x1f\x8b": "a gzip archive. Name it .csv.gz.",
    b"PAR1": "a Parquet file. Name it .parquet.",
}
_MARKUP = re.compile(rb"\s*<(!doctype|html|table|\?xml)", re.IGNORECASE)


@dataclass(frozen=True)
class PlainFile:
    """A file as it can be read: UTF-8 with line ends `\\n`, or Parquet as it came.

    `line_ends` holds the byte offset behind each line. `has_nul` says whether a NUL character occurs.
    """

    name: str
    path: Path
    sha256: str
    line_ends: np.ndarray
    has_nul: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def is_parquet(self) -> bool:
        """Whether the columns have types of their own."""
        return self.name.lower().endswith(".parquet")

    @property
    def is_empty(self) -> bool:
        """Whether a text file holds no character but line ends."""
        return not self.is_parquet and len(self.line_ends) == (int(self.line_ends[-1]) if len(self.line_ends) else 0)


def unpack(path: Path, target: Path, *, name: str, encoding: str | None) -> PlainFile:
    """Write the text of the file at `path` to `target`; `name` is what messages call it.

    Raises DataError for what is no readable text, ResourceError for what passes a limit.
    """
    before = _regular_file(path, name)
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}. Look at the drive, or copy the export again.") from error
    try:
        plain = _written(path, target, name, encoding)
    except OSError as error:
        raise ResourceError(f"{name} cannot be unpacked below {target.parent}: {error.strerror}. Free some space.") from error
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DataError(f"{name} changed while it was read. Wait for the export to end and run again.")
    return replace(plain, sha256=sha256)


def _regular_file(path: Path, name: str) -> os.stat_result:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Put the export there or mend `file` in conf/crm.yaml.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(found.st_mode):
        raise DataError(f"{path} is not a regular file. Name the exported file itself in conf/crm.yaml.")
    if not os.access(path, os.R_OK):
        raise DataError(f"{path} cannot be read: permission denied.")
    if found.st_size > MAX_FILE:
        raise ResourceError(f"{name} has {found.st_size:,} bytes, more than {MAX_FILE:,}. Split the export by year.")
    return found


def _written(path: Path, target: Path, name: str, encoding: str | None) -> PlainFile:
    if path.suffix.lower() == ".parquet":
        _copy_parquet(path, target, name)
        return PlainFile(name, target, "", np.array([], dtype=np.int64))
    _refuse_what_is_not_text(next(_blocks(path, name), b""), name)
    text = write_plain_text(lambda: _blocks(path, name), target, name=name, encoding=encoding)
    return PlainFile(name, target, "", text.line_ends, text.has_nul, text.warnings)


def _copy_parquet(path: Path, target: Path, name: str) -> None:
    with path.open("rb") as file, target.open("wb") as out:
        if file.read(4) != b"PAR1":
            raise DataError(f"{name} is not a Parquet file, whatever its name says.")
        file.seek(0)
        while block := file.read(BLOCK):
            out.write(block)


def _refuse_what_is_not_text(first: bytes, name: str) -> None:
    for magic, what in _NOT_TEXT.items():
        if first.startswith(magic):
            raise DataError(f"{name} is {what}")
    if _MARKUP.match(first):
        raise DataError(f"{name} is a web page or XML. Export the table as CSV.")


def _blocks(path: Path, name: str) -> Iterator[bytes]:
    most = min(MAX_PLAIN, max(RATIO_FREE, MAX_RATIO * path.stat().st_size))
    size = 0
    try:
        with _opened(path, name) as file:
            while size <= most and (block := file.read(BLOCK)):
                size += len(block)
                yield block
    except (zipfile.BadZipFile, OSError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError) as error:
        raise DataError(f"{name} cannot be unpacked: {error}. Export or copy it again.") from error
    if size > most:
        raise ResourceError(
            f"{name} unpacks to more than {most:,} bytes ({MAX_RATIO} times its size, or {MAX_PLAIN:,}). "
            "Unpack it by hand and look at it first."
        )


@contextmanager
def _opened(path: Path, name: str) -> Iterator[IO[bytes]]:
    *_, inner, outer = "", "", *(suffix.lower() for suffix in path.suffixes)
    if outer == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_only_member(archive, name)) as file:
            yield file
    elif outer == ".gz" and inner in TEXT_SUFFIXES:
        with gzip.open(path) as file:
            yield file
    elif outer in TEXT_SUFFIXES:
        with path.open("rb") as file:
            yield file
    else:
        raise DataError(f"{name} is of no kind that is read. Export it as .csv, .txt, .tsv, .csv.gz, .zip or .parquet.")


def _only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) != 1:
        names = listed(printable(member.filename) for member in members)
        raise DataError(f"{name} holds {len(members)} members ({names}) where one is read. Pack the CSV file alone.")
    member = members[0]
    shown = printable(member.filename)
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in member.filename:
        raise DataError(f'{name} holds "{shown}", a path that leaves its folder. Do not trust this archive.')
    if member.is_dir() or stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG) or member.flag_bits & 1:
        raise DataError(f'{name} holds "{shown}", a folder, a link or an encrypted file. Pack the plain CSV file.')
    if path.suffix.lower() not in TEXT_SUFFIXES:
        raise DataError(f'{name} holds "{shown}", which is no .csv, .txt or .tsv file. Pack the CSV file alone.')
    return member
