"""With truncation, two extracts catch each of eight known kinds of leak and none of three clean features."""

from dataclasses import replace

import pandas as pd
import pytest

from leak_world import CLEAN, EARLIER, END, LEAKS, build, company, observe
from winworth.features.invariance import truncation_changes
from winworth.features.two_extracts import changes_between


@pytest.fixture(scope="module")
def sides():
    world = company(1)
    return world.extract(EARLIER), world.extract(END)


@pytest.mark.parametrize("seed", range(5))
def test_eight_of_eight_leaks_are_caught_and_no_clean_feature(seed):
    world = company(seed)
    older, newer = world.extract(EARLIER), world.extract(END)
    later = truncation_changes(newer, observe(newer), build, seed=seed)
    between = changes_between(older, newer, observe, build)["changed"]
    assert {name for name in later.index if later[name] > 0 or between[name] > 0} == set(LEAKS)
    assert set(later.index) == {*LEAKS, *CLEAN}


def test_the_rate_of_change_stands_by_outcome(sides):
    table = changes_between(*sides, observe, build)
    headcount = table.loc["headcount_filled_at_win"]
    assert headcount["won"] > headcount["lost"]
    assert table.loc["amount_negotiated", "open"] == 0
    assert table.loc["acts_all_time", "open"] > 0.9


def test_an_extract_and_itself_agree_in_everything(sides):
    older, _ = sides
    table = changes_between(older, older, observe, build)
    assert (table["changed"] == 0).all()
    assert (table["n"] == len(observe(older))).all()


def test_examples_are_those_that_both_extracts_know(sides):
    older, newer = sides
    gone = set(older.crm["deals"]["deal_id"].head(40))
    deals = newer.crm["deals"]
    fewer = replace(newer, crm=replace(newer.crm, tables={**newer.crm.tables, "deals": deals[~deals["deal_id"].isin(gone)]}))
    n = changes_between(older, fewer, observe, build)["n"].iloc[0]
    assert n == (~observe(older)["deal_id"].isin(gone)).sum()


def test_a_deal_that_moved_to_another_account_changes_what_is_read_of_the_account(sides):
    older, newer = sides
    deals = newer.crm["deals"]
    moved = deals.assign(account_id=deals["account_id"].shift(1).fillna(deals["account_id"].iloc[-1]))
    other = replace(newer, crm=replace(newer.crm, tables={**newer.crm.tables, "deals": moved}))
    assert changes_between(older, other, observe, build).loc["account_win_rate_as_of", "changed"] > 0


def test_a_feature_whose_table_the_older_extract_lacks_is_not_compared(sides):
    older, newer = sides
    tables = {name: frame for name, frame in older.crm.tables.items() if name != "activities"}
    fewer = replace(older, crm=replace(older.crm, tables=tables))

    def declared(extract, rows):
        return build(extract, rows) if "activities" in extract.crm else pd.DataFrame({"deal_number": rows["deal_id"]})

    table = changes_between(fewer, newer, observe, declared)
    assert table.loc["acts_as_of", "n"] == 0
    assert pd.isna(table.loc["acts_as_of", "changed"])
