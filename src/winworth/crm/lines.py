"""On which physical line each row of a file begins, and whether the rows make up the whole file."""

from dataclasses import dataclass

import numpy as np

from winworth.errors import DataError


@dataclass(frozen=True)
class RowLines:
    """The first physical line of each accepted and of each rejected row, from 1, and their order in the file, from 1."""

    accepted: np.ndarray
    rejected: np.ndarray
    accepted_place: np.ndarray
    rejected_place: np.ndarray


def row_lines(
    line_ends: np.ndarray,
    n_header_lines: int,
    inner: np.ndarray,
    rejected_at: np.ndarray,
    rejected_inner: np.ndarray,
    *,
    name: str,
) -> RowLines:
    """Lay the rows along the lines of the file, in order, and raise DataError where they do not cover it.

    `inner` has the number of line breaks within each accepted row; `rejected_at` the place of each rejected row among the
    rows and blank lines below the header, from 0, and `rejected_inner` its line breaks. A reader that meets a quote without
    its end may drop all that follows without a word: then lines are left over here.
    """
    n_lines = _without_blank_tail(line_ends)
    blank = np.flatnonzero(np.diff(line_ends[:n_lines], prepend=0) == 1) + 1
    blank = blank[blank > n_header_lines]
    if len(blank) == 0:
        place = rejected_at
        spans = _spans(inner, rejected_inner, place)
        starts = n_header_lines + 1 + np.cumsum(spans) - spans
        end = n_header_lines + int(spans.sum())
    else:
        starts, place, end = _walk_past_blanks(set(blank.tolist()), n_header_lines, inner, rejected_at, rejected_inner)
    if end != n_lines:
        line = min(end, n_lines) + 1
        raise DataError(
            f"{name}, line {line}: a quote opens here and does not close where it should, so the rest cannot be cut into rows "
            f"({n_lines - n_header_lines} lines, {len(starts)} rows). Mend that line or export the file again."
        )
    is_rejected = np.zeros(len(starts), dtype=bool)
    is_rejected[place] = True
    places = np.arange(1, len(starts) + 1)
    return RowLines(starts[~is_rejected], starts[is_rejected], places[~is_rejected], places[is_rejected])


def _without_blank_tail(line_ends: np.ndarray) -> int:
    filled = np.flatnonzero(np.diff(line_ends, prepend=0) > 1)
    return int(filled[-1]) + 1 if len(filled) else 0


def _spans(inner: np.ndarray, rejected_inner: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return how many lines each row takes, the rejected ones put back where they stood."""
    spans = np.empty(len(inner) + len(rejected_inner), dtype=np.int64)
    is_rejected = np.zeros(len(spans), dtype=bool)
    is_rejected[place] = True
    spans[is_rejected] = rejected_inner + 1
    spans[~is_rejected] = inner + 1
    return spans


def _walk_past_blanks(
    blank: set[int], n_header_lines: int, inner: np.ndarray, rejected_at: np.ndarray, rejected_inner: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Do the same row by row: a blank line between rows is no row, one within a quoted cell is part of it."""
    accepted, rejected = iter((inner + 1).tolist()), iter((rejected_inner + 1).tolist())
    rejected_units = set(rejected_at.tolist())
    starts: list[int] = []
    place: list[int] = []
    line, unit = n_header_lines + 1, 0
    while len(starts) < len(inner) + len(rejected_inner):
        if line not in blank:
            is_rejected = unit in rejected_units
            if is_rejected:
                place.append(len(starts))
            starts.append(line)
            line += next(rejected if is_rejected else accepted)
        else:
            line += 1
        unit += 1
    return np.array(starts, dtype=np.int64), np.array(place, dtype=np.int64), line - 1
