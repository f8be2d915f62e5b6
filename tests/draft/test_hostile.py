"""Nothing in a folder, a header or a cell can break a draft, and what cannot be read is refused with the way out."""

import json

import pytest
from draft_world import deals, drafted, written
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.config import load_settings
from winworth.draft.paper import scalar
from winworth.errors import DataError
from winworth.flows.init import init


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
    from winworth.yaml_files import read_yaml

    folder = tmp_path_factory.getbasetemp() / "scalars"
    folder.mkdir(exist_ok=True)
    (folder / "one.yaml").write_text(
        f"flow: {{source: {scalar(text)}, list: [{scalar(text)}]}}  # x\nblock: {scalar(text)}\n", encoding="utf-8"
    )
    assert read_yaml(folder / "one.yaml") == {"flow": {"source": text, "list": [text]}, "block": text}


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


def test_a_hundred_columns_in_the_same_doubt_wait_for_one_answer(tmp_path):
    frame = deals().assign(**{f"Answer {at}": ["yes", "no"] * 40 for at in range(100)})
    _, crm = drafted(tmp_path, frame)
    assert sum(column.known == "latest_only" for column in crm.tables["deals"].columns.values()) == 101
    text = (tmp_path / "conf" / "crm.yaml").read_text(encoding="utf-8")
    assert text.count("latest_only}") == 1 and text.count("*deals_unsure}") == 100
