"""Where a segment or a team brings less than the others at equal mix, in money a deal.

Segments are compared within sellers and mix, so that who works a segment is not taken for the segment; teams within segments
and mix, their sellers counted as so many draws, so that one good seller is not taken for a good team.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from winworth.kpi.regression import Clustered, dummies, half_width, least_squares, p_two_sided
from winworth.models.metrics import Figure

LEAST_SELLERS = 3  # of a team, below which its figure would be a person's
LEAST_ACCOUNTS = 10
UNTOLD = "(unknown)"  # the team of sellers whose team nobody told
TOLD_APART = 1e-6  # share of a group's variance that must be left once who sells what is known


@dataclass(frozen=True)
class Gap:
    """A group's money a deal over that of the others at equal mix (below 0: a shortfall), p for none, and p for it being the
    same in all teams (NaN for a team, or where there is one).
    """

    kind: str
    name: str
    gap: Figure
    p: float
    p_same: float = float("nan")


def segment_gaps(rows: pd.DataFrame) -> tuple[Gap, ...]:
    """Return every segment's gap, from rows of account_id, segment, team, seller, mix and money, one a deal."""
    return _gaps(rows, "segment", ["seller", "mix"], "account_id")


def team_gaps(rows: pd.DataFrame) -> tuple[Gap, ...]:
    """Return the gap of every team of three sellers or more; smaller ones and the unknown one are not even compared with."""
    n_sellers = rows.groupby("team")["seller"].transform("nunique")
    return _gaps(rows[(n_sellers >= LEAST_SELLERS) & (rows["team"] != UNTOLD)], "team", ["segment", "mix"], "seller")


def _gaps(rows: pd.DataFrame, kind: str, levels: list[str], cluster: str) -> tuple[Gap, ...]:
    """Return every group's gap from the others; a shortfall must stand without the best of the others too.

    One group far above all others would otherwise make each of them look short.
    """
    names = sorted(rows[kind].unique())
    if len(names) < 2:
        return ()
    field = _Field.of(rows, kind, levels, cluster)
    found = [_gap(field, name) for name in names]
    best = max(found, key=lambda gap: gap.gap.value if np.isfinite(gap.gap.value) else -np.inf).name
    if len(names) == 2:
        return tuple(found)
    rest = _Field.of(rows[rows[kind] != best], kind, levels, cluster)
    return tuple(gap if gap.name == best else _milder(gap, _gap(rest, gap.name)) for gap in found)


def _milder(gap: Gap, without_best: Gap) -> Gap:
    milder = gap if gap.gap.value >= without_best.gap.value else without_best
    return replace(milder, p=max(gap.p, without_best.p), p_same=gap.p_same)


@dataclass(frozen=True)
class _Field:
    """Rows to compare, and what is left of a column once its levels' means are taken out (Frisch and Waugh 1933)."""

    kind: str
    group: np.ndarray
    team: np.ndarray
    account: np.ndarray
    cluster: np.ndarray
    basis: np.ndarray
    money: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame, kind: str, levels: list[str], cluster: str) -> "_Field":
        fixed = np.column_stack([dummies(rows[level].factorize(sort=True)[0], drop=-1) for level in levels])
        size, turn = np.linalg.eigh(fixed.T @ fixed)
        is_real = size > 1e-9 * size.max()
        basis = fixed @ (turn[:, is_real] / np.sqrt(size[is_real]))
        names = [rows[name].to_numpy(dtype=object) for name in (kind, "team")]
        codes = [rows[name].factorize()[0] for name in ("account_id", cluster)]
        return cls(kind, *names, *codes, basis, rows["money"].to_numpy(dtype=float))

    def free(self, columns: np.ndarray) -> np.ndarray:
        return columns - self.basis @ (self.basis.T @ columns)

    def fit(self, columns: np.ndarray, side: np.ndarray) -> Clustered:
        ones = np.ones(len(side))
        return least_squares(self.free(columns.astype(float)), self.free(self.money), ones, self.cluster, side)


def _gap(field: _Field, name: str) -> Gap:
    is_own = field.group == name
    left = field.free(is_own.astype(float))
    n = min(len(np.unique(field.account[rows])) for rows in (is_own, ~is_own))
    if left @ left < TOLD_APART * len(left) or n < LEAST_ACCOUNTS:
        return Gap(field.kind, name, Figure(float("nan"), float("nan"), float("nan"), int(is_own.sum())), float("nan"))
    fit = field.fit(is_own[:, None], is_own)
    value, error = float(fit.slopes[0]), float(np.sqrt(fit.covariance[0, 0]))
    half = half_width(error, fit.freedom)
    gap = Figure(value, value - half, value + half, int(is_own.sum()))
    p_same = _p_same(field, is_own) if field.kind == "segment" else float("nan")
    return Gap(field.kind, name, gap, p_two_sided(value, error, fit.freedom), p_same)


def _p_same(field: _Field, is_own: np.ndarray) -> float:
    """Return p for a segment's gap being the same in all teams that work both it and others; NaN with fewer than two."""
    both = sorted(set(field.team[is_own]) & set(field.team[~is_own]))
    if len(both) < 2:
        return float("nan")
    apart = np.column_stack([is_own & (field.team == team) for team in both[1:]] + [is_own])
    return field.fit(apart, is_own).p_of(list(range(len(both) - 1)))
