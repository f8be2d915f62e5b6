import csv
import io

import pandas as pd
import pytest

from winworth.scoring.crm_files import CRMS, changed, crm_files, gone, left_out, trend_of

NOW = pd.DataFrame(
    {
        "account_id": ["C3", "A1", "B2", "D4"],
        "score": [41.5, 70.2, 12.4, 55.0],
        "tier": ["B", "A", "C", "B"],
        "trend": ["up", "steady", "down", "steady"],
    }
)


def rows_of(content: bytes) -> list[dict]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def imported(crm: dict, content: bytes) -> dict:
    """Do what an import does: find the record by its id and set the other fields."""
    key, *fields = next(csv.reader(io.StringIO(content.decode())))
    return {**crm, **{row[key]: {**crm.get(row[key], {}), **{f: row[f] for f in fields}} for row in rows_of(content)}}


def test_the_first_scoring_tells_all_accounts_in_order_of_their_ids():
    assert changed(NOW, None)["account_id"].tolist() == ["A1", "B2", "C3", "D4"]
    assert changed(NOW, None)["score"].tolist() == [70, 12, 42, 55]


def test_an_account_is_told_where_its_whole_score_its_tier_or_its_trend_differs():
    before = NOW.assign(score=[41.5, 69.8, 14.0, 55.0], tier=["B", "A", "C", "A"], trend=["down", "steady", "down", "steady"])
    assert changed(NOW, before)["account_id"].tolist() == ["B2", "C3", "D4"]


def test_an_account_that_is_new_is_told_and_one_that_is_gone_is_not():
    before = NOW.assign(account_id=["C3", "A1", "B2", "E5"])
    assert changed(NOW, before)["account_id"].tolist() == ["D4"]


def test_after_a_scoring_of_before_there_were_files_all_accounts_are_told():
    before = NOW.assign(account_id=["C3", "A1", "B2", "E5"]).drop(columns="trend")
    assert changed(NOW, before).equals(changed(NOW, None))
    assert gone(NOW, before) == []


def test_accounts_that_keep_an_old_tier_in_the_crm_are_counted():
    before = NOW.assign(account_id=["C3", "F6", "B2", "E5"])
    assert gone(NOW, before)[0].startswith("2 accounts of the scoring before are not scored now, the first E5: score, tier")
    assert gone(NOW, NOW) == gone(NOW, None) == []


def test_a_score_is_up_or_down_from_five_points_on():
    now, before = pd.Series([55.0, 54.9, 45.0, 45.1, 50.0]), pd.Series([50.0, 50.0, 50.0, 50.0, None])
    assert trend_of(now, before).tolist() == ["up", "steady", "down", "steady", "steady"]


@pytest.mark.parametrize("name", CRMS)
def test_importing_the_changes_leaves_the_crm_as_importing_all_does_and_twice_as_once(name):
    before = NOW.assign(score=[41.5, 30.0, 12.0, 55.0], trend="steady")
    crm = imported({}, crm_files(changed(before, None), NOW["account_id"])[f"crm/{name}.csv"])
    part = crm_files(changed(NOW, before), NOW["account_id"])[f"crm/{name}.csv"]
    whole = crm_files(changed(NOW, None), NOW["account_id"])[f"crm/{name}.csv"]
    once = imported(crm, part)
    assert once == imported(crm, whole) == imported(once, part)
    assert len(rows_of(part)) < len(rows_of(whole))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("salesforce", "Winworth_Account_Id__c,Winworth_Score__c,Winworth_Tier__c,Winworth_Trend__c"),
        ("hubspot", "winworth_account_id,winworth_score,winworth_tier,winworth_trend"),
        ("dynamics", "new_winworthaccountid,new_winworthscore,new_winworthtier,new_winworthtrend"),
    ],
)
def test_files_are_plain_utf8_with_bare_headers_and_no_empty_cell(name, header):
    content = crm_files(changed(NOW.assign(account_id=["é3", "A1", "B2", "D4"]), None), NOW["account_id"])[f"crm/{name}.csv"]
    assert content.startswith(header.encode() + b"\n")
    assert b"\r" not in content and "é3".encode() in content
    assert all(value for row in rows_of(content) for value in row.values())


@pytest.mark.parametrize(
    ("name", "account_id", "header"),
    [
        ("salesforce", "0015g00000AbCdE", "Id"),
        ("salesforce", "0015g00000AbCdEAAZ", "Id"),
        ("salesforce", "0065g00000AbCdEAAZ", "Winworth_Account_Id__c"),
        ("hubspot", "1234567", "winworth_account_id"),
        ("dynamics", "6F9619FF-8B86-D011-B42D-00C04FC964FF", "accountid"),
        ("dynamics", "A0001", "new_winworthaccountid"),
    ],
)
def test_a_record_is_found_by_the_crm_s_own_id_where_it_can_be_no_other(name, account_id, header):
    rows = changed(NOW[:1].assign(account_id=account_id), None)
    assert crm_files(rows, rows["account_id"])[f"crm/{name}.csv"].decode().split(",")[0] == header
    mixed = pd.Series([account_id, "A1"])
    assert crm_files(rows, mixed)[f"crm/{name}.csv"].decode().split(",")[0] == CRMS[name].other_id


def test_an_id_that_a_spreadsheet_would_run_is_left_out_and_said():
    rows = changed(NOW.assign(account_id=["=cmd|' /C calc'!A0", "A1", "-12", "D4"]), None)
    files = crm_files(rows, rows["account_id"])
    assert all(len(rows_of(files[f"crm/{name}.csv"])) == 2 for name in CRMS)
    assert left_out(rows["account_id"])[0].startswith("2 accounts are not in the files for the CRM")
    assert left_out(NOW["account_id"]) == []


def test_the_fields_to_make_are_listed_for_each_crm():
    fields = rows_of(crm_files(changed(NOW, None), NOW["account_id"])["crm/fields.csv"])
    assert len(fields) == 12
    assert {row["field"] for row in fields} >= {"Winworth_Score__c", "winworth_tier", "new_winworthtrend"}


def test_nothing_changed_is_a_file_of_its_header_alone():
    assert crm_files(changed(NOW, NOW), NOW["account_id"])["crm/hubspot.csv"].count(b"\n") == 1
