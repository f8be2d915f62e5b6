"""A configuration that extends another: what it says is laid over it, what is null is taken out, and all else stays."""

from pathlib import Path

import pytest

from winworth.config import load_settings
from winworth.crm.synthetic import USE_CASES
from winworth.errors import ConfigError
from winworth.yaml_files import read_yaml

CONF = Path(__file__).parents[1] / "conf"


def written(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def below(tmp_path):
    crm = "company: A\ntables:\n  deals: {file: d.csv, columns: {status: {source: S}, amount: {source: M}}}\n"
    return written(tmp_path / "below", crm=crm, criteria="criteria: {}\n", training="seed: 7\nwin: {horizon_days: 90}\n")


@pytest.mark.parametrize("case", USE_CASES)
def test_every_use_case_can_be_loaded_and_reads_its_segments(case):
    settings = load_settings(CONF / case)
    assert settings.crm.tables["accounts"].columns["market_segment"].known == "at_creation"
    assert "market_segment" in settings.crm.tables["costs"].columns
    assert settings.crm.company != load_settings(CONF).crm.company
    assert all(set(criterion.label) == {"en", "fr"} for criterion in settings.catalog.criteria.values())
    families = {
        criterion.family for name, criterion in settings.catalog.criteria.items() if name not in settings.catalog.context
    }
    assert families == {"firmographic", "behavioural", "needs_value", "technographic", "purchase_maturity"}


def test_a_block_is_laid_over_block_by_block(below, tmp_path):
    crm = "extends: ../below/crm.yaml\ncompany: B\ntables: {deals: {columns: {amount: null, product: {source: P}}}}\n"
    training = "extends: ../below/training.yaml\nwin: {embargo_days: 10}\n"
    settings = load_settings(
        written(tmp_path / "over", crm=crm, criteria="extends: ../below/criteria.yaml\n", training=training)
    )
    assert settings.crm.company == "B"
    assert list(settings.crm.tables["deals"].columns) == ["status", "product"]
    assert settings.crm.tables["deals"].file == "d.csv"
    assert (settings.training.seed, settings.training.win.horizon_days, settings.training.win.embargo_days) == (7, 90, 10)


def test_what_is_extended_stays_as_it_is(below, tmp_path):
    written(tmp_path / "over", crm="extends: ../below/crm.yaml\ntables: {deals: {columns: {amount: null}}}\n")
    assert list(load_settings(below).crm.tables["deals"].columns) == ["status", "amount"]


def test_an_extended_file_that_is_not_there_is_named(tmp_path):
    folder = written(tmp_path / "over", crm="extends: ../none/crm.yaml\n", criteria="criteria: {}\n")
    with pytest.raises(ConfigError, match="There is no .*none/crm.yaml"):
        load_settings(folder)


def test_files_that_extend_each_other_are_refused(tmp_path):
    (tmp_path / "one.yaml").write_text("extends: two.yaml\na: 1\n", encoding="utf-8")
    (tmp_path / "two.yaml").write_text("extends: one.yaml\nb: 2\n", encoding="utf-8")
    for name in ("one", "two"):
        with pytest.raises(ConfigError, match="Let one of them stand alone"):
            read_yaml(tmp_path / f"{name}.yaml")
