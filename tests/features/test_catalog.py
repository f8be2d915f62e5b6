"""A criterion that cannot be measured, or not in time, is an error that says what to do."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml
from pydantic import TypeAdapter

from winworth.crm.snapshot import take_snapshot
from winworth.errors import ConfigError
from winworth.features.build import absent_features, build_features, check_catalog, is_deal_level
from winworth.features.catalog import VERBS, Catalog, Criterion, Feature
from winworth.features.examples import training_examples
from winworth.tables import CrmTables, ReadReport

CONF = Path(__file__).parents[2] / "conf"


def catalog_of(**features):
    return Catalog({"size": Criterion("firmographic", {"en": "Size"}, features)})


def days(*values):
    return pd.to_datetime(pd.Series(values)).astype("datetime64[s]")


@pytest.fixture
def crm():
    tables = {
        "deals": pd.DataFrame(
            {
                "deal_id": ["D0", "D1"],
                "account_id": ["A0", "A0"],
                "status": ["won", "open"],
                "source": ["inbound", "outbound"],
                "product": ["basic", "basic"],
                "loss_reason": ["price", None],
                "owner_id": ["me", "you"],
                "amount": [100.0, 200.0],
                "opened_on": days("2024-01-01", "2024-02-01"),
                "closed_on": days("2024-01-15", None),
            }
        ),
        "accounts": pd.DataFrame({"account_id": ["A0"], "sector": ["steel"], "headcount": [-1.0], "region": ["north"]}),
        "account_versions": pd.DataFrame(
            {
                "account_id": ["A0"] * 3,
                "headcount": [10.0, 20.0, 30.0],
                "changed_on": days("2024-01-01", "2024-01-20", "2024-02-02"),
            }
        ),
        "activities": pd.DataFrame(
            {"account_id": ["A0"], "kind": ["call"], "hours": [1.0], "outcome": ["held"], "happened_on": days("2024-01-05")}
        ),
        "stage_changes": pd.DataFrame({"deal_id": ["D0"], "stage": ["first"], "changed_on": days("2024-01-02")}),
    }
    known = {
        ("deals", "source"): "at_creation",
        ("deals", "loss_reason"): "at_close",
        ("deals", "amount"): "at_close",
        ("deals", "owner_id"): "latest_only",
        ("deals", "product"): "dated",
        ("accounts", "sector"): "at_creation",
        ("accounts", "headcount"): "dated",
        ("activities", "kind"): "dated",
        ("activities", "hours"): "dated",
        ("activities", "happened_on"): "dated",
        ("stage_changes", "stage"): "dated",
    }
    return CrmTables(tables, known, ReadReport((), None))


# --- what a catalogue may say -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "needs exactly one verb and has none. Verbs: value, count"),
        ({"count": "activities", "value": "deals.kind"}, "needs exactly one verb and has value and count"),
        ({"value": "accounts"}, "value reads a column, as in value: table.column, not accounts"),
        ({"sum": "a.b.c"}, "sum reads a column, as in sum: table.column, not a.b.c"),
        ({"count": "activities.kind"}, "count reads a table, not the column activities.kind. Use where"),
        ({"deals_won": "deals"}, "write deals_won: accounts, not deals"),
        ({"invoiced": "invoices"}, "write invoiced: accounts, not invoices"),
        ({"trend": "activities"}, "trend needs within_days"),
        ({"trend": "activities", "within_days": 30}, "trend needs against_days"),
        ({"decayed_count": "activities"}, "decayed_count needs half_life_days"),
        ({"share": "activities"}, "share needs where"),
        ({"count": "activities", "within_days": 0}, "within_days is 0; it must be above 0"),
        ({"decayed_count": "activities", "half_life_days": -1.0}, "half_life_days is -1.0; it must be above 0"),
        ({"count": "activites"}, "there is no table activites. Did you mean activities"),
        ({"value": "acounts.sector"}, "there is no table acounts. Did you mean accounts"),
        ({"count": "example"}, "there is no table example"),
        ({"count": "accounts"}, "count needs events, and accounts holds none. Tables of events: deals, contacts"),
        ({"sum": "costs.amount"}, "sum needs events, and costs holds none"),
        ({"value": "costs.amount"}, "costs belong to no account"),
        ({"value": "deals.kind", "within_days": 30}, "value of deals.kind takes no within_days"),
        ({"value": "deals.kind", "where": {"status": "won"}}, "value of deals.kind takes no where"),
        ({"days_since_first": "activities", "within_days": 30}, "days_since_first of activities takes no within_days"),
        ({"count": "activities", "among": {"kind": "call"}}, "count of activities takes no among"),
        ({"count": "activities", "against_days": 9, "half_life_days": 9.0}, "takes no against_days and no half_life_days"),
    ],
)
def test_a_feature_that_makes_no_sense_is_refused_by_its_name(spec, said):
    with pytest.raises(ConfigError, match=f"criteria.yaml: size.x.*{said}"):
        catalog_of(x=Feature(**spec))


def test_a_feature_in_two_criteria_is_refused_with_both():
    size = Criterion("firmographic", {}, {"x": Feature(value="accounts.headcount")})
    with pytest.raises(ConfigError, match="the feature x stands in size and in sector. A feature counts once"):
        Catalog({"size": size, "sector": size})


def test_a_criterion_without_features_is_refused():
    with pytest.raises(ConfigError, match="the criterion size has no features"):
        catalog_of()


def test_each_feature_belongs_to_its_criterion_and_context_stands_apart():
    season = Criterion("context", {}, {"season": Feature(value="example.quarter")})
    catalog = Catalog({**catalog_of(x=Feature(value="accounts.headcount")).criteria, "timing": season})
    assert catalog.criterion_of == {"x": "size", "season": "timing"}
    assert list(catalog.features) == ["x", "season"]
    assert catalog.context == ("timing",)


ONE_OF_EACH = {
    **{verb: Feature(**{verb: "activities.hours"}) for verb in ("value", "sum", "mean", "distinct")},
    **{verb: Feature(**{verb: "activities"}, label={"fr": verb}) for verb in ("days_since_first", "days_since_last")},
    **{
        verb: Feature(**{verb: "accounts"}, within_days=365, direction="up") for verb in ("deals_won", "deals_lost", "invoiced")
    },
    "count": Feature(count="activities", where={"kind": ("meeting", "call"), "outcome": "held"}, within_days=90, by="deal"),
    "share": Feature(share="activities", where={"outcome": "held"}, among={"kind": ("meeting",)}),
    "trend": Feature(trend="activities", within_days=30, against_days=90),
    "decayed_count": Feature(decayed_count="activities", half_life_days=14.5),
}


def test_a_catalogue_comes_back_from_json_as_it_was():
    assert set(ONE_OF_EACH) == set(VERBS)
    catalog = catalog_of(**ONE_OF_EACH)
    assert Catalog.from_dict(json.loads(json.dumps(catalog.to_dict()))) == catalog


def test_a_criterion_without_a_label_comes_back_from_json_too():
    catalog = Catalog({"size": Criterion("firmographic", {}, {"x": Feature(value="accounts.headcount")})})
    assert Catalog.from_dict(catalog.to_dict()) == catalog


def test_the_criteria_of_the_demo_come_back_from_json_as_they_were():
    catalog = TypeAdapter(Catalog).validate_python(yaml.safe_load((CONF / "criteria.yaml").read_text(encoding="utf-8")))
    assert Catalog.from_dict(json.loads(json.dumps(catalog.to_dict()))) == catalog


# --- what an extract allows --------------------------------------------------------------------------------------------


def test_what_may_be_read_in_time_passes(crm):
    features = {
        "sector": Feature(value="accounts.sector"),
        "headcount": Feature(value="accounts.headcount"),
        "stage": Feature(value="stage_changes.stage"),
        "calls": Feature(count="activities", where={"kind": "call"}),
        "lost_on_price": Feature(deals_lost="accounts", where={"loss_reason": "price"}),
        "won_before": Feature(sum="deals.amount", where={"status": "won"}),
        "season": Feature(value="example.quarter"),
    }
    check_catalog(catalog_of(**features), crm)


def test_all_columns_that_do_not_say_when_they_are_known_are_listed_together(crm):
    features = {
        "region": Feature(value="accounts.region"),
        "held": Feature(count="activities", where={"outcome": "held"}),
        "share": Feature(share="activities", where={"kind": "call"}, among={"outcome": "held"}),
        "sector": Feature(value="accounts.sector"),
    }
    with pytest.raises(
        ConfigError, match="2 columns .* when they are known: accounts.region, activities.outcome. Add known: at_cr"
    ):
        check_catalog(catalog_of(**features), crm)


def test_a_condition_on_past_deals_says_when_it_is_known_as_every_other(crm):
    silent = replace(crm, known={pair: known for pair, known in crm.known.items() if pair != ("deals", "source")})
    with pytest.raises(ConfigError, match="1 columns that do not say when they are known: deals.source"):
        check_catalog(catalog_of(won=Feature(deals_won="accounts", where={"source": "inbound"})), silent)
    with pytest.raises(ConfigError, match=r"won reads deals.owner_id \(latest_only\)"):
        check_catalog(catalog_of(won=Feature(deals_won="accounts", where={"owner_id": "me"})), crm)


def test_what_is_known_at_close_is_never_a_feature_even_when_signed_for(crm):
    features = {"reason": Feature(value="deals.loss_reason"), "amount": Feature(value="deals.amount")}
    said = r"2 features .* amount reads deals.amount \(at_close\), reason reads deals.loss_reason \(at_close\). Remove them"
    with pytest.raises(ConfigError, match=said):
        check_catalog(catalog_of(**features), crm, frozenset({("deals", "loss_reason"), ("deals", "amount")}))


def test_what_is_overwritten_in_place_needs_a_signature(crm):
    catalog = catalog_of(owner=Feature(value="deals.owner_id"))
    with pytest.raises(ConfigError, match=r"owner reads deals.owner_id \(latest_only\).*conf/leak_waivers.yaml"):
        check_catalog(catalog, crm)
    check_catalog(catalog, crm, frozenset({("deals", "owner_id")}))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (Feature(value="accounts.sectr"), "x reads accounts.sectr, which conf/crm.yaml does not map. Did you mean sector?"),
        (Feature(count="activities", where={"kin": "call"}), "x reads activities.kin, .* Did you mean kind?"),
        (Feature(value="example.age_day"), "x reads example.age_day. Did you mean age_days?"),
        (Feature(value="example.won"), "x reads example.won. Known: age_days, quarter."),
        (Feature(value="deals.product"), "x needs the table deal_versions, which conf/crm.yaml does not map"),
        (Feature(count="activities", by="deal"), "x reads activities by deal, and activities has no deal_id. .* by: account"),
        (Feature(count="stage_changes"), "x reads stage_changes by account, and stage_changes has no account_id. .* by: deal"),
        (Feature(sum="activities.kind"), "x is a sum, and activities.kind holds no numbers"),
        (Feature(count="activities", where={"hours": "1"}), "x has a condition on activities.hours, which holds no words"),
        (Feature(value="activities.happened_on"), "x reads the date activities.happened_on. Use days_since_first"),
    ],
)
def test_a_feature_that_the_extract_cannot_give_is_refused_by_its_name(crm, spec, said):
    with pytest.raises(ConfigError, match=f"The feature {said}"):
        check_catalog(catalog_of(x=spec), crm)


def test_past_deals_cannot_be_counted_where_none_has_an_end(crm):
    flat = {**crm.tables, "deals": crm["deals"].drop(columns=["opened_on", "closed_on"])}
    with pytest.raises(ConfigError, match="x counts deals that ended, and conf/crm.yaml does not map deals.closed_on"):
        check_catalog(catalog_of(x=Feature(deals_won="accounts")), replace(crm, tables=flat))


def test_a_history_without_the_column_is_refused(crm):
    without = {**crm.tables, "account_versions": crm["account_versions"].drop(columns="headcount")}
    with pytest.raises(ConfigError, match="reads account_versions.headcount, which conf/crm.yaml does not map"):
        check_catalog(catalog_of(x=Feature(value="accounts.headcount")), replace(crm, tables=without))


def test_a_feature_of_an_absent_table_is_named_and_left_out(crm):
    catalog = catalog_of(paid=Feature(invoiced="accounts"), sector=Feature(value="accounts.sector"))
    check_catalog(catalog, crm)
    assert absent_features(catalog, crm) == {"paid": "invoices"}
    snapshot = take_snapshot(crm, as_of=date(2024, 3, 1))
    assert list(build_features(training_examples(snapshot), snapshot, catalog)) == ["sector"]


def test_a_dated_column_says_what_it_said_on_the_day(crm):
    snapshot = take_snapshot(crm, as_of=date(2024, 3, 15))
    rows = training_examples(snapshot, observe_at_days=(0, 1, 30))
    features = build_features(rows, snapshot, catalog_of(headcount=Feature(value="accounts.headcount")))
    observed = rows["deal_id"] + " " + rows["observed_on"].dt.strftime("%m-%d")
    assert dict(zip(observed, features["headcount"], strict=True)) == {
        "D0 01-01": 10.0,
        "D0 01-02": 10.0,
        "D1 02-01": 20.0,
        "D1 02-02": 30.0,  # the change of the day itself is known at its end
        "D1 03-02": 30.0,
    }


def test_only_what_belongs_to_one_deal_is_of_the_deal():
    of_deal = [Feature(value="deals.source"), Feature(value="stage_changes.stage"), Feature(count="activities", by="deal")]
    of_account = [Feature(value="accounts.sector"), Feature(deals_won="accounts"), Feature(value="example.age_days")]
    assert all(is_deal_level(spec) for spec in of_deal)
    assert not any(is_deal_level(spec) for spec in of_account)


@pytest.mark.parametrize(
    ("amount", "told"), [(0.0, 1), (999.0, 0), (1000.0, 1), (-3000.0, 1), (1000.5, 0), (float("nan"), None)]
)
def test_a_number_may_say_whether_it_was_typed_in_whole_thousands(crm, amount, told):
    deals = crm["deals"].assign(amount=amount)
    changed = CrmTables({**crm.tables, "deals": deals}, {**crm.known, ("deals", "amount"): "at_creation"}, crm.report)
    catalog = catalog_of(is_round=Feature(value="deals.amount", in_wholes_of=1000))
    check_catalog(catalog, changed)
    snapshot = take_snapshot(changed, as_of=date(2024, 3, 1))
    found = build_features(training_examples(snapshot, observe_at_days=(0,), exclude_kinds=()), snapshot, catalog)["is_round"]
    assert (found.isna() if told is None else found == told).all()


def test_whole_thousands_of_words_are_refused(crm):
    with pytest.raises(ConfigError, match="is_round is in_wholes_of 1000, and accounts.sector holds no numbers"):
        check_catalog(catalog_of(is_round=Feature(value="accounts.sector", in_wholes_of=1000)), crm)


def test_what_an_account_is_cannot_be_changed_and_what_is_done_with_it_can():
    counted, told = Feature(count="activities"), Feature(value="accounts.sector")
    own = Criterion("behavioural", {}, {"calls": counted, "sector": told})
    assert own.can_change("calls") and not own.can_change("sector")
    assert not Criterion("firmographic", {}, {"calls": counted}).can_change("calls")
    assert Criterion("firmographic", {}, {"sector": told}, actionable=True).can_change("sector")
    assert not Criterion("behavioural", {}, {"calls": counted}, actionable=False).can_change("calls")
