"""Every criterion of the cookbook can be measured, and needs no more than the cookbook says it needs."""

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from winworth.crm.columns import known_columns
from winworth.crm.mapping import CrmMap
from winworth.crm.snapshot import take_snapshot
from winworth.crm.synthetic import software_company
from winworth.errors import ConfigError
from winworth.features.build import build_features, check_catalog
from winworth.features.catalog import VERBS, Catalog
from winworth.features.examples import training_examples
from winworth.shaped import shaped
from winworth.tables import TABLES, CrmTables, ReadReport

AS_OF = date(2026, 6, 30)
PAGE = (Path(__file__).parents[1] / "docs" / "criteria-cookbook.md").read_text(encoding="utf-8")
PARTS = re.findall(
    r"^### (\d+)\. [^\n]+\n(.*?)^```yaml\n# criteria\.yaml[^\n]*\n(.*?)^```\n```yaml\n# crm\.yaml[^\n]*\n(.*?)^```",
    PAGE,
    re.M | re.S,
)
RECIPES = {int(number): (yaml.safe_load(criteria), yaml.safe_load(crm)) for number, _, criteria, crm in PARTS}


@pytest.fixture(scope="module")
def company():
    tables = dict(software_company(n_deals=100, as_of=AS_OF, seed=1).tables)
    accounts = tables["accounts"].rename(columns={"created_on": "changed_on"})
    return tables | {"account_versions": accounts[["account_id", "changed_on", "revenue"]]}


def catalog_of(*numbers: int) -> Catalog:
    criteria = {name: spec for number in numbers for name, spec in RECIPES[number][0].items()}
    return shaped(Catalog, {"criteria": criteria}, "criteria.yaml")


def mapped(number: int) -> CrmMap:
    return shaped(CrmMap, {"company": "Cookbook", **RECIPES[number][1]}, "crm.yaml")


def crm_of(tables: dict, mapping: CrmMap) -> CrmTables:
    return CrmTables(tables, known_columns(mapping), ReadReport((), None))


def test_there_are_twenty_and_no_block_stands_apart():
    assert list(RECIPES) == list(range(1, 21))
    assert PAGE.count("```yaml") == 40


def test_every_verb_family_and_option_is_shown():
    catalog = catalog_of(*RECIPES)
    specs = catalog.features.values()
    assert {spec.verb for spec in specs} == set(VERBS)
    assert {criterion.family for criterion in catalog.criteria.values()} == {
        "firmographic",
        "behavioural",
        "needs_value",
        "technographic",
        "purchase_maturity",
        "context",
    }
    assert all(any(getattr(spec, option) for spec in specs) for option in ("where", "among", "in_wholes_of", "within_days"))
    assert {spec.direction for spec in specs} == {"up", "down", None}
    assert {criterion.actionable for criterion in catalog.criteria.values()} == {True, False, None}
    assert all(set(spec.label) == {"en", "fr"} for spec in specs)


@pytest.mark.parametrize("number", RECIPES)
def test_a_criterion_may_read_what_its_own_block_declares(number, company):
    check_catalog(catalog_of(number), crm_of(company, mapped(number)))


@pytest.mark.parametrize("number", RECIPES)
def test_what_a_block_declares_is_what_its_criterion_reads(number, company):
    """Each declared `known` is needed: without it the check names the column, unless no feature names a column there."""
    read = {f"{spec.reads}.{column}" for spec in catalog_of(number).features.values() for column in spec.columns}
    read -= {"example.age_days", "example.quarter"}
    if read:
        silent = CrmTables(company, {}, ReadReport((), None))
        with pytest.raises(ConfigError, match="do not say when they are known") as error:
            check_catalog(catalog_of(number), silent)
        assert all(column in str(error.value) for column in read)


@pytest.mark.parametrize("number", RECIPES)
def test_a_block_maps_canonical_columns_or_says_their_kind(number):
    for name, table in mapped(number).tables.items():
        strange = [column for column, told in table.columns.items() if column not in TABLES[name].columns and not told.kind]
        assert not strange
        assert TABLES[name].is_event or not table.known


@pytest.mark.parametrize("number", RECIPES)
def test_a_criterion_tells_deals_of_the_company_apart(number, company):
    crm = crm_of(company, mapped(number))
    snapshot = take_snapshot(crm, as_of=AS_OF)
    measured = build_features(training_examples(snapshot), snapshot, catalog_of(number))
    assert list(measured) == list(catalog_of(number).features)
    assert measured.nunique(dropna=False).min() > 1
