"""Whether hours follow revenue rather than bring it: hours of the next quarter cannot have brought what came in this one."""

import numpy as np
import pandas as pd
from scipy.stats import t as student

from winworth.kpi.regression import dummies, least_squares

LEVEL = 0.05


def p_of_following(rows: pd.DataFrame) -> float:
    """Return p for the next period's hours going with this one's revenue no more than chance would have it (one-sided).

    `rows` has account_id, group, period (whole numbers), hours and revenue, one an account and period, as `fit_response` takes
    them. Accounts are compared with themselves, this period's hours taken into account; a group's revenue is counted in its own
    mean, so that all groups answer together. NaN where no account has three periods in a row.
    """
    rows = rows[rows.groupby("group")["revenue"].transform("mean") > 0]
    following = rows[["account_id", "group", "period", "hours"]].assign(period=rows["period"] - 1)
    both = rows.merge(following, on=["account_id", "group", "period"], suffixes=("", "_next"))
    both = both[both.groupby(["account_id", "group"])["period"].transform("size") > 1]
    if both.empty:
        return float("nan")
    codes = both.groupby(["account_id", "group"]).ngroup().to_numpy()
    cell = both.groupby(["group", "period"]).ngroup().to_numpy()
    scaled = both["revenue"] / both.groupby("group")["revenue"].transform("mean")
    X = np.column_stack([np.log1p(both["hours_next"]), np.log1p(both["hours"]), dummies(cell, drop=0), scaled])
    within = X - np.column_stack([np.bincount(codes, column) for column in X.T])[codes] / np.bincount(codes)[codes][:, None]
    fit = least_squares(within[:, :-1], within[:, -1], np.ones(len(both)), both["account_id"].to_numpy())
    error = float(np.sqrt(fit.covariance[0, 0]))
    return float(student.sf(fit.slopes[0] / error, fit.freedom)) if 0 < error < np.inf and fit.freedom > 0 else float("nan")
