"""The ideal customer profile: an ordered list of readable rules, found on past deals and held to the locked quarter."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from winworth.features.build import is_deal_level
from winworth.features.catalog import Catalog, Feature
from winworth.models.metrics import Figure
from winworth.scoring.icp_search import Found, find_rules
from winworth.scoring.lift import Realised, chance, lift_of, win_rate_of
from winworth.scoring.rules import Rule
from winworth.weights.reasons import Wording

FAMILIES = ("firmographic", "technographic", "needs_value")
LEVEL = 0.05  # of Benjamini and Hochberg's correction over the rules carried to the locked quarter
CORRECTION = "Benjamini-Hochberg over the rules carried to the locked quarter; the rules tried were tried on earlier deals only"


@dataclass(frozen=True)
class Period:
    """Deals of a time, one row each: what was known of them when first observed, and what came of them."""

    features: pd.DataFrame
    realised: Realised

    def __len__(self) -> int:
        return len(self.realised)


@dataclass(frozen=True)
class Held:
    """What the deals of a rule, and of none before it, were in the locked quarter; `p` is corrected (NaN: not tested)."""

    coverage: float
    lift: Figure
    win_rate: Figure
    p: float = float("nan")

    @property
    def holds(self) -> bool:
        """Whether the lift is beyond chance, by the corrected test and by its interval."""
        return bool(self.p <= LEVEL and self.lift.low > 1)

    def to_dict(self) -> dict:
        """Return the figures for JSON."""
        p = None if np.isnan(self.p) else self.p
        return {"coverage": self.coverage, "lift": self.lift.to_dict(), "win_rate": self.win_rate.to_dict(), "p_corrected": p}


@dataclass(frozen=True)
class Icp:
    """The rules published, those that did not hold, and all other deals; each with what it was past and locked.

    `rest` is None where nothing was published. Figures of a published rule are those of the list as it is applied: deals for
    which it holds and no published rule before it does.
    """

    rules: tuple[tuple[Found, Held], ...] = ()
    not_held: tuple[tuple[Found, Held], ...] = ()
    rest: Held | None = None
    n_tried: int = 0

    def apply(self, features: pd.DataFrame) -> np.ndarray:
        """Return for each row the number of the first rule that holds, from 1; 0 where none does."""
        return apply_rules([found.rule for found, _ in self.rules], features)

    def to_dict(self, wordings: Mapping[str, Wording]) -> dict:
        """Return all of it for JSON, each rule in the languages of `wordings`."""
        return {
            "rules": [_rule_record(pair, wordings) for pair in self.rules],
            "did_not_hold": [_rule_record(pair, wordings) for pair in self.not_held],
            "else": None if self.rest is None else self.rest.to_dict(),
            "n_tried": self.n_tried,
            "n_tested": len(self.rules) + len(self.not_held),
            "correction": CORRECTION,
        }


def icp_features(catalog: Catalog, columns: list[str]) -> list[str]:
    """Name the features that say who a customer is: of the families firmographic, technographic and needs_value, of the
    account, and none that a sales team can change, so that an account has them before anyone sells to it.
    """
    return [name for name, spec in catalog.features.items() if name in columns and _says_who(catalog, name, spec)]


def _says_who(catalog: Catalog, name: str, spec: Feature) -> bool:
    criterion = catalog.criteria[catalog.criterion_of[name]]
    return criterion.family in FAMILIES and not criterion.can_change(name) and not is_deal_level(spec)


def learn_icp(past: Period, locked: Period, *, seed: int) -> Icp:
    """Find rules on past deals, and publish those that hold on the locked quarter."""
    found, n_tried = find_rules(past.features, past.realised)
    return replace(hold_to(found, locked, seed=seed), n_tried=n_tried)


def hold_to(found: tuple[Found, ...], locked: Period, *, seed: int) -> Icp:
    """Test rules on deals that had no part in finding them, each among deals for which no rule before it holds.

    The chance of each lift is found by dealing accounts anew, and corrected over all the rules given. Where some fail, they go
    and the others are measured again as the list that is left, corrected for as many rules as before, until all that are
    left hold: what is published is what is applied.
    """
    n_tested, left, gone = len(found), list(found), []
    while left:
        held = _measured([f.rule for f in left], locked, seed=seed, n_tested=n_tested)
        if all(h.holds for h in held):
            return Icp(tuple(zip(left, held, strict=True)), _in_order(gone, found), _rest(left, locked, seed=seed))
        gone += [(f, h) for f, h in zip(left, held, strict=True) if not h.holds]
        left = [f for f, h in zip(left, held, strict=True) if h.holds]
    return Icp(not_held=_in_order(gone, found))


def apply_rules(rules: list[Rule], features: pd.DataFrame) -> np.ndarray:
    """Return for each row the number of the first rule that holds, from 1; 0 where none does."""
    number = np.zeros(len(features), dtype=np.int64)
    for k, rule in enumerate(rules, 1):
        number[(number == 0) & rule.holds(features)] = k
    return number


def read_rules(learnt: Mapping) -> list[Rule]:
    """Rebuild the published rules from what `Icp.to_dict` wrote."""
    return [Rule.from_dict(written["conditions"]) for written in learnt["rules"]]


def _measured(rules: list[Rule], locked: Period, *, seed: int, n_tested: int) -> list[Held]:
    groups = list(_groups(rules, locked))
    told = [_held(chosen, locked, seed) for chosen in groups]
    chances = [chance(chosen, locked.realised, seed=seed) for chosen in groups]
    corrected = false_discovery_control([*chances, *[1.0] * (n_tested - len(chances))])
    return [replace(held, p=float(p)) for held, p in zip(told, corrected, strict=False)]


def _groups(rules: list[Rule], locked: Period) -> Iterator[np.ndarray]:
    number = apply_rules(rules, locked.features)
    return (number == k for k in range(1, len(rules) + 1))


def _rest(left: list[Found], locked: Period, *, seed: int) -> Held:
    return _held(apply_rules([f.rule for f in left], locked.features) == 0, locked, seed)


def _held(chosen: np.ndarray, locked: Period, seed: int) -> Held:
    weight, realised = locked.realised.weight, locked.realised
    coverage = float(weight @ chosen / weight.sum()) if len(weight) else 0.0
    return Held(coverage, lift_of(chosen, realised, seed=seed), win_rate_of(chosen, realised))


def _in_order(gone: list[tuple[Found, Held]], found: tuple[Found, ...]) -> tuple[tuple[Found, Held], ...]:
    return tuple(sorted(gone, key=lambda pair: found.index(pair[0])))


def _rule_record(pair: tuple[Found, Held], wordings: Mapping[str, Wording]) -> dict:
    found, held = pair
    return {
        "conditions": found.rule.to_dict(),
        "words": {lang: found.rule.words(wording) for lang, wording in wordings.items()},
        "past": {"coverage": found.coverage, "lift": found.lift, "lower_bound_90": found.bound},
        "locked": held.to_dict(),
    }
