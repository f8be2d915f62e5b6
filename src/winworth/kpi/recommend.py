"""What to do about a gap: move resources, adapt the offer, train a team, or nothing. Never more than the figures carry."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.kpi.gaps import Gap, segment_gaps, team_gaps
from winworth.kpi.multiple import what_stands
from winworth.kpi.reallocate import Plan
from winworth.models.metrics import Figure

SAME = 0.05  # p above which a gap is taken to be the same in all teams
ACTIONS = ("move", "offer", "train", "none")
REASONS = (
    "hour_brings_more",
    "more_than_others",
    "potential_unknown",
    "team_short",
    "one_team_alone",
    "some_teams_only",
    "short_everywhere",
)


@dataclass(frozen=True)
class Recommendation:
    """One gap that stands and what to do about it: one of ACTIONS, one of REASONS, and what it is worth a period.

    `kind` and `names` say what: a segment, a team, or hours from a source to a target. `effect` is money: the gain of a move,
    or at most what closing the whole gap would bring.
    """

    action: str
    kind: str
    names: tuple[str, ...]
    why: str
    effect: Figure
    p_adjusted: float

    @property
    def subject(self) -> str:
        """What it is about, as it is called among all that was compared."""
        return f"{self.kind} {' -> '.join(self.names)}"

    def to_dict(self) -> dict:
        """Return it for JSON."""
        told = {"action": self.action, "kind": self.kind, "names": list(self.names), "why": self.why}
        return told | {"effect": self.effect.to_dict(), "p_adjusted": self.p_adjusted}


@dataclass(frozen=True)
class Advice:
    """What is recommended, and all that was compared for it: p, p_adjusted and stands by what was tested."""

    recommendations: tuple[Recommendation, ...]
    compared: pd.DataFrame

    @property
    def to_do(self) -> tuple[Recommendation, ...]:
        """The recommendations that ask for something."""
        return tuple(one for one in self.recommendations if one.action != "none")

    def to_dict(self) -> dict:
        """Return it for JSON."""
        compared = self.compared.astype(object).where(self.compared.notna(), None)
        told = [one.to_dict() for one in self.recommendations]
        return {"recommendations": told, "compared": compared.rename_axis("what").reset_index().to_dict("records")}


def recommend(rows: pd.DataFrame, *, n_periods: float, plan: Plan | None = None, is_like: bool = True) -> Advice:
    """Say what each gap that stands at 5 % (Benjamini and Hochberg, over all that was compared) calls for.

    `rows` has account_id, segment, team, seller, mix (what deals must share to be compared: tier, size, source) and money,
    one a deal of `n_periods` periods; `plan` is that of the hours. Sellers only tell how sure a team's figure is: nothing is
    said of a person, nor of a team of fewer than three. Where deals are not `is_like`, since what their accounts could bring is
    not in the mix, a shortfall may be the accounts' own, and calls for nothing.
    """
    gaps = {f"{gap.kind} {gap.name}": gap for gap in (*segment_gaps(rows), *team_gaps(rows))}
    moves = {} if plan is None else {f"hours {move.source} -> {move.target}": move for move in plan.moves}
    p = {what: gap.p for what, gap in gaps.items()} | {what: max(move.p, plan.p_equal) for what, move in moves.items()}
    if plan is not None and not moves:
        p["hours"] = plan.p_equal
    compared = what_stands(p)
    given = []
    for what, adjusted in compared.loc[compared["stands"], "p_adjusted"].items():
        if what in moves:
            ends = (moves[what].source, moves[what].target)
            given.append(Recommendation("move", "hours", ends, "hour_brings_more", moves[what].gain, float(adjusted)))
        elif what in gaps:
            given.append(_for_gap(gaps[what], n_periods, float(adjusted), is_like=is_like))
    return Advice(tuple(given), compared)


def _for_gap(gap: Gap, n_periods: float, adjusted: float, *, is_like: bool) -> Recommendation:
    """Return the one thing a gap calls for; a segment's shortfall is the offer's only where all teams have it."""
    a_period = -gap.gap.n / n_periods
    low, high = sorted((gap.gap.low * a_period, gap.gap.high * a_period))
    effect = Figure(gap.gap.value * a_period, low, high, gap.gap.n)
    if gap.gap.value > 0:
        action, why = "none", "more_than_others"
    elif not is_like:
        action, why = "none", "potential_unknown"
    elif gap.kind == "team":
        action, why = "train", "team_short"
    elif not np.isfinite(gap.p_same):
        action, why = "none", "one_team_alone"
    elif gap.p_same < SAME:
        action, why = "none", "some_teams_only"
    else:
        action, why = "offer", "short_everywhere"
    return Recommendation(action, gap.kind, (gap.name,), why, effect, adjusted)
