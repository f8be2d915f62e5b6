"""Dirty exports: what is read from them is what is read from the clean ones, and every dirty row is counted."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from winworth.config import load_settings
from winworth.crm.read import read_crm
from winworth.crm.synthetic import USE_CASES, software_company, write_exports
from winworth.crm.synthetic.exports import soiled

AS_OF = date(2026, 6, 30)
CONF = Path(__file__).parents[2] / "conf"


def read(world, conf, folder, *, is_dirty):
    write_exports(world, folder, is_dirty=is_dirty)
    return read_crm(replace(load_settings(conf).crm, folder=str(folder)), root=Path())


@pytest.fixture(scope="module", params=["", *USE_CASES])
def dirty(request, tmp_path_factory):
    """A world, what is read of its clean exports, and what of its dirty ones."""
    drawn = {"as_of": AS_OF, "seed": 2, "n_deals": 1000}
    world = USE_CASES[request.param].draw(**drawn) if request.param else software_company(**drawn)
    folder = tmp_path_factory.mktemp("exports")
    return world, *(read(world, CONF / request.param, folder / str(soil), is_dirty=soil) for soil in (False, True))


def test_every_good_row_is_read_as_from_the_clean_export(dirty):
    world, clean, found = dirty
    for name in world.tables:
        pd.testing.assert_frame_equal(found[name], clean[name])


def test_every_dirty_row_is_put_aside_or_dropped_and_counted(dirty):
    world, _, found = dirty
    for count in found.report.files:
        dirt, n = soiled(count.table, world.tables[count.table]), len(world.tables[count.table])
        assert (count.n_used, count.n_quarantined, count.n_duplicate) == (n, dirt.n_faulty, dirt.n_repeated)
        assert count.n_read == n + dirt.n_faulty + dirt.n_repeated == len(dirt.lines) - 1
        for parts in count.amounts.values():
            rest = parts["used"] + parts["quarantined"] + parts["duplicate"] + parts["out_of_scope"]
            assert parts["read"] == pytest.approx(rest)
    rules = set(found.report.quarantine["rule"])
    assert rules == {"F02-number", "F12-long-row", "F31-no-such-account", "F41-date"}


def test_dirt_is_there(dirty, tmp_path):
    world, *_ = dirty
    write_exports(world, tmp_path, is_dirty=True)
    deals = (tmp_path / "affaires.csv").read_text(encoding="utf-8-sig")
    accounts = (tmp_path / "comptes.csv").read_text(encoding="utf-8-sig")
    assert "\u00a0" in deals
    assert "\u0301" in accounts  # an accent that stands by itself
    assert "\u200b" in accounts
    assert any(cell.startswith(("1/", "2/")) for cell in deals.replace("\n", ";").split(";"))


def test_the_same_world_is_soiled_the_same_way(tmp_path):
    world = software_company(n_deals=200, as_of=AS_OF, seed=4)
    for name in "ab":
        write_exports(world, tmp_path / name, is_dirty=True)
    read = [[path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in "ab"]
    assert read[0] == read[1]
