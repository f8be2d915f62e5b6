"""What reading promises: files of every kind give the same tables, the map is held to, and no row is lost."""

import gzip
import zipfile

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from winworth.crm.mapping import ColumnMap, TableMap
from winworth.errors import DataError


def _text(exports, name: str) -> str:
    return "\n".join(exports.lines[name]) + "\n"


def test_each_kind_has_its_type(clean):
    deals = clean["deals"]
    assert {name: str(kind) for name, kind in deals.dtypes.items()} == {
        "deal_id": "str",
        "account_id": "str",
        "status": "str",
        "amount": "float64",
        "opened_on": "datetime64[s]",
        "closed_on": "datetime64[s]",
    }
    assert deals["deal_id"].tolist() == [f"D{at:03d}" for at in range(60)]
    assert len(clean.report.quarantine) == 0
    assert clean.report.warnings == ()


def test_packed_files_give_the_same_table(exports, clean):
    (exports.folder / "deals.csv.gz").write_bytes(gzip.compress(_text(exports, "deals").encode()))
    with zipfile.ZipFile(exports.folder / "accounts.zip", "w") as archive:
        archive.writestr("accounts.csv", _text(exports, "accounts"))
    exports.option("deals", file="deals.csv.gz")
    exports.option("accounts", file="accounts.zip")
    tables = exports.read()
    assert_frame_equal(tables["deals"], clean["deals"])
    assert_frame_equal(tables["accounts"], clean["accounts"])


def test_parquet_gives_the_same_table_under_any_locale(exports, clean):
    typed = clean["deals"].assign(opened_on=clean["deals"]["opened_on"].dt.tz_localize("UTC"))
    typed.to_parquet(exports.folder / "deals.parquet")
    exports.option("deals", file="deals.parquet", locale="fr")
    assert_frame_equal(exports.read()["deals"], clean["deals"])


def test_a_faulty_row_of_parquet_is_put_aside_with_its_cells(exports, clean):
    clean["deals"].assign(status=clean["deals"]["status"].where(clean["deals"].index != 4)).to_parquet(
        exports.folder / "d.parquet"
    )
    exports.option("deals", file="d.parquet")
    (row,) = exports.read().report.quarantine.itertuples(index=False)
    assert (row.row, row.rule) == (5, "F32-missing")
    assert "deal_id=D004" in row.raw_line


def test_a_pattern_reads_files_in_order_and_counts_each(exports, clean):
    header, *rows = exports.lines["deals"]
    exports.write("part-1.csv", "\n".join([header, *rows[:20]]))
    exports.write("part-2.csv", "\n".join([header, *rows[20:]]))
    exports.option("deals", file="part-*.csv")
    tables = exports.read()
    assert_frame_equal(tables["deals"], clean["deals"])
    assert [(count.file, count.n_used) for count in tables.report.files[:2]] == [("part-1.csv", 20), ("part-2.csv", 40)]


def test_a_folder_below_the_root_is_read(exports, clean):
    (exports.folder / "crm").mkdir()
    for name in exports.lines:
        (exports.folder / f"{name}.csv").rename(exports.folder / "crm" / f"{name}.csv")
    assert_frame_equal(exports.read(folder="crm")["deals"], clean["deals"])


def test_a_missing_file_is_named_with_its_path(exports):
    (exports.folder / "deals.csv").unlink()
    with pytest.raises(DataError, match=f"{exports.folder}/deals.csv does not exist"):
        exports.read()


def test_a_folder_in_place_of_a_file_is_refused(exports):
    (exports.folder / "deals.csv").unlink()
    (exports.folder / "deals.csv").mkdir()
    with pytest.raises(DataError, match="deals.csv is not a regular file"):
        exports.read()


def test_a_first_line_that_declares_the_separator_is_no_header(exports, clean):
    exports.write("deals.csv", "sep=;\n" + _text(exports, "deals").replace(",", ";").replace("D003;A003;", "D003;A003;lost;x;"))
    exports.option("deals", separator=";")
    tables = exports.read()
    assert tables.report.quarantine[["row", "rule"]].to_numpy().tolist() == [[6, "F12-long-row"]]
    assert_frame_equal(tables["deals"], clean["deals"].drop(index=3).reset_index(drop=True))


def test_text_that_looks_missing_is_a_level_and_declared_words_are_missing(exports):
    for at, name in enumerate(["NA", "None", "null", "n/a", " "]):
        exports.spoil("accounts", at + 2, f"A{at:03d},{name},steel")
    exports.column("accounts", "name", missing_values=("n/a",))
    names = exports.read()["accounts"]["name"].head(5)
    assert names.head(3).tolist() == ["NA", "None", "null"]
    assert names.tail(2).isna().all()


def test_aliases_mend_spellings_and_values_translate_them(exports):
    exports.column("accounts", "sector", aliases={"steel": "metal"})
    exports.column("deals", "status", values={"won": "lost", "lost": "won", "open": "open"})
    tables = exports.read()
    assert set(tables["accounts"]["sector"]) == {"metal", "retail"}
    assert tables["deals"]["status"].head(3).tolist() == ["lost", "won", "open"]


def test_levels_are_stripped_and_composed_but_ids_only_stripped(exports):
    exports.spoil("accounts", 2, "A000 ,\u200bCafe\u0301 ,steel")
    accounts = exports.read()["accounts"]
    assert accounts.loc[0, ["account_id", "name"]].tolist() == ["A000", "Café"]


