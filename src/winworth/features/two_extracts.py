"""Two extracts of one CRM: what an older one said of past examples is what a newer one must say of them."""

from collections.abc import Callable

import pandas as pd

from winworth.crm.archive import Extract
from winworth.features.invariance import Build, differs
from winworth.tables import STATUSES

_KEYS = ["deal_id", "observed_on"]


def changes_between(older: Extract, newer: Extract, observe: Callable[[Extract], pd.DataFrame], build: Build) -> pd.DataFrame:
    """Rebuild the examples that both extracts know, from each by itself, and tell which features changed.

    `observe` lists an extract's examples with the status of their deals, `build` measures their features. Returns one row
    a feature: `changed`, the share of its cells that differ, the same among deals `won`, `lost` and `open` in the newer
    extract (NaN where there are none), and `n`, the examples compared. A feature that the older extract cannot have (its
    table was not exported) has n = 0 and changed NaN.
    """
    before, after = observe(older), observe(newer)
    before = before[before["observed_on"] <= pd.Timestamp(older.as_of)]
    both = before[_KEYS].merge(after[_KEYS], on=_KEYS)
    rows = [both.merge(side, on=_KEYS, how="left") for side in (before, after)]
    then, now = build(older, rows[0]), build(newer, rows[1])
    common = [name for name in now if name in then]
    changed = differs(then[common], now[common])
    status = rows[1]["status"].to_numpy()
    shares = {name: changed[status == name].mean() for name in STATUSES}
    table = pd.DataFrame({"changed": changed.mean(), **shares, "n": len(both)}).reindex(now.columns)
    return table.assign(n=table["n"].fillna(0).astype(int)).rename_axis("feature")
