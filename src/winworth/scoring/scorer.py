"""A model version at work: features in; win probability, value, criterion scores and reasons out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from winworth.errors import IntegrityError
from winworth.features.build import is_deal_level
from winworth.features.catalog import Catalog
from winworth.models.by_name import ByName
from winworth.models.linear import row_sums
from winworth.models.matrix import FeatureMatrix
from winworth.models.value import Value, read_value
from winworth.models.win import WinModel
from winworth.scoring.segments import Placed, Segments
from winworth.weights.attribution import Attributions
from winworth.weights.criteria import CriteriaWeights, contributions, contributions_by_criterion, criterion_scores
from winworth.weights.doubt import Doubt
from winworth.weights.scorecard import Scorecard


@dataclass(frozen=True)
class Scored:
    """Scores of rows: `table` (win_probability, value_if_won, value_low, value_high, expected_value, score), the criterion
    scores 0-100, each feature's part in log expected value less its reference, and the segment of each row ("": none).
    """

    table: pd.DataFrame
    criteria: pd.DataFrame
    by_feature: pd.DataFrame
    placed: Placed


@dataclass(frozen=True)
class Scorer:
    """All that is needed to score: models, criteria weights and segments. `value` is None where no value could be learnt.

    `card` is the scorecard where it keeps enough of the models to be the score that runs; without it the models score.
    """

    catalog: Catalog
    win: ByName[WinModel]
    value: ByName[Value] | None
    weights: CriteriaWeights
    segments: Segments | None
    card: Scorecard | None = None

    def score(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return win_probability, value_if_won, expected_value and score of each row of a feature table."""
        names = ["win_probability", "value_if_won", "expected_value", "score"]
        return self._scored(features, np.zeros(len(features), dtype=bool))[0][names]

    def explain(self, features: pd.DataFrame, has_no_deal: np.ndarray) -> Scored:
        """Score rows with all that lies behind it.

        Rows that have no deal yet (`has_no_deal`) count as neutral in deal-level features: these are read as missing,
        contribute what they do at the reference, and a criterion that has no others scores 50.
        """
        return Scored(*self._scored(features, has_no_deal), self.placed(features))

    def placed(self, features: pd.DataFrame) -> Placed:
        """Return the segment of each row; nowhere where there are none."""
        return Placed.nowhere(len(features)) if self.segments is None else self.segments.assign(features)

    def _scored(self, features: pd.DataFrame, has_no_deal: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Return the table, the criterion scores and what each feature moves, as `Scored` has them."""
        blank = self._blank(features, has_no_deal)
        unread = [name for name in blank if name in features and blank[name].any()]
        features = features.assign(**{name: features[name].mask(blank[name]) for name in unread})
        asked = has_no_deal if self.card is not None else np.ones(len(features), dtype=bool)  # a card needs no attributions
        parts, reference = self._attributions(features[asked]), self.weights.reference
        off = {name: (getattr(parts, name) - reference[name]) for name in ("winning", "worth")}
        moved = {name: np.zeros(len(features)) for name in off}
        for name, part in off.items():
            moved[name][asked] = row_sums(part.where(blank[asked], 0.0).to_numpy())
        z = self.win.model.decision_function(self.win.matrix.transform(features)) - moved["winning"]
        table = self._values(features, moved["worth"]).assign(win_probability=expit(z))
        table = table.assign(expected_value=table["win_probability"] * table["value_if_won"])
        if self.card is None:
            neutral = {name: getattr(parts, name).where(~blank, reference[name], axis=1) for name in off}
            by_criterion = contributions_by_criterion(Attributions(**neutral), self.catalog, self.weights)
            criteria = self._neutral_criteria(criterion_scores(by_criterion, self.weights), blank)
            by_feature = contributions(Attributions(**off), self.catalog, self.weights).where(~blank, 0.0)
        else:
            criteria, by_feature = self._by_card(features, has_no_deal)
        weight = self.weights.table["weight"].reindex(criteria.columns)
        score = row_sums(criteria.to_numpy(dtype=float) * weight.to_numpy(dtype=float)) / 100
        return table.assign(score=score), criteria, by_feature

    def _by_card(self, features: pd.DataFrame, has_no_deal: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return criterion scores by the card, and each feature's points; a pair's points count half for each of the two."""
        points = self.card.points(features, has_no_deal)
        criteria = self.card.held(points).astype(float)
        moved = pd.DataFrame(0.0, features.index, self.win.matrix.features_)
        for key in points.columns:
            for name in key[1:]:
                moved[name] += points[key] / (len(key) - 1)
        return criteria.reindex(columns=self.weights.criteria.index).fillna(50.0), moved

    def _attributions(self, features: pd.DataFrame) -> Attributions:
        winning = self.win.attributions(features)[0]
        if self.value is None:
            return Attributions(winning, winning * 0.0)
        return Attributions(winning, self.value.attributions(features)[0])

    def _blank(self, features: pd.DataFrame, has_no_deal: np.ndarray) -> pd.DataFrame:
        deal_level = [is_deal_level(self.catalog.features[name]) for name in self.win.matrix.features_]
        return pd.DataFrame(np.outer(has_no_deal, deal_level), features.index, self.win.matrix.features_)

    def _neutral_criteria(self, criteria: pd.DataFrame, blank: pd.DataFrame) -> pd.DataFrame:
        empty = {name: blank[[f for f in self.catalog.criteria[name].features if f in blank]].all(axis=1) for name in criteria}
        return criteria.mask(pd.DataFrame(empty, index=criteria.index), 50.0)

    def _values(self, features: pd.DataFrame, moved: np.ndarray) -> pd.DataFrame:
        if self.value is None:
            return pd.DataFrame(np.nan, features.index, ["value_if_won", "value_low", "value_high"])
        X = self.value.matrix.transform(features)
        names = ("value_if_won", "value_low", "value_high")
        told = {name: np.exp(log - moved) for name, log in zip(names, self.value.model.logs(X), strict=True)}
        return pd.DataFrame(told, features.index)

    def to_files(self) -> dict[str, bytes]:
        """Return the model version's files but its record and figures: JSON and LightGBM's text, no pickle."""
        files = {"criteria.json": self.catalog.to_dict(), "win_matrix.json": self.win.matrix.to_dict()}
        files |= self.win.model.to_files("win")
        if self.value is not None:
            files |= {"value_matrix.json": self.value.matrix.to_dict()} | self.value.model.to_files("value")
        if self.segments is not None:
            files["segments.json"] = self.segments.to_dict()
        files["weights.json"] = {
            "loss_rate": self.weights.loss_rate,
            "table": self.weights.table.reset_index().to_dict("list"),
            "reference": self.weights.reference.reset_index(names="feature").to_dict("list"),
            "slopes": self.weights.slopes.reset_index(names="criterion").to_dict("list"),
            "doubt": self.weights.doubt and self.weights.doubt.to_dict(),
        }
        return {name: (value if isinstance(value, str) else as_json(value)).encode() for name, value in files.items()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "Scorer":
        """Rebuild what `to_files` wrote, from bytes that have been verified, and try it on a row without a feature.

        Raises IntegrityError where the files do not fit together: another program wrote them, and signed them.
        """
        try:
            scorer = cls._rebuilt(files)
            scorer.explain(scorer._nothing(), np.zeros(1, dtype=bool))
        except (IntegrityError, MemoryError):
            raise
        except Exception as error:  # whatever files that do not fit together make of readers, pandas and LightGBM
            said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise IntegrityError(
                f"the files of the model version do not fit together ({said}). Run winworth train again."
            ) from error
        return scorer

    def _nothing(self) -> pd.DataFrame:
        """Return one row in which every feature is missing."""
        matrices = [part.matrix for part in (self.win, self.value) if part is not None]
        numbers = {name: np.nan for matrix in matrices for name in matrix.medians_}
        levels = {name: pd.Series([None], dtype="str") for matrix in matrices for name in matrix.levels_}
        return pd.DataFrame(numbers | levels, index=[0])

    @classmethod
    def _rebuilt(cls, files: Mapping[str, bytes]) -> "Scorer":
        read = {name: json.loads(content) for name, content in files.items() if name.endswith(".json")}
        text = {name: files[name].decode() for name in ("win_trees.txt", "value_trees.txt") if name in files}
        catalog = Catalog.from_dict(read["criteria.json"])
        win = WinModel.from_files(read["win.json"], text.get("win_trees.txt"))
        value = None
        if "value.json" in read:
            model = read_value(read["value.json"], text["value_trees.txt"])
            value = ByName(FeatureMatrix.from_dict(read["value_matrix.json"]), model)
        weights = _weights(read["weights.json"])
        segments = Segments.from_dict(read["segments.json"]) if "segments.json" in read else None
        kept = read.get("scorecard.json", {"in_use": False})
        card = Scorecard.from_dict(kept["card"]) if kept["in_use"] else None
        return cls(catalog, ByName(FeatureMatrix.from_dict(read["win_matrix.json"]), win), value, weights, segments, card)


def _weights(read: Mapping) -> CriteriaWeights:
    """Rebuild the weights; older files tell no slopes, which were 1, and no doubt."""
    slopes, doubt = pd.DataFrame(read.get("slopes", {"criterion": []})).set_index("criterion"), read.get("doubt")
    return CriteriaWeights(
        pd.DataFrame(read["table"]).set_index("criterion"),
        pd.DataFrame(read["reference"]).set_index("feature"),
        read["loss_rate"],
        slopes,
        None if doubt is None else Doubt.from_dict(doubt),
    )


def as_json(document: object) -> str:
    """Write JSON with sorted keys, the same bytes from the same content; NaN is refused."""
    return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
