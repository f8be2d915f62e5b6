"""Each fault of files, rows, ids and relations, by its id: refused or put aside, the clean rows as they were."""

import gzip
import zipfile

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from winworth.errors import DataError, ResourceError
from winworth.tables import CrmTables


def _count(tables: CrmTables, table: str):
    return next(count for count in tables.report.files if count.table == table)


def test_f01_a_wrong_separator_is_named_with_the_likely_one(exports):
    exports.write("deals.csv", "deal_id;account_id;status;amount\nD1;A001;won;56,5\n")
    with pytest.raises(DataError, match=r'deals.csv, line 1: parted by ",".*"deal_id;account_id;status;amount".*parted by ";"'):
        exports.read()


def test_f01_a_decimal_comma_read_as_iso_names_the_likely_locale(exports):
    rows = [line.replace(".5,", ",5,").replace(",", ";") for line in exports.lines["deals"]]
    exports.write("deals.csv", "\n".join(row.replace(";5;", ",5;") for row in rows))
    exports.option("deals", separator=";")
    with pytest.raises(DataError, match=r'deals.csv, line 2, column amount.*60 of 60.*locale iso.*"1000,5".*`locale: fr`'):
        exports.read()


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_f04_f05_a_byte_order_mark_settles_the_encoding(exports, clean, codec):
    exports.write("deals.csv", "\r\n".join(exports.lines["deals"]).encode(codec))
    assert_frame_equal(exports.read()["deals"], clean["deals"])


def test_f04_a_second_export_below_the_first_is_refused(exports):
    exports.write("deals.csv", "\n".join([*exports.lines["deals"], "\ufeff" + exports.lines["deals"][0]]))
    with pytest.raises(DataError, match="deals.csv, line 62: a second file begins here"):
        exports.read()


def test_f06_cp1252_is_read_with_a_warning_that_names_the_byte(exports):
    content = "\n".join(exports.lines["accounts"]).replace("Company 1", "Société € 1").encode("cp1252")
    exports.write("accounts.csv", content)
    tables = exports.read()
    assert tables["accounts"]["name"][1] == "Société € 1"
    (warning,) = tables.report.warnings
    assert f"accounts.csv is not UTF-8: the first other byte is in line 3, at byte {content.index(0xE9)}." in warning


def test_f06_a_declared_encoding_is_held_to(exports):
    exports.write("accounts.csv", "\n".join(exports.lines["accounts"]).replace("Company 1", "Société").encode("cp1252"))
    exports.option("accounts", encoding="utf-8")
    with pytest.raises(DataError, match="accounts.csv, line 3: byte .* is not utf-8"):
        exports.read()


def test_f09_a_quote_that_never_closes_does_not_swallow_the_rest(exports):
    exports.spoil("deals", 30, '"D028,A008,lost,1028.5,2024-01-01,2024-04-01')
    with pytest.raises(DataError, match="deals.csv, line 30: a quote opens here"):
        exports.read()


def test_f10_one_cell_too_many_everywhere_is_refused(exports):
    exports.write("deals.csv", "\n".join([exports.lines["deals"][0], *("x," + row for row in exports.lines["deals"][1:])]))
    with pytest.raises(DataError, match="deals.csv, line 2: the row has 7 fields, the header 6"):
        exports.read()


def test_f10_an_empty_cell_behind_every_row_is_mended(exports, clean):
    exports.write("deals.csv", "\n".join([exports.lines["deals"][0], *(row + "," for row in exports.lines["deals"][1:])]))
    assert_frame_equal(exports.read()["deals"], clean["deals"])


@pytest.mark.parametrize(
    ("rule", "raw"),
    [
        ("F11-short-row", "D005,A005,open"),
        ("F12-long-row", "D005,A005,open,1,,,x,y"),
        ("F12-long-row", "D005,A005,open,1,5,2024-01-06,"),
    ],
)
def test_f11_f12_a_row_of_another_length_is_put_aside(exports, expect_put_aside, rule, raw):
    exports.spoil("deals", 7, raw)
    expect_put_aside(exports.read(), rule, 7, raw, "D005")


def test_f11_lines_are_physical_lines_behind_cells_that_break_and_blank_lines(exports):
    exports.spoil("accounts", 3, 'A001,"Two\n\nlines",retail\n')
    exports.spoil("accounts", 9, "A007,short")
    exports.option("accounts", max_quarantine_share=0.2)
    exports.option("deals", file="of_a001.csv")
    exports.write("of_a001.csv", exports.lines["deals"][0] + "\nD1,A001,open,1,2024-01-01,\n")
    exports.tables.pop("activities")
    (row,) = exports.read().report.quarantine.itertuples(index=False)
    assert (row.row, row.raw_line) == (12, "A007,short")


def test_f13_a_header_that_repeats_a_name_is_refused(exports):
    exports.spoil("deals", 1, "deal_id,account_id,status,amount,opened_on,closed_on,amount")
    with pytest.raises(DataError, match='deals.csv, line 1: the header has "amount" more than once'):
        exports.read()


def test_f14_renamed_columns_are_all_listed_with_the_nearest_names(exports):
    exports.spoil("deals", 1, "deal_id,Account Id,status,Amount ,opened_on,closed_on")
    with pytest.raises(DataError, match=r'lacks "account_id" \(nearest: "Account Id"\); "amount" \(nearest: "Amount "'):
        exports.read()


@pytest.mark.parametrize("content", ["", "deal_id,account_id,status,amount,opened_on,closed_on\n"])
def test_f16_deals_without_rows_are_refused(exports, content):
    exports.write("deals.csv", content)
    with pytest.raises(DataError, match="deals.csv has no rows, and deals cannot be empty"):
        exports.read()


