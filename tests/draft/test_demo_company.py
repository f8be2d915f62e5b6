"""The demo company's French exports, drafted, against the configuration that was written by hand."""

from datetime import date
from pathlib import Path

import pytest

from winworth.config import Settings, load_settings
from winworth.crm.synthetic import software_company, write_exports
from winworth.flows.check import check
from winworth.flows.init import init

ROOT = Path(__file__).parents[2]
AS_OF = date(2026, 6, 30)
NOT_GUESSED = {("costs", "month")}  # a day written dd/mm/yyyy, every one the first of its month


@pytest.fixture(scope="module")
def conf(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("demo-company")
    write_exports(software_company(n_deals=400, as_of=AS_OF, seed=1), home / "exports")
    init(home / "exports", out=home / "conf")
    return home / "conf"


@pytest.fixture(scope="module")
def by_hand() -> Settings:
    return load_settings(ROOT / "conf")


def test_every_table_and_column_is_found_under_its_name(conf, by_hand):
    found, wanted = load_settings(conf).crm, by_hand.crm
    assert found.currency == "EUR"
    for name, table in wanted.tables.items():
        assert found.tables[name].file == table.file and found.tables[name].separator == ";"
        for column, rule in table.columns.items():
            if rule.kind is None:
                assert (name, column, found.tables[name].columns[column].source) == (name, column, rule.source)
        assert bool(found.tables[name].key) == bool(table.key), name


def test_french_words_mean_what_the_hand_says_they_mean(conf, by_hand):
    found = load_settings(conf).crm.tables
    for name, column in (
        ("deals", "status"),
        ("deals", "kind"),
        ("contacts", "role"),
        ("activities", "kind"),
        ("activities", "outcome"),
    ):
        assert dict(found[name].columns[column].values) == dict(by_hand.crm.tables[name].columns[column].values)


def test_nothing_is_drafted_as_known_at_creation_and_what_gives_the_outcome_away_is_at_close(conf):
    tables = load_settings(conf).crm.tables
    assert not [column for table in tables.values() for column in table.columns.values() if column.known == "at_creation"]
    assert tables["deals"].columns["motif_de_perte"].known == "at_close"
    assert tables["accounts"].columns["score_de_sante"].known == "at_close"


def test_after_its_answers_the_draft_reads_as_many_rows_as_the_hand_written_one(conf, by_hand):
    from dataclasses import replace

    text = (conf / "crm.yaml").read_text(encoding="utf-8").replace("unsure latest_only", "unsure at_creation")
    text = text.replace('format: "?"', 'format: "%d/%m/%Y"')
    (conf / "crm.yaml").write_text(text, encoding="utf-8")
    settings = load_settings(conf)
    done = check(settings, as_of=AS_OF)
    crm = replace(by_hand.crm, folder=str(conf.parent / "exports"))
    wanted = check(replace(by_hand, crm=crm), as_of=AS_OF)
    keys = ("table", "file", "n_read", "n_used")
    assert [[row[key] for key in keys] for row in done.read] == [[row[key] for key in keys] for row in wanted.read]
    assert done.statuses == wanted.statuses
    assert {"company_size", "sector", "revenue_potential", "engagement", "decision_makers"} <= set(settings.catalog.criteria)
