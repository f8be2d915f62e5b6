"""What predict prints of tiers: where they end, how surely, and what moved since the last scoring."""

from collections.abc import Mapping

from winworth.printed.report import money


def cuts(record: Mapping) -> list[str]:
    """Say for A and B what the last account brings, with its 80 % interval, and the hours; and how many are borderline."""
    lines = []
    for tier, cut in record["cuts"].items():
        if cut["marginal"] is None:
            continue
        show, verb = (money, "is expected to bring") if record["in_money"] else ("{:.0%}".format, "is won with a chance of")
        said = f"The last {tier} {verb} {show(cut['marginal'])}"
        said += "" if cut["low"] is None else f" [{show(cut['low'])} to {show(cut['high'])}]"
        left = record["hours_left"]
        said += f"; {tier} takes {record['hours_used'][tier]:,.0f} hours"
        lines.append(said + ("." if left is None else f", and {left[tier]:,.0f} are left."))
    if record["n_borderline"]:
        lines.append(f"{record['n_borderline']} accounts are borderline: ask the sellers who know them (borderline.csv).")
    return lines


def moved(record: Mapping | None) -> list[str]:
    """Say how many accounts rose and fell and how much money moved, by cause; nothing where it was not measured."""
    if record is None:
        return []
    change = record["totals"]["change"]
    by_money = ", ".join(f"{cause['cause']} {_signed(cause['money'])}" for cause in record["causes"] if cause["money"])
    mainly = ", ".join(f"{cause['cause']} {cause['n_mainly']}" for cause in record["causes"] if cause["n_mainly"])
    return [
        f"Since {record['since']} expected value moved by {_signed(change)}" + (f": {by_money}." if by_money else "."),
        f"{record['n_rose']} accounts rose and {record['n_fell']} fell" + (f", mainly by {mainly}." if mainly else "."),
    ]


def _signed(amount: float) -> str:
    return ("+" if amount >= 0 else "-") + money(abs(amount))
