"""Bytes of any encoding and line end become UTF-8 lines on disk."""

import codecs
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from winworth.errors import ConfigError, DataError

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_LONGEST_MARK = 3


@dataclass(frozen=True)
class PlainText:
    """What was written: the byte offset behind each line, whether a NUL occurs, and what a person should know."""

    line_ends: np.ndarray
    has_nul: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _BadByte:
    line: int
    offset: int


def write_plain_text(read: Callable[[], Iterable[bytes]], target: Path, *, name: str, encoding: str | None) -> PlainText:
    """Decode the blocks that `read` gives, once or twice, and write them to `target` with line ends `\\n`.

    A byte order mark settles the encoding; then `encoding` does; then UTF-8 is tried, and after it cp1252 with a warning
    that names the first byte that is not UTF-8. Latin-1, which decodes anything, is never tried.
    """
    first = next(iter(read()), b"")[:_LONGEST_MARK]
    codec = next((codec for mark, codec in _MARKS.items() if first.startswith(mark)), encoding)
    if codec is not None:
        _refuse_unknown(codec, name)
        return _unless_bad(_write(read(), target, codec), codec, name)
    found = _write(read(), target, "utf-8")
    if isinstance(found, PlainText):
        return found
    plain = _unless_bad(_write(read(), target, "cp1252"), "cp1252", name)
    warning = (
        f"{name} is not UTF-8: the first other byte is in line {found.line}, at byte {found.offset}. It was read as cp1252. "
        "Declare its `encoding` in conf/crm.yaml."
    )
    return PlainText(plain.line_ends, plain.has_nul, (warning,))


def _refuse_unknown(codec: str, name: str) -> None:
    try:
        codecs.getincrementaldecoder(codec)
    except LookupError:
        raise ConfigError(f"{name}: there is no encoding {codec!r}. Known: utf-8, cp1252, utf-16 and others.") from None


def _unless_bad(found: PlainText | _BadByte, codec: str, name: str) -> PlainText:
    if isinstance(found, PlainText):
        return found
    raise DataError(
        f"{name}, line {found.line}: byte {found.offset} of the file is not {codec}. Declare its `encoding` in conf/crm.yaml."
    )


def _write(blocks: Iterable[bytes], target: Path, codec: str) -> PlainText | _BadByte:
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(codec)(), translate=True)
    ends: list[np.ndarray] = [np.array([], dtype=np.int64)]
    n_bytes = n_written = n_lines = 0
    has_nul = False
    last = b"\n"
    with target.open("wb") as out:
        for block in _and_the_end(blocks):
            n_bytes += len(block)
            try:
                plain = decoder.decode(block, final=not block).encode()
            except UnicodeDecodeError as error:
                line = n_lines + 1 + _n_line_ends(error.object[: error.start])
                return _BadByte(line, n_bytes - len(error.object) + error.start)
            last = plain[-1:] or last
            if not block and last != b"\n":
                plain += b"\n"
            out.write(plain)
            ends.append(np.flatnonzero(np.frombuffer(plain, dtype=np.uint8) == ord("\n")) + n_written + 1)
            n_written, n_lines = n_written + len(plain), n_lines + len(ends[-1])
            has_nul = has_nul or b"\0" in plain
    return PlainText(np.concatenate(ends), has_nul)


def _and_the_end(blocks: Iterable[bytes]) -> Iterator[bytes]:
    yield from (block for block in blocks if block)
    yield b""


def _n_line_ends(text: bytes) -> int:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n")
