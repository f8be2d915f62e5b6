"""How many accounts the team can work as A and as B: from its hours, or as shares of the accounts."""

from collections.abc import Mapping
from dataclasses import dataclass

from winworth.scoring.settings import Scoring

TIERS = ("A", "B", "C")


@dataclass(frozen=True)
class Seats:
    """How many accounts the team can work as A and as B, and what one must bring to pay for it (money; 0 asks nothing)."""

    n: Mapping[str, int]
    cost: Mapping[str, float]

    def within(self, published: tuple[str, ...]) -> "Seats":
        """Keep the tiers that are published; who would be in another stands in the next one below.

        >>> Seats({"A": 10, "B": 30}, {"A": 0, "B": 0}).within(("A", "C")).n
        {'A': 10, 'B': 0}
        """
        return Seats({tier: n if tier in published else 0 for tier, n in self.n.items()}, self.cost)


def seats_for(scoring: Scoring, n_accounts: int, *, published: tuple[str, ...] = TIERS, in_money: bool = True) -> Seats:
    """Return the seats that scoring.yaml gives the team: the hours of a tier over those of one account, or its share.

    Hours win where both are given. Where A is not published its hours are B's. Cost is asked only where worth is money.
    """
    seats, hours = seats_by_share(scoring.tiers, n_accounts), hours_set_aside(scoring, published)
    if hours is not None:
        n = {tier: int(hours[tier] / scoring.serving.hours[tier] + 1e-9) for tier in ("A", "B")}
    else:
        n = seats.n if "A" in published else {"A": 0, "B": seats.n["A"] + seats.n["B"]}
    cost = {tier: scoring.serving.cost[tier] if in_money else 0.0 for tier in ("A", "B")}
    return Seats(n, cost).within(published)


def share_of_a(scoring: Scoring, n_accounts: int) -> float:
    """Return the share of the accounts that the team can work as A, at least one of them: its capacity."""
    return min(max(seats_for(scoring, n_accounts).n["A"], 1) / max(n_accounts, 1), 1.0)


def hours_set_aside(scoring: Scoring, published: tuple[str, ...] = TIERS) -> dict[str, float] | None:
    """Return the team's hours a quarter for A and for B; None where tiers are shares. Where A is not published B has both."""
    hours = scoring.serving.capacity_hours
    if hours is None or "A" in published:
        return None if hours is None else dict(hours)
    return {"A": 0.0, "B": hours["A"] + hours["B"]}


def seats_by_share(shares: Mapping[str, float], n: int) -> Seats:
    """Turn shares of `n` accounts into seats, rounded down; cost asks nothing.

    >>> seats_by_share({"A": 0.2, "B": 0.3}, 15).n
    {'A': 3, 'B': 4}
    """
    n_a = int(shares["A"] * n + 1e-9)
    return Seats({"A": n_a, "B": int((shares["A"] + shares["B"]) * n + 1e-9) - n_a}, {"A": 0.0, "B": 0.0})
