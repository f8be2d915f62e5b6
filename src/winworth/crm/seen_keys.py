"""Which keys of a table were met in two parts of it, in memory that does not grow with the table."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import numpy as np

N_FILES = 64
_RECORD = np.dtype([("key", "<u8"), ("part", "<u2")])


class SeenKeys:
    """Numbers that stand for keys, each with the part it was met in, spread over files by the number."""

    def __init__(self, folder: Path, files: list[IO[bytes]]):
        self.folder, self._files = folder, files

    def add(self, keys: np.ndarray, parts: np.ndarray) -> None:
        """Note keys (uint64), each with the part it was met in."""
        rows = np.zeros(len(keys), dtype=_RECORD)
        rows["key"], rows["part"] = keys, parts
        file = keys % np.uint64(N_FILES)
        rows = rows[np.argsort(file, kind="stable")]
        ends = np.cumsum(np.bincount(file.astype(np.int64), minlength=N_FILES))
        for at, (start, end) in enumerate(zip(np.r_[0, ends], ends, strict=False)):
            if end > start:
                self._files[at].write(rows[start:end].tobytes())

    def in_two_parts(self) -> np.ndarray:
        """Return the keys met in more than one part, sorted."""
        found = [np.array([], dtype=np.uint64)]
        for file in self._files:
            file.flush()
            file.seek(0)
            rows = np.frombuffer(file.read(), dtype=_RECORD)
            order = np.argsort(rows["key"], kind="stable")
            key, part = rows["key"][order], rows["part"][order]
            found.append(np.unique(key[1:][(key[1:] == key[:-1]) & (part[1:] != part[:-1])]))
        return np.sort(np.concatenate(found))


@contextmanager
def seen_keys(scratch: Path) -> Iterator[SeenKeys]:
    """Keep the files below `scratch` as long as they are needed."""
    with TemporaryDirectory(prefix="keys-", dir=scratch) as folder, ExitStack() as stack:
        yield SeenKeys(scratch, [stack.enter_context((Path(folder) / str(at)).open("w+b")) for at in range(N_FILES)])
