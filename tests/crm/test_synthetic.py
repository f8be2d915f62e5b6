"""The demo company is what it says it is: dated, consistent, and true to its planted weights."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import TypeAdapter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from winworth.crm.mapping import CrmMap
from winworth.crm.synthetic import exports, software_company, world, write_exports
from winworth.errors import ConfigError
from winworth.features.catalog import Catalog
from winworth.tables import TABLES

AS_OF = date(2026, 6, 30)
CONF = Path(__file__).parents[2] / "conf"
DTYPES = {"id": "str", "level": "str", "number": "float64", "date": "datetime64[s]"}


@pytest.fixture(scope="module")
def company():
    return software_company(as_of=AS_OF, seed=7)


@pytest.fixture(scope="module")
def null_twin():
    return software_company(as_of=AS_OF, seed=7, signal=False)


@pytest.fixture(scope="module")
def folder(company, tmp_path_factory):
    written = tmp_path_factory.mktemp("exports")
    write_exports(company, written)
    return written


@pytest.fixture(scope="module")
def crm_map():
    return TypeAdapter(CrmMap).validate_python(yaml.safe_load((CONF / "crm.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def catalog():
    return TypeAdapter(Catalog).validate_python(yaml.safe_load((CONF / "criteria.yaml").read_text(encoding="utf-8")))


def _closed_attempts(of):
    """Return the closed deals that are no renewals, with what an oracle said of them."""
    deals = of.tables["deals"].query("status != 'open'").merge(of.deals_truth, on="deal_id")
    return deals.merge(of.tables["accounts"], on="account_id").sort_values("opened_on", ignore_index=True)


def _cells(path):
    return [line.split(";") for line in path.read_text(encoding="utf-8-sig").splitlines()]


def test_same_seed_gives_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_exports(software_company(n_deals=300, as_of=AS_OF, seed=seed), tmp_path / name)
    read = {name: [path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in "abc"}
    assert read["a"] == read["b"]
    assert all(one != other for one, other in zip(read["a"], read["c"], strict=True))


def test_tables_keep_the_contract(company):
    for name, frame in company.tables.items():
        kinds = {column: spec.kind for column, spec in TABLES[name].columns.items()}
        kinds |= {column: kind for (table, column), kind in world.EXTRA_COLUMNS.items() if table == name}
        assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == {c: DTYPES[kinds[c]] for c in frame}
        assert not any(frame[c].isna().any() for c, spec in TABLES[name].columns.items() if spec.required)
        assert TABLES[name].key is None or frame[TABLES[name].key].is_unique


def test_the_company_is_as_large_as_asked(company):
    assert len(company.tables["deals"]) == 6000
    assert len(company.tables["accounts"]) == 3000
    assert 10 <= len(company.tables["activities"]) / 6000 <= 20


def test_too_small_a_company_is_refused():
    with pytest.raises(ConfigError, match="Ask for 100 or more"):
        software_company(n_deals=99, as_of=AS_OF, seed=1)


@pytest.mark.parametrize("as_of", [AS_OF, date(2024, 2, 29)])
def test_nothing_is_dated_after_as_of(as_of):
    tables = software_company(n_deals=500, as_of=as_of, seed=3).tables
    for frame in tables.values():
        for column in frame.select_dtypes("datetime"):
            assert frame[column].max() <= pd.Timestamp(as_of)


def test_status_agrees_with_dates(company):
    deals = company.tables["deals"]
    is_open = deals["status"] == "open"
    assert set(deals["status"]) == {"won", "lost", "open"}
    assert (deals["closed_on"].isna() == is_open).all()
    assert (deals.loc[~is_open, "closed_on"] > deals.loc[~is_open, "opened_on"]).all()
    assert set(deals.loc[deals["loss_reason"].notna(), "status"]) == {"lost"}


def test_events_fall_within_the_life_of_what_they_belong_to(company):
    deals = company.tables["deals"].set_index("deal_id")
    for name, day in (("activities", "happened_on"), ("stage_changes", "changed_on")):
        events = company.tables[name].dropna(subset="deal_id")
        of = deals.loc[events["deal_id"]]
        opened, closed = of["opened_on"].to_numpy(), of["closed_on"].fillna(pd.Timestamp(AS_OF)).to_numpy()
        assert ((events[day] >= opened) & (events[day] <= closed)).all()
    activities = company.tables["activities"]
    assert (activities["known_on"] >= activities["happened_on"]).all()


def test_accounts_are_created_before_anything_happens_with_them(company):
    created = company.tables["accounts"].set_index("account_id")["created_on"]
    for name, day in (("deals", "opened_on"), ("activities", "happened_on"), ("technologies", "seen_on")):
        frame = company.tables[name]
        assert (frame[day].to_numpy() >= created.loc[frame["account_id"]].to_numpy()).all()


def test_only_customers_are_invoiced(company):
    deals, invoices = company.tables["deals"], company.tables["invoices"]
    first_win = deals[deals["status"] == "won"].groupby("account_id")["closed_on"].min()
    assert (invoices["invoiced_on"].to_numpy() > first_win.loc[invoices["account_id"]].to_numpy()).all()
    assert (invoices["margin"] < invoices["amount"]).all()


def test_sales_look_like_sales(company):
    deals = company.tables["deals"].query("status != 'open'")
    days = (deals["closed_on"] - deals["opened_on"]).dt.days
    assert 0.25 <= (deals["status"] == "won").mean() <= 0.31
    assert 50 <= days.median() <= 70
    assert days.quantile(0.95) < 270
    assert (company.tables["deals"]["kind"] == "new").mean() > 0.7


def test_true_weights_are_as_planted(company):
    truth = company.truth
    assert truth.sum() == pytest.approx(1)
    assert truth.sort_values(ascending=False).index[:3].tolist() == ["company_size", "automation_maturity", "engagement"]
    assert -np.diff(truth.sort_values(ascending=False).iloc[:4]).max() > 0.04
    assert truth.drop(["company_size", "automation_maturity", "engagement"]).max() < 0.11
    assert (truth[["billing_day", "postcode"]] == 0).all()


def test_the_oracle_ranks_and_is_calibrated(company):
    deals = _closed_attempts(company)
    won = deals["status"] == "won"
    assert 0.77 <= roc_auc_score(won, deals["win_probability"]) <= 0.82
    in_time = won & ((deals["closed_on"] - deals["opened_on"]).dt.days <= 180)
    old = deals["opened_on"] < pd.Timestamp(AS_OF) - pd.Timedelta(days=400)
    fifth = pd.qcut(deals.loc[old, "win_probability"], 5, labels=False)
    gap = (in_time[old] - deals.loc[old, "win_probability"]).groupby(fifth).mean()
    assert gap.abs().max() < 0.06


def test_the_oracle_knows_the_value(company):
    won = _closed_attempts(company).query("status == 'won'")
    assert won["amount"].sum() / won["value_if_won"].sum() == pytest.approx(1, abs=0.08)
    assert np.corrcoef(np.log(won["amount"]), np.log(won["value_if_won"]))[0, 1] > 0.7


def test_without_signal_no_attribute_tells_who_wins(null_twin):
    deals = _closed_attempts(null_twin)
    numbers = np.log(deals[["headcount", "budget"]].fillna(80)).assign(
        level=deals["automation_level"], day=deals["billing_day"] / 28
    )
    X = pd.concat([numbers, pd.get_dummies(deals[["sector", "source"]])], axis=1).astype(float)
    won = deals["status"] == "won"
    half = len(deals) // 2
    model = LogisticRegression(max_iter=1000).fit(X[:half], won[:half])
    n_won = won[half:].sum()
    error = np.sqrt((1 / n_won + 1 / (half - n_won)) / 12)  # of the AUC under no signal (Mann and Whitney 1947)
    assert abs(roc_auc_score(won[half:], model.predict_proba(X[half:])[:, 1]) - 0.5) < 3 * error
    assert abs(np.corrcoef(np.log(deals["amount"]), numbers["headcount"])[0, 1]) < 3 / np.sqrt(len(deals))


def test_without_signal_the_oracle_knows_nothing(company, null_twin):
    assert (null_twin.truth == 0).all()
    assert null_twin.deals_truth["log_expected_value"].nunique() == 1
    told = ["account_id", "name", "sector", "headcount", "automation_level", "postcode"]
    pd.testing.assert_frame_equal(null_twin.tables["accounts"][told], company.tables["accounts"][told])


def test_exports_hold_every_row_and_the_faulty_ones(company, folder, crm_map):
    assert {path.name for path in folder.iterdir()} == {table.file for table in crm_map.tables.values()}
    for name, table in crm_map.tables.items():
        cells = _cells(folder / table.file)
        faulty = exports.N_FAULTY_DEALS if name == "deals" else 0
        assert len(cells) - 1 == len(company.tables[name]) + faulty
        assert sum(len(row) != len(cells[0]) for row in cells) == (name == "deals")
    text = (folder / "affaires.csv").read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    assert len(lines) - len(set(lines)) == 1
    assert all(fault in text for fault in ("30/02/2025", "à confirmer"))


def test_exports_are_french(folder):
    assert (folder / "affaires.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert {"Gagnée", "Perdue", "En cours"} == {row[5] for row in _cells(folder / "affaires.csv")[1:]}
    assert any("\u202f" in row[3] and row[3].endswith(",25") for row in _cells(folder / "factures.csv")[1:])


def test_crm_yaml_maps_each_header_and_word_of_the_exports(folder, crm_map):
    for name, table in crm_map.tables.items():
        header, *rows = _cells(folder / table.file)
        assert {spec.source for spec in table.columns.values()} == set(header)
        for column, spec in table.columns.items():
            if spec.values:
                place = header.index(spec.source)
                assert {row[place] for row in rows} - {""} <= set(spec.values), (name, column)


def test_each_column_a_feature_reads_exists_and_says_when_it_is_known(company, crm_map, catalog):
    for feature, spec in catalog.features.items():
        if spec.reads == "example":
            continue
        table = crm_map.tables[spec.reads]
        for column in spec.columns:
            assert column in company.tables[spec.reads], feature
            assert (table.columns[column].known or table.known) in ("at_creation", "dated"), feature


def test_what_is_known_too_late_is_declared_and_read_by_no_feature(crm_map, catalog):
    late = {(t, c): spec.known for t, table in crm_map.tables.items() for c, spec in table.columns.items() if spec.known}
    assert {place[1] for place, known in late.items() if known == "at_close"} == {"amount", "loss_reason"}
    assert late["accounts", "health_score"] == "latest_only"
    read = {column for spec in catalog.features.values() for column in spec.columns}
    assert not read & {"amount", "loss_reason", "health_score"}


def test_each_word_a_feature_asks_for_occurs(company, catalog):
    for feature, spec in catalog.features.items():
        for column, words in spec.where.items():
            asked = {words} if isinstance(words, str) else set(words)
            assert asked <= set(company.tables[spec.reads][column]), feature


def test_criteria_are_those_of_the_truth_and_speak_both_languages(company, catalog):
    assert set(catalog.criteria) - set(catalog.context) == set(company.truth.index)
    labels = [criterion.label for criterion in catalog.criteria.values()]
    labels += [feature.label for feature in catalog.features.values()]
    assert all(set(label) == {"en", "fr"} for label in labels)
