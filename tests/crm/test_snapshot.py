"""The snapshot knows what had been entered by the as-of date, and nothing else."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from winworth.crm.snapshot import available_on, take_snapshot
from winworth.errors import ConfigError, DataError
from winworth.tables import CrmTables, ReadReport

AS_OF = date(2024, 6, 30)
KNOWN = {
    ("deals", "status"): "at_close",
    ("deals", "closed_on"): "at_close",
    ("deals", "opened_on"): "at_creation",
    ("deals", "amount"): "at_close",
    ("deals", "source"): "at_creation",
    ("deals", "product"): "latest_only",
    ("accounts", "headcount"): "latest_only",
    ("accounts", "sector"): "at_creation",
    ("activities", "kind"): "dated",
}


def days(*values):
    return pd.to_datetime(pd.Series(values)).astype("datetime64[s]")


@pytest.fixture
def crm():
    deals = pd.DataFrame(
        {
            "deal_id": ["before", "on_the_day", "after", "open", "expected", "not_yet"],
            "status": ["won", "lost", "won", "open", "open", "won"],
            "opened_on": days(*["2024-01-10"] * 5, "2024-07-01"),
            "closed_on": days("2024-03-01", "2024-06-30", "2024-07-01", None, "2024-05-01", "2024-08-01"),
            "amount": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
            "source": ["a", "b", "c", "d", "e", "f"],
            "product": ["p"] * 6,
            "modified_on": days(*["2025-01-01"] * 6),
        }
    )
    accounts = pd.DataFrame(
        {
            "account_id": ["A0", "A1", "A2"],
            "sector": ["steel", "retail", "retail"],
            "headcount": [10.0, 20.0, 30.0],
            "created_on": days("2024-01-01", "2024-07-01", None),
        }
    )
    activities = pd.DataFrame(
        {
            "account_id": ["A0"] * 6,
            "kind": ["on_time", "late", "in_time", "planned", "undated", "tomorrow"],
            "happened_on": days("2024-06-30", "2024-06-01", "2024-06-01", "2024-07-05", None, "2024-07-01"),
            "known_on": days(None, "2024-07-01", "2024-06-30", "2024-06-01", "2024-06-01", None),
        }
    )
    return CrmTables({"deals": deals, "accounts": accounts, "activities": activities}, KNOWN, ReadReport((), None))


@pytest.fixture
def deals(crm):
    return take_snapshot(crm, as_of=AS_OF)["deals"].set_index("deal_id")


def test_a_deal_that_ended_on_the_day_has_ended_and_one_that_ended_later_is_open_again(deals):
    assert deals["status"].to_dict() == {
        "before": "won",
        "on_the_day": "lost",
        "after": "open",
        "open": "open",
        "expected": "open",
    }
    assert deals["closed_on"].notna().to_dict() == {
        "before": True,
        "on_the_day": True,
        "after": False,
        "open": False,
        "expected": False,
    }


def test_what_is_known_at_close_is_blank_until_the_deal_ended(deals):
    assert deals["amount"].dropna().to_dict() == {"before": 10.0, "on_the_day": 20.0}
    assert list(deals["source"]) == ["a", "b", "c", "d", "e"]


def test_a_deal_opened_later_is_not_there(deals):
    assert "not_yet" not in deals.index


@pytest.mark.parametrize("known", ["at_close", "latest_only", "dated", "at_creation"])
def test_status_and_days_are_cut_by_day_whatever_is_declared_of_them(crm, known):
    declared = {("deals", column): known for column in ("status", "opened_on", "closed_on")}
    plain = take_snapshot(replace(crm, known={}), as_of=AS_OF)["deals"]
    pd.testing.assert_frame_equal(take_snapshot(replace(crm, known=declared), as_of=AS_OF)["deals"], plain)


def test_when_a_row_was_modified_is_never_there(deals):
    assert "modified_on" not in deals


def test_what_is_overwritten_in_place_is_blank_unless_somebody_signed(crm):
    snapshot = take_snapshot(crm, as_of=AS_OF, waived=frozenset({("accounts", "headcount")}))
    assert snapshot["deals"]["product"].isna().all()
    assert snapshot["accounts"]["headcount"].tolist() == [10.0, 30.0]
    assert take_snapshot(crm, as_of=AS_OF)["accounts"]["headcount"].isna().all()


def test_blanking_a_column_does_not_change_its_kind(crm):
    snapshot = take_snapshot(crm, as_of=AS_OF)
    for table, column in (("deals", "product"), ("deals", "amount"), ("deals", "closed_on"), ("accounts", "headcount")):
        assert snapshot[table][column].dtype == crm[table][column].dtype


def test_an_account_created_later_is_not_there_and_one_without_a_day_is(crm):
    assert list(take_snapshot(crm, as_of=AS_OF)["accounts"]["account_id"]) == ["A0", "A2"]


def test_an_event_counts_from_the_day_it_was_entered_and_never_before_it_happened(crm):
    assert list(take_snapshot(crm, as_of=AS_OF)["activities"]["kind"]) == ["on_time", "in_time"]
    later = take_snapshot(crm, as_of=date(2024, 7, 1))["activities"]
    assert list(later["kind"]) == ["on_time", "late", "in_time", "tomorrow"]
    assert list(later["available_on"]) == list(days("2024-06-30", "2024-07-01", "2024-06-30", "2024-07-01"))


def test_an_event_without_a_day_of_entry_is_known_on_its_own_day():
    frame = pd.DataFrame({"happened_on": days("2024-01-01", "2024-01-01"), "known_on": days(None, "2024-01-05")})
    assert list(available_on(frame, "happened_on")) == list(days("2024-01-01", "2024-01-05"))
    assert list(available_on(frame[["happened_on"]], "happened_on")) == list(frame["happened_on"])
    assert available_on(frame, "known_on").equals(frame["known_on"])


def test_the_tables_of_the_extract_stay_as_they_are(crm):
    before = {name: frame.copy(deep=True) for name, frame in crm.tables.items()}
    snapshot = take_snapshot(crm, as_of=AS_OF)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(crm[name], frame)
        assert snapshot[name] is not crm[name]


def test_deals_without_dates_pass_as_they_are(crm):
    flat = crm["deals"][["deal_id", "status", "amount"]]
    snapshot = take_snapshot(CrmTables({"deals": flat}, {}, crm.report), as_of=date(1990, 1, 1))
    pd.testing.assert_frame_equal(snapshot["deals"], flat)
    assert not snapshot.has_dates
    assert not snapshot.has_accounts


def test_an_open_deal_without_dates_has_no_amount_known_at_close(crm):
    flat = crm["deals"][["deal_id", "status", "amount"]]
    snapshot = take_snapshot(CrmTables({"deals": flat}, KNOWN, crm.report), as_of=AS_OF)
    assert snapshot["deals"]["amount"].isna().tolist() == [False, False, False, True, True, False]


@pytest.mark.parametrize("name", ["deals", "accounts"])
def test_a_deal_or_account_on_two_rows_is_refused_with_its_name(crm, name):
    twice = pd.concat([crm[name], crm[name].iloc[[1]]], ignore_index=True)
    key = crm[name].iloc[1, 0]
    with pytest.raises(DataError, match=f"{name}: 1 values of .* more than one row: {key}. Set tables.{name}.key: true"):
        take_snapshot(replace(crm, tables={**crm.tables, name: twice}), as_of=AS_OF)


def test_deals_that_open_and_never_end_are_refused(crm):
    endless = {**crm.tables, "deals": crm["deals"].drop(columns="closed_on")}
    with pytest.raises(ConfigError, match="opened_on and no closed_on"):
        take_snapshot(replace(crm, tables=endless), as_of=AS_OF)
