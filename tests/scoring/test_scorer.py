import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from winworth.errors import DataError, IntegrityError
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.flows.weigh import no_weights
from winworth.models.by_name import ByName
from winworth.models.calibration import Platt
from winworth.models.matrix import FeatureMatrix
from winworth.models.trees import TreeSize
from winworth.models.value import fit_value
from winworth.models.win import WinModel
from winworth.scoring.find_segments import find_segments
from winworth.scoring.scorer import Scorer
from winworth.scoring.segment_tests import HeldOut
from winworth.weights.attribution import Attributions
from winworth.weights.criteria import criteria_weights

READS = {
    "size": ("firmographic", {"headcount": "accounts.headcount", "sector": "accounts.sector"}),
    "need": ("needs_value", {"budget": "deals.budget", "users": "accounts.users"}),
    "urgency": ("needs_value", {"weeks": "deals.weeks", "source": "deals.source"}),
    "age": ("context", {"age_days": "example.age_days"}),
}
CATALOG = Catalog(
    {
        name: Criterion(family, {"en": name, "fr": name}, {f: Feature(value=reads) for f, reads in features.items()})
        for name, (family, features) in READS.items()
    }
)
DEAL_LEVEL = ["budget", "weeks", "source"]


def drawn(n, seed=0):
    """Draw a feature table with gaps, and whether each deal was won: headcount and budget work together."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "headcount": rng.lognormal(3, 1, n),
            "sector": rng.choice(["it", "steel"], n),
            "budget": np.where(rng.random(n) < 0.2, np.nan, rng.normal(5, 2, n)),
            "users": rng.poisson(4, n).astype(float),
            "weeks": rng.normal(size=n),
            "source": rng.choice(["web", "fair"], n),
            "age_days": rng.integers(0, 90, n).astype(float),
        }
    )
    z = 0.5 * table["users"] + table["weeks"] * (table["headcount"] > 20) + (table["source"] == "fair") - 2.5
    return table, rng.random(n) < expit(z)


@pytest.fixture(scope="module")
def scorer():
    features, won = drawn(500)
    matrix = FeatureMatrix().fit(features)
    win = WinModel(0.1, TreeSize(5, 40, 0.1, min_rows=10), threads=1).fit(matrix.transform(features), won)
    win.platt_ = Platt(0.9, 0.1)
    money = np.exp(7 + 0.3 * features["users"].to_numpy() + 0.5 * np.random.default_rng(1).normal(size=500))
    value = fit_value(features[won], money[won], np.ones(won.sum()), np.arange(won.sum()), form="two_part", seed=0, threads=1)
    both = Attributions(ByName(matrix, win).attributions(features)[0], value.attributions(features)[0])
    everywhere = pd.DataFrame(True, features.index, features.columns)
    weights = criteria_weights(both, CATALOG, mean_probability=0.4, measured=everywhere, features=features)
    shares = pd.Series({"headcount": 0.3, "sector": 0.3, "users": 0.4})
    held_out = HeldOut(features, won.astype(float), np.ones(500), np.where(won, money, np.nan), np.arange(500))
    segments = find_segments(features, shares, held_out, seed=0).segments
    return Scorer(CATALOG, ByName(matrix, win), value, weights, segments)


@pytest.fixture(scope="module")
def table():
    return drawn(60, seed=7)[0]


def no_deal(table):
    return np.ones(len(table), dtype=bool)


def has_deal(table):
    return np.zeros(len(table), dtype=bool)


def assert_same(one, other, **options):
    for name in ("table", "criteria", "by_feature"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), **options)
    for name in ("segment", "mark"):
        assert getattr(one.placed, name).tolist() == getattr(other.placed, name).tolist()


def test_a_deal_scores_what_the_models_say(scorer, table):
    found = scorer.explain(table, has_deal(table)).table
    X = scorer.win.matrix.transform(table)
    assert found["win_probability"].to_numpy() == pytest.approx(scorer.win.model.predict_proba(X)[:, 1])
    assert found["value_if_won"].to_numpy() == pytest.approx(scorer.value.model.predict(X))
    assert found["expected_value"].to_numpy() == pytest.approx((found["win_probability"] * found["value_if_won"]).to_numpy())


def test_the_score_is_the_weighted_sum_of_the_criterion_scores_and_context_has_none(scorer, table):
    found = scorer.explain(table, has_deal(table))
    assert set(found.criteria.columns) == {"size", "need", "urgency"}
    by_hand = sum(found.criteria[name] * scorer.weights.table.loc[name, "weight"] for name in found.criteria) / 100
    assert found.table["score"].tolist() == pytest.approx(by_hand.tolist())
    assert found.table["score"].between(0, 100).all()


def test_scores_alone_are_those_that_are_explained(scorer, table):
    alone = scorer.score(table)
    pd.testing.assert_frame_equal(alone, scorer.explain(table, has_deal(table)).table[list(alone)], check_exact=True)


def test_segments_that_do_not_fit_their_version_are_refused_when_it_is_opened(scorer):
    files = scorer.to_files()
    segments = json.loads(files["segments.json"])
    segments["space"]["low"] = segments["space"]["low"][1:]  # seen only where a row is placed
    with pytest.raises(IntegrityError, match="do not fit together"):
        Scorer.from_files(files | {"segments.json": json.dumps(segments).encode()})


def test_a_criterion_of_the_deal_alone_scores_50_where_there_is_no_deal_yet(scorer, table):
    found = scorer.explain(table, no_deal(table))
    assert (found.criteria["urgency"] == 50).all()
    assert found.criteria["need"].nunique() > 10 and found.criteria["size"].nunique() > 10
    assert not found.by_feature[DEAL_LEVEL].any(axis=None)


def test_without_a_deal_nothing_depends_on_what_a_deal_would_say(scorer, table):
    other = drawn(60, seed=8)[0]
    moved = table.assign(**{name: other[name] for name in DEAL_LEVEL})
    unknown = table.assign(budget=np.nan, weeks=np.nan, source=None)
    for changed in (moved, unknown):
        assert_same(scorer.explain(table, no_deal(table)), scorer.explain(changed, no_deal(table)))
    with_deal = [scorer.explain(t, has_deal(t)).table["win_probability"] for t in (table, moved)]
    assert not np.allclose(*with_deal)


def test_without_a_deal_the_win_probability_has_the_reference_part_of_deal_level_features(scorer, table):
    unknown = table.assign(budget=np.nan, weeks=np.nan, source=None)
    parts, base = scorer.win.attributions(unknown)
    reference = scorer.weights.reference["winning"]
    z = base + parts.drop(columns=DEAL_LEVEL).sum(axis=1) + reference[DEAL_LEVEL].sum()
    found = scorer.explain(table, no_deal(table)).table["win_probability"]
    assert found.tolist() == pytest.approx(expit(z).tolist())


def test_the_parts_of_features_add_up_to_log_expected_value(scorer, table):
    found = scorer.explain(table, has_deal(table))
    X = scorer.win.matrix.transform(table)
    log_value = scorer.weights.loss_rate * scorer.win.model.decision_function(X) + scorer.value.model.log_value(X)
    off = found.by_feature.sum(axis=1).to_numpy() - log_value
    assert np.ptp(off) < 1e-9


def test_a_scorer_survives_its_files(scorer, table):
    files = scorer.to_files()
    again = Scorer.from_files(files)
    mixed = np.arange(60) % 2 == 0
    assert_same(scorer.explain(table, mixed), again.explain(table, mixed), rtol=0, atol=1e-9)
    assert again.to_files().keys() == files.keys()
    assert again.catalog == scorer.catalog
    assert b"pickle" not in b"".join(files.values())


def test_a_scorer_without_value_or_segments_survives_too(scorer, table):
    bare = replace(scorer, value=None, segments=None)
    again = Scorer.from_files(bare.to_files())
    found = again.explain(table, has_deal(table))
    assert_same(bare.explain(table, has_deal(table)), found, rtol=0, atol=1e-9)
    assert found.table[["value_if_won", "expected_value"]].isna().all(axis=None)
    assert found.table["score"].notna().all() and set(found.placed.segment) == {""}


def test_two_batches_score_as_one(scorer, table):
    mixed = np.arange(60) % 3 == 0
    whole = scorer.explain(table, mixed)
    parts = [scorer.explain(table[rows], mixed[rows]) for rows in (slice(0, 1), slice(1, 23), slice(23, 60))]
    for name in ("table", "criteria", "by_feature"):
        joined = pd.concat([getattr(part, name) for part in parts])
        pd.testing.assert_frame_equal(joined, getattr(whole, name), rtol=1e-12, atol=1e-12)
    assert np.concatenate([part.placed.segment for part in parts]).tolist() == whole.placed.segment.tolist()


def test_columns_are_found_by_name(scorer, table):
    assert_same(scorer.explain(table.iloc[:, ::-1], no_deal(table)), scorer.explain(table, no_deal(table)))


def test_no_rows_are_scored_as_no_rows(scorer, table):
    found = scorer.explain(table[:0], has_deal(table[:0]))
    assert (len(found.table), len(found.criteria), len(found.placed.segment)) == (0, 0, 0)


@pytest.mark.parametrize("lacking", ["users", "budget"])
def test_a_lacking_column_is_named(scorer, table, lacking):
    with pytest.raises(DataError, match=f"lacks 1 columns the model was trained on: {lacking}"):
        scorer.explain(table.drop(columns=lacking), no_deal(table))


def test_the_table_is_left_as_it_was(scorer, table):
    before = table.copy()
    scorer.explain(table, no_deal(table))
    pd.testing.assert_frame_equal(table, before)


def test_scoring_shows_the_four_figures(scorer, table):
    found = scorer.score(table)
    assert list(found.columns) == ["win_probability", "value_if_won", "expected_value", "score"]


def with_slopes(scorer, **worth):
    names = scorer.weights.table.index
    slopes = pd.DataFrame({"winning": 0.5, "worth": pd.Series(worth, names).fillna(1.0)}, index=names)
    return replace(scorer, weights=replace(scorer.weights, slopes=slopes))


def test_slopes_survive_the_files(scorer):
    shrunk, features = with_slopes(scorer, need=0.0), drawn(20, seed=8)[0]
    back = Scorer.from_files(shrunk.to_files())
    pd.testing.assert_frame_equal(back.score(features), shrunk.score(features))
    assert not back.score(features)["score"].equals(scorer.score(features)["score"])


def test_files_older_than_slopes_are_read_as_slopes_of_one(scorer):
    files = scorer.to_files()
    old = {k: v for k, v in json.loads(files["weights.json"]).items() if k not in ("slopes", "doubt")}
    back = Scorer.from_files(files | {"weights.json": json.dumps(old).encode()})
    features = drawn(20, seed=8)[0]
    pd.testing.assert_frame_equal(back.score(features), scorer.score(features))


def test_slopes_scale_what_moves_the_score_and_leave_the_chances_alone(scorer):
    features = drawn(20, seed=9)[0]
    none = np.zeros(20, dtype=bool)
    plain, shrunk = scorer.explain(features, none), with_slopes(scorer, need=0.0).explain(features, none)
    assert shrunk.table["win_probability"].equals(plain.table["win_probability"])
    winning = scorer.win.attributions(features)[0] - scorer.weights.reference["winning"]
    expected = 0.5 * scorer.weights.loss_rate * winning["users"]
    assert shrunk.by_feature["users"].to_numpy() == pytest.approx(expected.to_numpy())


def test_a_model_that_reads_no_criterion_scores_every_row_as_neutral():
    """Where nothing ranks but the deal's age, no weight is published, and a version that was signed for must still score."""
    features, won = drawn(300)
    matrix = FeatureMatrix().fit(features[["age_days"]])
    win = WinModel(0.1, None, threads=1).fit(matrix.transform(features[["age_days"]]), won)
    scorer = Scorer(CATALOG, ByName(matrix, win), None, no_weights(CATALOG, list(features)), None)
    scored = scorer.explain(features, np.zeros(300, dtype=bool))
    assert (scored.criteria == 50).all(axis=None) and list(scored.criteria) == ["size", "need", "urgency"]
    assert scored.table["win_probability"].between(0, 1, inclusive="neither").all()
