"""Public exports with their known traps, read where WINWORTH_REAL_DATA says they are."""

import os
from pathlib import Path

import pytest

from winworth.crm.mapping import ColumnMap, CrmMap, Join, TableMap
from winworth.crm.read import read_crm

FOLDER = os.environ.get("WINWORTH_REAL_DATA", "")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FOLDER, reason="WINWORTH_REAL_DATA is unset: the public data sets are not here"),
]


def test_ibm_is_read_from_its_zip_and_none_stays_a_level():
    columns = {
        "deal_id": ColumnMap("Opportunity Number"),
        "status": ColumnMap("Opportunity Result", values={"Won": "won", "Loss": "lost"}),
        "amount": ColumnMap("Opportunity Amount USD"),
        "competitor": ColumnMap("Competitor Type", kind="level", known="at_creation"),
    }
    deals = TableMap("*.zip", columns, key=False)
    tables = read_crm(CrmMap("IBM", {"deals": deals}, folder="ibm_sales_win_loss", currency="USD"), root=Path(FOLDER))
    assert len(tables["deals"]) == 78_025
    assert (tables["deals"]["competitor"] == "None").sum() == 9_257
    assert tables["deals"]["status"].eq("won").mean() == pytest.approx(0.226, abs=5e-4)
    assert tables.report.files[0].amounts["USD"]["used"] == tables["deals"]["amount"].sum()


def test_maven_is_joined_to_its_products_and_keeps_deals_that_were_engaged():
    statuses = {"Won": "won", "Lost": "lost", "Engaging": "open", "Prospecting": "open"}
    deals = TableMap(
        "sales_pipeline.csv",
        {
            "deal_id": ColumnMap("opportunity_id"),
            "account_id": ColumnMap("account"),
            "status": ColumnMap("deal_stage", values=statuses),
            "product": ColumnMap("product", aliases={"GTXPro": "GTX Pro"}),
            "opened_on": ColumnMap("engage_date", format="%d-%m-%y", missing="out_of_scope"),
            "closed_on": ColumnMap("close_date", format="%d-%m-%y"),
            "amount": ColumnMap("close_value", known="at_close"),
        },
        joins=(Join("products.csv", {"product": "product"}, {"list_price": ColumnMap("sales_price", kind="number")}),),
    )
    accounts = TableMap(
        "accounts.csv",
        {"account_id": ColumnMap("account"), "sector": ColumnMap("sector", aliases={"technolgy": "technology"})},
    )
    mapping = CrmMap("Maven", {"deals": deals, "accounts": accounts}, folder="maven_crm", currency="USD")
    tables = read_crm(mapping, root=Path(FOLDER))
    count = tables.report.files[0]
    assert (count.n_read, count.n_used, count.n_out_of_scope, count.n_quarantined) == (8_800, 8_300, 500, 0)
    assert tables["deals"]["list_price"].notna().all()
    assert tables["deals"]["opened_on"].dt.year.isin([2016, 2017]).all()
    assert "technology" in set(tables["accounts"]["sector"])
    assert tables.report.warnings == ()


def test_salvirt_is_parted_by_semicolons_and_has_no_dates():
    columns = {
        "status": ColumnMap("Status", values={"Won": "won", "Lost": "lost"}),
        "authority": ColumnMap("Authority", kind="level", known="at_creation"),
    }
    tables = read_crm(
        CrmMap("Salvirt", {"deals": TableMap("*.csv", columns, separator=";")}, folder="salvirt_b2b"), root=Path(FOLDER)
    )
    assert len(tables["deals"]) == 448
    assert tables["deals"]["deal_id"].tolist() == [str(at) for at in range(1, 449)]
    assert not tables.has_dates
