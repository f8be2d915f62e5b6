"""The search for an ordered list of readable rules whose deals brought more than all did, on past deals only."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import norm

from winworth.scoring.lift import Realised, log_lifts
from winworth.scoring.rules import Condition, Rule, conditions_on

MOST_RULES, MOST_CONDITIONS = 5, 3
COVERAGE = 0.05  # least share of the deals that a rule must hold for
LEAST_DEALS = 20
BEAM = 20
BOUND = norm.ppf(0.95)  # the lower end of a 90 % interval
LEVEL = 0.05  # of the test that each condition is needed, over all the rules tried beside it
_CHUNK = 256


@dataclass(frozen=True)
class Found:
    """A rule, and on the past deals that no rule before it holds for: their share, their lift and its lower 90 % bound."""

    rule: Rule
    coverage: float
    lift: float
    bound: float


def find_rules(features: pd.DataFrame, realised: Realised) -> tuple[tuple[Found, ...], int]:
    """Return the list found by sequential covering, and how many rules were tried.

    Each rule is, among those of the deals left over by the rules before it, the one with the highest lower 90 % bound of
    lift, where lift is the mean value against that of all deals. A condition stands in a rule only if it lifts what the
    others keep by more than chance would, over all the rules tried at that length. The list ends where the best bound is no
    lift.
    """
    search = _Search.of(features, realised)
    left, found, n_tried = np.ones(len(features), dtype=bool), [], 0
    while len(found) < MOST_RULES and search.covers(left[:, None])[0]:
        best, tried = search.best(left)
        n_tried += tried
        if best is None:
            break
        found.append(best)
        left &= ~best.rule.holds(features)
    return tuple(found), n_tried


@dataclass(frozen=True)
class _Search:
    conditions: list[Condition]
    holds: np.ndarray
    realised: Realised

    @classmethod
    def of(cls, features: pd.DataFrame, realised: Realised) -> "_Search":
        conditions = conditions_on(features, least=COVERAGE)
        holds = np.zeros((len(features), len(conditions)), dtype=bool)
        for k, condition in enumerate(conditions):
            holds[:, k] = condition.holds(features)
        return cls(conditions, holds, realised)

    def best(self, left: np.ndarray) -> tuple[Found | None, int]:
        """Return the rule with the highest bound among deals that are left, and how many were tried."""
        beam, best, n_tried = [()], None, 0
        for _ in range(MOST_CONDITIONS):
            grown = self._grown(beam)
            if not grown:
                break
            n_tried += len(grown)
            beam, found = self._ranked(grown, left, norm.isf(LEVEL / len(grown)))
            if found is not None and (best is None or found.bound > best.bound):
                best = found
        return best, n_tried

    def covers(self, chosen: np.ndarray) -> np.ndarray:
        """Tell which groups (columns) are large enough to be a rule's."""
        weight = self.realised.weight
        return (weight @ chosen >= COVERAGE * weight.sum()) & (chosen.sum(axis=0) >= LEAST_DEALS)

    def _may_lift(self, chosen: np.ndarray) -> np.ndarray:
        """Tell which groups are large enough and brought more than all did: the others need no error."""
        brought = self.realised.weight * self.realised.value
        weight = self.realised.weight
        return self.covers(chosen) & (brought @ chosen * weight.sum() > weight @ chosen * brought.sum())

    def _grown(self, beam: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Add each condition to each rule: a feature has one word, or one bound on either side."""
        grown = {tuple(sorted({*rule, k})) for rule in beam for k in range(len(self.conditions)) if k not in rule}
        return sorted(rule for rule in grown if all(self._agree(i, j) for i, j in combinations(rule, 2)))

    def _agree(self, i: int, j: int) -> bool:
        one, other = self.conditions[i], self.conditions[j]
        return one.feature != other.feature or {one.kind, other.kind} == {"at_least", "below"}

    def _ranked(self, rules: list[tuple[int, ...]], left: np.ndarray, z: float) -> tuple[list[tuple[int, ...]], Found | None]:
        """Return the rules with the highest bounds, and the first of them that needs each of its conditions."""
        scored = []
        for chunk, chosen in self._chunks(rules, left):
            places = np.flatnonzero(self._may_lift(chosen))
            lift, error = log_lifts(chosen[:, places], self.realised)
            bound = np.round(lift - BOUND * error, 9)
            scored += [(-bound[k], chunk[place], lift[k]) for k, place in enumerate(places)]
        beam = sorted(scored)[:BEAM]
        for negative, rule, lift in beam:
            if negative < 0 and self._needs_all(rule, left, z):
                return [r for _, r, _ in beam], self._found(rule, left, lift, -negative)
        return [rule for _, rule, _ in beam], None

    def _chunks(self, rules: list[tuple[int, ...]], left: np.ndarray) -> Iterator[tuple[list[tuple[int, ...]], np.ndarray]]:
        for start in range(0, len(rules), _CHUNK):
            chunk = rules[start : start + _CHUNK]
            chosen = np.repeat(left[:, None], len(chunk), axis=1)
            for place in np.array(chunk).T:
                chosen &= self.holds[:, place]
            yield chunk, chosen

    def _needs_all(self, rule: tuple[int, ...], left: np.ndarray, z: float) -> bool:
        """Tell whether each condition lifts what the others keep; a single one must lift against all deals."""
        chosen = left & self.holds[:, rule].all(axis=1)
        for k in rule:
            others = [other for other in rule if other != k]
            within = left & self.holds[:, others].all(axis=1) if others else None
            lift, error = log_lifts(chosen[:, None], self.realised, within=within)
            if lift[0] - z * error[0] <= 0:
                return False
        return True

    def _found(self, rule: tuple[int, ...], left: np.ndarray, lift: float, bound: float) -> Found:
        weight, chosen = self.realised.weight, left & self.holds[:, rule].all(axis=1)
        coverage = float(weight @ chosen / weight.sum())
        return Found(Rule(tuple(self.conditions[k] for k in rule)), coverage, float(np.exp(lift)), float(np.exp(bound)))
