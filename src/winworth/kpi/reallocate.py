"""Where the hours should go: the most revenue from the hours there are, in moves that do not lose."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import norm

from winworth.errors import ConfigError, did_you_mean
from winworth.kpi.response import Response
from winworth.models.metrics import Figure

LEVEL = 0.05
SPARE = "spare"  # where hours come from that nobody works yet
PARTS = (1.0, 0.5, 0.25)  # of a move: fewer hours bring less and are surer to bring something
LEAST_MOVE = 0.005  # share of all hours below which a move is not worth a word


@dataclass(frozen=True)
class Move:
    """Hours a period from one group to another, what that brings a period (95 % interval), and p for nothing."""

    source: str
    target: str
    hours: float
    gain: Figure
    p: float

    def to_dict(self) -> dict:
        """Return it for JSON."""
        return {"source": self.source, "target": self.target, "hours": self.hours, "gain": self.gain.to_dict(), "p": self.p}


@dataclass(frozen=True)
class Plan:
    """The moves that do not lose, the hours by group now and then, and the gain of all moves together."""

    moves: tuple[Move, ...]
    hours: pd.DataFrame
    gain: Figure
    p_equal: float

    def to_dict(self) -> dict:
        """Return it for JSON."""
        whole = {"moves": [move.to_dict() for move in self.moves], "hours": self.hours.reset_index().to_dict("records")}
        return whole | {"gain": self.gain.to_dict(), "p_equal": self.p_equal}


def plan_hours(response: Response, *, least: Mapping[str, float] | None = None, capacity: float | None = None) -> Plan:
    """Find the moves of hours between groups that bring more revenue, and promise only what is sure.

    `least` holds the hours a group must keep (minimum service), `capacity` all hours that there are, by default those of now.
    The accounts of a group gain or lose hours in proportion, within what has been tried. A move is made as far as its gain is
    above 0 with 97.5 % certainty: wholly, by half or by a quarter. No move is made at all unless it is sure (5 %) that an
    hour brings more in one group than in another: the best of many equal groups would otherwise always seem worth a move.
    """
    now = response.table["hours"].to_numpy()
    spare = (now.sum() if capacity is None else capacity) - now.sum()
    if spare < -1e-9 * now.sum():
        raise ConfigError(f"capacity is {capacity:,.0f} hours and {now.sum():,.0f} are worked now. Give at least as many.")
    moves, times = [], np.ones(len(now))
    if response.p_equal < LEVEL:
        best = best_times(response, bounds=_bounds(response, least or {}), capacity=now.sum() + max(spare, 0.0))
        for source, target, hours in _pairs(response, (best - 1) * now, spare):
            tried = (_try(response, times, (source, target, hours * part)) for part in PARTS)
            sure = next((found for found in tried if found[0].gain.low > 0), None)
            if sure:
                moves, times = [*moves, sure[0]], sure[1]
    hours = pd.DataFrame({"now": now, "planned": times * now}, index=response.table.index)
    return Plan(tuple(moves), hours, _gain(response, np.ones(len(now)), times), response.p_equal)


def keep_moves(plan: Plan, response: Response, kept: Collection[tuple[str, str]]) -> Plan:
    """Return the plan with only the moves of these (source, target) pairs, the hours and the gain of all counted anew."""
    moves = tuple(move for move in plan.moves if (move.source, move.target) in kept)
    hours, now = plan.hours["now"].copy(), plan.hours["now"].to_numpy()
    for move in moves:
        hours[move.target] += move.hours
        if move.source != SPARE:
            hours[move.source] -= move.hours
    gain = _gain(response, np.ones(len(now)), hours.to_numpy() / now)
    return Plan(moves, plan.hours.assign(planned=hours), gain, plan.p_equal)


def best_times(response: Response, *, bounds: np.ndarray, capacity: float) -> np.ndarray:
    """Return how many times as many hours each group should have: the most revenue that `capacity` hours bring.

    `bounds` (groups, 2) are the fewest and most times. The revenue is concave in the hours, so that there is one best.
    """
    now, slopes = response.table["hours"].to_numpy(), np.maximum(response.slopes, 0.0)
    own = list(response.hours.values())
    scale = max(float(slopes.max() * response.table["n_accounts"].sum()), 1e-9)

    def loss(times: np.ndarray) -> float:
        return -sum(slopes[at] * response.gain(at, x) for at, x in enumerate(times)) / scale

    def gradient(times: np.ndarray) -> np.ndarray:
        return -np.array([b * (h / (1 + x * h)).sum() for b, h, x in zip(slopes, own, times, strict=True)]) / scale

    room = {"type": "ineq", "fun": lambda x: (capacity - now @ x) / capacity, "jac": lambda x: -now / capacity}
    start = np.clip(np.ones(len(now)), *bounds.T)
    found = minimize(loss, start, jac=gradient, bounds=bounds, constraints=[room], method="SLSQP", options={"ftol": 1e-12})
    return found.x if found.success else np.ones(len(now))


def _bounds(response: Response, least: Mapping[str, float]) -> np.ndarray:
    table = response.table
    for name in least:
        if name not in table.index:
            raise ConfigError(f"{name} is given a minimum of hours and is no group. {did_you_mean(name, table.index)}")
    floor = pd.Series(least, dtype=float).reindex(table.index).fillna(0.0) / table["hours"]
    lowest = np.maximum(table["least"], np.minimum(floor, 1.0))  # a group below its minimum loses nothing further
    return np.column_stack([lowest, np.maximum(table["most"], lowest)])


def _pairs(response: Response, change: np.ndarray, spare: float) -> list[tuple[str, str, float]]:
    """Split the changes in hours into moves: from where an hour brings the least to where it brings the most."""
    names, marginal = response.table.index, response.table["marginal"].to_numpy()
    giving = [[SPARE, spare]] if spare > 0 else []
    giving += [[names[at], -change[at]] for at in np.argsort(marginal, kind="stable") if change[at] < 0]
    taking = [[names[at], change[at]] for at in np.argsort(-marginal, kind="stable") if change[at] > 0]
    pairs, enough = [], LEAST_MOVE * response.table["hours"].sum()
    while giving and taking:
        hours = min(giving[0][1], taking[0][1])
        if hours >= enough:
            pairs.append((giving[0][0], taking[0][0], float(hours)))
        for side in (giving, taking):
            side[0][1] -= hours
            if side[0][1] <= 1e-9 * max(hours, 1.0):
                side.pop(0)
    return pairs


def _try(response: Response, times: np.ndarray, pair: tuple[str, str, float]) -> tuple[Move, np.ndarray]:
    """Return the move with what it brings after the moves before it, and the hours it leads to."""
    source, target, hours = pair
    table, after = response.table, times.copy()
    ends = [table.index.get_loc(name) for name in (source, target) if name != SPARE]
    after[ends[-1]] += hours / table["hours"].iloc[ends[-1]]
    if source != SPARE:
        after[ends[0]] -= hours / table["hours"].iloc[ends[0]]
    sign = np.array([1.0]) if source == SPARE else np.array([-1.0, 1.0])
    z = sign @ table["marginal"].to_numpy()[ends] / np.sqrt((table["marginal_error"].to_numpy()[ends] ** 2).sum())
    return Move(source, target, hours, _gain(response, times, after), float(norm.sf(z))), after


def _gain(response: Response, before: np.ndarray, after: np.ndarray) -> Figure:
    logs = np.array([response.gain(at, b) - response.gain(at, a) for at, (a, b) in enumerate(zip(before, after, strict=True))])
    # Hours that seem to do harm are taken for hours that do nothing: else taking them away would be promised to pay.
    low, high = np.quantile(np.maximum(response.draws, 0.0) @ logs, [0.025, 0.975])
    return Figure(
        float(np.maximum(response.slopes, 0.0) @ logs), float(low), float(high), int(response.table["n_accounts"].sum())
    )
