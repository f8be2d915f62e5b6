"""What came of an example's deal is what the snapshot knows of it."""

from datetime import date

import pandas as pd
import pytest

from winworth.crm.outcomes import attach_outcomes
from winworth.crm.snapshot import take_snapshot
from winworth.tables import CrmTables, ReadReport


def days(*values):
    return pd.to_datetime(pd.Series(values)).astype("datetime64[s]")


@pytest.fixture
def crm():
    deals = pd.DataFrame(
        {
            "deal_id": ["won", "lost", "open"],
            "status": ["won", "lost", "open"],
            "opened_on": days("2024-01-01", "2024-01-01", "2024-01-01"),
            "closed_on": days("2024-03-01", "2024-04-01", None),
            "amount": [10.0, 20.0, 30.0],
        }
    )
    return CrmTables({"deals": deals}, {}, ReadReport((), None))


@pytest.fixture
def examples():
    return pd.DataFrame({"deal_id": ["open", "won", "lost", "won"], "observed_on": days(*["2024-01-01"] * 4)})


def test_each_example_gets_the_outcome_of_its_own_deal(crm, examples):
    rows = attach_outcomes(examples, take_snapshot(crm, as_of=date(2024, 12, 31)))
    assert list(rows["status"]) == ["open", "won", "lost", "won"]
    assert list(rows["won"]) == [False, True, False, True]
    assert rows["ended_on"].equals(days(None, "2024-03-01", "2024-04-01", "2024-03-01"))


def test_only_a_won_deal_has_an_amount(crm, examples):
    rows = attach_outcomes(examples, take_snapshot(crm, as_of=date(2024, 12, 31)))
    assert rows["amount"].fillna(-1).tolist() == [-1, 10, -1, 10]


def test_a_deal_won_after_the_as_of_date_is_open_and_has_no_amount(crm, examples):
    rows = attach_outcomes(examples, take_snapshot(crm, as_of=date(2024, 2, 29)))
    assert set(rows["status"]) == {"open"}
    assert not rows["won"].any()
    assert rows["ended_on"].isna().all()
    assert rows["amount"].isna().all()


def test_deals_without_dates_and_amounts_have_outcomes_all_the_same(crm, examples):
    flat = CrmTables({"deals": crm["deals"][["deal_id", "status"]]}, {}, crm.report)
    rows = attach_outcomes(examples, take_snapshot(flat, as_of=date(2024, 12, 31)))
    assert list(rows["won"]) == [False, True, False, True]
    assert rows["ended_on"].isna().all()
    assert rows["ended_on"].dtype == "datetime64[s]"
    assert rows["amount"].isna().all()


def test_the_examples_stay_as_they_are(crm, examples):
    before = examples.copy(deep=True)
    attach_outcomes(examples, take_snapshot(crm, as_of=date(2024, 12, 31)))
    pd.testing.assert_frame_equal(examples, before)
