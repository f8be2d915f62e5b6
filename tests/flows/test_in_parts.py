"""Scores made in parts are those made of the whole, bit for bit."""

import shutil
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from winworth.crm.parts import Origin
from winworth.crm.read import read_crm
from winworth.flows.agree import agree
from winworth.flows.in_parts import one_voice, put_aside, scratch_in, summed
from winworth.flows.predict import InParts, predict
from winworth.flows.scored import Wanted
from winworth.flows.steps import _hashes
from winworth.lock import run_lock
from winworth.weights.overrides import Override

DAYS = (date(2026, 6, 30), date(2026, 7, 15))
SIZES = (0, 700)  # accounts at once


@pytest.fixture
def in_parquet(demo_copy, tmp_path):
    """Return the demo company's settings with its extract as Parquet files."""
    settings = demo_copy.settings
    crm = read_crm(settings.crm, root=settings.folder)
    folder = tmp_path / "parquet"
    folder.mkdir()
    tables = {}
    for name, table_map in settings.crm.tables.items():
        crm[name].to_parquet(folder / f"{name}.parquet")
        columns = {
            column: replace(found, source=column, format=None, values={word: word for word in found.values.values()})
            for column, found in table_map.columns.items()
        }
        tables[name] = replace(table_map, file=f"{name}.parquet", columns=columns)
    return replace(settings, crm=replace(settings.crm, tables=tables, folder=str(folder)))


def scored_both_ways(settings, demo_copy, prepare=lambda home: None, **how):
    """Score two days whole and in parts, in homes of their own; return the homes and the last scorings."""
    homes, done = [demo_copy.home / str(at) for at in SIZES], []
    for at, home in zip(SIZES, homes, strict=True):
        shutil.copytree(demo_copy.home / "models", home / "models", symlinks=True)
        prepare(home)
        done.append([predict(settings, as_of=day, home=home, in_parts=InParts(at), **how) for day in DAYS][-1])
    return homes, done


def differing(homes):
    """Return the published files that are not in both homes with the same bytes; in Parquet the same bits are enough."""
    whole, parts = (home / "scores" for home in homes)
    names = [{path.relative_to(room).as_posix() for path in room.rglob("*") if path.is_file()} for room in (whole, parts)]
    found = names[0] ^ names[1]
    for name in names[0] & names[1]:
        if name.endswith(".parquet"):
            tables = [pd.read_parquet(room / name) for room in (parts, whole)]
            pd.testing.assert_frame_equal(*tables, check_exact=True, check_dtype=False)
        elif not name.endswith("run.json") and (whole / name).read_bytes() != (parts / name).read_bytes():
            found.add(name)
    return found


def test_scores_in_parts_are_those_of_the_whole_and_movement_too(in_parquet, demo_copy):
    homes, done = scored_both_ways(in_parquet, demo_copy)
    assert differing(homes) == set()
    assert all(one.run["n_accounts"] == 3000 and one.run["movement"] for one in done)
    assert not list(homes[1].glob(".parts*"))


@pytest.mark.long
def test_overrides_french_excel_intervals_and_chances_by_a_day_are_the_same_in_parts(in_parquet, demo_copy):
    held = Override("automation_maturity", 45, "CM", "pilot", DAYS[0], date(2026, 9, 1))
    settings = replace(in_parquet, overrides=(held,))
    wanted = Wanted(excel_fr=True, doubt=True, by=date(2026, 12, 31))
    homes, done = scored_both_ways(
        settings, demo_copy, lambda home: agree(settings, as_of=DAYS[0], home=home), lang="fr", wanted=wanted
    )
    assert differing(homes) == set()
    assert all(one.run["overrides"] for one in done)


def test_warnings_of_parts_are_said_once_and_none_is_lost():
    said = one_voice([("3 rows lack a day.", "No rates."), ("No rates.",), ("5 rows lack a day.", "No rates.", "Odd.")])
    assert said == (
        "3 rows lack a day. (Part 1 of 3; 1 other says the same of its own rows.)",
        "No rates.",
        "Odd. (Part 3 of 3.)",
    )


def test_rows_of_parts_add_up_and_a_table_of_no_account_counts_once():
    part = [
        {"table": "deals", "file": "d", "n_read": 5, "n_used": 4},
        {"table": "costs", "file": "c", "n_read": 2, "n_used": 2},
    ]
    assert summed([part, part]) == [
        {"table": "deals", "file": "d", "n_read": 10, "n_used": 8},
        {"table": "costs", "file": "c", "n_read": 2, "n_used": 2},
    ]


def test_a_row_of_costs_that_every_part_puts_aside_is_told_once():
    def part(row):
        return pd.DataFrame({"table": ["costs", "deals"], "file": ["c", "d"], "row": [3, row]})

    assert put_aside([part(9), part(5)]).values.tolist() == [["costs", "c", 3], ["deals", "d", 5], ["deals", "d", 9]]


def test_several_files_of_a_table_are_one_extract_whether_read_whole_or_in_parts(tmp_path):
    for name in "ab":
        (tmp_path / f"deals-{name}.parquet").write_text(name)
    in_parts = Origin.of(tmp_path, "deals-*.parquet").named
    whole = [Origin.of(tmp_path, f"deals-{name}.parquet").named for name in "ab"]
    assert _hashes([{"table": "deals"} | file for file in whole]) == _hashes([{"table": "deals"} | in_parts])


def test_parts_that_a_killed_run_left_go_with_the_next_run_of_any_verb(tmp_path):
    with pytest.raises(KeyError), scratch_in(tmp_path) as scratch:
        raise KeyError
    assert not scratch.exists()
    scratch.mkdir()
    (scratch / "deals.parquet").write_bytes(b"names of people")
    with run_lock(tmp_path, "promote"):
        assert not scratch.exists()
