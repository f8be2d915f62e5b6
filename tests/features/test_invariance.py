"""Truncation finds every feature that counts rows of a later day, and no feature that asks for the day."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from leak_world import CATALOG, CLEAN, END, build, company, observe
from winworth.crm.archive import Extract
from winworth.crm.snapshot import take_snapshot
from winworth.features.build import build_features
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.features.invariance import differs, scrambled_later, truncation_changes, without_later

COUNTED_LATER = {"acts_all_time", "n_invoices", "account_win_rate_full"}


@pytest.fixture(scope="module")
def extract():
    return company(1).extract(END)


@pytest.fixture(scope="module")
def examples(extract):
    return observe(extract)


@pytest.mark.parametrize("seed", range(5))
def test_what_counts_rows_of_a_later_day_changes_and_nothing_else_does(seed):
    found = company(seed, n_deals=300).extract(END)
    changed = truncation_changes(found, observe(found), build, seed=seed)
    assert set(changed.index[changed > 0]) == COUNTED_LATER
    assert (changed[list(CLEAN)] == 0).all()


def test_a_feature_that_looks_one_day_ahead_is_caught(extract, examples):
    def peeks(of, rows):
        snapshot = take_snapshot(of.crm, as_of=of.as_of)
        tomorrow = rows.assign(observed_on=rows["observed_on"] + pd.Timedelta(days=1))
        return build_features(tomorrow, snapshot, CATALOG)[["acts_as_of"]]

    assert truncation_changes(extract, examples, peeks, seed=1, n_days=20)["acts_as_of"] > 0


def test_a_feature_that_forgets_the_day_of_entry_is_caught(extract, examples):
    def forgets(of, rows):
        activities = of.crm["activities"].drop(columns="known_on")
        crm = replace(of.crm, tables={**of.crm.tables, "activities": activities})
        return build(Extract(crm, of.as_of), rows)[["acts_as_of"]]

    assert truncation_changes(extract, examples, forgets, seed=1)["acts_as_of"] > 0


def test_a_column_overwritten_in_place_is_scrambled_unless_someone_signed_for_it(extract, examples):
    pair = ("accounts", "sector")
    crm = replace(extract.crm, known={**extract.crm.known, pair: "latest_only"})
    catalog = Catalog({"all": Criterion("firmographic", {"en": "All"}, {"sector": Feature(value="accounts.sector")})})

    def read(of, rows):
        return build_features(rows, take_snapshot(of.crm, as_of=of.as_of, waived=frozenset({pair})), catalog)

    latest = Extract(crm, END)
    assert truncation_changes(latest, examples, read, seed=1)["sector"] > 0.3
    assert truncation_changes(latest, examples, read, seed=1, waived=frozenset({pair}))["sector"] == 0


def test_what_was_known_on_the_day_stands_in_both_altered_extracts(extract, examples):
    day = date(2025, 3, 31)
    other = scrambled_later(extract.crm, examples, day=day, rng=np.random.default_rng(1))
    without = without_later(extract.crm, day=day)
    activities = extract.crm["activities"]
    then = activities[activities[["happened_on", "known_on"]].max(axis=1) <= pd.Timestamp(day)].reset_index(drop=True)
    pd.testing.assert_frame_equal(without["activities"], then)
    pd.testing.assert_frame_equal(other["activities"].head(len(then)), then)
    later = other["activities"].iloc[len(then) :]
    assert (later[["happened_on", "known_on"]].max(axis=1) > pd.Timestamp(day)).all()
    ended = without["deals"].set_index("deal_id").query("status != 'open'")
    pd.testing.assert_frame_equal(other["deals"].set_index("deal_id").loc[ended.index], ended)
    assert (ended["closed_on"] <= pd.Timestamp(day)).all()


def test_the_extract_itself_is_not_changed(extract, examples):
    before = {name: frame.copy(deep=True) for name, frame in extract.crm.tables.items()}
    truncation_changes(extract, examples, build, seed=3, n_days=1)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(extract.crm[name], frame)


def test_the_same_seed_draws_the_same_days_and_scrambles_alike(extract, examples):
    one, same = (truncation_changes(extract, examples, build, seed=4, n_days=2) for _ in range(2))
    pd.testing.assert_series_equal(one, same)


def test_cells_differ_where_values_do_and_missing_equals_missing():
    one = pd.DataFrame({"number": [1.0, np.nan, 2.0], "level": pd.Series(["a", None, None], dtype="str")})
    other = pd.DataFrame({"number": [1.0, np.nan, np.nan], "level": pd.Series(["b", None, "c"], dtype="str")})
    assert differs(one, other).to_numpy().tolist() == [[False, True], [False, False], [True, True]]
