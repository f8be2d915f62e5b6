"""Features of some accounts are those that they have among all others, bit for bit: any engine may measure them in parts."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.crm.snapshot import Snapshot, take_snapshot
from winworth.crm.synthetic import software_company
from winworth.features.build import build_features
from winworth.features.catalog import VERBS, Catalog, Criterion, Feature
from winworth.features.examples import training_examples
from winworth.tables import CrmTables, ReadReport

MEETING, HELD = {"kind": "meeting"}, {"outcome": "held"}
SPECS = {
    "sector": Feature(value="accounts.sector"),
    "headcount": Feature(value="accounts.headcount"),
    "stage": Feature(value="stage_changes.stage", by="deal"),
    "last_outcome": Feature(value="activities.outcome", where=MEETING),
    "calls": Feature(count="activities", within_days=30),
    "calls_of_deal": Feature(count="activities", by="deal"),
    "hours": Feature(sum="activities.hours"),
    "recent_hours_of_deal": Feature(sum="activities.hours", within_days=60, by="deal"),
    "mean_hours": Feature(mean="activities.hours", within_days=90),
    "mean_bill": Feature(mean="invoices.amount"),
    "kinds": Feature(distinct="activities.kind", within_days=45),
    "seniorities": Feature(distinct="contacts.seniority"),
    "share_held": Feature(share="activities", where=HELD, among=MEETING),
    "since_first": Feature(days_since_first="activities"),
    "since_technology": Feature(days_since_last="technologies"),
    "trend": Feature(trend="activities", within_days=30, against_days=90),
    "decayed": Feature(decayed_count="activities", half_life_days=20),
    "decayed_of_deal": Feature(decayed_count="activities", half_life_days=0.7, where=MEETING, by="deal"),
    "won": Feature(deals_won="accounts"),
    "lost_lately": Feature(deals_lost="accounts", within_days=365),
    "invoiced": Feature(invoiced="accounts", within_days=365),
}
CATALOG = Catalog({"all": Criterion("context", {"en": "All"}, SPECS)})


@pytest.fixture(scope="module")
def snapshot():
    """Return a company whose sums and means are of thirds, which no order of adding up leaves as they are by chance."""
    tables = dict(software_company(n_deals=500, as_of=date(2026, 6, 30), seed=7).tables)
    for name, column in (("activities", "hours"), ("invoices", "amount")):
        tables[name] = tables[name].assign(**{column: tables[name][column] / 3})
    return take_snapshot(CrmTables(tables, {}, ReadReport((), None)), as_of=date(2026, 3, 31))


def bucket(snapshot, accounts):
    """Return the rows of some accounts; of a table without accounts, those of their deals."""
    deals = snapshot["deals"].loc[lambda table: table["account_id"].isin(accounts), "deal_id"]
    tables = {}
    for name, table in snapshot.tables.items():
        key, ids = ("account_id", accounts) if "account_id" in table else ("deal_id", deals)
        tables[name] = table[table[key].isin(ids)].reset_index(drop=True) if key in table else table
    return Snapshot(tables, snapshot.known, snapshot.as_of)


@pytest.mark.parametrize("n_buckets", [2, 13])
def test_every_verb_is_the_same_in_a_bucket_of_accounts_as_among_all(snapshot, n_buckets):
    examples = training_examples(snapshot, observe_at_days=(0, 30, 90))
    whole = build_features(examples, snapshot, CATALOG)
    of_bucket = examples["account_id"].str[1:].astype(int) % n_buckets
    found = []
    for at in range(n_buckets):
        rows = examples[of_bucket == at]
        part = bucket(snapshot, set(rows["account_id"]))
        found.append(build_features(rows.reset_index(drop=True), part, CATALOG).set_axis(rows.index))
    pd.testing.assert_frame_equal(pd.concat(found).sort_index(), whole, check_exact=True)


def test_every_verb_is_tried_and_says_something(snapshot):
    whole = build_features(training_examples(snapshot, observe_at_days=(0, 30, 90)), snapshot, CATALOG)
    assert {spec.verb for spec in SPECS.values()} == set(VERBS)
    assert [name for name in whole if whole[name].nunique() < 2] == []
    assert np.isfinite(whole["hours"]).all() and not (whole["hours"] * 100 % 1 == 0).all()
