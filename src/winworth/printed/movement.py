"""What predict prints of what moved since the last scoring."""

from collections.abc import Mapping

from winworth.printed.report import money


def moved(record: Mapping | None) -> list[str]:
    """Say how many accounts rose and fell and how much money moved, by cause; nothing where it was not measured."""
    if record is None:
        return []
    change = record["totals"]["change"]
    causes = [cause for cause in record["causes"] if cause["money"] or cause["n_rose"] or cause["n_fell"]]
    by_money = ", ".join(f"{cause['cause']} {_signed(cause['money'])}" for cause in causes if cause["money"])
    by_moves = ", ".join(f"{cause['cause']} {cause['n_rose']:.0f} up {cause['n_fell']:.0f} down" for cause in causes)
    lines = [f"Since {record['since']} expected value moved by {_signed(change)}" + (f": {by_money}." if by_money else ".")]
    told = f"{record['n_rose']} accounts rose and {record['n_fell']} fell"
    return [*lines, told + (f": {by_moves}." if record["n_rose"] + record["n_fell"] else ".")]


def _signed(amount: float) -> str:
    return ("+" if amount >= 0 else "-") + money(abs(amount))