@pytest.mark.parametrize("content", ["", "activity_id,account_id,kind,happened_on,known_on\n"])
def test_f16_an_optional_table_without_rows_is_absent_with_a_warning(exports, content):
    exports.write("activities.csv", content)
    tables = exports.read()
    assert "activities" not in tables
    assert any("activities.csv has no rows" in warning for warning in tables.report.warnings)


def test_f17_a_nul_character_is_put_aside(exports, expect_put_aside):
    raw = "D000,A000,won,1000.5\0,2024-01-01,2024-03-01"
    exports.spoil("deals", 2, raw)
    expect_put_aside(exports.read(), "F17-nul", 2, raw, "D000")


def test_f18_a_cell_beyond_the_limit_is_put_aside(exports, expect_put_aside):
    raw = f"D000,{'A' * 70_000},won,1000.5,2024-01-01,2024-03-01"
    exports.spoil("deals", 2, raw)
    expect_put_aside(exports.read(), "F18-long-cell", 2, raw, "D000")


@pytest.mark.parametrize("member", ["../deals.csv", "/etc/deals.csv", "..\\deals.csv", "C:/deals.csv"])
def test_f19_a_zip_member_that_leaves_its_folder_is_refused(exports, member):
    with zipfile.ZipFile(exports.folder / "deals.zip", "w") as archive:
        archive.writestr(member, "\n".join(exports.lines["deals"]))
    exports.option("deals", file="deals.zip")
    with pytest.raises(DataError, match="deals.zip holds .*, a path that leaves its folder"):
        exports.read()


def test_f19_a_zip_of_two_members_is_refused(exports):
    with zipfile.ZipFile(exports.folder / "deals.zip", "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "x")
    exports.option("deals", file="deals.zip")
    with pytest.raises(DataError, match=r"deals.zip holds 2 members \(a.csv, b.csv\)"):
        exports.read()


@pytest.mark.parametrize("kind", ["zip", "csv.gz"])
def test_f19_a_bomb_is_stopped_while_it_unpacks(exports, kind):
    file = exports.folder / f"deals.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("deals.csv", b"a" * 20_000_000)
    else:
        file.write_bytes(gzip.compress(b"a" * 20_000_000))
    exports.option("deals", file=file.name)
    with pytest.raises(ResourceError, match=rf"deals.{kind} unpacks to more than"):
        exports.read()


@pytest.mark.parametrize("magic", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_f22_an_excel_workbook_named_csv_is_told_from_text(exports, magic):
    exports.write("deals.csv", magic + b"\0" * 100)
    with pytest.raises(DataError, match="deals.csv is an .*Excel workbook.* Export it as CSV"):
        exports.read()


def test_f24_f25_ids_are_text_whatever_they_look_like(exports):
    for at, deal_id in enumerate(["00123", "9007199254740993", "1e5"]):
        exports.spoil("deals", at + 2, f"{deal_id},,open,1,2024-01-01,")
    deals = exports.read()["deals"]
    assert deals["deal_id"].head(3).tolist() == ["00123", "9007199254740993", "1e5"]
    assert deals["account_id"].head(3).isna().all()
    assert deals["deal_id"].dtype == deals["account_id"].dtype == pd.StringDtype(na_value=float("nan"))


def test_f26_an_id_that_excel_has_ruined_is_put_aside(exports, expect_put_aside):
    raw = "1.23E+11,A000,won,1000.5,2024-01-01,2024-03-01"
    exports.spoil("deals", 2, raw)
    expect_put_aside(exports.read(), "F26-ruined-id", 2, raw, "D000")


def test_f29_the_same_row_twice_counts_once(exports, clean):
    exports.write("deals.csv", "\n".join([*exports.lines["deals"], exports.lines["deals"][5]]))
    tables = exports.read()
    count = _count(tables, "deals")
    assert (count.n_read, count.n_used, count.n_duplicate) == (61, 60, 1)
    assert count.amounts["EUR"]["duplicate"] == 1004.5
    assert_frame_equal(tables["deals"], clean["deals"])


def test_f30_one_key_on_rows_that_differ_is_refused_with_the_lines(exports):
    exports.write("deals.csv", "\n".join([*exports.lines["deals"], "D003,A003,won,1,2024-01-04,2024-06-04"]))
    with pytest.raises(DataError, match=r'1 values? of deal_id .*"D003" \(deals.csv, line 5 and deals.csv, line 62\)'):
        exports.read()


def test_f30_the_row_modified_last_counts_where_the_map_knows_it(exports):
    lines = [exports.lines["deals"][0] + ",modified_on", *(row + ",2024-12-01" for row in exports.lines["deals"][1:])]
    exports.add("deals", [*lines, "D003,A003,won,7,2024-01-04,2024-06-04,2024-12-31"])
    tables = exports.read()
    assert tables["deals"].set_index("deal_id")["amount"]["D003"] == 7
    assert _count(tables, "deals").n_duplicate == 1


def test_f31_a_deal_of_no_known_account_is_put_aside_with_its_amount(exports, expect_put_aside):
    raw = "D000,A999,won,1000.5,2024-01-01,2024-03-01"
    exports.spoil("deals", 2, raw)
    tables = exports.read()
    expect_put_aside(tables, "F31-no-such-account", 2, raw, "D000")
    assert any("1 of 60 rows name no such account" in text and "1,000.50" in text for text in tables.report.warnings)


def test_f31_many_orphans_are_a_wrong_file(exports):
    for line in range(2, 8):
        exports.spoil("activities", line, exports.lines["activities"][line - 1].replace(",A", ",B"))
    with pytest.raises(DataError, match="activities: 6 of 60 rows name no such account: .*More than 5%"):
        exports.read()
