"""The rows to learn from are deals while they were open; the rows to score are what is open now, and every idle account."""

from datetime import date

import pandas as pd
import pytest

from winworth.crm.snapshot import take_snapshot
from winworth.crm.synthetic import software_company
from winworth.features.build import build_features
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.features.examples import COLUMNS, closed_on_first_day, scoring_examples, training_examples
from winworth.tables import CrmTables, ReadReport

AS_OF = date(2024, 6, 30)
AGES = (0, 30, 90, 180)
TEXT = {"deal_id": "str", "account_id": "str", "status": "str", "kind": "str"}
#          deal        account  status  kind       opened        closed
DEALS = [
    ("quick", "A0", "won", "new", "2024-01-10", "2024-01-10"),
    ("month", "A0", "won", "new", "2024-01-10", "2024-02-09"),  # ended on its 30th day
    ("longer", "A1", "lost", "new", "2024-01-10", "2024-02-10"),
    ("open", "A2", "open", "new", "2024-05-01", None),
    ("renewal", "A3", "open", "renewal", "2024-06-30", None),
    ("orphan", None, "open", "upsell", "2024-06-01", None),
    ("reopened", "A4", "won", None, "2024-06-20", "2024-07-15"),
]
ACCOUNTS = [("A0", "2023-01-01"), ("A1", None), ("A2", "2023-01-01"), ("A3", "2023-01-01"), ("A4", "2023-01-01")]


def extract(**tables):
    return CrmTables(tables, {}, ReadReport((), None))


@pytest.fixture
def deals():
    frame = pd.DataFrame(DEALS, columns=["deal_id", "account_id", "status", "kind", "opened_on", "closed_on"])
    return frame.astype({**TEXT, "opened_on": "datetime64[s]", "closed_on": "datetime64[s]"})


@pytest.fixture
def accounts():
    frame = pd.DataFrame([*ACCOUNTS, ("A9", "2024-07-01")], columns=["account_id", "created_on"])
    return frame.astype({"account_id": "str", "created_on": "datetime64[s]"})


@pytest.fixture
def snapshot(deals, accounts):
    return take_snapshot(extract(deals=deals, accounts=accounts), as_of=AS_OF)


@pytest.fixture(scope="module")
def company():
    tables = software_company(n_deals=300, as_of=date(2026, 6, 30), seed=11).tables
    return take_snapshot(extract(**tables), as_of=date(2026, 3, 31))


def test_a_deal_is_observed_at_each_age_at_which_it_was_still_open(snapshot):
    rows = training_examples(snapshot, observe_at_days=AGES)
    assert rows.groupby("deal_id")["age_days"].apply(list).to_dict() == {
        "month": [0],
        "longer": [0, 30],
        "open": [0, 30],
        "orphan": [0],
        "renewal": [0],
        "reopened": [0],
    }


def test_an_example_of_today_counts_and_one_of_tomorrow_does_not(deals):
    snapshots = [take_snapshot(extract(deals=deals), as_of=date(2024, 5, day)) for day in (30, 31)]
    ages = [training_examples(s).query("deal_id == 'open'")["age_days"].tolist() for s in snapshots]
    assert ages == [[0], [0, 30]]


def test_no_example_is_at_or_after_the_end_of_its_deal_or_after_the_as_of_date(company):
    rows = training_examples(company, observe_at_days=AGES)
    of = company["deals"].set_index("deal_id").loc[rows["deal_id"]].reset_index()
    assert not (of["closed_on"] <= rows["observed_on"]).any()
    assert (rows["observed_on"] <= pd.Timestamp(company.as_of)).all()
    assert (of["opened_on"] + pd.to_timedelta(rows["age_days"], unit="D")).equals(rows["observed_on"])


def test_every_age_at_which_a_deal_was_open_has_its_example(company):
    deals = company["deals"]
    end = deals["closed_on"].fillna(pd.Timestamp(company.as_of) + pd.Timedelta(days=1))
    n_wanted = sum(int((deals["opened_on"] + pd.Timedelta(days=age) < end).sum()) for age in AGES)
    assert len(training_examples(company, observe_at_days=AGES)) == n_wanted


def test_an_example_weighs_the_same_however_long_its_deal_went_on_to_live(company):
    rows = training_examples(company, observe_at_days=AGES)
    assert rows.groupby("deal_id").size().nunique() > 1
    assert rows["weight"].eq(1.0).all()


def test_examples_come_by_account_deal_and_day_whatever_the_order_of_ages_and_rows(company):
    rows = training_examples(company, observe_at_days=(90, 0, 180, 30))
    pd.testing.assert_frame_equal(rows, training_examples(company, observe_at_days=AGES))
    pd.testing.assert_frame_equal(rows, rows.sort_values(["account_id", "deal_id", "observed_on"], ignore_index=True))
    assert list(rows) == [*COLUMNS, "weight"]


