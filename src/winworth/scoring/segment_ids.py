"""Ids that survive retraining: a new segment keeps the id of the old one that it shares most accounts with."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from winworth.scoring.segment_tests import overlaps
from winworth.scoring.segments import Segments

LEAST_KEPT = 0.5  # Jaccard similarity below which a segment has dissolved (Hennig 2007)


@dataclass(frozen=True)
class Kinship:
    """Which ids were kept, with the Jaccard similarity of old and new members on the same rows; which were born; which died."""

    kept: dict[str, float]
    births: tuple[str, ...]
    deaths: tuple[str, ...]


def matched(
    new: Segments, old: Segments, features: pd.DataFrame, *, written: Sequence[Segments] = ()
) -> tuple[Segments, Kinship]:
    """Return the new segments under the old ids where they are the same, and what became of each id.

    Both assign the same rows. Two segments may be the same where their Jaccard similarity is at least 0.5; they are paired so
    that the similarities sum to the most. What is born gets an id that no other segment had, in the old version or in those
    `written` beside and before it. Features that only the old segments read count as missing.
    """
    shape = (len(new.ids), len(old.ids))
    similar = overlaps(new.nearest(features)[0], old.nearest(_readable(features, old))[0], shape=shape)
    similar = np.where(similar >= LEAST_KEPT, similar, 0.0)
    rows, columns = linear_sum_assignment(similar, maximize=True)
    pairs = {row: column for row, column in zip(rows, columns, strict=True) if similar[row, column] > 0}
    births, n_born = _births(new, [row for row in range(shape[0]) if row not in pairs], (old, *written), taken=old.ids)
    unborn = iter(births)
    ids = tuple(old.ids[pairs[row]] if row in pairs else next(unborn) for row in range(shape[0]))
    kept = {old.ids[column]: float(similar[row, column]) for row, column in pairs.items()}
    deaths = tuple(name for name in old.ids if name not in kept)
    return replace(new, ids=ids, n_born=n_born), Kinship(kept, tuple(births), deaths)


def all_born(new: Segments, written: Sequence[Segments]) -> Segments:
    """Return segments that are matched to none, under ids that no other segment of those `written` had."""
    ids, n_born = _births(new, list(range(len(new.ids))), written, taken=())
    return replace(new, ids=tuple(ids), n_born=n_born)


def _births(
    new: Segments, places: Sequence[int], written: Sequence[Segments], *, taken: Container[str]
) -> tuple[list[str], int]:
    """Return an id for each place, and how many were ever given.

    Where the very same segments were written before, their ids are theirs: a training that is repeated gives none anew.
    """
    most = max((segments.n_born for segments in written), default=0)
    twin = next((segments for segments in written[::-1] if _is_same(segments, new)), None)
    known = {} if twin is None else {place: twin.ids[place] for place in places if twin.ids[place] not in taken}
    fresh = count(most + 1)
    ids = [known[place] if place in known else f"S{next(fresh)}" for place in places]
    return ids, most + len(places) - len(known)


def _is_same(one: Segments, other: Segments) -> bool:
    return np.array_equal(one.centres, other.centres) and one.space.to_dict() == other.space.to_dict()


def _readable(features: pd.DataFrame, old: Segments) -> pd.DataFrame:
    """Return the features that the old segments read, missing where there are none of that name and kind any more."""
    read = {}
    for name in old.space.matrix.features_:
        is_number = name in old.space.matrix.medians_
        alike = name in features and pd.api.types.is_numeric_dtype(features[name]) == is_number
        blank = pd.Series(np.nan, features.index, dtype=float if is_number else object)
        read[name] = features[name] if alike else blank
    return pd.DataFrame(read, index=features.index)
