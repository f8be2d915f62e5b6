import numpy as np
import pytest

from winworth.flows.record import labelled_weights, weights_record
from winworth.flows.reigning import reigning
from winworth.flows.weigh import no_weights


def test_the_champion_remembers_its_weights_and_against_itself_nothing_has_moved(demo):
    king, weights = reigning(demo.home), demo.done.trained.scorer.weights
    assert sum(king.weights.values()) == pytest.approx(100)
    record = weights_record(weights, king)
    assert record["movement"] == {
        "moved": pytest.approx(0, abs=1e-9),
        "by_chance": weights.doubt.by_chance,
        "is_beyond_chance": False,
        "since": king.version,
    }


def test_a_first_version_has_moved_from_nothing(demo):
    assert demo.done.trained.metrics["weights"]["movement"] is None


def test_weights_csv_says_how_surely_each_criterion_is_known(demo):
    scorer = demo.done.trained.scorer
    table = labelled_weights(scorer.weights, scorer, "en")
    criteria = table[table["family"] != "context"]
    assert (criteria["low"] <= criteria["high"]).all() and criteria["is_clear"].notna().all()
    assert table[table["family"] == "context"]["low"].isna().all()


def test_where_nothing_is_learnt_there_is_nothing_to_doubt(demo):
    scorer = demo.done.trained.scorer
    none = no_weights(scorer.catalog, list(scorer.win.matrix.features_))
    assert none.doubt is None and weights_record(none, None) is None
    assert np.all(none.shares == 0)
