import itertools
from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.crm.mapping import CrmMap
from winworth.crm.read import read_crm
from winworth.crm.size_class import size_class
from winworth.crm.snapshot import take_snapshot
from winworth.crm.synthetic.world import software_company
from winworth.errors import ConfigError
from winworth.features.build import build_features, check_catalog
from winworth.features.catalog import Catalog, Criterion, Feature

CATALOG = Catalog({"size": Criterion("firmographic", {}, {"size_class": Feature(value="accounts.size_class")})})


def classed(headcount, revenue=None, balance_sheet=None):
    row = size_class(pd.DataFrame({"headcount": [headcount], "revenue": [revenue], "balance_sheet": [balance_sheet]})).iloc[0]
    return None if pd.isna(row["size_class"]) else row["size_class"], row["size_basis"]


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ((9, 2e6, 2e6), "TPE"),
        ((10, 2e6, 2e6), "PME"),
        ((9, 2e6, 9e9), "TPE"),
        ((9, 9e9, 2e6), "TPE"),
        ((9, 2e6 + 1, 2e6 + 1), "PME"),
        ((249, 50e6, 43e6), "PME"),
        ((250, 50e6, 43e6), "ETI"),
        ((249, 50e6, 9e9), "PME"),
        ((249, 9e9, 43e6), "PME"),
        ((249, 50e6 + 1, 43e6 + 1), "ETI"),
        ((4999, 1.5e9, 2e9), "ETI"),
        ((5000, 1.5e9, 2e9), "GE"),
        ((5000, 0, 0), "GE"),
        ((4999, 1.5e9, 9e9), "ETI"),
        ((4999, 9e9, 2e9), "ETI"),
        ((4999, 1.5e9 + 1, 2e9 + 1), "GE"),
        ((3, 9e9, 9e9), "GE"),
        ((0, 0, 0), "TPE"),
    ],
)
def test_each_threshold_lies_where_the_decree_puts_it(figures, expected):
    assert classed(*figures) == (expected, "decided")


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ((9, None, None), ("TPE", "headcount")),
        ((249, None, None), ("PME", "headcount")),
        ((250, None, None), ("ETI", "headcount")),
        ((5000, None, None), ("GE", "decided")),
        ((249, 50e6, None), ("PME", "decided")),
        ((249, None, 43e6), ("PME", "decided")),
        ((249, 51e6, None), (None, "unknown")),
        ((9, None, 3e6), (None, "unknown")),
        ((None, 1e6, 1e6), (None, "unknown")),
        ((None, 9e9, 9e9), ("GE", "decided")),
        ((None, None, None), (None, "unknown")),
    ],
)
def test_what_is_missing_decides_nothing(figures, expected):
    assert classed(*figures) == expected


def test_decided_means_that_no_missing_figure_could_change_the_class():
    tried = {"headcount": [5, 100, 1000, 9000], "revenue": [1e6, 3e7, 1e9, 9e9], "balance_sheet": [1e6, 3e7, 1e9, 9e9]}
    some = list(itertools.product(*([*values, np.nan] for values in tried.values())))
    found = size_class(pd.DataFrame(some, columns=list(tried)))
    for figures, (named, basis) in zip(some, found.itertuples(index=False), strict=True):
        filled = itertools.product(*([f] if f == f else values for f, values in zip(figures, tried.values(), strict=True)))
        could_be = set(size_class(pd.DataFrame(list(filled), columns=list(tried)))["size_class"])
        assert (basis == "decided") == (len(could_be) == 1)
        assert basis != "decided" or could_be == {named}


def test_the_demo_companys_own_classes_are_those_derived():
    accounts = software_company(n_deals=400, as_of=date(2026, 6, 30), seed=3).tables["accounts"]
    derived = size_class(accounts)
    is_known = derived["size_basis"] == "decided"
    assert is_known.mean() > 0.95
    assert (derived["size_class"] == accounts["size_class"])[is_known].all()


