"""How much of a change in a rate comes of better groups, and how much of more of the good groups (Kitagawa 1955)."""

from dataclasses import dataclass

import pandas as pd

from winworth.errors import DataError


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

    @property
    def says(self) -> str:
        """The change in words, in points."""
        parts = f"rate {self.rate * 100:+.1f}, mix {self.mix * 100:+.1f}, interaction {self.interaction * 100:+.1f}"
        return f"{self.before:.1%} -> {self.after:.1%}: {(self.after - self.before) * 100:+.1f} points ({parts})"

    def to_dict(self) -> dict:
        """Return it for JSON."""
        whole = {name: getattr(self, name) for name in ("before", "after", "rate", "mix", "interaction", "says")}
        return whole | {"groups": self.groups.reset_index().to_dict("records")}


def split_rate(before: pd.DataFrame, after: pd.DataFrame) -> RateSplit:
    """Split the change of a rate between two periods into rate, mix and interaction over groups.

    Both tables are indexed by group, with `won` (the numerator) and `n` (the denominator). A group's mix is counted from the
    old rate of all, so that more of an average group changes nothing.

    >>> before = pd.DataFrame({"won": [14, 27], "n": [140, 60]}, index=["PME", "ETI"])
    >>> after = pd.DataFrame({"won": [12, 36], "n": [120, 80]}, index=["PME", "ETI"])
    >>> split_rate(before, after).says
    '20.5% -> 24.0%: +3.5 points (rate +0.0, mix +3.5, interaction +0.0)'
    """
    if before["n"].sum() <= 0 or after["n"].sum() <= 0:
        raise DataError("A period has no deals, so there is no rate to compare. Choose other dates.")
    names = before.index.union(after.index)
    old, new = (table.reindex(names, fill_value=0) for table in (before, after))
    share = pd.DataFrame({"share_before": old["n"] / old["n"].sum(), "share_after": new["n"] / new["n"].sum()})
    rate_before, rate_after = (table["won"] / table["n"].where(table["n"] > 0) for table in (old, new))
    groups = share.assign(rate_before=rate_before.fillna(rate_after), rate_after=rate_after.fillna(rate_before)).dropna()
    total = float(old["won"].sum() / old["n"].sum())
    better, moved = groups["rate_after"] - groups["rate_before"], groups["share_after"] - groups["share_before"]
    groups = groups.assign(
        rate=groups["share_before"] * better,
        mix=moved * (groups["rate_before"] - total),
        interaction=moved * better,
    )
    parts = {name: float(groups[name].sum()) for name in ("rate", "mix", "interaction")}
    return RateSplit(total, float(new["won"].sum() / new["n"].sum()), **parts, groups=groups.rename_axis("group"))
