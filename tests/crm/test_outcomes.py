"""What came of an example's deal is what the snapshot knows of it."""

from datetime import date

import pandas as pd
import pytest

from winworth.crm.outcomes import attach_outcomes, invoices_by_deal
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


def customers(**columns):
    deals = {
        "deal_id": ["D1", "D2", "D3", "R1", "L1"],
        "account_id": ["A", "A", "B", "A", "C"],
        "status": ["won", "won", "won", "won", "lost"],
        "opened_on": days(*["2023-01-01"] * 5),
        "closed_on": days("2024-01-10", "2024-03-01", "2024-02-01", "2024-02-15", "2024-02-01"),
        "amount": [100.0, 300.0, 50.0, 999.0, 70.0],
        "kind": ["new", "upsell", "new", "renewal", "new"],
    }
    invoices = {
        "account_id": ["A", "A", "A", "B", "C", "A"],
        "invoiced_on": days("2024-01-09", "2024-02-01", "2024-04-01", "2024-03-01", "2024-03-01", "2024-05-01"),
        "amount": [7.0, 40.0, 80.0, 20.0, 5.0, -8.0],
        "margin": [3.0, 20.0, 40.0, 10.0, 2.0, -4.0],
    }
    tables = {"deals": pd.DataFrame({**deals, **columns}), "invoices": pd.DataFrame(invoices)}
    return take_snapshot(CrmTables(tables, {}, ReadReport((), None)), as_of=date(2024, 12, 31))


def test_invoices_are_shared_among_the_deals_won_by_then_to_the_last_cent():
    shared = invoices_by_deal(customers(), exclude_kinds=("renewal",))
    assert shared.groupby("deal_id")["amount"].sum().to_dict() == {"D1": 40 + 20 - 2, "D2": 60 - 6, "D3": 20}
    assert shared["margin"].sum() == 20 + 40 + 10 - 4  # all but what came before a win, and to who never bought
    assert "R1" not in set(shared["deal_id"])


def test_where_an_amount_is_missing_the_deals_of_the_account_share_alike():
    shared = invoices_by_deal(customers(amount=[None, 300.0, 50.0, 999.0, 70.0]), exclude_kinds=("renewal",))
    assert shared.groupby("deal_id")["amount"].sum().to_dict() == {"D1": 40 + 40 - 4, "D2": 40 - 4, "D3": 20}


def test_what_is_invoiced_after_the_day_is_not_shared():
    snapshot = customers()
    early = take_snapshot(CrmTables(dict(snapshot.tables), {}, ReadReport((), None)), as_of=date(2024, 2, 10))
    assert invoices_by_deal(early)[["deal_id", "amount"]].to_numpy().tolist() == [["D1", 40.0]]
