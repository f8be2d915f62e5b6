"""What predict prints of what moved since the last scoring."""

from collections.abc import Mapping

from winworth.printed.report import money


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
