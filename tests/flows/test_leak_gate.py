"""The leak gate names what leaks, says who signed for what, and lets what is clean pass."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from leak_world import CATALOG, EARLIER, END, company
from winworth.config import Settings, Training, Waiver, load_settings
from winworth.crm.archive import archive_extract
from winworth.crm.mapping import ColumnMap, CrmMap, TableMap
from winworth.crm.read import read_crm
from winworth.crm.snapshot import take_snapshot
from winworth.crm.synthetic import software_company, write_exports
from winworth.errors import ConfigError
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.flows.leak_gate import NAMES, Older, older_extract, run_leak_tests, without_features
from winworth.flows.learn import examples_of, plan_folds, win_task
from winworth.flows.prepare import Prepared, prepare
from winworth.models.leak_tests import carriers

ROOT = Path(__file__).parents[2]
NONE = Older(None, "not possible yet: no older extract is kept")
OVERWRITTEN = {"headcount_filled_at_win", "current_stage", "days_since_modified", "life_to_modified", "amount_negotiated"}
HINTED = "days_in_stage n_stage_changes days_to_closing days_to_qualified share_identified share_validated share_qualified"


def settings_of(crm, catalog, **more):
    tables = {
        name: TableMap(f"{name}.csv", {column: ColumnMap(f"{column} (header)") for column in frame})
        for name, frame in crm.tables.items()
    }
    return Settings(Path(), CrmMap("Test", tables), catalog, Training(seed=1), None, **more)


@pytest.fixture(scope="module")
def world():
    return company(1, n_deals=900)


@pytest.fixture(scope="module")
def prepared(world):
    crm = world.extract(END).crm
    return Prepared(crm, take_snapshot(crm, as_of=END), ())


@pytest.fixture(scope="module")
def settings(prepared):
    return settings_of(prepared.crm, CATALOG)


@pytest.fixture(scope="module")
def examples(prepared, settings):
    return examples_of(prepared.snapshot, CATALOG, settings)


@pytest.fixture(scope="module")
def compared(prepared, examples, settings, world):
    return run_leak_tests(prepared, examples, settings, older=Older(world.extract(EARLIER), "against the extract of March"))


@pytest.fixture(scope="module")
def alone(prepared, examples, settings):
    return run_leak_tests(prepared, examples, settings, older=NONE)


def found_by(report, test):
    return set(report.table.loc[(report.table["test"] == test) & report.table["found"], "feature"])


def checks(report, in_use=tuple(CATALOG.features)):
    return {check.name: check for check in report.checks(in_use)}


def test_what_changed_between_two_extracts_is_excluded_and_passes_once_it_is_dropped(compared):
    assert set(compared.excluded) == OVERWRITTEN
    refused = checks(compared)["two_extracts"]
    assert not refused.passed
    assert "headcount_filled_at_win" in refused.says
    left = without_features(CATALOG, compared.excluded)
    assert all(check.passed for check in compared.checks(left.features))
    assert set(left.features) == {"acts_as_of", "account_win_rate_as_of", "deal_number"}


def test_what_is_excluded_is_in_no_later_test(compared):
    later = compared.table[~compared.table["test"].isin(["L1", "L2"])]
    assert not set(later["feature"]) & OVERWRITTEN


def test_the_report_is_plain_json_with_the_change_by_outcome(compared):
    import json

    told = json.loads(json.dumps(compared.to_dict(), allow_nan=False))
    headcount = next(row for row in told["by_outcome"] if row["feature"] == "headcount_filled_at_win")
    assert headcount["won"] > headcount["lost"]
    assert {row["test"] for row in told["findings"]} >= {"L1", "L2", "L4", "L5", "L6", "L7"}


def test_without_an_older_extract_the_soft_tests_point_and_say_what_was_not_possible(alone):
    assert alone.excluded == ()
    assert "not possible yet" in checks(alone)["two_extracts"].says
    assert found_by(alone, "L6") == {"headcount_filled_at_win"}
    assert "current_stage" in found_by(alone, "L4") & found_by(alone, "L5")
    assert "days_since_modified" in found_by(alone, "L5")
    assert not checks(alone)["missingness"].passed
    clean = {"acts_as_of", "account_win_rate_as_of", "deal_number"}
    assert not clean & set().union(*(found_by(alone, test) for test in NAMES))


def test_a_soft_finding_passes_once_a_feature_or_its_column_is_signed_for(prepared, examples, settings):
    for column in ("feature:headcount_filled_at_win", "accounts.headcount"):
        signed = replace(settings, waivers=(Waiver(column, "Ada", "bought from a register", date(2027, 1, 1)),))
        report = run_leak_tests(prepared, examples, signed, older=NONE)
        assert checks(report)["missingness"].passed
        assert "signed by Ada" in checks(report)["missingness"].says
        assert not checks(report)["too_strong_alone"].passed


def test_a_signature_does_not_save_what_changed_between_two_extracts(prepared, examples, settings, world):
    waiver = Waiver("feature:current_stage", "Ada", "we always had it", date(2027, 1, 1))
    older = Older(world.extract(EARLIER), "")
    report = run_leak_tests(prepared, examples, replace(settings, waivers=(waiver,)), older=older)
    assert "current_stage" in report.excluded
    assert not checks(report)["two_extracts"].passed


def test_a_signature_for_a_feature_that_is_not_there_is_an_error_with_the_nearest_name(prepared, examples, settings):
    waiver = Waiver("feature:curent_stage", "Ada", "why not", date(2027, 1, 1))
    with pytest.raises(ConfigError, match="Did you mean current_stage"):
        run_leak_tests(prepared, examples, replace(settings, waivers=(waiver,)), older=NONE)


def test_a_signature_for_a_feature_signs_for_no_column(settings):
    waivers = (Waiver("feature:x", "Ada", "", END), Waiver("deals.stage", "Ada", "", END))
    assert replace(settings, waivers=waivers).waived(END) == {("deals", "stage")}


def test_an_expired_signature_is_an_error(prepared, examples, settings):
    waiver = Waiver("feature:current_stage", "Ada", "why not", date(2026, 1, 1))
    with pytest.raises(ConfigError, match="expired"):
        run_leak_tests(prepared, examples, replace(settings, waivers=(waiver,)), older=NONE)


def test_where_every_feature_changed_nothing_is_excluded_and_the_gate_refuses(prepared, settings, world):
    catalog = Catalog({"all": Criterion("needs_value", {}, {"amount_negotiated": Feature(value="deals.amount")})})
    settings = replace(settings, catalog=catalog)
    examples = examples_of(prepared.snapshot, catalog, settings)
    report = run_leak_tests(prepared, examples, settings, older=Older(world.extract(EARLIER), ""))
    assert report.excluded == ()
    assert not checks(report, catalog.features)["two_extracts"].passed


def test_the_demo_company_of_6000_deals_has_no_leak(tmp_path):
    settings = load_settings(ROOT / "conf")
    write_exports(software_company(n_deals=6000, as_of=END, seed=1), tmp_path)
    settings = replace(settings, crm=replace(settings.crm, folder=str(tmp_path)))
    prepared = prepare(settings, as_of=END)
    examples = examples_of(prepared.snapshot, settings.catalog, settings)
    report = run_leak_tests(prepared, examples, settings, older=NONE)
    assert (report.table.loc[report.table["test"] == "L1", "figure"] == 0).all()
    assert all(check.passed for check in report.checks(settings.catalog.features))


def test_an_older_extract_is_found_read_and_named_and_its_lack_explained(exports, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    mapping = CrmMap("Test", exports.tables)
    settings = Settings(exports.folder, mapping, CATALOG, Training(), None)
    report = read_crm(mapping, root=exports.folder).report
    assert "no older extract is kept" in older_extract(settings, home, report, as_of=END).says
    archive_extract(home, report, as_of=EARLIER, files_from=exports.folder)
    exports.spoil("deals", 2, "D000,A000,lost,1.0,2024-01-01,2024-02-01")
    now = read_crm(mapping, root=exports.folder).report
    older = older_extract(settings, home, now, as_of=END)
    assert older.extract.as_of == EARLIER
    assert "2026-03-31" in older.says
    exports.column("deals", "status", source="Statut")
    changed = replace(settings, crm=CrmMap("Test", exports.tables))
    unread = older_extract(changed, home, now, as_of=END)
    assert unread.extract is None
    assert "does not read by today's conf/crm.yaml" in unread.says


@pytest.fixture(scope="module")
def ibm():
    if "WINWORTH_REAL_DATA" not in os.environ:
        pytest.skip("WINWORTH_REAL_DATA names no folder of real data")
    settings = load_settings(ROOT / "tests" / "real" / "ibm")
    deals = settings.crm.tables["deals"]
    columns = {n: replace(c, known="at_creation") if n in HINTED.split() else c for n, c in deals.columns.items()}
    tasks = Criterion("behavioural", {}, {name: Feature(value=f"deals.{name}") for name in HINTED.split()})
    return replace(
        settings,
        crm=replace(settings.crm, tables={"deals": replace(deals, columns=columns)}),
        catalog=Catalog({**settings.catalog.criteria, "sales_process": tasks}),
    )


@pytest.mark.real
@pytest.mark.slow
def test_on_ibm_the_seven_columns_of_the_sales_process_are_named_and_no_other(ibm):
    prepared = prepare(ibm, as_of=date(2017, 12, 31))
    examples = examples_of(prepared.snapshot, ibm.catalog, ibm)
    report = run_leak_tests(prepared, examples, ibm, older=NONE)
    assert found_by(report, "L4") == found_by(report, "L7") == set(HINTED.split())
    told = {check.name: check for check in report.checks(ibm.catalog.features)}
    assert not told["too_strong_alone"].passed
    assert "deals have no dates" in told["truncation_invariance"].says
    assert set(report.table["test"]) == {"L4", "L6", "L7"}


@pytest.mark.real
@pytest.mark.slow
def test_on_ibm_most_of_the_seven_are_pointed_at_even_under_names_that_say_nothing(ibm):
    prepared = prepare(ibm, as_of=date(2017, 12, 31))
    examples = examples_of(prepared.snapshot, ibm.catalog, ibm)
    task = win_task(examples, ibm.catalog, ibm, prepared.snapshot)
    folds = plan_folds(examples, task, ibm, as_of=date(2017, 12, 31)).choice[-2:]
    together, resting = carriers(task, folds)
    assert together > 0.92
    assert len(set(resting) & set(HINTED.split())) >= 5
    honest = task.with_features(task.features.drop(columns=HINTED.split()))
    assert carriers(honest, folds)[1] == []
