"""What treated and untouched segments did, period by period: what the parallel-trend chart draws."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from winworth.kpi.measures import LEAST
from winworth.kpi.regression import half_width, spread_of

COLUMNS = ["side", "period", "value", "low", "high", "n"]


def path_by_side(rows: pd.DataFrame, outcome: str, *, treated: Collection[str]) -> pd.DataFrame:
    """Return the outcome of both sides by period, with its 95 % interval over accounts and the rows behind it.

    `rows` has account_id, segment, period and the outcome; where there is an `exposure`, the figure is the sum of the outcome
    over the sum of it, else the mean. Points of fewer than ten rows are left out.

    >>> rows = pd.DataFrame({"account_id": range(40), "segment": ["ETI", "PME"] * 20, "period": 0, "won": [1.0, 0, 0, 0] * 10})
    >>> path_by_side(rows, "won", treated=["ETI"])[["side", "value", "n"]].values.tolist()
    [['treated', 0.5, 20], ['untouched', 0.0, 20]]
    """
    known = rows[rows[outcome].notna() & rows["period"].notna()]
    side = np.where(known["segment"].isin(treated), "treated", "untouched")
    found = [
        {"side": name, "period": int(period)} | point
        for (name, period), own in known.groupby([side, known["period"].to_numpy(dtype=int)])
        if (point := _point(own, outcome))
    ]
    return pd.DataFrame(found, columns=COLUMNS)


def _point(own: pd.DataFrame, outcome: str) -> dict | None:
    y = own[outcome].to_numpy(dtype=float)
    base = own["exposure"].to_numpy(dtype=float) if "exposure" in own else np.ones(len(own))
    codes = own["account_id"].factorize()[0]
    n_accounts = int(codes.max()) + 1
    if len(own) < LEAST or n_accounts < 2 or base.sum() <= 0:
        return None
    value = y.sum() / base.sum()
    pull = np.bincount(codes, y - value * base) / base.sum()
    half = half_width(float(np.sqrt(spread_of(pull[:, None])[0, 0])), n_accounts - 1)
    return {"value": float(value), "low": float(value - half), "high": float(value + half), "n": len(own)}
