"""Alarms for an A that grows, or no longer wins as it was announced to."""

import numpy as np

SHARE_BAND = 0.2  # how far, relative, A's share may lie from what capacity gives it, or from last time's
Z99 = 2.576
LEAST = 20  # deals below which a win rate tells nothing


def share_alarms(n_a: int, n: int, *, seats: int, share_before: float | None = None) -> tuple[str, ...]:
    """Say where A's share of the accounts leaves its band: about what the team can work, and about last time's.

    >>> share_alarms(10, 100, seats=20)
    ('Only 10 accounts are A, and the team could work 20: too few bring what an A costs. Look at serving in scoring.yaml.',)
    >>> share_alarms(20, 100, seats=20, share_before=0.1)
    ('A is 20% of the accounts, and was 10% last time: what A means has changed. Say so to those who work by it.',)
    """
    found = []
    if n_a < (1 - SHARE_BAND) * min(seats, n):
        found.append(
            f"Only {n_a} accounts are A, and the team could work {seats}: too few bring what an A costs. "
            "Look at serving in scoring.yaml."
        )
    if share_before and n and abs(n_a / n - share_before) > SHARE_BAND * share_before:
        found.append(
            f"A is {n_a / n:.0%} of the accounts, and was {share_before:.0%} last time: what A means has changed. "
            "Say so to those who work by it."
        )
    return tuple(found)


def win_rate_alarm(announced: np.ndarray, won: np.ndarray) -> str | None:
    """Say where the deals of A accounts were won more rarely, or more often, than announced, beyond 99 % of chance.

    `announced` are their win probabilities at an earlier scoring, `won` whether they were won within the horizon. Deals are
    taken as independent, so that the band is that of a sum of coins (Poisson binomial, normal approximation). None within
    the band, or with fewer than 20 deals.

    >>> win_rate_alarm(np.full(40, 0.5), np.arange(40) < 8)
    "A's deals won 20%, and 50% was announced (30% to 70% would be chance, 40 deals): calibrate anew, make train promote."
    """
    if len(won) < LEAST:
        return None
    expected, spread = announced.mean(), Z99 * np.sqrt((announced * (1 - announced)).sum()) / len(won)
    if abs(won.mean() - expected) <= spread:
        return None
    low, high = max(expected - spread, 0.0), min(expected + spread, 1.0)
    return (
        f"A's deals won {won.mean():.0%}, and {expected:.0%} was announced ({low:.0%} to {high:.0%} would be chance, "
        f"{len(won)} deals): calibrate anew, make train promote."
    )
