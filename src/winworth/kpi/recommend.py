"""What to do about a gap: move resources, adapt the offer, train a team, or nothing. Never more than the figures carry."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.kpi.gaps import Gap, segment_gaps, team_gaps
from winworth.kpi.multiple import what_stands
from winworth.kpi.reallocate import Plan
from winworth.models.metrics import Figure

SAME = 0.05  # p above which a gap is taken to be the same in all teams
ACTIONS = {
    "move": {"en": "move resources", "fr": "déplacer des moyens"},
    "offer": {"en": "adapt the offer", "fr": "adapter l'offre"},
    "train": {"en": "train the team", "fr": "former l'équipe"},
    "none": {"en": "nothing", "fr": "rien"},
}


@dataclass(frozen=True)
class Recommendation:
    """One gap that stands and what to do about it: a key of ACTIONS, for whom, why, and what it is worth a period.

    `effect` is money: the gain of a move, or at most what closing the whole gap would bring.
    """

    action: str
    subject: str
    why: str
    effect: Figure
    p_adjusted: float

    @property
    def says(self) -> str:
        """The recommendation in words."""
        effect = self.effect
        worth = f"worth up to {effect.value:,.0f} [{effect.low:,.0f} to {effect.high:,.0f}] a period"
        end = worth if self.action != "none" else "nothing to do"
        return f"{self.subject}: {ACTIONS[self.action]['en']}; {self.why}; {end} (adjusted p {self.p_adjusted:.3f})"

    def to_dict(self) -> dict:
        """Return it for JSON."""
        whole = {"action": self.action, "subject": self.subject, "why": self.why, "effect": self.effect.to_dict()}
        return whole | {"p_adjusted": self.p_adjusted, "says": self.says}


@dataclass(frozen=True)
class Advice:
    """What is recommended, and all that was compared for it: p, p_adjusted and stands by what was tested."""

    recommendations: tuple[Recommendation, ...]
    compared: pd.DataFrame

    @property
    def to_do(self) -> tuple[Recommendation, ...]:
        """The recommendations that ask for something."""
        return tuple(one for one in self.recommendations if one.action != "none")

    @property
    def says(self) -> str:
        """The advice in words."""
        if self.to_do:
            return "\n".join(one.says for one in self.to_do)
        return f"nothing to change: of {len(self.compared)} comparisons none stands that calls for it"

    def to_dict(self) -> dict:
        """Return it for JSON."""
        compared = self.compared.astype(object).where(self.compared.notna(), None)
        told = [one.to_dict() for one in self.recommendations]
        return {"recommendations": told, "compared": compared.rename_axis("what").reset_index().to_dict("records")}


def recommend(rows: pd.DataFrame, *, n_periods: int, plan: Plan | None = None) -> Advice:
    """Say what each gap that stands at 5 % (Benjamini and Hochberg, over all that was compared) calls for.

    `rows` has account_id, segment, team, seller, mix (what deals must share to be compared: tier, size, source) and money,
    one a deal of `n_periods` periods; `plan` is that of the hours. Sellers only tell how sure a team's figure is: nothing is
    said of a person, nor of a team of fewer than three.
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
            why = "an hour brings more there"
            given.append(Recommendation("move", what, why, moves[what].gain, float(adjusted)))
        elif what in gaps:
            given.append(_for_gap(what, gaps[what], n_periods, float(adjusted)))
    return Advice(tuple(given), compared)


def _for_gap(what: str, gap: Gap, n_periods: int, adjusted: float) -> Recommendation:
    """Return the one thing a gap calls for; a segment's shortfall is the offer's only where all teams have it."""
    a_period = -gap.gap.n / n_periods
    low, high = sorted((gap.gap.low * a_period, gap.gap.high * a_period))
    effect = Figure(gap.gap.value * a_period, low, high, gap.gap.n)
    if gap.gap.value > 0:
        action, why = "none", "more than the others at equal mix"
    elif gap.kind == "team":
        action, why = "train", "less than other teams at equal mix"
    elif not np.isfinite(gap.p_same):
        action, why = "none", "less than other segments, and one team alone works it: team and offer cannot be told apart"
    elif gap.p_same < SAME:
        action, why = "none", "less than other segments in some teams only"
    else:
        action, why = "offer", "less than other segments at equal mix, in all teams alike"
    return Recommendation(action, what, why, effect, adjusted)
