"""Labels and sentences: what sets a segment apart, in both languages, and how true it is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from segment_world import SHARES, WORDINGS, drawn

from winworth.models.matrix import FeatureMatrix
from winworth.scoring.find_segments import Effort, find_segments
from winworth.scoring.segment_names import labels_of
from winworth.scoring.segment_rules import best_branch, meets, rules_of


def learnt(world, shares=SHARES):
    return find_segments(world.features, shares, drawn(seed=100).held_out(), seed=0, effort=Effort(n_boot=10)).segments


@pytest.fixture(scope="module")
def world():
    return drawn()


@pytest.fixture(scope="module")
def segments(world):
    return learnt(world)


@pytest.fixture(scope="module")
def rules(segments, world):
    return rules_of(segments, world.features, WORDINGS, seed=0)


def by_truth(segments, world, told):
    """Put what is told of each segment in the order of the true ones."""
    place = segments.nearest(world.features)[0]
    return [told[np.bincount(place[world.true == k]).argmax()] for k in range(4)]


def test_segments_are_named_by_what_sets_them_apart_in_both_languages(segments, world):
    labels = by_truth(segments, world, labels_of(segments, world.features, WORDINGS))
    assert [set(label["en"].split(", ")) for label in labels] == [
        {"low headcount", "few visits"},
        {"high headcount", "few visits"},
        {"low headcount", "many visits"},
        {"high headcount", "many visits"},
    ]
    assert [set(label["fr"].split(", ")) for label in labels[::3]] == [
        {"effectif au-dessous de la moyenne", "peu de visites"},
        {"effectif au-dessus de la moyenne", "beaucoup de visites"},
    ]


def test_a_level_names_a_segment_that_mostly_has_it(world):
    shares = SHARES.mask(SHARES.index == "sector", 2.0)
    segments = learnt(world, shares)
    labels = labels_of(segments, world.features, WORDINGS)
    place = segments.nearest(world.features)[0]
    for k, label in enumerate(labels):
        sector = world.features["sector"][place == k].mode()[0]
        assert f"sector: {sector}" in label["en"] and f"secteur\u00a0: {sector}" in label["fr"]


def test_no_two_segments_bear_the_same_name(segments, world):
    twice = replace(segments, centres=segments.centres[[0, 0, 1, 2]] + 1e-3 * np.arange(4)[:, None])
    labels = labels_of(twice, world.features, WORDINGS)
    for lang in ("en", "fr"):
        assert len({label[lang] for label in labels}) == 4


def test_one_segment_is_all_accounts(world):
    alone = learnt(world, SHARES * 0)
    assert labels_of(alone, world.features, WORDINGS) == ({"en": "all accounts", "fr": "tous les comptes"},)
    assert rules_of(alone, world.features, WORDINGS, seed=0) == (None,)


def test_french_elides_before_a_vowel(segments, world):
    from winworth.features.catalog import Catalog, Criterion, Feature
    from winworth.weights.reasons import Wording

    named = {**WORDINGS["fr"].catalog.criteria}
    named["visits"] = Criterion("behavioural", {}, {"visits": Feature(count="activities", label={"fr": "échanges"})})
    labels = labels_of(segments, world.features, {"fr": Wording(Catalog(named), "fr")})
    assert any("beaucoup d'échanges" in label["fr"] for label in labels)


def test_a_sentence_tells_most_of_a_segment_and_little_else(rules):
    for rule in rules:
        assert rule.precision > 0.9 and rule.coverage > 0.75 and rule.n > 30


def test_sentences_read_in_both_languages(rules, segments, world):
    steel = by_truth(segments, world, rules)[1]
    assert steel.sentence == {"en": "sector: steel", "fr": "secteur\u00a0: steel"}
    small = by_truth(segments, world, rules)[0].sentence
    assert small["en"].startswith("sector: retail and headcount at most ") and " and visits at most " in small["en"]
    assert small["fr"].startswith("secteur\u00a0: retail et effectif\u00a0: au plus ")


def test_accuracy_is_measured_on_rows_that_the_rule_was_not_learnt_from(segments):
    """Without anything to tell segments by, a rule learnt by chance is not praised."""
    rng = np.random.default_rng(0)
    X, own = rng.normal(size=(300, 6)), rng.random(300) < 0.4
    columns = FeatureMatrix().fit(pd.DataFrame(X)).columns_
    conditions = best_branch(X[:200], own[:200], columns, seed=0)
    met = meets(conditions, X[200:], columns)
    assert own[:200][meets(conditions, X[:200], columns)].mean() > own[200:][met].mean() + 0.05 if conditions else True


def test_a_planted_rule_comes_back_and_missing_numbers_meet_no_condition():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"a": rng.uniform(0, 100, 600), "b": rng.integers(0, 50, 600).astype(float)})
    own = ((table["a"] > 40) & (table["b"] <= 24)).to_numpy()
    matrix = FeatureMatrix().fit(table.assign(a=table["a"].mask(table.index < 30)))
    X = matrix.transform(table.assign(a=table["a"].mask(table.index < 30)))
    conditions = best_branch(X, own & (table.index >= 30), matrix.columns_, seed=0)
    ends = {c.column.feature: (c.low, c.high) for c in conditions}
    assert ends["a"][0] == pytest.approx(40, abs=1.5) and ends["a"][1] == np.inf
    assert ends["b"] == (-np.inf, 24)
    assert not meets(conditions, X, matrix.columns_)[:30].any()


def test_the_rule_told_is_the_rule_measured(rules, segments, world):
    """Read each English sentence back, and count on all rows."""
    place = segments.nearest(world.features)[0]
    labels = {"headcount": "size", "visits": "visits"}
    for k, rule in enumerate(rules):
        met = np.ones(len(place), dtype=bool)
        for part in rule.sentence["en"].split(" and "):
            if part.startswith("sector: "):
                met &= (world.features["sector"] == part.removeprefix("sector: ")).to_numpy()
                continue
            label, end, number = part.rsplit(" ", 3)[0], part.rsplit(" ", 2)[1], float(part.rsplit(" ", 1)[1])
            x = world.features[labels[label]]
            met &= (x <= number if end == "most" else x >= number).to_numpy()
        assert (place[met] == k).mean() == pytest.approx(rule.precision, abs=0.06)
        assert met[place == k].mean() == pytest.approx(rule.coverage, abs=0.08)


def test_sentences_do_not_depend_on_the_order_of_rows(rules, segments, world):
    rows = np.random.default_rng(4).permutation(900)
    assert rules_of(segments, world.features.iloc[rows].reset_index(drop=True), WORDINGS, seed=0) == rules
