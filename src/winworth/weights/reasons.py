"""Per account: the criteria that lift it most and lower it most, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.features.catalog import Catalog

N_REASONS = 3
_WORDS = {
    "en": {"unknown": "unknown", "colon": ": "},
    "fr": {"unknown": "inconnu", "colon": "\u00a0: "},
}


@dataclass(frozen=True)
class Wording:
    """The language of the reasons and the labels of criteria and features."""

    catalog: Catalog
    lang: str

    def label(self, labels: Mapping[str, str], name: str) -> str:
        """Return the label in the language, in English, or the name with spaces."""
        return labels.get(self.lang) or labels.get("en") or name.replace("_", " ")

    def criterion(self, name: str) -> str:
        """Return a criterion's label."""
        return self.label(self.catalog.criteria[name].label, name)

    def feature(self, name: str) -> str:
        """Return a feature's label, or its criterion's where it is the only one and has none."""
        owner = self.catalog.criterion_of[name]
        criterion = self.catalog.criteria[owner]
        if not criterion.features[name].label and len(criterion.features) == 1:
            return self.criterion(owner)
        return self.label(criterion.features[name].label, name)

    def sentence(self, feature: str, value: object, points: float) -> str:
        """Word one reason: the feature, its value on this row, and the points it brings."""
        unit = "points" if abs(points) >= 1.5 else "point"
        return f"{self.feature(feature)}{_WORDS[self.lang]['colon']}{self.value(value)} ({points:+.0f} {unit})"

    def value(self, value: object) -> str:
        """Write a value as people do."""
        if pd.isna(value):
            return _WORDS[self.lang]["unknown"]
        if isinstance(value, str):
            return value
        text = f"{float(value):,.0f}" if abs(value) >= 10 or float(value).is_integer() else f"{float(value):,.2g}"
        return text.replace(",", "\u202f").replace(".", ",") if self.lang == "fr" else text


def reasons(
    features: pd.DataFrame, by_feature: pd.DataFrame, scores: pd.DataFrame, weights: pd.Series, wording: Wording
) -> pd.DataFrame:
    """Return reason_1..3 for each row: the criteria that move its score furthest from 50, each by its strongest feature.

    `by_feature` holds each feature's part less its reference; `scores` the criterion scores 0-100. A criterion that moves
    the score by half a point or less is no reason; where there are fewer than three, the rest is empty.
    """
    points = (scores - 50) * weights.reindex(scores.columns) / 100
    order = np.argsort(-points.abs().to_numpy(), axis=1, kind="stable")[:, :N_REASONS]
    own = {name: [f for f in wording.catalog.criteria[name].features if f in by_feature.columns] for name in scores.columns}
    strongest = {
        name: np.array(columns, dtype=object)[np.argmax(by_feature[columns].abs().to_numpy(), axis=1)]
        for name, columns in own.items()
    }
    lines: dict[str, list[str]] = {f"reason_{k + 1}": [] for k in range(N_REASONS)}
    values, moved, names = features.to_dict("list"), points.to_numpy().tolist(), list(scores.columns)
    for row, places in enumerate(order.tolist()):
        for k in range(N_REASONS):
            told = k < len(places) and abs(moved[row][places[k]]) > 0.5
            feature = strongest[names[places[k]]][row] if told else None
            point = moved[row][places[k]] if told else 0.0
            lines[f"reason_{k + 1}"].append(wording.sentence(feature, values[feature][row], point) if told else "")
    return pd.DataFrame(lines, index=scores.index).astype("str")
