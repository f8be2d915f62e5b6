"""What the CRM said of a deal on the example's day, and nothing that it said later."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.crm.snapshot import take_snapshot
from winworth.errors import DataError
from winworth.features.catalog import Feature
from winworth.features.examples import training_examples
from winworth.features.told import chance_told, reads_stage, stage_told
from winworth.tables import CrmTables, ReadReport

AS_OF = date(2026, 6, 30)


def days(*texts):
    return pd.to_datetime(list(texts)).astype("datetime64[s]")


def snapshot_of(known="dated", probability=None, versions=True):
    deals = pd.DataFrame(
        {
            "deal_id": ["D1", "D2"],
            "status": ["won", "open"],
            "opened_on": days("2026-01-10", "2026-02-10"),
            "closed_on": days("2026-05-01", None),
            "probability": [100.0, 40.0] if probability is None else probability,
        }
    )
    tables = {
        "deals": deals,
        "stage_changes": pd.DataFrame(
            {"deal_id": ["D1", "D1"], "stage": ["early", "late"], "changed_on": days("2026-01-10", "2026-03-01")}
        ),
    }
    if versions:
        changed = days("2026-01-10", "2026-03-01", "2026-05-01", "2026-02-10")
        told = {"deal_id": ["D1", "D1", "D1", "D2"], "changed_on": changed, "probability": [20.0, 60.0, 100.0, 40.0]}
        tables["deal_versions"] = pd.DataFrame(told)
    declared = {("deals", "probability"): known, ("stage_changes", "stage"): "dated", ("deal_versions", "probability"): "dated"}
    return take_snapshot(CrmTables(tables, declared, ReadReport((), pd.DataFrame())), as_of=AS_OF)


def test_the_chance_is_the_last_one_told_by_the_day_and_never_a_later_one():
    snapshot = snapshot_of()
    rows = training_examples(snapshot, observe_at_days=(0, 90))
    assert rows[["deal_id", "age_days"]].to_numpy().tolist() == [["D1", 0], ["D1", 90], ["D2", 0], ["D2", 90]]
    assert chance_told(rows, snapshot).tolist() == [0.2, 0.6, 0.4, 0.4]


@pytest.mark.parametrize(("known", "versions"), [("latest_only", True), ("at_close", True), ("dated", False), (None, True)])
def test_a_chance_not_known_in_time_is_no_baseline(known, versions):
    snapshot = snapshot_of(known, versions=versions)
    assert chance_told(training_examples(snapshot), snapshot) is None


def test_a_chance_that_is_all_nought_or_one_was_filled_in_at_the_end():
    snapshot = snapshot_of("at_creation", probability=[1.0, 0.0])
    assert chance_told(training_examples(snapshot), snapshot) is None


def test_a_chance_beyond_a_hundred_is_refused_with_its_deal():
    snapshot = snapshot_of("at_creation", probability=[20.0, 140.0])
    with pytest.raises(DataError, match="outside 0-100 on 3 observations, the first 140 of deal D2"):
        chance_told(training_examples(snapshot), snapshot)


def test_shares_and_per_cents_are_the_same_chance():
    told = []
    for probability in ([20.0, 40.0], [0.2, 0.4]):
        snapshot = snapshot_of("at_creation", probability=probability)
        told.append(chance_told(training_examples(snapshot), snapshot))
    assert np.allclose(*told)


def test_the_stage_is_that_of_the_day():
    snapshot = snapshot_of()
    rows = training_examples(snapshot, observe_at_days=(0, 90))
    assert stage_told(rows, snapshot).fillna("none").tolist() == ["early", "late", "none", "none"]


def test_a_feature_that_tells_the_stage_is_known_as_such_whatever_table_it_reads():
    assert reads_stage(Feature(value="stage_changes.stage", by="deal"))
    assert reads_stage(Feature(value="deals.stage"))
    assert reads_stage(Feature(count="stage_changes", where={"stage": "late"}, by="deal"))
    assert not reads_stage(Feature(value="deals.source"))
