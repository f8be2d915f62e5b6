"""The header of a file, held against the columns that the map names: every fault of it in one message."""

import csv
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from winworth.crm.source import PlainFile
from winworth.crm.wording import quoted
from winworth.errors import DataError, ResourceError

MAX_COLUMNS = 500
SEPARATORS = ",;\t|"
_PEEKED = 20


@dataclass(frozen=True)
class Dialect:
    """How a file parts its cells. A doubled quote stands for itself; an empty one means that none is used."""

    separator: str
    quote: str


@dataclass(frozen=True)
class Header:
    """The names above the columns, and the records and physical lines they take, a first line `sep=;` included.

    `is_padded` says that rows end in a separator, with an empty cell behind it that has no name.
    """

    names: tuple[str, ...]
    n_records: int
    n_lines: int
    is_padded: bool

    @property
    def n_cells(self) -> int:
        """How many cells a row has."""
        return len(self.names) + self.is_padded


def read_header(plain: PlainFile, dialect: Dialect, sources: Collection[str], *, option: str) -> Header:
    """Read the names above the columns of a text file.

    Raises DataError, with every fault found, where a mapped name is absent, where a name repeats, or where the rows do not
    have as many cells as the header. `option` is the part of conf/crm.yaml that a message points to.
    """
    with plain.path.open(encoding="utf-8", newline="\n") as lines:
        first = lines.readline()
        declares = len(first) == len("sep=;\n") and first.lower().startswith("sep=")
        if not declares:
            lines.seek(0)
        records = _records(lines, dialect)
        try:
            names = next(records, [])
        except csv.Error as error:
            raise DataError(f"{plain.name}, line 1: the header cannot be read: {error}. Export it again.") from error
        n_lines = records.line_num + declares
        widths, is_padded = _widths(records, len(names))
    header = Header(tuple(names), 1 + declares, n_lines, is_padded)
    faults = [*name_faults(plain.name, names, sources, option=option)]
    faults = _separator_faults(plain, first, dialect, names, sources, option) or faults
    if not faults and widths and header.n_cells not in widths:
        width, _ = widths.most_common(1)[0]
        faults.append(
            f"{plain.name}, line {header.n_lines + 1}: the row has {width} fields, the header {len(names)}, and no row fits. "
            "The values would stand under the wrong names. Export it again."
        )
    if faults:
        raise DataError("\n".join(faults))
    return header


def name_faults(name: str, names: Sequence[str], sources: Collection[str], *, option: str) -> list[str]:
    """Return a sentence on the repeated names of a header and one on the mapped names that it lacks."""
    if len(names) > MAX_COLUMNS:
        raise ResourceError(f"{name} has {len(names)} columns, more than {MAX_COLUMNS}. Export those that are mapped.")
    faults = []
    twice = [column for column, count in Counter(names).items() if count > 1 and column]
    if twice:
        faults.append(f"{name}, line 1: the header has {quoted(twice)} more than once. Rename the columns in the export.")
    absent = [source for source in dict.fromkeys(sources) if source not in names]
    if absent:
        lacking = "; ".join(_with_candidates(source, names) for source in absent)
        faults.append(f"{name}, line 1: the header lacks {lacking}. Mend `source` in conf/crm.yaml under {option}.columns.")
    return faults


def _with_candidates(source: str, names: Sequence[str]) -> str:
    plain = {_folded(name): name for name in names if name}
    near = [plain[word] for word in get_close_matches(_folded(source), plain, n=3, cutoff=0.7)]
    return quoted([source]) + (f" (nearest: {quoted(near)})" if near else f" (the header has {quoted(names)})")


def _folded(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if letter.isalnum() and not unicodedata.combining(letter)).casefold()


def _separator_faults(
    plain: PlainFile, first: str, dialect: Dialect, names: Sequence[str], sources: Collection[str], option: str
) -> list[str]:
    if any(source in names for source in sources) or not names:
        return []
    with plain.path.open(encoding="utf-8", newline="\n") as lines:
        line = next(islice(lines, int(first.lower().startswith("sep=")), None), "")
    others = [separator for separator in SEPARATORS if separator != dialect.separator and separator in line]
    if not others:
        return []
    likely = max(others, key=line.count)
    found = f"{len(names)} column{'s' if len(names) > 1 else ''}, {quoted(names)}"
    return [
        f"{plain.name}, line 1: parted by {_shown(dialect.separator)} the header has {found}. "
        f"It looks parted by {_shown(likely)}: set {option}.separator in conf/crm.yaml."
    ]


def _shown(separator: str) -> str:
    return "a tab" if separator == "\t" else f'"{separator}"'


def _records(lines, dialect: Dialect):
    if not dialect.quote:
        return csv.reader(lines, delimiter=dialect.separator, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=dialect.separator, quotechar=dialect.quote, strict=True)


def _widths(records, n_names: int) -> tuple[Counter[int], bool]:
    """Count how many cells the first rows have, and say whether each ends in an empty one too many."""
    peeked = []
    with suppress(csv.Error):  # the reader of all rows says which one it is
        peeked += (record for record in islice(records, _PEEKED) if record)
    is_padded = bool(peeked) and all(len(record) == n_names + 1 and not record[-1] for record in peeked)
    return Counter(map(len, peeked)), is_padded
