"""On which physical line each row of a file begins, and whether the rows make up the whole file."""

from dataclasses import dataclass

import numpy as np

from winworth.errors import DataError


@dataclass(frozen=True)
class Layout:
    """A file as lines: the byte offset behind each, and how many the header takes.

    In a file of one column a blank line is a row with an empty cell; in any other it is nothing.
    """

    line_ends: np.ndarray
    n_header_lines: int
    blanks_are_rows: bool = False

    @property
    def blank(self) -> np.ndarray:
        """The blank lines below the header, from 1, some of which may lie within a quoted cell."""
        if self.blanks_are_rows:
            return np.array([], dtype=np.int64)
        lines = np.flatnonzero(np.diff(self.line_ends, prepend=0) == 1) + 1
        return lines[(lines > self.n_header_lines) & (lines <= self.n_lines)]

    @property
    def n_lines(self) -> int:
        """How many lines there are up to the last one that counts."""
        filled = np.flatnonzero(np.diff(self.line_ends, prepend=0) > 1)
        return len(self.line_ends) if self.blanks_are_rows else int(filled[-1]) + 1


@dataclass(frozen=True)
class RejectedRows:
    """Rows without a shape: each one's place among the rows and blank lines below the header, from 0, and its line breaks."""

    at: np.ndarray
    inner: np.ndarray


@dataclass(frozen=True)
class RowLines:
    """The first physical line of each accepted and of each rejected row, and the place of the accepted, all from 1."""

    accepted: np.ndarray
    rejected: np.ndarray
    accepted_place: np.ndarray


def row_lines(layout: Layout, inner: np.ndarray, rejected: RejectedRows, *, name: str) -> RowLines:
    """Lay the rows along the lines of the file, in order, and raise DataError where they do not cover it.

    `inner` has the number of line breaks within each accepted row. A reader that meets a quote without its end may drop
    all that follows without a word: then lines are left over here.
    """
    blank = layout.blank
    if len(blank):
        starts, place, end = _walk_past_blanks(set(blank.tolist()), layout.n_header_lines, inner, rejected)
    else:
        starts, place, end = _laid_end_to_end(layout.n_header_lines, inner, rejected)
    if end != layout.n_lines:
        raise DataError(
            f"{name}, line {min(end, layout.n_lines) + 1}: a quote opens here and does not close where it should, so the rest "
            f"cannot be cut into rows ({len(starts)} were found). Mend that line or export the file again."
        )
    is_rejected = np.zeros(len(starts), dtype=bool)
    is_rejected[place] = True
    return RowLines(starts[~is_rejected], starts[is_rejected], np.flatnonzero(~is_rejected) + 1)


def _laid_end_to_end(n_header_lines: int, inner: np.ndarray, rejected: RejectedRows) -> tuple[np.ndarray, np.ndarray, int]:
    """Return where each row starts, which rows are the rejected ones, and the last line covered."""
    is_rejected = np.zeros(len(inner) + len(rejected.at), dtype=bool)
    is_rejected[rejected.at] = True
    spans = np.empty(len(is_rejected), dtype=np.int64)
    spans[is_rejected] = rejected.inner + 1
    spans[~is_rejected] = inner + 1
    ends = n_header_lines + np.cumsum(spans)
    return ends - spans + 1, rejected.at, int(ends[-1]) if len(ends) else n_header_lines


def _walk_past_blanks(
    blank: set[int], n_header_lines: int, inner: np.ndarray, rejected: RejectedRows
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the same row by row: a blank line between rows is no row, one within a quoted cell is part of it."""
    spans, rejected_spans = iter((inner + 1).tolist()), iter((rejected.inner + 1).tolist())
    rejected_at = set(rejected.at.tolist())
    starts: list[int] = []
    place: list[int] = []
    line, at = n_header_lines + 1, 0
    while len(starts) < len(inner) + len(rejected.at):
        if line in blank:
            line += 1
        elif at in rejected_at:
            place.append(len(starts))
            starts.append(line)
            line += next(rejected_spans)
        else:
            starts.append(line)
            line += next(spans)
        at += 1
    return np.array(starts, dtype=np.int64), np.array(place, dtype=np.int64), line - 1