def accounts(exports, header="account_id,headcount,revenue", rows=("9,1000000", "300,", ",")):
    exports.add("accounts", [header, *(f"A{at:03d},{rows[at % len(rows)]}" for at in range(10))])
    for column in header.split(",")[1:]:
        exports.column("accounts", column, known="at_creation")


def test_accounts_with_a_headcount_get_a_class_and_the_report_counts_how(exports):
    accounts(exports)
    crm = exports.read()
    assert crm["accounts"]["size_class"].head(3).fillna("?").tolist() == ["TPE", "ETI", "?"]
    assert crm.known["accounts", "size_class"] == "at_creation"
    assert [text for text in crm.report.warnings if "size_class" in text] == [
        "accounts: size_class is derived from headcount, revenue, by INSEE's thresholds: 4 decided, 3 by headcount alone, "
        "3 unknown."
    ]


def test_a_class_that_the_company_maps_is_left_alone(exports):
    accounts(exports, "account_id,headcount,size_class", ("9,GE",))
    assert set(exports.read()["accounts"]["size_class"]) == {"GE"}


def test_a_mapped_class_that_is_nearly_empty_is_left_so_and_the_report_says_how_empty(exports):
    accounts(exports, "account_id,headcount,size_class", ("9,GE", "9,", "300,", "300,", ",GE"))
    crm = exports.read()
    assert crm["accounts"]["size_class"].fillna("?").tolist() == ["GE", "?", "?", "?", "GE"] * 2
    told = [text for text in crm.report.warnings if "size_class is mapped" in text]
    assert len(told) == 1 and "empty for 6 of 8 accounts that have a headcount: none is derived" in told[0]


def test_without_a_headcount_no_class_is_derived(exports):
    accounts(exports, "account_id,revenue", ("9000000000",))
    assert "size_class" not in exports.read()["accounts"]


def test_where_money_is_not_in_euros_the_headcount_speaks_alone(exports):
    accounts(exports, rows=("9,9000000000",))
    crm = read_crm(CrmMap("Test", exports.tables, currency="USD"), root=exports.folder)
    assert set(crm["accounts"]["size_class"]) == {"TPE"}
    assert any("money is in USD" in text for text in crm.report.warnings)


@pytest.mark.parametrize("known", ["latest_only", "at_close", None])
def test_a_class_derived_from_what_is_known_late_may_not_be_a_feature(exports, known):
    accounts(exports)
    exports.column("accounts", "revenue", known=known)
    crm = exports.read()
    assert crm.known.get(("accounts", "size_class")) == known
    with pytest.raises(ConfigError, match="accounts.size_class"):
        check_catalog(CATALOG, crm)


def test_a_class_that_changes_is_read_as_it_was_on_the_day(exports):
    accounts(exports, "account_id,headcount", ("300",))
    exports.column("accounts", "headcount", known="dated")
    lines = ["account_id,headcount,changed_on", "A001,5,2024-01-01", "A001,300,2024-03-01"]
    exports.add("account_versions", lines)
    exports.option("account_versions", known="dated")
    crm = exports.read()
    check_catalog(CATALOG, crm)
    days = pd.to_datetime(["2024-02-01", "2024-04-01"]).astype("datetime64[s]")
    rows = pd.DataFrame({"deal_id": ["D001", "D001"], "account_id": "A001", "observed_on": days})
    found = build_features(rows, take_snapshot(crm, as_of=date(2024, 12, 31)), CATALOG)
    assert found["size_class"].tolist() == ["TPE", "ETI"]


@pytest.mark.parametrize(("known", "then"), [("at_creation", "PME"), ("dated", "TPE")])
def test_what_a_version_does_not_say_is_read_from_the_account_only_if_it_never_changes(exports, known, then):
    accounts(exports, rows=("3,5000000",))
    exports.column("accounts", "revenue", known=known)
    exports.column("accounts", "balance_sheet", source="revenue", known=known)
    exports.add("account_versions", ["account_id,headcount,changed_on", "A001,5,2024-01-01"])
    assert exports.read()["account_versions"]["size_class"].tolist() == [then]
