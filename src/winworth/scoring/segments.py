"""Accounts that resemble each other in what matters: the centres, and the segment of any account."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from winworth.errors import IntegrityError
from winworth.scoring.segment_space import Space

FORMAT = 2
NEAR_ANOTHER = 0.9  # nearest distance over the next one, above which a row is borderline
KNOWN = 0.99  # the quantile of the distances in training up to which a row belongs to the segments known
CHUNK = 20_000
BORDERLINE, OUTSIDE = "borderline", "outside"


@dataclass(frozen=True)
class Placed:
    """The id of each row's nearest segment, and its mark: "" inside it, "borderline" nearly as near to another one, "outside"
    further away than 99 of 100 rows in training.
    """

    segment: np.ndarray
    mark: np.ndarray

    @classmethod
    def nowhere(cls, n: int) -> "Placed":
        """Return what stands where there are no segments: no id and no mark."""
        return cls(np.full(n, "", dtype=object), np.full(n, "", dtype=object))


@dataclass(frozen=True)
class Rule:
    """A segment in one sentence by language, and how well it holds on rows that it was not learnt from.

    `precision` is the part in the segment of the `n_met` rows that meet it (None: no row does), `coverage` the part that meets
    it of the `n` rows in the segment.
    """

    sentence: Mapping[str, str]
    precision: float | None
    n_met: int
    coverage: float
    n: int


@dataclass(frozen=True)
class Segments:
    """Centres in the space of weighted features; by centre an id, and where they were found a label by language and a rule.

    `edge` is the distance beyond which a row is outside; `n_born` counts the ids given in all versions until then.
    """

    space: Space
    centres: np.ndarray
    edge: float
    ids: tuple[str, ...]
    n_born: int
    labels: tuple[Mapping[str, str], ...] = ()
    rules: tuple[Rule | None, ...] = ()

    def assign(self, features: pd.DataFrame) -> Placed:
        """Return the segment and the mark of each row."""
        order, near, next_near = self.nearest(features)
        borderline = near > NEAR_ANOTHER * next_near
        mark = np.where(near > self.edge, OUTSIDE, np.where(borderline, BORDERLINE, ""))
        return Placed(np.array(self.ids, dtype=object)[order], mark.astype(object))

    def nearest(self, features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the place of the nearest centre, from 0, its distance, and that of the next (infinite where there is one)."""
        starts = range(0, max(len(features), 1), CHUNK)
        parts = [nearest_centres(self.space.place(features.iloc[at : at + CHUNK]), self.centres) for at in starts]
        order, near, next_near = (np.concatenate(part) for part in zip(*parts, strict=True))
        return order, near, next_near

    def label_of(self, ids: np.ndarray, lang: str) -> np.ndarray:
        """Return the label of each id; none where it has none."""
        told = {name: label.get(lang, "") for name, label in zip(self.ids, self.labels, strict=False)}
        return np.array([told.get(name, "") for name in ids], dtype=object)

    def to_dict(self) -> dict:
        """Return all numbers and words, for JSON."""
        return {
            "format": FORMAT,
            "space": self.space.to_dict(),
            "centres": self.centres.tolist(),
            "edge": self.edge,
            "ids": list(self.ids),
            "n_born": self.n_born,
            "labels": [dict(label) for label in self.labels],
            "rules": [rule and asdict(rule) for rule in self.rules],
        }

    @classmethod
    def from_dict(cls, learnt: dict) -> "Segments":
        """Rebuild what `to_dict` wrote; raises IntegrityError where another winworth wrote it in another way."""
        if not is_readable(learnt):
            raise IntegrityError(
                f"segments.json has format {learnt.get('format', 1)}, and this winworth reads {FORMAT}. Train a version "
                "with it and promote it: winworth train, then winworth promote."
            )
        space = Space.from_dict(learnt["space"])
        centres = np.asarray(learnt["centres"], dtype=float).reshape(len(learnt["ids"]), len(space.root_share))
        rules = tuple(rule and Rule(**rule) for rule in learnt["rules"])
        names = (tuple(learnt["ids"]), learnt["n_born"], tuple(learnt["labels"]))
        return cls(space, centres, learnt["edge"], *names, rules)


def is_readable(learnt: Mapping) -> bool:
    """Tell whether segments were written in the way that `Segments.from_dict` reads."""
    return learnt.get("format") == FORMAT


def nearest_centres(points: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, by point, the place of the nearest centre, its distance, and the distance of the next; ties go to the first.

    >>> order, near, next_near = nearest_centres(np.array([[0.0], [3.0]]), np.array([[0.0], [4.0]]))
    >>> order.tolist(), near.tolist(), next_near.tolist()
    ([0, 1], [0.0, 1.0], [4.0, 3.0])
    """
    distance = cdist(points, centres)
    order = distance.argmin(axis=1)
    near = distance[np.arange(len(points)), order]
    if len(centres) == 1:
        return order, near, np.full(len(points), np.inf)
    return order, near, np.partition(distance, 1, axis=1)[:, 1]
