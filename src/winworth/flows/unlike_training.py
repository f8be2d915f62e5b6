"""What is strange about rows to score: levels and gaps that training never had, and figures that cannot be."""

import numpy as np
import pandas as pd

from winworth.errors import WinworthError
from winworth.features.build import is_deal_level
from winworth.features.catalog import Catalog
from winworth.models.matrix import FeatureMatrix

MOST_UNSEEN = 0.05  # share of rows with levels pooled or never seen that goes without saying
_MOST = {"win_probability": 1.0, "score": 100.0 + 1e-6}  # a sum of products may be a hair above


def unlike_training(matrix: FeatureMatrix, catalog: Catalog, features: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Count by feature the rows that should have it (`n_asked`) and do (`n_filled`), that lack a number which no training row
    lacked (`n_newly_missing`), and whose level was never seen (`n_unseen`), of `n_rows`. Counts of parts add up.

    A deal's own features are looked at where there is a deal.
    """
    has_deal = (rows["basis"] == "open_deal").to_numpy()
    of_deals = {name for name, spec in catalog.features.items() if is_deal_level(spec)}
    asked = {name: features.loc[has_deal, name] if name in of_deals else features[name] for name in matrix.features_}
    counts = {
        "n_asked": {name: len(column) for name, column in asked.items()},
        "n_filled": {name: int(column.notna().sum()) for name, column in asked.items()},
        "n_newly_missing": matrix.newly_missing(asked),
        "n_unseen": matrix.unseen_levels(features),
    }
    table = pd.DataFrame({name: pd.Series(found, dtype="float64") for name, found in counts.items()}, list(asked))
    return table.fillna(0).astype(int).assign(n_rows=len(features))


def strangeness_said(counts: pd.DataFrame) -> tuple[str, ...]:
    """Say which features no row has, which numbers are missing that no training row lacked, and which levels are strange."""
    empty = counts[(counts["n_asked"] > 0) & (counts["n_filled"] == 0)].index
    said = [f"No row has a {name}. If training had some, the export has lost a column." for name in empty]
    for name, row in counts[counts["n_newly_missing"] > 0].drop(index=empty, errors="ignore").iterrows():
        says = "which no row lacked in training: they count as the median of those days"
        said.append(f"{row['n_newly_missing']} of {row['n_asked']} rows have no {name}, {says}.")
    for name, row in counts[counts["n_unseen"] > MOST_UNSEEN * counts["n_rows"]].iterrows():
        says = "training saw too rarely, or never: it counts as other"
        said.append(f"{row['n_unseen']} of {row['n_rows']} rows have a {name} that {says}.")
    return tuple(said)


def refuse_impossible(table: pd.DataFrame, rows: pd.DataFrame, *, has_value: bool) -> None:
    """Raise WinworthError where a chance is none, or an amount is not finite or below 0: nothing is published then."""
    for name in ["win_probability", "score"] + ["value_if_won", "expected_value"] * has_value:
        values = table[name].to_numpy(dtype=float)
        bad = ~(np.isfinite(values) & (values >= 0) & (values <= _MOST.get(name, np.inf)))
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            raise WinworthError(
                f"{int(bad.sum()):,} of {len(table):,} rows have a {name} that cannot be: first {values[first]} of account "
                f"{rows['account_id'].iloc[first]}. Nothing was published. Look at its features with explain, and train again."
            )
