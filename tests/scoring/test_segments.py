import json

import numpy as np
import pandas as pd
import pytest

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.scoring.segments import Segments, find_segments
from winworth.weights.reasons import Wording

OWN = {"size": {"en": "headcount", "fr": "effectif"}, "sector": {"en": "sector", "fr": "secteur"}, "noise": {"en": "noise"}}
CATALOG = Catalog(
    {name: Criterion("firmographic", label, {name: Feature(value=f"accounts.{name}")}) for name, label in OWN.items()}
)
WORDINGS = {lang: Wording(CATALOG, lang) for lang in ("en", "fr")}
SHARES = pd.Series({"size": 0.6, "sector": 0.4})


def planted(n=300, seed=0):
    """Draw small retailers and large steel makers, and a number that means nothing; return which is which too."""
    rng = np.random.default_rng(seed)
    is_large = rng.random(n) < 0.4
    table = pd.DataFrame(
        {
            "noise": rng.normal(0, 100, n),
            "size": np.where(is_large, rng.normal(50, 4, n), rng.normal(10, 4, n)),
            "sector": np.where(rng.random(n) < 0.95, np.where(is_large, "steel", "retail"), "other trades"),
        }
    )
    return table.assign(size=table["size"].where(rng.random(n) > 0.02)), is_large


@pytest.fixture(scope="module")
def found():
    table, is_large = planted()
    return find_segments(table, SHARES, WORDINGS, most=5, seed=0), table, is_large


def test_two_planted_segments_are_found(found):
    segments, table, is_large = found
    told = segments.assign(table)
    assert len(segments.centres) == 2
    agree = np.mean((told == told[np.argmax(is_large)]) == is_large)
    assert agree > 0.97


def test_segments_are_named_by_what_sets_them_apart_in_both_languages(found):
    segments, table, is_large = found
    large = segments.labels[segments.assign(table)[np.flatnonzero(is_large)[0]] - 1]
    small = segments.labels[segments.assign(table)[np.flatnonzero(~is_large)[0]] - 1]
    assert sorted(large["en"].split(", ")) == ["headcount ↑", "sector steel"]
    assert sorted(large["fr"].split(", ")) == ["effectif ↑", "secteur steel"]
    assert sorted(small["en"].split(", ")) == ["headcount ↓", "sector retail"]
    assert sorted(small["fr"].split(", ")) == ["effectif ↓", "secteur retail"]


def test_the_same_row_has_the_same_segment_in_any_company(found):
    segments, table, _ = found
    told, order = segments.assign(table), np.random.default_rng(1).permutation(len(table))
    assert segments.assign(table.iloc[order, ::-1]).tolist() == told[order].tolist()
    assert [int(segments.assign(table[k : k + 1])[0]) for k in range(20)] == told[:20].tolist()


def test_a_feature_without_importance_changes_no_segment(found):
    segments, table, _ = found
    assert segments.assign(table.assign(noise=1e9)).tolist() == segments.assign(table).tolist()


def test_the_same_seed_finds_the_same_segments(found):
    segments, table, _ = found
    again = find_segments(table, SHARES, WORDINGS, most=5, seed=0)
    assert again.to_dict() == segments.to_dict()


def test_too_few_rows_are_one_segment():
    table, _ = planted(40)
    segments = find_segments(table, SHARES, WORDINGS, most=5, seed=0)
    assert set(segments.assign(table)) == {1}


def test_a_group_too_small_to_work_is_no_segment():
    table, is_large = planted()
    few = table[~is_large | (np.cumsum(is_large) <= 20)]
    segments = find_segments(few, SHARES, WORDINGS, most=2, seed=0)
    assert np.bincount(segments.assign(few))[1:].min() >= 30


def test_segments_survive_json(found):
    segments, table, _ = found
    again = Segments.from_dict(json.loads(json.dumps(segments.to_dict(), allow_nan=False)))
    assert again.assign(table).tolist() == segments.assign(table).tolist()
    assert again.labels == segments.labels


def test_no_rows_have_no_segment(found):
    assert found[0].assign(found[1][:0]).shape == (0,)
