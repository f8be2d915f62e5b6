"""What compare prints."""

from typing import TYPE_CHECKING, Any

from winworth.printed.report import Report, plain_table

if TYPE_CHECKING:
    from winworth.flows.compare import Compared


def compared(found: "Compared") -> Report:
    """Say what the change in the win rate is made of, what treated segments did, and what was to be expected anyway."""
    parts: list[Any] = [f"{found.n_deals} deals, each seen {found.age_days} days after it opened. Win rate {found.rate.says}."]
    n = sum(map(len, found.differences.values()))
    for segment, differences in found.differences.items():
        parts += [f"{segment}, {one.says} (p {one.p:.3f}, adjusted for {n} comparisons)" for one in differences]
    table = plain_table(
        "Win rate of the last quarter before, and the next to expect without a change", ["segment", "seen", "expected"]
    )
    for segment, row in found.without_action.iterrows():
        table.add_row(str(segment), f"{row['seen']:.1%}", f"{row['expected']:.1%} [{row['low']:.1%} to {row['high']:.1%}]")
    untold = [f"Not compared: {why}" for why in found.untold]
    return Report([*parts, *untold, table], found.to_dict())
