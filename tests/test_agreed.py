"""The record of what was agreed can be added to and not altered."""

import json

import pytest

from winworth.agreed import append_record, holding, read_record
from winworth.errors import IntegrityError

ONE, TWO = ({"change": "agreed", "override": {"criterion": name, "who": "Zoé"}} for name in ("size", "budget"))


@pytest.fixture
def path(tmp_path):
    append_record(tmp_path / "record.jsonl", [ONE])
    append_record(tmp_path / "record.jsonl", [TWO, {**ONE, "change": "withdrawn"}])
    return tmp_path / "record.jsonl"


def test_entries_come_back_in_order_and_tell_what_holds(path):
    entries = read_record(path)
    assert [entry["change"] for entry in entries] == ["agreed", "agreed", "withdrawn"]
    assert holding(entries) == [TWO["override"]]
    assert entries[1]["before"] == entries[0]["hash"]


def test_no_record_is_an_empty_one(tmp_path):
    assert read_record(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda lines: [lines[0].replace("size", "source"), *lines[1:]], 1),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[2]], 2),
        (lambda lines: [lines[1], lines[0], lines[2]], 1),
        (lambda lines: [*lines[:2], "{"], 3),
    ],
)
def test_an_altered_record_is_refused_by_its_line(path, spoil, line):
    path.write_text("\n".join(spoil(path.read_text(encoding="utf-8").splitlines())) + "\n", encoding="utf-8")
    with pytest.raises(IntegrityError, match=f"line {line} "):
        read_record(path)


def test_nothing_is_added_to_an_altered_record(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([json.dumps(json.loads(lines[0]) | {"as_of": "x"}), *lines[1:]]), encoding="utf-8")
    with pytest.raises(IntegrityError, match="was altered"):
        append_record(path, [ONE])
