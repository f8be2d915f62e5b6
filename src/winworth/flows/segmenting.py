"""The segments of a retrain: found on one row an account, told apart on held-out deals, under ids that survive."""

from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from winworth.features.build import is_deal_level
from winworth.features.catalog import Catalog
from winworth.flows.learn import Reference
from winworth.flows.retrain import Learnt, Retrain
from winworth.flows.weigh import Weighed
from winworth.scoring.find_segments import Effort, Tried, find_as_tested
from winworth.scoring.segment_figures import segment_figures
from winworth.scoring.segment_ids import Kinship, all_born, matched
from winworth.scoring.segment_names import labels_of
from winworth.scoring.segment_rules import rules_of
from winworth.scoring.segment_tests import HeldOut
from winworth.scoring.segments import Segments
from winworth.weights.criteria import owned, spread
from winworth.weights.reasons import Wording

LANGUAGES = ("en", "fr")
ONE = "No number of segments is admissible: all accounts are one segment."
UNTESTED = (
    "Nothing that lasts weighed before the deals held out: none can tell segments apart, and all accounts are one segment."
)


@dataclass(frozen=True)
class Segmented:
    """The segments with ids, labels and rules, every number of them tried, what became of the champion's ids (None: it has
    none that can be read), by id what held-out deals were like, and whether there was anything to tell segments apart by.
    """

    segments: Segments
    tried: tuple[Tried, ...]
    kinship: Kinship | None
    figures: dict[str, dict]
    is_tested: bool = True


def learn_segments(
    weighed: Weighed, past: Weighed | None, reference: Reference, retrain: Retrain, learnt: Learnt
) -> Segmented | None:
    """Find, match, name and describe the segments; None where nothing that lasts weighs.

    They are found on features that an account has with or without an open deal. Those told apart by are the rows that the
    model was judged on, in the space of what weighed in the `past`, before their outcomes were known; where nothing did, all
    accounts are one segment. The champion's segments are the old ones.
    """
    shares = lasting_shares(weighed, retrain.catalog)
    if not len(reference.features) or shares.sum() == 0:
        return None
    settings, seed = retrain.settings, retrain.task.seed
    features = reference.features[~pd.Series(reference.account).duplicated().to_numpy()].reset_index(drop=True)
    later = _held_out(retrain, learnt)
    before = shares * 0 if past is None else lasting_shares(past, retrain.catalog)
    effort = Effort(most=settings.scoring.most_segments)
    found = find_as_tested(features, shares, before, later, seed=seed, effort=effort)
    segments, kinship = found.segments, None
    king = retrain.king
    if king is not None and king.segments is not None:
        segments, kinship = matched(segments, king.segments, features, written=king.written)
    elif king is not None:
        segments = all_born(segments, king.written)
    wordings = {lang: Wording(retrain.catalog, lang) for lang in LANGUAGES}
    labels, rules = labels_of(segments, features, wordings), rules_of(segments, features, wordings, seed=seed)
    segments = replace(segments, labels=labels, rules=rules)
    deal = pd.factorize(retrain.examples.rows["deal_id"])[0][learnt.fold.test]
    figures = segment_figures(segments, later, deal, seed=seed, n_boot=settings.training.n_boot)
    return Segmented(segments, found.tried, kinship, figures, bool(before.sum() > 0))


def lasting_shares(weighed: Weighed, catalog: Catalog) -> pd.Series:
    """Return each lasting feature's share of importance: its criterion's, split inside by how far features move it."""
    by_criterion, parts, found = weighed.weights.shares, weighed.contributions, {}
    for name, features in owned(catalog, parts).items():
        moved = pd.Series({feature: spread(parts[feature].dropna()) for feature in features}, dtype=float)
        if name in by_criterion and moved.sum() > 0:
            found |= (by_criterion[name] / 100 * moved / moved.sum()).to_dict()
    lasting = {feature: share for feature, share in found.items() if not is_deal_level(catalog.features[feature])}
    return pd.Series(lasting, dtype=float)


def segments_record(segmented: Segmented | None) -> dict | None:
    """Return how the segments were found, for metrics.json; None where there are none."""
    if segmented is None:
        return None
    segments, kinship = segmented.segments, segmented.kinship
    rules = [rule and asdict(rule) for rule in segments.rules]
    named = zip(segments.ids, segments.labels, rules, strict=True)
    return {
        "k": len(segments.ids),
        "says": "" if len(segments.ids) > 1 else ONE if segmented.is_tested else UNTESTED,
        "tried": [_tried(tried) for tried in segmented.tried],
        "ids": None if kinship is None else asdict(kinship),
        "segments": {name: {"label": label, "rule": rule} | segmented.figures[name] for name, label, rule in named},
    }


def _tried(tried: Tried) -> dict:
    """Return one try for metrics.json, with the pair that is hardest to tell apart."""
    least_apart = max((min(pair.p_win, pair.p_value) for pair in tried.pairs), default=None)
    return {
        "k": tried.k,
        "sizes": list(tried.sizes),
        "jaccard": list(tried.jaccard),
        "p_least_apart": least_apart,
        "refused": tried.refused,
    }


def _held_out(retrain: Retrain, learnt: Learnt) -> HeldOut:
    task, fold = retrain.task, learnt.fold
    won, weight = task.outcomes(fold.test, fold.test_day)
    money = (learnt.worth or retrain.worth).money[fold.test]
    won = np.where(weight > 0, won, np.nan)
    return HeldOut(task.features.iloc[fold.test].reset_index(drop=True), won, weight, money, task.accounts[fold.test])
