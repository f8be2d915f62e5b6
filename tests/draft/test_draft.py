"""What a draft guesses, what it asks, and that nothing in a file can break it."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.config import load_settings
from winworth.draft.days import day_format
from winworth.draft.paper import scalar
from winworth.draft.sample import BLOCK_ROWS, BLOCKS, FIRST_ROWS, WHOLE_ROWS
from winworth.errors import ConfigError, DataError
from winworth.flows.check import check
from winworth.flows.init import init

DAY0 = date(2024, 1, 1)


def deals(n: int = 80, days: str = "%Y-%m-%d") -> pd.DataFrame:
    """Return deals of 16 accounts, a third each won, lost and open, whose later column gives the outcome away."""
    at = pd.Series(range(n))
    status = at.map(lambda place: ("Won", "Lost", "En cours")[place % 3])
    opened = [DAY0 + timedelta(days=2 * int(place)) for place in at]
    return pd.DataFrame(
        {
            "Deal ID": [f"D{place:04d}" for place in at],
            "Account ID": [f"A{place % 16:03d}" for place in at],
            "Stage": status,
            "Created": [f"{day:{days}}" for day in opened],
            "Close Date": [f"{day + timedelta(days=30):{days}}" for day in opened],
            "Amount": [f"{1000 + place}.50" for place in at],
            "Segment": [("north", "south", "east")[place % 3 - place % 2] for place in at],
        }
    )


def written(folder: Path, frame: pd.DataFrame, name: str = "deals.csv", *, encoding: str = "utf-8", **options) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(frame.to_csv(index=False, **options).encode(encoding))
    return folder


def drafted(home: Path, frame: pd.DataFrame | None = None, **options):
    if frame is not None:
        written(home / "exports", frame, **options)
    done = init(home / "exports", out=home / "conf")
    return done, load_settings(home / "conf").crm


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
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


def drafted_only(home: Path, frame: pd.DataFrame):
    written(home / "exports", frame)
    return init(home / "exports", out=home / "conf"), home / "conf"


def test_a_status_word_that_nothing_explains_is_asked_for_and_check_refuses_it(tmp_path):
    frame = deals()
    frame.loc[frame.index[::10], "Stage"] = "Zurückgestellt"
    done, crm = drafted(tmp_path, frame)
    assert dict(crm.tables["deals"].columns["status"].values) == {"Won": "won", "Lost": "lost", "En cours": "open"}
    assert any("'Zurückgestellt'" in question for _, question in done.draft.asked)
    with pytest.raises(DataError, match="values that are not mapped"):
        check(load_settings(tmp_path / "conf"), as_of=date(2025, 1, 1))


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


def test_workbooks_pages_and_archives_are_refused_with_the_way_out(tmp_path):
    folder = written(tmp_path / "exports", deals())
    (folder / "accounts.xlsx").write_bytes(b"PK\x03\x04rest")
    (folder / "report.csv").write_bytes(b"PK\x03\x04rest")
    (folder / "page.csv").write_text("<html><table></table></html>")
    (folder / "empty.csv").write_text("")
    (folder / "header.csv").write_text("a,b\n")
    done, _ = drafted(tmp_path)
    why = {one.file: one.why for one in done.draft.refused}
    assert "save each sheet as CSV" in why["accounts.xlsx"] and "Export it as CSV" in why["report.csv"]
    assert set(why) == {"accounts.xlsx", "report.csv", "page.csv", "empty.csv", "header.csv"}
    with pytest.raises(DataError, match="holds no export that can be read"):
        init(written(tmp_path / "none", deals(), "x.xlsx"), out=tmp_path / "other")


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


HOSTILE = [
    "a: b # c",
    "line\nbreak",
    "quote \" and ' both",
    "{x: [y",
    "- dash",
    "*alias",
    "&anchor",
    "!!python/object/apply:os.system",
    "%percent",
    "@at `tick",
    "tab\tin",
    "bell\x07",
    "nel\x85ls\u2028ps\u2029",
    "rtl\u202eoverride",
    "\ufeffbom",
    "no",
    "~",
    "1e3",
    "0x1F",
    "2024-01-01",
    "émoji 😀",
    "x" * 3000,
]


def test_hostile_headers_and_cells_break_no_yaml_and_lose_no_letter(tmp_path):
    frame = deals()
    for at, header in enumerate(HOSTILE):
        frame[header] = [HOSTILE[(at + row) % 5] for row in range(80)]
    frame["Stage"] = frame["Stage"].replace("En cours", "open: #1 {\n'x\"")
    written(tmp_path / "exports", frame, "deals #1: {x} 'y'.csv")
    done = init(tmp_path / "exports", out=tmp_path / "conf")
    crm = load_settings(tmp_path / "conf").crm
    assert crm.tables["deals"].file == "deals #1: {x} 'y'.csv"
    sources = {column.source for column in crm.tables["deals"].columns.values()}
    listed = {one.what for one in done.draft.table("deals").left_out}
    assert set(HOSTILE) <= sources | listed and len(sources & set(HOSTILE)) >= 15
    assert crm.tables["deals"].columns["status"].source == "Stage"
    for line in (tmp_path / "conf" / "crm.yaml").read_text(encoding="utf-8").split("\n"):
        assert all(letter.isprintable() for letter in line)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_text_comes_back_from_yaml_as_it_was(tmp_path_factory, text):
    from winworth.config import _read

    folder = tmp_path_factory.getbasetemp() / "scalars"
    folder.mkdir(exist_ok=True)
    (folder / "one.yaml").write_text(
        f"flow: {{source: {scalar(text)}, list: [{scalar(text)}]}}  # x\nblock: {scalar(text)}\n", encoding="utf-8"
    )
    assert _read(folder / "one.yaml", True) == {"flow": {"source": text, "list": [text]}, "block": text}


def test_the_command_prints_what_it_recognised_its_questions_and_the_next_command(tmp_path, capsys, monkeypatch):
    from winworth.cli import main

    written(tmp_path / "exports", deals())
    monkeypatch.setattr("sys.argv", ["winworth", "init", str(tmp_path / "exports"), "--out", str(tmp_path / "conf"), "--json"])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code in (0, None)
    said = json.loads(capsys.readouterr().out)
    assert said["tables"] == {"deals": {"file": "deals.csv", "rows": 80}}
    assert any("columns in doubt" in one["question"] for one in said["questions"])
    monkeypatch.setattr("sys.argv", ["winworth", "init", str(tmp_path / "exports"), "--out", str(tmp_path / "again")])
    with pytest.raises(SystemExit):
        main()
    assert "winworth check --conf" in capsys.readouterr().out.replace("\n", " ")