def test_an_example_bears_the_quarter_of_its_own_day(company):
    rows = training_examples(company, observe_at_days=AGES)
    assert (rows["quarter"] == "Q" + ((rows["observed_on"].dt.month + 2) // 3).astype(str)).all()


def test_excluded_kinds_are_neither_learned_from_nor_scored(snapshot):
    rows = training_examples(snapshot, exclude_kinds=("renewal", "upsell"))
    assert {"renewal", "orphan"}.isdisjoint(rows["deal_id"])
    assert "reopened" in set(rows["deal_id"])  # of no known kind
    scored = scoring_examples(snapshot, exclude_kinds=("renewal", "upsell"))
    assert {"renewal", "orphan"}.isdisjoint(scored["deal_id"].dropna())
    assert scored.set_index("account_id")["basis"]["A3"] == "next_deal"


def test_open_deals_are_scored_and_accounts_without_one_as_their_next_deal(snapshot):
    rows = scoring_examples(snapshot)
    assert list(rows) == [*COLUMNS, "basis"]
    assert rows[rows["basis"] == "open_deal"]["deal_id"].tolist() == ["open", "renewal", "reopened", "orphan"]
    following = rows[rows["basis"] == "next_deal"]
    assert following["account_id"].tolist() == ["A0", "A1"]
    assert following["deal_id"].isna().all()
    assert (following["age_days"] == 0).all()


def test_what_is_scored_is_as_old_as_it_is_on_the_as_of_date(snapshot):
    rows = scoring_examples(snapshot).dropna(subset="deal_id").set_index("deal_id")
    assert rows["age_days"].to_dict() == {"open": 60, "renewal": 0, "reopened": 10, "orphan": 29}
    assert (scoring_examples(snapshot)["observed_on"] == pd.Timestamp(AS_OF)).all()
    assert (scoring_examples(snapshot)["quarter"] == "Q2").all()


def test_no_account_is_both_open_and_idle_and_none_is_forgotten(company):
    rows = scoring_examples(company)
    bases = rows.groupby("account_id")["basis"].nunique()
    assert (bases == 1).all()
    assert set(rows["account_id"]) == set(company["accounts"]["account_id"])
    assert set(rows["deal_id"].dropna()) == set(company["deals"].query("status == 'open'")["deal_id"])


def test_deals_without_accounts_are_examples_all_the_same(deals):
    alone = take_snapshot(extract(deals=deals.drop(columns="account_id")), as_of=AS_OF)
    rows = training_examples(alone)
    assert rows["account_id"].isna().all()
    assert set(rows["deal_id"]) == {"month", "longer", "open", "renewal", "orphan", "reopened"}
    assert set(scoring_examples(alone)["basis"]) == {"open_deal"}


def test_a_deal_without_an_account_has_its_own_features_and_none_of_an_account(snapshot):
    rows = training_examples(snapshot)
    catalog = Catalog(
        {"all": Criterion("context", {}, {"won": Feature(deals_won="accounts"), "k": Feature(value="deals.kind")})}
    )
    features = build_features(rows, snapshot, catalog).set_index(rows["deal_id"])
    assert pd.isna(features.loc["orphan", "won"])
    assert features.loc["orphan", "k"] == "upsell"


def test_without_dates_each_closed_deal_is_one_example_and_each_open_one_is_scored(deals):
    flat = take_snapshot(extract(deals=deals.drop(columns=["opened_on", "closed_on"])), as_of=AS_OF)
    rows = training_examples(flat)
    assert rows["deal_id"].tolist() == ["month", "quick", "longer", "reopened"]
    assert (rows["weight"] == 1.0).all()
    assert rows[["observed_on", "age_days", "quarter"]].isna().all(axis=None)
    assert list(rows) == [*COLUMNS, "weight"]
    assert set(scoring_examples(flat)["deal_id"]) == {"open", "renewal", "orphan"}
    assert closed_on_first_day(flat) == 0


def test_deals_that_ended_on_the_day_they_opened_are_counted_and_never_learned_from(snapshot):
    assert closed_on_first_day(snapshot) == 1
    assert "quick" not in set(training_examples(snapshot)["deal_id"])


def test_an_extract_without_a_deal_in_time_has_no_examples_and_only_idle_accounts(deals, accounts):
    early = take_snapshot(extract(deals=deals, accounts=accounts), as_of=date(2023, 6, 30))
    assert len(training_examples(early)) == 0
    assert set(scoring_examples(early)["basis"]) == {"next_deal"}
