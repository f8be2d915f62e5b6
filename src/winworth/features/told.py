"""What the CRM itself said of a deal on the example's day: its stage, and the chance that it or the seller gave it."""

import numpy as np
import pandas as pd

from winworth.crm.snapshot import Snapshot
from winworth.errors import DataError
from winworth.features.build import build_features
from winworth.features.catalog import Catalog, Criterion, Feature

ENDS = 0.9  # share of chances that are exactly 0 or 1 from which on they were filled in when the deal ended
_STAGES = (Feature(value="stage_changes.stage", by="deal"), Feature(value="deals.stage"))
_CHANCES = (Feature(value="deals.probability"),)


def reads_stage(spec: Feature) -> bool:
    """Whether a feature tells a deal's stage, under whatever criterion it was declared."""
    return "stage" in spec.columns and spec.reads in ("stage_changes", "deals", "deal_versions")


def stage_told(rows: pd.DataFrame, snapshot: Snapshot) -> pd.Series | None:
    """Return each example's stage as known on its day (text, NaN before the first), or None where no table says it."""
    return _first(_STAGES, rows, snapshot)


def chance_told(rows: pd.DataFrame, snapshot: Snapshot) -> np.ndarray | None:
    """Return the win probability (0-1, NaN where empty) that the CRM or the seller gave, as known on the example's day.

    None where `deals.probability` is not mapped, is not known in time (`at_creation`, or `dated` by deal_versions), or is 0
    or 1 nearly everywhere: then it was filled in when the deal ended. A column with values above 1 is in per cent. Raises
    DataError where a value lies outside 0-100.
    """
    told = _first(_CHANCES, rows, snapshot)
    if told is None:
        return None
    chance = told.to_numpy(dtype=float)
    outside = np.flatnonzero((chance < 0) | (chance > 100))
    if len(outside):
        first = rows["deal_id"].iloc[outside[0]]
        raise DataError(
            f"deals.probability lies outside 0-100 on {len(outside)} observations, the first {chance[outside[0]]:g} of deal "
            f"{first}. Mend the export, or take the column out of conf/crm.yaml."
        )
    chance = chance / 100 if np.nanmax(chance) > 1 else chance
    return None if np.isin(chance[~np.isnan(chance)], (0, 1)).mean() >= ENDS else chance


def _first(specs: tuple[Feature, ...], rows: pd.DataFrame, snapshot: Snapshot) -> pd.Series | None:
    """Measure the first of some features that the tables have in time and that is not empty."""
    for spec in specs:
        if not _is_there(spec, snapshot):
            continue
        column = build_features(rows, snapshot, Catalog({"told": Criterion("context", {}, {"told": spec})}))["told"]
        if column.notna().any():
            return column
    return None


def _is_there(spec: Feature, snapshot: Snapshot) -> bool:
    if spec.reads not in snapshot or spec.column not in snapshot[spec.reads]:
        return False
    known = snapshot.known.get((spec.reads, spec.column))
    has_history = spec.column in snapshot.tables.get("deal_versions", ())
    return known == "at_creation" or (known == "dated" and (spec.reads == "stage_changes" or has_history))
