"""Small made-up exports in the exact shape of three products: what the preset makes of them passes check."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from winworth.config import Settings, load_settings
from winworth.draft.salesforce_ids import extended, is_id
from winworth.errors import ConfigError
from winworth.flows.check import Checked, check
from winworth.flows.init import init

DAY0 = date(2024, 1, 3)
N = 90
AS_OF = date(2025, 6, 30)


def write(path: Path, rows: list[dict[str, object]], **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
        table = csv.DictWriter(file, list(rows[0]), **options)
        table.writeheader()
        table.writerows(rows)


def opened(at: int) -> date:
    return DAY0 + timedelta(days=4 * at)


def closed(at: int) -> date:
    return opened(at) + timedelta(days=20 + at % 17)


def answered(home: Path, preset: str) -> tuple[Settings, Checked]:
    """Draft with a preset, answer the one question a table asks of its columns in doubt, and check."""
    init(home / "exports", out=home / "conf", preset=preset)
    crm = home / "conf" / "crm.yaml"
    crm.write_text(crm.read_text(encoding="utf-8").replace("unsure latest_only", "unsure at_creation"), encoding="utf-8")
    settings = load_settings(home / "conf")
    return settings, check(settings, as_of=AS_OF)


def known(settings: Settings, table: str) -> dict[str, str | None]:
    return {column.source: column.known for column in settings.crm.tables[table].columns.values()}


def sources(settings: Settings, table: str) -> dict[str, str]:
    return {name: column.source for name, column in settings.crm.tables[table].columns.items()}


# --- Salesforce -------------------------------------------------------------------------------------------------------

STAGES = ("Closed Won", "Closed Lost", "Negotiation/Review", "Signature interne")


def sf_id(prefix: str, at: int, *, long: bool = True) -> str:
    short = f"{prefix}D000000{'abcXYZ'[at % 6]}{at:04d}"
    return extended(short) if long else short


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


def test_ids_of_15_and_18_characters_do_not_meet_and_the_draft_says_how_to_export_them(tmp_path):
    salesforce(tmp_path / "exports", long_account_ids=False)
    draft = init(tmp_path / "exports", out=tmp_path / "conf", preset="salesforce").draft
    asked = [question for where, question in draft.asked if where == "tables.deals"]
    assert len(asked) == 1 and "15 characters here and 18 there" in asked[0] and "CASESAFEID" in asked[0]


@pytest.mark.parametrize(
    ("short", "long"), [("a0D30000001n7Pi", "a0D30000001n7PiEAI"), ("500x000000003TR", "500x000000003TRAAY")]
)
def test_an_id_gains_the_three_letters_that_published_examples_give_it(short, long):
    assert extended(short) == long
    assert is_id(short) and is_id(long) and not is_id(long[:-1] + "0")


# --- HubSpot ----------------------------------------------------------------------------------------------------------


def hubspot(folder: Path) -> None:
    write(
        folder / "hubspot-crm-exports-all-companies-2025-06-30.csv",
        [
            {
                "Record ID": 9_000_000 + at,
                "Company name": f"Company {at}",
                "Create Date": f"{DAY0 - timedelta(days=at)} 08:00",
                "Industry": ("COMPUTER_SOFTWARE", "BANKING")[at % 2],
                "Country/Region": "France",
                "Number of Employees": 10 + 13 * at,
                "Annual Revenue": 1_000_000 + 7_777 * at,
                "Lifecycle Stage": "Customer" if at % 3 else "Lead",
                "Phone Number": f"+33 1 00 00 00 {at:02d}",
            }
            for at in range(30)
        ],
    )
    stages = ("Closed Won", "Closed Lost", "Contract Sent", "Essai en cours")
    write(
        folder / "hubspot-crm-exports-all-deals-2025-06-30.csv",
        [
            {
                "Record ID": 77_000_000 + at,
                "Deal Name": f"Deal {at}",
                "Deal Stage": stages[at % 4],
                "Pipeline": "Sales Pipeline",
                "Close Date": f"{closed(at)} 17:00",
                "Create Date": f"{opened(at)} 09:12",
                "Amount": 1000 + at,
                "Amount in company currency": 1100.5 + at,
                "Currency": ("EUR", "USD")[at % 2],
                "Deal Type": ("New Business", "Existing Business")[at % 2],
                "Deal owner": ("Ana Lima", "Bo Ek")[at % 2],
                "Deal probability": (1, 0, 0.9, 0.4)[at % 4],
                "Closed Lost Reason": "price" if at % 4 == 1 else "",
                "Is Closed Won": str(at % 4 == 0).lower(),
                "Is Deal Closed?": str(at % 4 < 2).lower(),
                "Original Traffic Source": ("Organic Search", "Offline Sources")[at % 2],
                "Associated Company IDs": 9_000_000 + at % 30,
                "Associated Company": f"Company {at % 30}",
            }
            for at in range(N)
        ],
    )
    write(
        folder / "hubspot-crm-exports-all-contacts-2025-06-30.csv",
        [
            {
                "Record ID": 5_000_000 + at,
                "First Name": "x",
                "Last Name": "y",
                "Email": f"p{at}@example.com",
                "Create Date": f"{DAY0 - timedelta(days=at % 40)} 08:00",
                "Buying Role": ("Decision Maker", "Budget Holder", "End User")[at % 3],
                "Associated Company IDs": 9_000_000 + at % 30,
            }
            for at in range(60)
        ],
    )
    write(
        folder / "deal-property-history.csv",
        [
            {"Record ID": 77_000_000 + at, "Property": "dealstage", "Value": "contractsent", "Timestamp": f"{opened(at)} 10:00"}
            for at in range(N)
        ],
    )


def test_an_export_of_hubspot_is_read_whole_in_the_companys_own_currency(tmp_path):
    hubspot(tmp_path / "exports")
    settings, done = answered(tmp_path, "hubspot")
    assert done.statuses == {"lost": 23, "open": 44, "won": 23}
    found = sources(settings, "deals")
    assert found["amount"] == "Amount in company currency" and "currency" not in found
    assert found["account_id"] == "Associated Company IDs" and found["deal_id"] == "Record ID"
    late = known(settings, "deals")
    for header in ("Deal probability", "Closed Lost Reason", "Is Closed Won", "Is Deal Closed?"):
        assert late[header] == "at_close", header
    assert known(settings, "accounts")["Lifecycle Stage"] == "at_close"
    assert sources(settings, "accounts")["sector"] == "Industry"
    roles = settings.crm.tables["contacts"].columns["role"].values
    assert roles == {"Decision Maker": "decider", "Budget Holder": "buyer", "End User": "user"}
    assert sources(settings, "stage_changes")["stage"] == "Value"
    written = {column.source for table in settings.crm.tables.values() for column in table.columns.values()}
    assert not written & {"Email", "First Name", "Last Name", "Phone Number"}


# --- Dynamics 365 -----------------------------------------------------------------------------------------------------


def guid(kind: int, at: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{at:012x}"


def dynamics(folder: Path, *, labels: bool) -> None:
    accounts = [
        {
            "accountid": guid(1, at),
            "name": f"Company {at}",
            "createdon": f"{DAY0 - timedelta(days=at)}T08:00:00Z",
            "industrycode": ("Accounting", "Consulting")[at % 2],
            "address1_country": "France",
            "numberofemployees": 10 + 13 * at,
            "revenue_base": 1_000_000.25 + 7_777 * at,
            "customertypecode": "Customer" if at % 3 else "Prospect",
            "statecode": "0",
        }
        for at in range(30)
    ]
    deals = [
        {
            "opportunityid": guid(3, at),
            "name": f"Deal {at}",
            "parentaccountid": guid(1, at % 30),
            "createdon": f"{opened(at)}T09:30:00Z",
            "actualclosedate": closed(at).isoformat() if at % 3 else "",
            "estimatedclosedate": closed(at).isoformat(),
            "estimatedvalue_base": 2000.5 + at,
            "actualvalue_base": 1800.5 + at if at % 3 == 1 else "",
            "transactioncurrencyid": guid(9, at % 2),
            "statecode": at % 3,
            "statuscode": (1, 3, 4)[at % 3],
            "closeprobability": (50, 100, 0)[at % 3],
            "stepname": ("2-Develop", "4-Close", "1-Qualify")[at % 3],
            "ownerid": guid(7, at % 4),
        }
        for at in range(N)
    ]
    if labels:
        states, reasons = ("Open", "Won", "Lost"), ("In Progress", "Won", "Out-Sold")
        deals = [
            {
                "(Do Not Modify) Opportunity": row["opportunityid"],
                "(Do Not Modify) Row Checksum": f"c{at}==",
                "Topic": row["name"],
                "Account": f"Company {at % 30}",
                "Created On": f"{opened(at):%d/%m/%Y} 09:30",
                "Actual Close Date": f"{closed(at):%d/%m/%Y}" if at % 3 else "",
                "Est. Close Date": f"{closed(at):%d/%m/%Y}",
                "Actual Revenue": f"{1800 + at},50" if at % 3 == 1 else "",
                "Currency": "Euro",
                "Status": states[at % 3],
                "Status Reason": reasons[at % 3],
                "Rating": ("Warm", "Hot", "Cold")[at % 3],
            }
            for at, row in enumerate(deals)
        ]
        accounts = [
            {
                "(Do Not Modify) Account": row["accountid"],
                "Account Name": row["name"],
                "Created On": f"{DAY0 - timedelta(days=at):%d/%m/%Y} 08:00",
                "Industry": row["industrycode"],
                "Relationship Type": row["customertypecode"],
            }
            for at, row in enumerate(accounts)
        ]
        write(folder / "Opportunities.csv", deals, delimiter=";", encoding="utf-8-sig")
        write(folder / "Accounts.csv", accounts, delimiter=";", encoding="utf-8-sig")
        return
    write(folder / "opportunity.csv", deals)
    write(folder / "account.csv", accounts)
    write(folder / "audit.csv", [{"auditid": guid(4, 1), "objectid": guid(3, 1), "attributemask": "23,24", "changedata": "x"}])
    history = [
        {
            "objectid": guid(3, at),
            "Changed Date": f"{opened(at)}T10:00:00Z",
            "Event": "Update",
            "Changed Field": name,
            "Old Value": "",
            "New Value": value,
        }
        for at in range(N)
        for name, value in (("Pipeline Phase", "2-Develop"), ("Est. Revenue", "1500"))
    ]
    write(folder / "audit history.csv", history)


def test_an_export_of_dynamics_by_logical_names_is_read_whole(tmp_path):
    dynamics(tmp_path / "exports", labels=False)
    settings, done = answered(tmp_path, "dynamics")
    assert done.statuses == {"lost": 30, "open": 30, "won": 30}
    found = sources(settings, "deals")
    assert (found["status"], found["amount"], found["closed_on"]) == ("statecode", "actualvalue_base", "actualclosedate")
    assert "currency" not in found
    late = known(settings, "deals")
    for header in ("statuscode", "closeprobability", "stepname", "estimatedvalue_base"):
        assert late[header] == "at_close", header
    assert "estimatedclosedate" not in late
    stages = next(row for row in done.read if row["table"] == "stage_changes")
    assert (stages["n_used"], stages["n_out_of_scope"]) == (N, N)
    assert "audit.csv: the audit table names columns by number" in (tmp_path / "conf" / "crm.yaml").read_text().replace(
        "\n#   ", " "
    )


def test_an_export_of_dynamics_from_excel_meets_accounts_by_their_name(tmp_path):
    dynamics(tmp_path / "exports", labels=True)
    settings, done = answered(tmp_path, "dynamics")
    assert done.statuses == {"lost": 30, "open": 30, "won": 30}
    assert (sources(settings, "deals")["account_id"], sources(settings, "accounts")["account_id"]) == (
        "Account",
        "Account Name",
    )
    assert settings.crm.tables["deals"].locale == "fr" and settings.crm.tables["deals"].separator == ";"
    assert known(settings, "deals")["Status Reason"] == known(settings, "deals")["Rating"] == "at_close"


def test_a_preset_that_does_not_exist_is_refused_with_the_nearest_name(tmp_path):
    salesforce(tmp_path / "exports")
    with pytest.raises(ConfigError, match=r"Did you mean salesforce\?"):
        init(tmp_path / "exports", out=tmp_path / "conf", preset="saleforce")
