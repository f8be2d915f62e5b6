"""The drafts of five public folders: how many lines a person must mend before check passes, and no trap walked into."""

import os
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from winworth.config import load_settings
from winworth.draft.paper import crm_yaml
from winworth.errors import ConfigError, DataError
from winworth.flows.check import Checked, check
from winworth.flows.init import init

FOLDER = Path(os.environ.get("WINWORTH_REAL_DATA", ""))
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif("WINWORTH_REAL_DATA" not in os.environ, reason="WINWORTH_REAL_DATA names no folder of real data"),
]
DEALS = ("known: &deals_unsure latest_only", "known: &deals_unsure at_creation")
ACCOUNTS = ("known: &accounts_unsure latest_only", "known: &accounts_unsure at_creation")
NOBODY_SAID = 'status: {source: "?", values: {"won?": won, "lost?": lost}}'
MOST_EDITS = 5


def drafted(name: str, home: Path) -> Path:
    init(FOLDER / name, out=home / "conf")
    return home / "conf"


def edited(conf: Path, edits: list[tuple[str, str]]) -> None:
    """Mend one line for each edit; each must stand there once."""
    text = (conf / "crm.yaml").read_text(encoding="utf-8")
    assert len(edits) <= MOST_EDITS
    for old, new in edits:
        assert text.count(old) == 1 and "\n" not in old + new
        text = text.replace(old, new)
    (conf / "crm.yaml").write_text(text, encoding="utf-8")


def checked(conf: Path, as_of: date = date(2017, 12, 31)) -> Checked:
    return check(load_settings(conf), as_of=as_of)


def test_maven_passes_after_two_lines_and_none_of_its_traps_is_walked_into(tmp_path):
    conf = drafted("maven_crm", tmp_path)
    with pytest.raises(ConfigError, match=r"features read what was not known in time.*latest_only"):
        checked(conf)
    edited(conf, [DEALS, ACCOUNTS])
    done = checked(conf)
    assert done.statuses == {"lost": 2473, "open": 501, "won": 4238}
    assert done.rules == {}
    deals = load_settings(conf).crm.tables["deals"]
    assert deals.columns["amount"].known == "at_close"
    assert "0 on all 2,473 lost deals" in (conf / "crm.yaml").read_text()
    assert deals.columns["account_id"].missing == deals.columns["opened_on"].missing == "out_of_scope"
    assert (deals.columns["opened_on"].format, deals.columns["closed_on"].format) == ("%d-%m-%y", "%d-%m-%y")
    assert dict(deals.columns["product"].aliases) == {"GTXPro": "GTX Pro"}
    assert deals.joins[0].file == "products.csv"
    assert not any("seller" in warning or "product" in warning for warning in done.warnings)


def test_ibm_passes_after_one_line_and_its_seven_process_columns_are_no_features(tmp_path):
    conf = drafted("ibm_sales_win_loss", tmp_path)
    edited(conf, [DEALS])
    done = checked(conf)
    assert done.statuses == {"lost": 60_398, "won": 17_627}
    deals = load_settings(conf).crm.tables["deals"]
    late = {name for name, column in deals.columns.items() if column.known == "at_close"}
    assert {column.source for name, column in deals.columns.items() if name in late} >= {
        "Elapsed Days In Sales Stage",
        "Sales Stage Change Count",
        "Total Days Identified Through Closing",
        "Total Days Identified Through Qualified",
        "Ratio Days Identified To Total Days",
        "Ratio Days Validated To Total Days",
        "Ratio Days Qualified To Total Days",
    }
    assert deals.columns["group_id"].source == "Opportunity Number" and deals.key is None and "deal_id" not in deals.columns
    assert deals.columns["competitor_type"].kind == "level" and deals.columns["competitor_type"].missing_values == ()
    assert "'Opportunity Number' repeats an earlier cell on 196 rows" in (conf / "crm.yaml").read_text()
    assert load_settings(conf).crm.currency == "USD"
    assert not late & {feature.column for feature in load_settings(conf).catalog.features.values()}


def test_salvirt_passes_after_one_line_and_its_three_kinds_of_client_are_no_accounts(tmp_path):
    conf = drafted("salvirt_b2b", tmp_path)
    edited(conf, [DEALS])
    assert checked(conf).statuses == {"lost": 221, "won": 227}
    settings = load_settings(conf)
    deals = settings.crm.tables["deals"]
    assert deals.separator == ";" and "account_id" not in deals.columns and "kind" not in deals.columns
    assert all(column.missing_values == () for column in deals.columns.values())
    assert deals.columns["owner_id"].source == "Seller"
    assert "owner_id" not in {feature.column for feature in settings.catalog.features.values()}


def test_cdnow_is_refused_with_a_command_and_then_passes_after_one_line(tmp_path):
    exports = tmp_path / "exports"
    shutil.copytree(FOLDER / "cdnow", exports)
    with pytest.raises(DataError, match="parted by runs of blanks") as refused:
        init(exports, out=tmp_path / "conf")
    command = str(refused.value)[str(refused.value).index("tr -s") :]
    subprocess.run(["/bin/sh", "-c", command], cwd=exports, check=True)
    (exports / "CDNOW_master.txt").unlink()
    init(exports, out=tmp_path / "conf")
    conf = tmp_path / "conf"
    invoices = load_settings(conf).crm.tables["invoices"].columns
    assert [invoices[name].source for name in ("account_id", "invoiced_on", "amount")] == [
        "customer_id",
        "date",
        "dollar_value",
    ]
    assert invoices["invoiced_on"].format == "%Y%m%d"
    with pytest.raises(DataError, match=r'the header lacks "\?"'):
        checked(conf)
    counts = sorted({line.split(",")[2] for line in (exports / "CDNOW_master.csv").read_text().splitlines()[1:]}, key=int)
    words = ", ".join(f'"{count}": won' for count in counts)
    edited(conf, [(NOBODY_SAID, f"status: {{source: number_of_cds, values: {{{words}}}}}")])
    done = checked(conf)
    assert done.statuses == {"won": 69_659}
    assert [file["n_used"] for file in done.read if file["table"] == "invoices"] == [69_659]


def test_ravenstack_passes_after_three_lines_and_says_that_no_file_tells_won_from_lost(tmp_path):
    conf = drafted("ravenstack", tmp_path)
    with pytest.raises(DataError, match=r'the header lacks "\?"'):
        checked(conf)
    edited(conf, [DEALS, ACCOUNTS, (NOBODY_SAID, 'status: {source: is_trial, values: {"FALSE": won, "TRUE": lost}}')])
    assert checked(conf, date(2024, 12, 31)).statuses == {"lost": 778, "won": 4222}
    settings = load_settings(conf)
    deals, accounts = settings.crm.tables["deals"].columns, settings.crm.tables["accounts"].columns
    assert accounts["created_on"].format == "%d-%m-%Y"
    assert accounts["churn_flag"].known == deals["churn_flag"].known == "at_close"
    assert "arr_amount: always 12 x 'mrr_amount'" in (conf / "crm.yaml").read_text()
    assert "arr_amount" not in deals and "opened_on" not in deals


def test_the_same_folder_gives_the_same_draft(tmp_path):
    first, second = (init(FOLDER / "maven_crm", out=tmp_path / name).draft for name in ("a", "b"))
    assert crm_yaml(first).replace("/a", "") == crm_yaml(second).replace("/b", "")
