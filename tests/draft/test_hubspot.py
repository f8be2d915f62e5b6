"""A small made-up export in the exact shape of HubSpot's: what the preset makes of it passes check."""

from datetime import timedelta
from pathlib import Path

from preset_world import DAY0, N, answered, closed, known, opened, sources, write


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
