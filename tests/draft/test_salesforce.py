"""A small made-up export in the exact shape of Salesforce's: what the preset makes of it passes check."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from preset_world import DAY0, N, answered, closed, known, opened, sources, write

from winworth.crm.salesforce import long_id
from winworth.errors import ConfigError
from winworth.flows.init import init

STAGES = ("Closed Won", "Closed Lost", "Negotiation/Review", "Signature interne")


def sf_id(prefix: str, at: int, *, long: bool = True) -> str:
    short = f"{prefix}D000000{'abcXYZ'[at % 6]}{at:04d}"
    return long_id(short) if long else short


def salesforce(folder: Path, *, long_account_ids: bool = True, history: str = "OpportunityHistory") -> None:
    write(
        folder / "Account.csv",
        [
            {
                "Id": sf_id("001", at),
                "IsDeleted": "false",
                "Name": f"Company {at}",
                "Type": "Customer - Direct" if at % 2 else "Prospect",
                "ParentId": "",
                "BillingCountry": "France",
                "Industry": ("Energy", "Banking", "Retail")[at % 3],
                "AnnualRevenue": 1_000_000 + at * 7_777,
                "NumberOfEmployees": 10 + at,
                "CreatedDate": f"{DAY0 - timedelta(days=at)}T08:00:00.000+0000",
            }
            for at in range(30)
        ],
        quoting=csv.QUOTE_ALL,
    )
    deals = []
    for at in range(N):
        stage = STAGES[at % 4]
        deals.append(
            {
                "Id": sf_id("006", at),
                "IsDeleted": "false",
                "AccountId": sf_id("001", at % 30, long=long_account_ids),
                "Name": f"Deal {at}, phase: #{at}",
                "StageName": stage,
                "Amount": 1000.5 + at,
                "Probability": {"Closed Won": 100, "Closed Lost": 0}.get(stage, 60),
                "ExpectedRevenue": 600 + at,
                "CloseDate": closed(at).isoformat(),
                "Type": ("New Customer", "Existing Customer - Upgrade")[at % 2],
                "LeadSource": ("Web", "Partner", "Phone Inquiry")[at % 3],
                "IsClosed": str(stage.startswith("Closed")).lower(),
                "IsWon": str(stage == "Closed Won").lower(),
                "ForecastCategoryName": "Closed" if stage == "Closed Won" else "Pipeline",
                "CurrencyIsoCode": "EUR",
                "OwnerId": sf_id("005", at % 4),
                "CreatedDate": f"{opened(at)}T09:30:00.000+0000",
            }
        )
    write(folder / "Opportunity.csv", deals, quoting=csv.QUOTE_ALL)
    write(
        folder / "Task.csv",
        [
            {
                "Id": sf_id("00T", at),
                "WhoId": "",
                "WhatId": sf_id("006", at % N),
                "AccountId": sf_id("001", at % 30),
                "TaskSubtype": ("Email", "Call")[at % 2],
                "ActivityDate": (opened(at) + timedelta(days=3)).isoformat(),
                "CreatedDate": f"{opened(at) + timedelta(days=3)}T10:00:00.000+0000",
            }
            for at in range(60)
        ],
    )
    write(folder / "CurrencyType.csv", [{"IsoCode": "USD", "ConversionRate": "1.1", "IsCorporate": "false"}])
    if history == "OpportunityHistory":
        rows = [
            {
                "Id": sf_id("008", at),
                "OpportunityId": sf_id("006", at),
                "StageName": stage,
                "Amount": 900 + at + 0.25,
                "Probability": 30,
                "CloseDate": closed(at).isoformat(),
                "CreatedDate": f"{opened(at) + timedelta(days=days)}T09:30:00.000+0000",
            }
            for at in range(N)
            for days, stage in ((0, "Prospecting"), (7, "Negotiation/Review"))
        ]
    else:
        rows = [
            {
                "Id": f"017D{at:04d}{name}",
                "OpportunityId": sf_id("006", at),
                "Field": name,
                "OldValue": old,
                "NewValue": new,
                "CreatedDate": f"{opened(at) + timedelta(days=7)}T09:30:00.000+0000",
            }
            for at in range(N)
            for name, old, new in (("StageName", "Prospecting", "Negotiation/Review"), ("Amount", "", f"{900 + at}"))
        ]
    write(folder / f"{history}.csv", rows)


def test_a_data_loader_export_of_salesforce_is_read_whole(tmp_path):
    salesforce(tmp_path / "exports")
    settings, done = answered(tmp_path, "salesforce")
    values = settings.crm.tables["deals"].columns["status"].values
    assert values == {"Closed Won": "won", "Closed Lost": "lost", "Negotiation/Review": "open", "Signature interne": "open"}
    assert done.statuses == {"lost": 23, "open": 44, "won": 23}
    assert done.rules == {}
    found = sources(settings, "deals")
    assert (found["opened_on"], found["closed_on"], found["account_id"]) == ("CreatedDate", "CloseDate", "AccountId")
    assert settings.crm.currency == "EUR"
    late = known(settings, "deals")
    for header in ("Probability", "ExpectedRevenue", "IsClosed", "IsWon", "ForecastCategoryName"):
        assert late[header] == "at_close", header
    assert known(settings, "accounts")["Type"] == "at_close"
    assert sources(settings, "accounts")["headcount"] == "NumberOfEmployees"
    assert set(settings.crm.tables) >= {"activities", "stage_changes", "deal_versions"}
    assert sources(settings, "deal_versions")["amount"] == "Amount"
    assert "CurrencyType.csv: Salesforce writes how many units" in (tmp_path / "conf" / "crm.yaml").read_text()


def test_of_a_field_history_only_changes_of_stage_count_and_a_new_field_is_an_error(tmp_path):
    salesforce(tmp_path / "exports", history="OpportunityFieldHistory")
    settings, done = answered(tmp_path, "salesforce")
    stages = next(row for row in done.read if row["table"] == "stage_changes")
    assert (stages["n_read"], stages["n_used"], stages["n_out_of_scope"]) == (2 * N, N, N)
    assert "deal_versions" not in settings.crm.tables


def test_ids_of_15_characters_meet_those_of_18_in_the_draft_and_when_read(tmp_path):
    salesforce(tmp_path / "exports", long_account_ids=False)
    settings, done = answered(tmp_path, "salesforce")
    assert sources(settings, "deals")["account_id"] == "AccountId"
    assert done.statuses == {"lost": 23, "open": 44, "won": 23}
    assert any("stands with 15 letters" in warning for warning in done.warnings)
    again = init(tmp_path / "exports", out=tmp_path / "again", preset="salesforce").draft
    assert not [question for where, question in again.asked if where == "tables.deals"]


@pytest.mark.parametrize(
    ("short", "long"), [("a0D30000001n7Pi", "a0D30000001n7PiEAI"), ("500x000000003TR", "500x000000003TRAAY")]
)
def test_an_id_gains_the_three_letters_that_published_examples_give_it(short, long):
    assert long_id(short) == long


def test_a_preset_that_does_not_exist_is_refused_with_the_nearest_name(tmp_path):
    salesforce(tmp_path / "exports")
    with pytest.raises(ConfigError, match=r"Did you mean salesforce\?"):
        init(tmp_path / "exports", out=tmp_path / "conf", preset="saleforce")
