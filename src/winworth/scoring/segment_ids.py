"""Ids that survive retraining: a new segment keeps the id of the old one that it shares most accounts with."""

from dataclasses import dataclass, replace

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


def matched(new: Segments, old: Segments, features: pd.DataFrame) -> tuple[Segments, Kinship]:
    """Return the new segments under the old ids where they are the same, and what became of each id.

    Both assign the same rows. Two segments may be the same where their Jaccard similarity is at least 0.5; they are paired so
    that the similarities sum to the most. What is born gets an id that no segment ever had. Features that only the old
    segments read count as missing.
    """
    shape = (len(new.ids), len(old.ids))
    similar = overlaps(new.nearest(features)[0], old.nearest(_readable(features, old))[0], shape=shape)
    similar = np.where(similar >= LEAST_KEPT, similar, 0.0)
    rows, columns = linear_sum_assignment(similar, maximize=True)
    pairs = {row: column for row, column in zip(rows, columns, strict=True) if similar[row, column] > 0}
    births = [f"S{old.n_born + k + 1}" for k in range(shape[0] - len(pairs))]
    unborn = iter(births)
    ids = tuple(old.ids[pairs[row]] if row in pairs else next(unborn) for row in range(shape[0]))
    kept = {old.ids[column]: float(similar[row, column]) for row, column in pairs.items()}
    deaths = tuple(name for name in old.ids if name not in kept)
    return replace(new, ids=ids, n_born=old.n_born + len(births)), Kinship(kept, tuple(births), deaths)


def _readable(features: pd.DataFrame, old: Segments) -> pd.DataFrame:
    """Return the features that the old segments read, missing where there are none of that name and kind any more."""
    read = {}
    for name in old.space.matrix.features_:
        is_number = name in old.space.matrix.medians_
        alike = name in features and pd.api.types.is_numeric_dtype(features[name]) == is_number
        blank = pd.Series(np.nan, features.index, dtype=float if is_number else object)
        read[name] = features[name] if alike else blank
    return pd.DataFrame(read, index=features.index)