def test_flat_deals_get_their_row_number_and_are_never_duplicates(exports):
    exports.write("flat.csv", "status,price\nwon,1\nwon,1\nlost\nlost,2\n" + "open,3\n" * 20)
    exports.tables.clear()
    exports.tables["deals"] = TableMap("flat.csv", {"status": ColumnMap("status"), "amount": ColumnMap("price")})
    tables = exports.read()
    assert tables["deals"]["deal_id"].head(3).tolist() == ["1", "2", "4"]
    assert not tables.has_dates
    assert not tables.has_accounts


def test_a_key_may_be_declared_none(exports):
    exports.write("deals.csv", _text(exports, "deals") + exports.lines["deals"][3] + "\n")
    exports.option("deals", key=False)
    assert len(exports.read()["deals"]) == 61


def test_a_row_may_be_out_of_scope_where_a_cell_is_missing(exports, clean):
    exports.spoil("deals", 4, "D002,A002,open,1002.5,,")
    exports.column("deals", "opened_on", missing="out_of_scope")
    tables = exports.read()
    count = tables.report.files[0]
    assert (count.n_read, count.n_used, count.n_out_of_scope) == (60, 59, 1)
    assert count.amounts["EUR"]["out_of_scope"] == 1002.5
    assert len(tables.report.quarantine) == 0


def test_what_belongs_to_an_account_out_of_scope_is_out_of_scope(exports):
    exports.spoil("accounts", 2, "A000,Company 0,")
    exports.column("accounts", "sector", missing="out_of_scope")
    tables = exports.read()
    assert {count.table: count.n_out_of_scope for count in tables.report.files} == {"accounts": 1, "deals": 6, "activities": 6}


def test_an_ended_deal_needs_its_day_and_an_open_one_loses_the_expected_one(exports):
    exports.spoil("deals", 2, "D000,A000,won,1000.5,2024-01-01,")
    exports.spoil("deals", 4, "D002,A002,open,1002.5,2024-01-03,2024-12-31")
    tables = exports.read()
    assert tables.report.quarantine[["row", "rule"]].to_numpy().tolist() == [[2, "F45-no-closing-day"]]
    assert tables["deals"].set_index("deal_id")["closed_on"].isna()["D002"]
    assert "closed_on of 1 row with status open was taken for an expected day" in tables.report.warnings[0]


def test_activities_without_known_on_are_counted(exports):
    exports.option("activities", columns={k: v for k, v in exports.tables["activities"].columns.items() if k != "known_on"})
    assert "activities: 60 rows of 60 have no known_on and count as known on happened_on." in exports.read().report.warnings


def test_a_format_with_a_time_of_day_keeps_the_day_as_written(exports, clean):
    header, *rows = exports.lines["activities"]
    late = [row + "T23:30:00.000+0000" for row in rows]
    exports.write("activities.csv", "\n".join([header, *late]))
    exports.column("activities", "known_on", format="%Y-%m-%dT%H:%M:%S.%f%z")
    assert_frame_equal(exports.read()["activities"], clean["activities"])


def test_amounts_are_conserved_by_currency(exports):
    lines = [
        exports.lines["deals"][0] + ",currency",
        *(row + (",USD" if at % 2 else ",") for at, row in enumerate(exports.lines["deals"][1:])),
    ]
    exports.add("deals", lines)
    exports.add("rates", ["currency,valid_on,rate", "USD,2023-01-01,0.9"])
    amounts = exports.read(currency="CHF").report.files[0].amounts
    assert sorted(amounts) == ["CHF", "USD"]
    assert sum(part["used"] for part in amounts.values()) == sum(range(1000, 1060)) + 30


def test_too_many_faulty_rows_stop_the_run_with_counts_by_rule(exports):
    for line in (2, 3, 5):
        exports.spoil("deals", line, "short")
    exports.spoil("deals", 9, exports.lines["deals"][8].replace("2024-01", "2024-13"))
    with pytest.raises(DataError, match=r"deals.csv: 4 of 60 rows \(7%\).*F11-short-row 3 \(lines 2, 3, 5\), F41-date 1"):
        exports.read()
    exports.option("deals", max_quarantine_share=0.1)
    assert exports.read().report.files[0].n_quarantined == 4


def test_histories_of_no_known_deal_are_put_aside(exports):
    rows = [f"D{at:03d},Offer,2024-02-01" for at in range(40)]
    exports.add("stage_changes", ["deal_id,stage,changed_on", *rows, "D999,Offer,2024-02-01"])
    quarantine = exports.read().report.quarantine
    assert quarantine[["table", "row", "rule"]].to_numpy().tolist() == [["stage_changes", 42, "F31-no-such-deal"]]


def test_control_characters_do_not_reach_a_message(exports):
    exports.spoil("deals", 2, "D000,A000,\x1b[31mwon,1000.5,2024-01-01,2024-03-01")
    with pytest.raises(DataError, match=r'"\[31mwon" \(1\)'):
        exports.read()


def test_reading_twice_gives_the_same(exports, clean):
    again = exports.read()
    assert clean.report.files == again.report.files
    assert all(clean[name].equals(again[name]) for name in clean.tables)


def test_a_file_of_one_column_is_read(exports):
    exports.write("accounts.csv", "account_id\n" + "".join(f"A{at:03d}\n" for at in range(10)))
    exports.option("accounts", columns={"account_id": ColumnMap("account_id")})
    accounts = exports.read()["accounts"]
    assert_frame_equal(accounts, pd.DataFrame({"account_id": [f"A{at:03d}" for at in range(10)]}))


def test_two_columns_may_come_from_one(exports):
    exports.column("accounts", "country", source="sector")
    accounts = exports.read()["accounts"]
    assert accounts["country"].tolist() == accounts["sector"].tolist()
