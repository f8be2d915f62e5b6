import json
import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from winworth.config import load_settings
from winworth.crm.synthetic import software_company
from winworth.crm.synthetic.exports import write_exports
from winworth.errors import ConfigError, DataError
from winworth.flows.kpi import definitions, kpi
from winworth.kpi.ledger import KPIS
from winworth.printed.kpi import counted

CONF = Path(__file__).parents[2] / "conf"
AS_OF = date(2026, 6, 30)


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """Write a small company's exports, and scores of two days whose tiers are drawn by lot."""
    home = tmp_path_factory.mktemp("kpi")
    world = software_company(n_deals=400, as_of=AS_OF, seed=2)
    (home / "exports").mkdir()
    write_exports(world, home / "exports")
    accounts = world.tables["accounts"][["account_id"]]
    for day, tiers in (("2025-12-31", "ABC"), ("2026-09-30", "XYZ")):
        folder = home / "scores" / day
        folder.mkdir(parents=True)
        tier = [tiers[k % 3] for k in range(len(accounts))]
        accounts.assign(tier=tier, segment=1, residual_value=10.0).to_parquet(folder / "account_scores.parquet")
        deals = world.tables["deals"][["deal_id"]].assign(win_probability=0.2)
        deals.to_parquet(folder / "deal_scores.parquet")
    settings = load_settings(CONF, overrides=("kpi.quarters=3", "kpi.quota=500000", "n_boot=40"))
    return replace(settings, crm=replace(settings.crm, folder=str(home / "exports"))), home


@pytest.fixture(scope="module")
def done(company):
    settings, home = company
    return kpi(settings, as_of=AS_OF, home=home, by="sector")


def test_the_ledger_is_written_with_charts_and_definitions(done):
    names = {path.relative_to(done.folder).as_posix() for path in done.folder.rglob("*") if path.is_file()}
    assert {"kpi.parquet", "kpi.csv", "definitions.csv", "charts/all-en.svg", "charts/sector-en.svg"} <= names
    table = pd.read_parquet(done.folder / "kpi.parquet")
    assert set(table["group"]) == {"all", "tier", "segment", "size_class", "sector"}
    assert table["value"].notna().sum() == done.table["value"].notna().sum()


def test_tiers_of_a_later_day_are_not_seen_and_earlier_quarters_have_none(done):
    tiers = done.table[done.table["group"] == "tier"].groupby("quarter")["level"].agg(set)
    assert tiers["2026 Q1"] <= {"A", "B", "C", "(unknown)", ""}
    assert "A" in tiers["2026 Q1"]
    assert tiers["2025 Q4"] == {""}
    assert tiers["all"] == {""}
    assert "S1" in set(done.table.loc[done.table["group"] == "segment", "level"])


@pytest.mark.slow
def test_the_same_extract_gives_the_same_bytes(company, done):
    settings, home = company
    first = {path.name: path.read_bytes() for path in done.folder.rglob("*.*") if path.is_file()}
    again = kpi(settings, as_of=AS_OF, home=home, by="sector")
    assert {path.name: path.read_bytes() for path in again.folder.rglob("*.*") if path.is_file()} == first


def test_what_is_printed_is_the_row_of_all(done):
    told = counted(done)
    assert json.loads(json.dumps(told.document, default=str))["rows"][0]["kpi"] == "conversion"
    assert told.parts[0].row_count == len(KPIS)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_kpi_is_named_and_defined(lang):
    told = definitions()
    assert told["kpi"].tolist() == list(KPIS)
    assert (told[f"definition_{lang}"].str.len() > 60).all()
    assert told[f"name_{lang}"].is_unique


def test_a_chart_tells_its_quarters(done):
    chart = (done.folder / "charts" / "all-en.svg").read_text()
    assert re.search(r"<title>\d+ KPIs by quarter, Q4\s2025 to Q2\s2026", chart)


def test_a_feature_that_is_not_there_is_named(company):
    settings, home = company
    with pytest.raises(ConfigError, match="Did you mean sector?"):
        kpi(settings, as_of=AS_OF, home=home, by="sectr")


def test_before_the_first_quarter_has_passed_there_is_nothing_to_tell(company, tmp_path):
    settings, home = company
    shutil.copytree(home / "exports", tmp_path / "exports")
    with pytest.raises(DataError, match="No quarter with deals has passed"):
        kpi(settings, as_of=date(2022, 8, 1), home=tmp_path)
