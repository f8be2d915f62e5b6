"""The table of faults says what the tests hold: every fault once, every test named there is a test."""

import ast
import re
from functools import cache
from pathlib import Path

from test_corpus import FAULTS

TESTS = Path(__file__).parents[1]
TEXT = (TESTS / "faults" / "README.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.split(" | ")] for line in re.findall(r"^\| (F\d+ \| .*) \|$", TEXT, re.MULTILINE)]
NAMED = [(row[0], name) for row in ROWS for name in re.findall(r"`([^`]+)`", row[5])]


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_fault_stands_there_once():
    assert [row[0] for row in ROWS] == [f"F{number:02d}" for number in range(1, 101)]
    assert all(len(row) == 6 for row in ROWS)


def test_every_test_named_there_is_one():
    for fault, name in NAMED:
        file, _, test = name.rpartition("::")
        if file:
            assert test in names_in(file), f"{fault}: {name}"
        else:
            assert name in FAULTS, f"{fault}: {name}"


def test_every_fault_that_is_made_stands_in_its_own_row():
    made = sorted((f"F{name[1:3]}", name) for name in FAULTS)
    assert sorted(pair for pair in NAMED if "::" not in pair[1]) == made


def test_a_verdict_is_held_by_a_test_or_gives_its_reason():
    for fault, _, _, verdict, why, held_by in ROWS:
        assert verdict in ("held", "deviates") or re.fullmatch(r"with issue \d+", verdict), fault
        assert why or verdict == "held", fault
        assert "`" in held_by or verdict.startswith("with"), fault


def test_the_totals_are_those_of_the_table():
    verdicts = [row[3].split()[0] for row in ROWS]
    said = [int(number) for number in re.search(r"`held`: (\d+).*?: (\d+).*?: (\d+)\.", TEXT).groups()]
    assert said == [verdicts.count(word) for word in ("held", "deviates", "with")]
