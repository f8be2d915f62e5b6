"""A readable rule on features: a few conditions, each a round number or a word, that all hold."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from winworth.weights.bins import numbers_of, roundest
from winworth.weights.reasons import Wording

Kind = Literal["at_least", "below", "is"]
SHARES = tuple(np.arange(1, 10) / 10)  # where numbers are cut: at the roundest number near each tenth of the rows
NEAR = 0.025
FEW = 10  # different values up to which each is a cut
_WORDS = {
    "en": {"at_least": "at least {}", "below": "below {}", "is": "{}", "and": " and "},
    "fr": {"at_least": "d'au moins {}", "below": "inférieur à {}", "is": "{}", "and": " et "},
}


@dataclass(frozen=True)
class Condition:
    """A number that is at least, or below, a value; or a word. What is missing meets no condition."""

    feature: str
    kind: Kind
    value: float | str

    def holds(self, features: pd.DataFrame) -> np.ndarray:
        """Return for each row whether the condition holds."""
        column = features[self.feature]
        if self.kind == "is":
            return (column == self.value).fillna(False).to_numpy(dtype=bool)
        numbers = numbers_of(column, self.feature)
        return numbers >= self.value if self.kind == "at_least" else numbers < self.value


@dataclass(frozen=True)
class Rule:
    """Conditions that all hold, in the order of the features; none holds everywhere."""

    conditions: tuple[Condition, ...]

    def holds(self, features: pd.DataFrame) -> np.ndarray:
        """Return for each row whether every condition holds."""
        return np.logical_and.reduce([np.ones(len(features), dtype=bool), *(c.holds(features) for c in self.conditions)])

    def words(self, wording: Wording) -> str:
        """Write the rule as people say it: a feature with two bounds is named once."""
        said, parts = _WORDS[wording.lang], []
        for before, now in zip((None, *self.conditions), self.conditions, strict=False):
            bound = said[now.kind].format(_written(now.value, wording.lang))
            is_named = before is not None and before.feature == now.feature
            parts.append(bound if is_named else f"{wording.feature(now.feature)} {bound}")
        return said["and"].join(parts)

    def to_dict(self) -> list[dict]:
        """Return the conditions for JSON."""
        return [condition.__dict__.copy() for condition in self.conditions]

    @classmethod
    def from_dict(cls, learnt: list[dict]) -> "Rule":
        """Rebuild what `to_dict` wrote."""
        return cls(tuple(Condition(**condition) for condition in learnt))


def conditions_on(features: pd.DataFrame, *, least: float) -> list[Condition]:
    """List the conditions to try, in the order of the features.

    A number is cut near each tenth of its rows at the number with the fewest digits, or at each value where there are few. A
    word is tried if at least a share `least` of the rows has it; rarer ones are no condition of their own.

    >>> conditions_on(pd.DataFrame({"level": [1.0, 2.0, 2.0], "sector": ["it", "it", "steel"]}), least=0.5)
    [Condition(feature='level', kind='at_least', value=2.0), Condition(feature='level', kind='below', value=2.0), \
Condition(feature='sector', kind='is', value='it')]
    """
    found = []
    for name, column in features.items():
        if pd.api.types.is_numeric_dtype(column):
            cuts = _cuts(numbers_of(column, str(name)))
            found += [Condition(str(name), kind, cut) for cut in cuts for kind in ("at_least", "below")]
        else:
            share = column[column != ""].value_counts(sort=False) / max(len(column), 1)
            found += [Condition(str(name), "is", level) for level in sorted(share.index[share >= least])]
    return found


def _cuts(numbers: np.ndarray) -> list[float]:
    known = np.sort(numbers[np.isfinite(numbers)])
    values = np.unique(known)
    if len(values) <= FEW:
        return values[1:].tolist()
    near = [np.quantile(known, [share - NEAR, share + NEAR], method="inverted_cdf") for share in SHARES]
    cuts = {roundest(low, high) if low < high else float(low) for low, high in near}
    return sorted(cut for cut in cuts if cut is not None and cut > values[0])


def _written(value: float | str, lang: str) -> str:
    if isinstance(value, str):
        return value
    text = f"{value:,.10g}"
    return text.replace(",", "\u202f").replace(".", ",") if lang == "fr" else text
