"""Segments of a retrain: what they are weighed by, what the record says, and what a scoring shows of them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.flows.segmenting import UNTESTED, lasting_shares, learn_segments, segments_record
from winworth.sheets import to_parquet

NEED = {"budget": "deals.budget", "users": "accounts.users"}
CATALOG = Catalog(
    {
        "size": Criterion("firmographic", {}, {"headcount": Feature(value="accounts.headcount")}),
        "need": Criterion(
            "needs_value", {}, {"budget": Feature(value="deals.budget"), "users": Feature(value="accounts.users")}
        ),
        "age": Criterion("context", {}, {"age_days": Feature(value="example.age_days")}),
    }
)


def weighed(**moved):
    shares = pd.Series({"size": 60.0, "need": 40.0})
    parts = pd.DataFrame({name: [-step, 0.0, step] for name, step in moved.items()})
    return SimpleNamespace(weights=SimpleNamespace(shares=shares), contributions=parts)


def test_a_criterions_share_is_split_by_how_far_its_features_move_it_and_a_deals_own_part_is_left_out():
    found = lasting_shares(weighed(headcount=1.0, budget=3.0, users=1.0, age_days=9.0), CATALOG)
    assert found.to_dict() == pytest.approx({"headcount": 0.6, "users": 0.1})


def test_a_feature_that_moves_nothing_has_no_share():
    found = lasting_shares(weighed(headcount=1.0, users=0.0), CATALOG)
    assert found.to_dict() == pytest.approx({"headcount": 0.6})


def test_without_segments_there_is_no_record():
    assert segments_record(None) is None


def a_retrain(features, n_deals):
    """Return what stands in for a retrain and what it learnt: all its examples are held out, and every second one was won."""
    n = len(features)
    task = SimpleNamespace(
        seed=0,
        features=features,
        accounts=np.arange(n),
        outcomes=lambda rows, day: ((rows % 2).astype(float), np.ones(len(rows))),
    )
    settings = SimpleNamespace(scoring=SimpleNamespace(most_segments=3), training=SimpleNamespace(n_boot=50))
    rows = pd.DataFrame({"deal_id": np.arange(n) % n_deals})
    retrain = SimpleNamespace(catalog=CATALOG, settings=settings, task=task, king=None)
    retrain.examples = SimpleNamespace(rows=rows)
    fold = SimpleNamespace(test=np.arange(n), test_day=None)
    worth = SimpleNamespace(money=np.where(np.arange(n) % 2, 100.0, np.nan))
    return retrain, SimpleNamespace(fold=fold, worth=worth)


def test_where_nothing_weighed_before_the_deals_held_out_the_record_says_so():
    features = pd.DataFrame({"headcount": np.r_[np.arange(50.0), 1000 + np.arange(50.0)], "users": 1.0})
    reference = SimpleNamespace(features=features, account=np.arange(100))
    found = learn_segments(weighed(headcount=1.0, users=0.0), None, reference, *a_retrain(features, 25))
    record = segments_record(found)
    assert record["segments"]["S1"]["win_rate"]["n"] == 25
    assert record["k"] == 1 and record["tried"] == [] and record["says"] == UNTESTED


def test_the_record_says_how_the_segments_of_the_demo_were_found(demo):
    record, segments = demo.done.trained.metrics["segments"], demo.done.trained.scorer.segments
    assert record["k"] == len(segments.ids) == len(record["segments"]) > 1
    assert [tried["k"] for tried in record["tried"]] == list(range(6, record["k"] - 1, -1))
    assert all(tried["refused"] for tried in record["tried"][:-1]) and not record["tried"][-1]["refused"]
    assert record["ids"] is None
    rates = []
    for told in record["segments"].values():
        assert set(told["label"]) == {"en", "fr"} == set(told["rule"]["sentence"])
        assert told["rule"]["n"] > 0 and told["win_rate"]["n"] > 0
        rates.append(told["win_rate"]["value"])
    assert max(rates) > min(rates)


def test_each_scored_account_has_a_segment_a_label_and_where_it_stands_in_it(demo):
    accounts, segments = demo.done.predicted.accounts, demo.done.trained.scorer.segments
    assert set(accounts["segment"]) <= set(segments.ids)
    assert set(accounts["segment_mark"]) <= {"", "borderline", "outside"}
    assert (accounts["segment_mark"] == "").mean() > 0.8
    assert accounts.groupby("segment")["segment_label"].nunique().eq(1).all()
    assert to_parquet(accounts[["segment", "segment_mark"]])
