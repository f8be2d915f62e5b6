"""Accounts that resemble each other in what matters: k-means on features weighted by importance."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.models.linear import Standardiser
from winworth.models.matrix import FeatureMatrix
from winworth.weights.reasons import Wording

_HIGH = ("↓", "↑")


@dataclass(frozen=True)
class Segments:
    """Centres in the space of weighted, standardised matrix columns, and a label for each in both languages."""

    matrix: FeatureMatrix
    scale: Standardiser
    root_share: np.ndarray
    centres: np.ndarray
    labels: tuple[dict[str, str], ...]

    def assign(self, features: pd.DataFrame) -> np.ndarray:
        """Return the number of the nearest segment of each row, from 1."""
        points = _place(self.matrix, self.scale, self.root_share, features)
        distance = ((points[:, None, :] - self.centres) ** 2).sum(axis=2)
        return distance.argmin(axis=1) + 1

    def to_dict(self) -> dict:
        """Return all numbers and labels, for JSON."""
        scale = {name: np.where(np.isinf(v), 0, v).tolist() for name, v in self.scale.__dict__.items()}
        return {
            "matrix": self.matrix.to_dict(),
            "scale": scale,
            "root_share": self.root_share.tolist(),
            "centres": self.centres.tolist(),
            "labels": list(self.labels),
        }

    @classmethod
    def from_dict(cls, learnt: dict) -> "Segments":
        """Rebuild what `to_dict` wrote."""
        scale = {name: np.asarray(v) for name, v in learnt["scale"].items()}
        for name in ("spread", "missing_spread"):
            scale[name] = np.where(scale[name] == 0, np.inf, scale[name])
        arrays = (np.asarray(learnt["root_share"]), np.asarray(learnt["centres"]))
        return cls(FeatureMatrix.from_dict(learnt["matrix"]), Standardiser(**scale), *arrays, tuple(learnt["labels"]))


def find_segments(features: pd.DataFrame, shares: pd.Series, wordings: dict[str, Wording], *, most: int, seed: int) -> Segments:
    """Group rows by k-means, k by silhouette among 2..`most`, no segment below 30 rows or 2 %.

    `shares` is each feature's share of importance; a feature's columns share its weight. Labels name the two features
    whose mean in the segment lies furthest from the mean of all. Too few rows give one segment.
    """
    used = [name for name in features.columns if shares.get(name, 0) > 0]
    matrix = FeatureMatrix().fit(features[used])
    X = matrix.transform(features[used])
    scale = Standardiser.learn(X, np.ones(len(X)))
    root_share = np.sqrt([shares[column.feature] for column in matrix.columns_])
    points = _place(matrix, scale, root_share, features[used])
    centres = _centres(points, most, seed)
    unlabelled = Segments(matrix, scale, root_share, centres, tuple({} for _ in centres))
    assigned = unlabelled.assign(features)
    labels = _labels(points, assigned, matrix, wordings)
    return Segments(matrix, scale, root_share, centres, labels)


def _place(matrix: FeatureMatrix, scale: Standardiser, root_share: np.ndarray, features: pd.DataFrame) -> np.ndarray:
    """Put rows in the space: numbers standardised and held within 3 deviations, levels 0 or 1, all times root share."""
    X = matrix.transform(features)
    z = np.clip(scale.transform(X)[:, : X.shape[1]], -3, 3)
    is_level = np.array([column.level is not None for column in matrix.columns_])
    return np.where(is_level, X, z) * root_share


def _centres(points: np.ndarray, most: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    least = max(30, 0.02 * len(points))
    best, best_score = points.mean(axis=0, keepdims=True), 0.0
    sample = np.random.default_rng(seed).permutation(len(points))[:2000]
    for k in range(2, most + 1):
        if len(np.unique(points[sample].round(9), axis=0)) < k or len(points) < k * least:
            break
        fitted = KMeans(k, n_init=10, random_state=seed).fit(points)
        sizes, found = np.bincount(fitted.labels_, minlength=k), len(np.unique(fitted.labels_[sample]))
        if sizes.min() < least or found < 2:
            continue
        score = silhouette_score(points[sample], fitted.labels_[sample])
        if score > best_score + 1e-3:
            best, best_score = fitted.cluster_centers_, score
    return best[np.lexsort(best.T[::-1])]


def _labels(points: np.ndarray, assigned: np.ndarray, matrix: FeatureMatrix, wordings: dict[str, Wording]) -> tuple:
    centre = points.mean(axis=0)
    labels = []
    for segment in range(1, int(assigned.max()) + 1):
        away = points[assigned == segment].mean(axis=0) - centre
        labels.append({lang: _label(away, matrix, wording) for lang, wording in wordings.items()})
    return tuple(labels)


def _label(away: np.ndarray, matrix: FeatureMatrix, wording: Wording) -> str:
    """Name the two features that set a segment apart: high or low for numbers, the level it has more of for levels."""
    parts: dict[str, str] = {}
    for place in np.argsort(-np.abs(away), kind="stable"):
        column = matrix.columns_[place]
        if column.feature in parts or len(parts) == 2 or abs(away[place]) < 1e-9:
            continue
        name = wording.feature(column.feature)
        if column.level is None:
            parts[column.feature] = f"{name} {_HIGH[int(away[place] > 0)]}"
        elif away[place] > 0:
            parts[column.feature] = f"{name} {column.level}"
    return ", ".join(parts.values())
