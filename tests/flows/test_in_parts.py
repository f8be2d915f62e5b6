"""Scores made in parts are those made of the whole, bit for bit."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from winworth.crm.parts import Origin
from winworth.crm.read import read_crm
from winworth.flows.in_parts import one_voice, put_aside, scratch_in, summed
from winworth.flows.predict import InParts, predict
from winworth.flows.steps import _hashes
from winworth.lock import run_lock

DAYS = (date(2026, 6, 30), date(2026, 7, 15))


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


def test_scores_in_parts_are_those_of_the_whole_and_movement_too(in_parquet, demo_copy):
    homes = {at: demo_copy.home / str(at) for at in (0, 700)}
    for at, home in homes.items():
        home.mkdir()
        (home / "models").symlink_to(demo_copy.home / "models")
        for day in DAYS:
            done = predict(in_parquet, as_of=day, home=home, in_parts=InParts(at))
        assert done.run["n_accounts"] == 3000 and done.run["movement"]
    for day in DAYS:
        whole, parts = (home / "scores" / day.isoformat() for home in homes.values())
        assert sorted(path.name for path in whole.iterdir()) == sorted(path.name for path in parts.iterdir())
        for path in whole.rglob("*.csv"):
            assert path.read_bytes() == (parts / path.relative_to(whole)).read_bytes(), path.name
        for path in whole.glob("*.parquet"):
            found, wanted = pd.read_parquet(parts / path.name), pd.read_parquet(path)
            pd.testing.assert_frame_equal(found, wanted, check_exact=True, check_dtype=False)
    assert not list(homes[700].glob(".parts*"))


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
