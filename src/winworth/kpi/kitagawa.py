"""How much of a change in a rate comes of better groups, and how much of more of the good groups (Kitagawa 1955)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.errors import DataError
from winworth.models.metrics import Figure

PARTS = ("rate", "mix", "interaction")


@dataclass(frozen=True)
class RateSplit:
    """A rate before and after, and what the change is made of; `rate + mix + interaction` is `after - before` exactly.

    `rate` is what groups that do better would have brought in the old mix, `mix` what the new mix would have brought at the
    old rates, `interaction` what is left. `groups` holds the same three by group, with its shares and rates; a group that
    was in one period only keeps its one rate, so that its coming or going is all mix.
    """

    before: float
    after: float
    rate: float
    mix: float
    interaction: float
    groups: pd.DataFrame

    def to_dict(self) -> dict:
        """Return it for JSON."""
        whole = {name: getattr(self, name) for name in ("before", "after", *PARTS)}
        return whole | {"groups": self.groups.reset_index().to_dict("records")}


def split_rate(before: pd.DataFrame, after: pd.DataFrame) -> RateSplit:
    """Split the change of a rate between two periods into rate, mix and interaction over groups.

    Both tables are indexed by group, with `won` (the numerator) and `n` (the denominator). A group's mix is counted from the
    old rate of all, so that more of an average group changes nothing.

    >>> before = pd.DataFrame({"won": [14, 27], "n": [140, 60]}, index=["PME", "ETI"])
    >>> after = pd.DataFrame({"won": [12, 36], "n": [120, 80]}, index=["PME", "ETI"])
    >>> split = split_rate(before, after)
    >>> [round(100 * x, 1) + 0.0 for x in (split.before, split.after, split.rate, split.mix, split.interaction)]
    [20.5, 24.0, 0.0, 3.5, 0.0]
    """
    if before["n"].sum() <= 0 or after["n"].sum() <= 0:
        raise DataError("A period has no deals, so there is no rate to compare. Choose other dates.")
    names = before.index.union(after.index)
    both = [table.reindex(names, fill_value=0) for table in (before, after)]
    won, n = (np.stack([table[name].to_numpy(dtype=float) for table in both]) for name in ("won", "n"))
    groups = pd.DataFrame(_by_group(won, n), index=names).dropna().rename_axis("group")
    total, later = won.sum(axis=1) / n.sum(axis=1)
    return RateSplit(float(total), float(later), **{name: float(groups[name].sum()) for name in PARTS}, groups=groups)


def split_figures(rows: pd.DataFrame, *, seed: int, n_boot: int) -> dict[str, Figure]:
    """Return before, after, rate, mix and interaction with their 95 % intervals: whole accounts are drawn anew.

    `rows` has account_id, group, won (0 or 1) and is_after, one a deal. A draw in which a period is empty is left out.
    """
    account, group = (rows[name].factorize(sort=True)[0] for name in ("account_id", "group"))
    cell = group + (group.max() + 1) * rows["is_after"].to_numpy(dtype=int)
    n_accounts, n_cells = account.max() + 1, 2 * (group.max() + 1)
    place = account * n_cells + cell
    sums = [np.bincount(place, weight, n_accounts * n_cells).reshape(n_accounts, n_cells) for weight in (None, rows["won"])]
    drawn = np.random.default_rng(seed).multinomial(n_accounts, np.full(n_accounts, 1 / n_accounts), n_boot)
    counts = np.vstack([np.ones(n_accounts), drawn])
    n, won = ((counts @ each).reshape(len(counts), 2, -1) for each in sums)
    is_whole = (n.sum(axis=2) > 0).all(axis=1)
    n, won = n[is_whole], won[is_whole]
    rates, parts = (won.sum(axis=2) / n.sum(axis=2)).T, _by_group(won, n)
    found = dict(zip(("before", "after"), rates, strict=True)) | {name: np.nansum(parts[name], axis=1) for name in PARTS}
    sizes = {"before": int(n[0, 0].sum()), "after": int(n[0, 1].sum())}
    return {
        name: Figure(float(x[0]), *map(float, np.quantile(x[1:], [0.025, 0.975])), sizes.get(name, len(rows)))
        for name, x in found.items()
    }


def _by_group(won: np.ndarray, n: np.ndarray) -> dict[str, np.ndarray]:
    """Return shares, rates and parts by group, from counts (..., 2 periods, groups); NaN for a group that is in neither."""
    share = n / n.sum(axis=-1, keepdims=True)
    rate = np.divide(won, n, out=np.full(won.shape, np.nan), where=n > 0)
    old, new = (np.where(n[..., k, :] > 0, rate[..., k, :], rate[..., 1 - k, :]) for k in (0, 1))
    total = (won[..., 0, :].sum(axis=-1) / n[..., 0, :].sum(axis=-1))[..., None]
    better, moved = new - old, share[..., 1, :] - share[..., 0, :]
    told = {"share_before": share[..., 0, :], "share_after": share[..., 1, :], "rate_before": old, "rate_after": new}
    return told | {"rate": share[..., 0, :] * better, "mix": moved * (old - total), "interaction": moved * better}
