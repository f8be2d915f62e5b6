"""What people and spreadsheets do to an export: the same cells spelt otherwise, rows twice, and rows that say what cannot be.

Spelling is mended by reading, repeated rows are dropped, and each row that cannot be is put aside: nothing else changes. What
reading refuses outright, as a status that no one mapped, is not here (FAULTS F56: a mapping is a contract).
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

SHARE = 0.06  # of cells, spelt otherwise
N_TWICE = 12  # rows of a table with a key
N_EACH = 3  # faulty rows of each kind
THOUSANDS = ("", " ", "\u00a0", "\u202f", ".", "'")
BLANKS = (" ", "\u00a0", "\t", "  ")
NO_SUCH_DAY = ("30/02/2025", "31/04/2025", "29/02/2023", "00/12/2024")
NO_NUMBER = ("n.c.", "env. 12 000", "12,5,3", "#REF!")
NO_ACCOUNT = "A999999"


@dataclass(frozen=True)
class Soiled:
    """The lines of a file, and how many of its rows are to be put aside and how many dropped as repeated."""

    lines: list[str]
    n_faulty: int
    n_repeated: int


def soil(text: pd.DataFrame, kinds: Mapping[str, str], key: str | None, *, separator: str, seed: int) -> Soiled:
    """Soil a table of text: `kinds` tells by header what its cells are (id, level, number, date), `key` is that of its ids."""
    rng = np.random.default_rng(seed)
    spelt = text.assign(**{header: _respell(rng, cells, kinds[header]) for header, cells in text.items()})
    lines = [separator.join("" if pd.isna(cell) else str(cell) for cell in row) for row in spelt.itertuples(index=False)]
    twice = rng.choice(len(lines), min(N_TWICE, len(lines)), replace=False) if key else np.array([], dtype=int)
    faulty = _faulty_rows(rng, text, kinds, key, separator)
    spots = rng.choice(len(lines), len(faulty))
    after: dict[int, list[str]] = {}
    for at, line in [*((int(at), lines[at]) for at in twice), *zip(spots.tolist(), faulty, strict=True)]:
        after.setdefault(at, []).append(line)
    every = [out for at, line in enumerate(lines) for out in (line, *after.get(at, ()))]
    return Soiled([separator.join(text.columns), *every], len(faulty), len(twice))


def _respell(rng: np.random.Generator, cells: pd.Series, kind: str) -> pd.Series:
    """Spell some cells otherwise, so that they mean the same."""
    chosen = (rng.random(len(cells)) < SHARE) & cells.notna().to_numpy()
    spell = _SPELL[kind]
    spelt = cells.astype(object).to_numpy(copy=True)
    spelt[chosen] = [spell(rng, str(cell)) for cell in spelt[chosen]]
    return pd.Series(spelt, cells.index)


def _otherwise_parted(rng: np.random.Generator, number: str) -> str:
    """Part thousands with another mark, add zeros, and leave blanks around."""
    whole, comma, rest = number.replace("\u202f", "").partition(",")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    parted = f"{int(digits):,}".replace(",", str(rng.choice(THOUSANDS))) if digits.isdigit() else digits
    return _with_blanks(rng, sign + parted + (comma + rest if comma else rng.choice(["", ",0", ",00"])))


def _unpadded(rng: np.random.Generator, day: str) -> str:
    return "/".join(part.lstrip("0") for part in day.split("/"))


def _decomposed(rng: np.random.Generator, word: str) -> str:
    """Write accents as signs of their own, as some systems do, and leave blanks and what cannot be seen."""
    return _with_blanks(rng, unicodedata.normalize("NFD", word) + str(rng.choice(["", "\u200b"])) * (not word.isascii()))


def _with_blanks(rng: np.random.Generator, word: str) -> str:
    return str(rng.choice(["", *BLANKS])) + word + str(rng.choice(BLANKS))


_SPELL: Mapping[str, Callable[[np.random.Generator, str], str]] = {
    "id": _with_blanks,
    "level": _decomposed,
    "number": _otherwise_parted,
    "date": _unpadded,
}


def _faulty_rows(
    rng: np.random.Generator, text: pd.DataFrame, kinds: Mapping[str, str], key: str | None, separator: str
) -> list[str]:
    """Make rows from other ones, each with an id of its own and one fault."""
    faults = [(header, NO_SUCH_DAY) for header, kind in kinds.items() if kind == "date"]
    faults += [(header, NO_NUMBER) for header, kind in kinds.items() if kind == "number"]
    faults += [("Compte", (NO_ACCOUNT,))] if "Compte" in text and key != "Compte" else []
    full = text.dropna(subset=[header for header, _ in faults if header in text and text[header].notna().any()])
    full = full if len(full) else text
    rows = []
    for header, cells in [*faults, ("", ())]:
        for row in full.iloc[rng.choice(len(full), N_EACH)].fillna("").astype("str").to_dict("records"):
            mended = row if key is None else row | {key: f"X{len(rows):06d}"}
            spoilt = mended | {header: str(rng.choice(cells))} if header else mended
            line = separator.join(spoilt.values())
            rows.append(line if header else line + separator + "à revoir")
    return rows
