"""What segments are called: the features that set each apart, in words."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winworth.models.matrix import MISSING, OTHER
from winworth.scoring.segments import Segments
from winworth.weights.reasons import Wording

N_NAMED = 2
TELLING = 0.3  # deviations of a feature from the mean of all, from which it sets a segment apart
COUNTS = ("count", "distinct", "decayed_count", "deals_won", "deals_lost", "days_since_first", "days_since_last")
WORDS = {
    "en": {
        "high": "high {}",
        "low": "low {}",
        "many": "many {}",
        "few": "few {}",
        "level": "{}: {}",
        "or": " or ",
        "and": " and ",
        MISSING: "unknown",
        OTHER: "other",
        "all": "all accounts",
        "usual": "close to the average",
        "at_least": "{} at least {}",
        "at_most": "{} at most {}",
        "between": "{} between {} and {}",
        "not": "{}: not {}",
    },
    "fr": {
        "high": "{} au-dessus de la moyenne",
        "low": "{} au-dessous de la moyenne",
        "many": "beaucoup {}",
        "few": "peu {}",
        "level": "{}\u00a0: {}",
        "or": " ou ",
        "and": " et ",
        MISSING: "non renseigné",
        OTHER: "autre",
        "all": "tous les comptes",
        "usual": "proche de la moyenne",
        "at_least": "{}\u00a0: au moins {}",
        "at_most": "{}\u00a0: au plus {}",
        "between": "{}\u00a0: entre {} et {}",
        "not": "{}\u00a0: autre que {}",
    },
}


def labels_of(segments: Segments, features: pd.DataFrame, wordings: Mapping[str, Wording]) -> tuple[dict[str, str], ...]:
    """Name each segment, by language, by the two features that set it apart from the others the most.

    Where two segments would bear the same name, more features are told, and then the id.
    """
    if len(segments.ids) == 1:
        return ({lang: WORDS[lang]["all"] for lang in wordings},)
    points, place = segments.space.place(features), segments.nearest(features)[0]
    away = [_away(points, place == k) for k in range(len(segments.ids))]
    own = [points[place == k] for k in range(len(segments.ids))]
    by_lang = {}
    for lang, wording in wordings.items():
        parts = [_parts(segments, *of, wording) for of in zip(away, own, strict=True)]
        by_lang[lang] = _distinct([told or [WORDS[lang]["usual"]] for told in parts], segments.ids)
    return tuple({lang: by_lang[lang][k] for lang in wordings} for k in range(len(segments.ids)))


def level_said(level: str, lang: str) -> str:
    """Write a level as people do."""
    return WORDS[lang].get(level, level) if level in (MISSING, OTHER) else level


def _away(points: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return how far a segment's mean lies from that of all rows, column by column."""
    return points[own].mean(axis=0) - points.mean(axis=0) if own.any() else np.zeros(points.shape[1])


def _parts(segments: Segments, away: np.ndarray, own: np.ndarray, wording: Wording) -> list[str]:
    """Word every feature that sets a segment apart, the most telling first."""
    matrix, root_share = segments.space.matrix, segments.space.root_share
    parts: dict[str, str] = {}
    for place in np.argsort(-np.abs(away), kind="stable"):
        column = matrix.columns_[place]
        if column.feature in parts or abs(away[place]) < TELLING * root_share[place]:
            continue
        if column.level is None:
            parts[column.feature] = _amount(column.feature, away[place] > 0, wording)
        else:
            parts[column.feature] = _levels(column.feature, segments, away, own, wording)
    return [part for part in parts.values() if part]


def _amount(feature: str, is_more: bool, wording: Wording) -> str:
    """Say high or low of an amount, and many or few of what is counted."""
    label, words = wording.feature(feature), WORDS[wording.lang]
    if wording.catalog.features[feature].verb not in COUNTS:
        return words["high" if is_more else "low"].format(label)
    if wording.lang == "fr":
        label = f"d'{label}" if label[:1].lower() in "aeiouyhàâéèêëîïôöùûœ" else f"de {label}"
    return words["many" if is_more else "few"].format(label)


def _levels(feature: str, segments: Segments, away: np.ndarray, own: np.ndarray, wording: Wording) -> str:
    """Name the one or two levels that a segment has more of, where they are more than half of it."""
    columns, root_share = segments.space.matrix.columns_, segments.space.root_share
    more = [k for k in np.argsort(-away, kind="stable") if columns[k].feature == feature and away[k] > 0]
    held = own.mean(axis=0) / np.where(root_share > 0, root_share, 1.0)
    for named in (more[:1], more[:2]):
        if held[named].sum() > 0.5:
            said = WORDS[wording.lang]["or"].join(level_said(columns[k].level, wording.lang) for k in named)
            return WORDS[wording.lang]["level"].format(wording.feature(feature), said)
    return ""


def _distinct(parts: list[list[str]], ids: tuple[str, ...]) -> list[str]:
    """Join the first parts of each; where two names are the same, one part more, and at last the id."""
    n_told = [N_NAMED] * len(parts)
    for _ in range(max(map(len, parts))):
        names = [", ".join(part[:n]) for part, n in zip(parts, n_told, strict=True)]
        n_told = [n + (names.count(name) > 1) for n, name in zip(n_told, names, strict=True)]
    names = [", ".join(part[:n]) for part, n in zip(parts, n_told, strict=True)]
    return [f"{name} ({of})" if names.count(name) > 1 else name for name, of in zip(names, ids, strict=True)]
