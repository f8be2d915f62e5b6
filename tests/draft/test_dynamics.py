"""Small made-up exports in the exact shape of Dynamics 365's: what the preset makes of them passes check."""

from datetime import timedelta
from pathlib import Path

from preset_world import DAY0, N, answered, closed, known, opened, sources, write


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
