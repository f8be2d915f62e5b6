"""What the deals of each segment came to: win rate and mean value, one row a deal, with what doubt there is."""

import numpy as np
import pandas as pd

from winworth.models.metrics import Figure
from winworth.scoring.cycles import LEAST, by_account
from winworth.scoring.lift import Realised, win_rate_of
from winworth.scoring.segment_tests import HeldOut
from winworth.scoring.segments import Segments


def segment_figures(segments: Segments, later: HeldOut, deal: np.ndarray, *, seed: int, n_boot: int) -> dict[str, dict]:
    """Return by id `win_rate` and `mean_value`, each a Figure as for JSON, of held-out deals as they were first observed.

    `deal` says whose rows are one deal's; `n` counts deals. The win rate has Wilson's 95 % interval, in which the deals of one
    account count as what they tell, the value an interval over accounts. Fewer than ten deals are hidden.
    """
    told = _first(deal, ~np.isnan(later.won) & (later.weight > 0))
    paid = _first(deal, ~np.isnan(later.value))
    place = segments.nearest(later.features)[0]
    return {
        name: {
            "win_rate": _win_rate(later, told[place[told] == k]).to_dict(),
            "mean_value": _mean_value(later, paid[place[paid] == k], seed=seed, n_boot=n_boot).to_dict(),
        }
        for k, name in enumerate(segments.ids)
    }


def _first(deal: np.ndarray, is_known: np.ndarray) -> np.ndarray:
    """Return the first row of each deal among those known."""
    rows = np.flatnonzero(is_known)
    return rows[~pd.Series(deal[rows]).duplicated().to_numpy()]


def _win_rate(later: HeldOut, rows: np.ndarray) -> Figure:
    if len(rows) < LEAST:
        return Figure(np.nan, np.nan, np.nan, len(rows))
    won = later.won[rows]
    return win_rate_of(np.ones(len(rows), dtype=bool), Realised(won, won, later.weight[rows], later.account[rows]))


def _mean_value(later: HeldOut, rows: np.ndarray, *, seed: int, n_boot: int) -> Figure:
    value = later.value[rows]
    return by_account(lambda drawn: float(value[drawn].mean()), later.account[rows], seed=seed, n_boot=n_boot)
