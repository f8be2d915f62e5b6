"""What a draft guesses, and what it asks."""

import csv
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from draft_world import DAY0, deals, drafted, drafted_only, written

from winworth.config import load_settings
from winworth.draft.days import day_format
from winworth.draft.sample import BLOCK_ROWS, BLOCKS, FIRST_ROWS, WHOLE_ROWS
from winworth.errors import ConfigError, DataError
from winworth.flows.check import check
from winworth.flows.init import init


@pytest.mark.parametrize(
    ("separator", "encoding"),
    [(",", "utf-8"), (";", "cp1252"), ("\t", "utf-16"), ("|", "utf-8-sig"), (";", "utf-8-sig")],
)
def test_any_separator_and_encoding_is_told_and_the_draft_reads(tmp_path, separator, encoding):
    frame = deals().assign(Région=["Île-de-France", "Paris"] * 40)
    drafted(tmp_path, frame, encoding=encoding, sep=separator)
    conf = load_settings(tmp_path / "conf")
    assert conf.crm.tables["deals"].separator == separator
    assert conf.crm.tables["deals"].encoding == ("cp1252" if encoding == "cp1252" else None)
    edited = (tmp_path / "conf" / "crm.yaml").read_text(encoding="utf-8").replace("unsure latest_only", "unsure at_creation")
    (tmp_path / "conf" / "crm.yaml").write_text(edited, encoding="utf-8")
    done = check(load_settings(tmp_path / "conf"), as_of=date(2025, 1, 1))
    assert done.statuses == {"lost": 27, "open": 26, "won": 27}
    assert not any("UTF-8" in warning for warning in done.warnings)


def test_a_first_line_that_names_the_separator_and_single_quotes_are_seen(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "deals.csv").write_text("sep=;\n" + deals().to_csv(index=False, sep=";"))
    assert drafted(tmp_path)[1].tables["deals"].separator == ";"
    quoted = deals().assign(Note=["a, b"] * 80)
    _, crm = drafted(tmp_path / "quoted", quoted, quotechar="'", quoting=csv.QUOTE_ALL)
    assert (crm.tables["deals"].separator, crm.tables["deals"].quote) == (",", "'")


def test_days_and_months_that_read_both_ways_are_a_question_that_check_insists_on(tmp_path):
    frame = deals().assign(Created=[f"{at % 12 + 1:02d}/{at % 11 + 1:02d}/2024" for at in range(80)])
    done, crm = drafted(tmp_path, frame)
    assert crm.tables["deals"].columns["opened_on"].format == "?"
    assert any("%d/%m/%Y or %m/%d/%Y" in question for _, question in done.draft.asked)
    with pytest.raises(ConfigError, match=r"date format '\?' is not understood"):
        check(load_settings(tmp_path / "conf"), as_of=date(2025, 1, 1))


@pytest.mark.parametrize(
    "form", ["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%y", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d", "%d %b %Y", "%m/%d/%Y %I:%M %p"]
)
def test_a_day_beyond_the_twelfth_proves_the_order(form):
    words = [f"{DAY0 + timedelta(days=5 * at):{form}}" for at in range(60)]
    assert day_format(words, may_be_compact=False).format == form


def test_one_day_that_contradicts_the_others_makes_the_order_a_question():
    words = [f"{day:02d}/{month:02d}/2024" for day in range(1, 13) for month in range(1, 13)]
    assert day_format([*words, "25/03/2024", "26/03/2024"], may_be_compact=False).format == "%d/%m/%Y"
    assert day_format([*words, "25/03/2024", "26/03/2024", "03/25/2024"], may_be_compact=False).format is None


def test_decimal_marks_are_proven_or_asked(tmp_path):
    _, crm = drafted(tmp_path / "fr", deals().assign(Amount=[f"{at} {at:03d},50" for at in range(100, 180)]), sep=";")
    assert crm.tables["deals"].locale == "fr"
    _, crm = drafted(tmp_path / "en", deals().assign(Amount=[f"1,{at}.25" for at in range(100, 180)]))
    assert crm.tables["deals"].locale == "en"
    frame = deals().assign(Amount=[f"1.{at}" for at in range(100, 180)])
    done, _ = drafted_only(tmp_path / "open", frame)
    assert any("thousands or decimals" in question for _, question in done.draft.asked)
    with pytest.raises(ConfigError, match="decimal"):
        load_settings(tmp_path / "open" / "conf")


def test_a_status_word_that_nothing_explains_is_asked_for_and_check_refuses_it(tmp_path):
    frame = deals()
    frame.loc[frame.index[::10], "Stage"] = "Zurückgestellt"
    done, crm = drafted(tmp_path, frame)
    assert dict(crm.tables["deals"].columns["status"].values) == {"Won": "won", "Lost": "lost", "En cours": "open"}
    assert any("'Zurückgestellt'" in question for _, question in done.draft.asked)
    with pytest.raises(DataError, match="values that are not mapped"):
        check(load_settings(tmp_path / "conf"), as_of=date(2025, 1, 1))


def test_deals_without_outcomes_are_no_invoices_and_a_companys_revenue_is_no_deals_amount(tmp_path):
    frame = deals().drop(columns="Stage").rename(columns={"Amount": "Total amount", "Created": "Date"})
    done, crm = drafted_only(tmp_path, frame, "opportunities.csv")
    assert done.draft.table("invoices") is None
    assert done.draft.table("deals").column("status").source == "?"
    _, crm = drafted(tmp_path / "flat", deals().rename(columns={"Amount": "Revenue"}))
    assert "amount" not in crm.tables["deals"].columns and crm.tables["deals"].columns["revenue"].kind == "number"


def test_a_word_that_may_mean_either_is_mapped_and_asked_about(tmp_path):
    frame = deals()
    frame["Stage"] = frame["Stage"].replace("Lost", "Annulée").where(frame.index > 9, "Perdue")
    done, crm = drafted(tmp_path, frame)
    assert crm.tables["deals"].columns["status"].values["Annulée"] == "lost"
    assert any("'Annulée' as lost" in question for _, question in done.draft.asked)


def test_a_column_filled_in_when_a_deal_ends_is_pointed_at_whatever_its_name(tmp_path):
    frame = deals(300)
    is_open = frame["Stage"] == "En cours"
    frame["Harmless"] = np.where(is_open, "", [("x", "y")[at % 2] for at in range(300)])
    frame["Telltale"] = [str(50 + at % 7) if stage == "Won" else str(at % 5) for at, stage in enumerate(frame["Stage"])]
    frame["Colour"] = [("red", "blue")[at % 2] for at in range(300)]
    _, crm = drafted(tmp_path, frame)
    columns = crm.tables["deals"].columns
    assert columns["harmless"].known == columns["telltale"].known == "at_close"
    assert columns["colour"].known == "latest_only"
    text = (tmp_path / "conf" / "crm.yaml").read_text()
    assert "filled on 0% of open deals" in text and "too good for the first day" in text


def test_an_id_that_repeats_is_no_key(tmp_path):
    frame = deals()
    frame.loc[7, "Deal ID"] = frame.loc[3, "Deal ID"]
    _, crm = drafted(tmp_path, frame)
    assert crm.tables["deals"].key is None and crm.tables["deals"].columns["group_id"].source == "Deal ID"


def test_a_year_a_file_is_one_table_by_a_pattern_and_the_key_holds_across_them(tmp_path):
    frame = deals(120)
    for year, rows in (("2023", frame[:60]), ("2024", frame[60:])):
        written(tmp_path / "exports", rows, f"deals_{year}.csv")
    _, crm = drafted(tmp_path)
    assert (crm.tables["deals"].file, crm.tables["deals"].key) == ("deals_*.csv", True)
    written(tmp_path / "twice" / "exports", frame[:60], "deals_2023.csv")
    written(tmp_path / "twice" / "exports", frame[50:].assign(Amount="1.5"), "deals_2024.csv")
    assert drafted(tmp_path / "twice")[1].tables["deals"].key is None


def test_a_day_without_its_other_end_mixed_formats_and_excels_numbers_are_told(tmp_path):
    done, crm = drafted(tmp_path / "half", deals().drop(columns="Close Date"))
    assert "opened_on" not in crm.tables["deals"].columns
    assert any("No column says when a deal ended" in question for _, question in done.draft.asked)
    frame = deals()
    frame["Close Date"] = [f"{at % 28 + 1}/03/2024" if at % 2 else f"2024-03-{at % 28 + 1:02d}" for at in range(80)]
    frame["Renewal date"] = [str(45_000 + at) for at in range(80)]
    done, _ = drafted(tmp_path / "mixed", frame)
    why = {one.what: one.why for one in done.draft.table("deals").left_out}
    assert "more than one format" in why["Close Date"] and "Excel's own day numbers" in why["Renewal date"]


def test_nothing_is_overwritten(tmp_path):
    written(tmp_path / "exports", deals())
    init(tmp_path / "exports", out=tmp_path / "conf")
    before = (tmp_path / "conf" / "crm.yaml").read_bytes()
    with pytest.raises(ConfigError, match="nothing is overwritten"):
        init(tmp_path / "exports", out=tmp_path / "conf")
    assert (tmp_path / "conf" / "crm.yaml").read_bytes() == before


def test_parquet_is_drafted_by_its_types(tmp_path):
    (tmp_path / "exports").mkdir()
    frame = deals().assign(
        **{"Created": pd.to_datetime(deals()["Created"]), "Amount": np.arange(80) + 0.5, "Seats": np.arange(80)}
    )
    frame.to_parquet(tmp_path / "exports" / "deals.parquet")
    _, crm = drafted(tmp_path)
    assert crm.tables["deals"].columns["opened_on"].format is None
    text = (tmp_path / "conf" / "crm.yaml").read_text().replace("unsure latest_only", "unsure at_creation")
    (tmp_path / "conf" / "crm.yaml").write_text(text)
    assert check(load_settings(tmp_path / "conf"), as_of=date(2025, 1, 1)).statuses == {"lost": 27, "open": 26, "won": 27}


def test_a_long_file_is_sampled_to_its_end_and_its_key_is_proven_on_every_row(tmp_path):
    n = WHOLE_ROWS + 20_000
    at = np.arange(n)
    frame = pd.DataFrame(
        {
            "Deal ID": np.char.add("D", at.astype(str)),
            "Status": np.where(at % 2, "Won", "Lost"),
            "Late": np.where(at < FIRST_ROWS, "early", "late"),
        }
    )
    done, crm = drafted(tmp_path / "whole", frame)
    table = done.draft.table("deals")
    assert crm.tables["deals"].key is True and table.export.n_rows == n
    assert len(table.export.cells) == FIRST_ROWS + BLOCKS * BLOCK_ROWS
    assert (
        f"{n:,} rows, {FIRST_ROWS + BLOCKS * BLOCK_ROWS:,} of them looked at"
        in (tmp_path / "whole" / "conf" / "crm.yaml").read_text()
    )
    assert set(table.export.cells["Late"]) == {"early", "late"}
    frame.loc[n - 3, "Deal ID"] = "D5"
    _, crm = drafted(tmp_path / "twice", frame)
    assert crm.tables["deals"].key is None
