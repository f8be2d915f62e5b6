"""No fact later than a day changes what is measured on it: not one that is added, and not one that is changed."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.crm.outcomes import attach_outcomes
from winworth.crm.snapshot import take_snapshot
from winworth.crm.synthetic import software_company
from winworth.features.build import build_features, check_catalog
from winworth.features.catalog import VERBS, Catalog, Criterion, Feature
from winworth.features.examples import scoring_examples, training_examples
from winworth.tables import TABLES, CrmTables, ReadReport

END = date(2026, 6, 30)
MEETINGS, REPLIES = {"kind": "meeting"}, {"kind": ("email_reply", "page_view")}
FEATURES = {
    "age": Feature(value="example.age_days"),
    "season": Feature(value="example.quarter"),
    "sector": Feature(value="accounts.sector"),
    "headcount": Feature(value="accounts.headcount"),
    "source": Feature(value="deals.source"),
    "product": Feature(value="deals.product"),
    "stage": Feature(value="stage_changes.stage", by="deal"),
    "last_kind": Feature(value="activities.kind"),
    "activities": Feature(count="activities"),
    "held": Feature(count="activities", where={"kind": "meeting", "outcome": "held"}, within_days=90),
    "of_deal": Feature(count="activities", by="deal", within_days=45),
    "hours": Feature(sum="activities.hours"),
    "hours_lately": Feature(sum="activities.hours", within_days=60),
    "mean_hours": Feature(mean="activities.hours", within_days=120),
    "mean_invoice": Feature(mean="invoices.amount"),
    "roles": Feature(distinct="contacts.role"),
    "kinds": Feature(distinct="activities.kind", within_days=30),
    "technologies": Feature(distinct="technologies.technology"),
    "products_bought": Feature(distinct="deals.source", where={"status": "won"}),
    "share_replies": Feature(share="activities", where=REPLIES, within_days=90),
    "share_held": Feature(share="activities", where={"outcome": "held"}, among=MEETINGS),
    "since_first": Feature(days_since_first="activities"),
    "since_contact": Feature(days_since_first="contacts", where={"role": "decider"}),
    "since_reply": Feature(days_since_last="activities", where=REPLIES),
    "since_stage": Feature(days_since_last="stage_changes", by="deal", within_days=60),
    "trend": Feature(trend="activities", within_days=30, against_days=90),
    "interest": Feature(decayed_count="activities", half_life_days=21),
    "won": Feature(deals_won="accounts"),
    "lost_lately": Feature(deals_lost="accounts", within_days=365),
    "lost_on_price": Feature(deals_lost="accounts", where={"loss_reason": "Prix"}),
    "amount_won": Feature(sum="deals.amount", where={"status": "won"}),
    "invoiced": Feature(invoiced="accounts", within_days=365),
}
LATE = {"amount": Feature(value="deals.amount"), "loss_reason": Feature(value="deals.loss_reason")}
OVERWRITTEN = {"health": Feature(value="accounts.health_score"), "owner": Feature(value="deals.owner_id")}
KNOWN = {
    **{("accounts", name): "at_creation" for name in ("sector", "automation_level")},
    **{("deals", name): "at_creation" for name in ("source", "kind", "budget")},
    ("accounts", "headcount"): "dated",
    ("deals", "product"): "dated",
    ("accounts", "health_score"): "latest_only",
    ("deals", "owner_id"): "latest_only",
    ("deals", "amount"): "at_close",
    ("deals", "loss_reason"): "at_close",
}
EVENTS = ("activities", "contacts", "technologies", "invoices", "stage_changes", "deal_versions", "account_versions")
AGES = (0, 30, 90, 180)


def catalog_of(features):
    return Catalog({"all": Criterion("context", {"en": "All"}, features)})


def versions_of(rng, frame, key, column, start, n):
    """Write a dated history of a column: some rows on the first day, some later, two often on one day."""
    of = frame.iloc[rng.integers(0, len(frame), n)]
    delay = pd.to_timedelta(rng.choice([0, 0, 5, 40, 200], n), unit="D")
    changed_on = (of[start] + delay).astype("datetime64[s]").to_numpy()
    return pd.DataFrame({key: of[key].to_numpy(), column: rng.permutation(of[column].to_numpy()), "changed_on": changed_on})


@pytest.fixture(scope="module")
def crm():
    tables = dict(software_company(n_deals=240, as_of=END, seed=3).tables)
    rng = np.random.default_rng(5)
    accounts, deals = tables["accounts"], tables["deals"]
    tables["account_versions"] = versions_of(rng, accounts, "account_id", "headcount", "created_on", 400)
    tables["deal_versions"] = versions_of(rng, deals, "deal_id", "product", "opened_on", 600)
    tables["deals"] = deals.assign(modified_on=deals["closed_on"].fillna(pd.Timestamp(END)))
    known = {(name, column): "dated" for name in EVENTS for column in tables[name]}
    return CrmTables(tables, {**known, **KNOWN}, ReadReport((), None))


# --- what a later extract may say otherwise --------------------------------------------------------------------------------


def later_days(rng, day, n):
    return pd.Series(pd.Timestamp(day) + pd.to_timedelta(rng.integers(1, 900, n), unit="D")).astype("datetime64[s]").to_numpy()


def draw_from(rng, column, n):
    """Draw values that the column could hold, missing among them."""
    return column.sample(n, replace=True, random_state=rng).reset_index(drop=True)


def drawn_like(rng, frame, n):
    return pd.DataFrame({name: draw_from(rng, column, n) for name, column in frame.items()})


def _with_later_events(rng, name, frame, day):
    """Scramble the events known later than a day, and add others: some later, some earlier and entered later."""
    happened = TABLES[name].happened_on
    known_on = frame.get("known_on", frame[happened])
    is_known = (frame[happened] <= pd.Timestamp(day)) & ~(known_on > pd.Timestamp(day))
    later = drawn_like(rng, frame, int((~is_known).sum()) + 40)
    later = later.assign(**{happened: later_days(rng, day, len(later))})
    if "known_on" in frame and happened != "known_on":
        backdated = draw_from(rng, frame[happened], len(later)).where(rng.random(len(later)) < 0.5, later[happened])
        early = rng.random(len(later)) < 0.2  # planned: entered before it happens
        entered = np.where(early, draw_from(rng, frame[happened], len(later)), later_days(rng, day, len(later)))
        later = later.assign(**{happened: np.where(early, later[happened], backdated), "known_on": entered})
    return pd.concat([frame[is_known], later.astype(frame.dtypes)], ignore_index=True)


def _with_later_deals(rng, deals, day):
    """Give another end to deals that had not ended, other words to what is overwritten, and add deals that opened later."""
    n = len(deals)
    is_over = (deals["status"] != "open") & (deals["closed_on"] <= pd.Timestamp(day))
    fate = pd.Series(rng.choice(["won", "lost", "open"], n))
    end = pd.Series(later_days(rng, day, n)).where(rng.random(n) < 0.8)
    changed = deals.assign(
        status=deals["status"].where(is_over, fate),
        closed_on=deals["closed_on"].where(is_over, end.where((fate != "open") | (rng.random(n) < 0.5))),
        amount=deals["amount"].where(is_over, draw_from(rng, deals["amount"], n)),
        loss_reason=deals["loss_reason"].where(is_over, draw_from(rng, deals["loss_reason"], n)),
        product=draw_from(rng, deals["product"], n),
        owner_id=draw_from(rng, deals["owner_id"], n),
        modified_on=later_days(rng, day, n),
    )
    opened = drawn_like(rng, changed, 30).assign(
        deal_id=[f"X{at}" for at in range(30)], opened_on=later_days(rng, day, 30), closed_on=later_days(rng, day, 30)
    )
    return pd.concat([changed[deals["opened_on"] <= pd.Timestamp(day)], opened.astype(deals.dtypes)], ignore_index=True)


def _with_later_accounts(rng, accounts, day):
    n = len(accounts)
    changed = accounts.assign(
        headcount=draw_from(rng, accounts["headcount"], n), health_score=draw_from(rng, accounts["health_score"], n)
    )
    created = drawn_like(rng, changed, 10).assign(
        account_id=[f"Y{at}" for at in range(10)], created_on=later_days(rng, day, 10)
    )
    return pd.concat([changed[accounts["created_on"] <= pd.Timestamp(day)], created.astype(accounts.dtypes)], ignore_index=True)


def scrambled(crm, *, after, seed):
    """Return an extract that agrees with this one in all that was known on a day, and in nothing that came later."""
    rng = np.random.default_rng(seed)
    tables = {name: _with_later_events(rng, name, crm[name], after) for name in EVENTS}
    tables["deals"] = _with_later_deals(rng, crm["deals"], after)
    tables["accounts"] = _with_later_accounts(rng, crm["accounts"], after)
    return replace(crm, tables=tables)


def in_another_order(crm, *, seed):
    shuffled = {name: frame.sample(frac=1, random_state=seed, ignore_index=True) for name, frame in crm.tables.items()}
    return replace(crm, tables=shuffled)


# --- the tests -------------------------------------------------------------------------------------------------------------


def assert_same_bytes(found, wanted):
    assert list(found) == list(wanted)
    assert len(found) == len(wanted)
    for name, column in wanted.items():
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
            assert found[name].to_numpy().tobytes() == column.to_numpy().tobytes(), f"{name} changed"
        else:
            assert found[name].fillna("(missing)").tolist() == column.fillna("(missing)").tolist(), f"{name} changed"


def measured(crm, *, as_of, features=FEATURES):
    """Return all that can be said on a day: examples to learn from with their outcomes, examples to score, and features."""
    snapshot = take_snapshot(crm, as_of=as_of)
    training = attach_outcomes(training_examples(snapshot, observe_at_days=AGES), snapshot)
    scoring = scoring_examples(snapshot, exclude_kinds=("renewal",))
    catalog = catalog_of(features)
    return training, build_features(training, snapshot, catalog), scoring, build_features(scoring, snapshot, catalog)


DAYS = st.dates(date(2023, 1, 1), date(2026, 5, 31))


@settings(max_examples=8, deadline=None, derandomize=True)
@given(as_of=DAYS, seed=st.integers(0, 2**32 - 1))
def test_nothing_later_than_the_as_of_date_changes_an_example_or_a_feature(crm, as_of, seed):
    features = {**FEATURES, **LATE, **OVERWRITTEN}
    before = measured(crm, as_of=as_of, features=features)
    other = scrambled(crm, after=as_of, seed=seed)
    for extract in (other, in_another_order(other, seed=seed % 1000)):
        for found, wanted in zip(measured(extract, as_of=as_of, features=features), before, strict=True):
            assert_same_bytes(found, wanted)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(day=DAYS, seed=st.integers(0, 2**32 - 1))
def test_nothing_later_than_the_day_of_a_past_example_changes_its_features(crm, day, seed):
    snapshot = take_snapshot(crm, as_of=END)
    examples = training_examples(snapshot, observe_at_days=AGES)
    past = examples[examples["observed_on"] <= pd.Timestamp(day)]
    other = take_snapshot(scrambled(crm, after=day, seed=seed), as_of=END)
    found, wanted = (build_features(past, known, catalog_of(FEATURES)) for known in (other, snapshot))
    assert_same_bytes(found, wanted)


def test_the_order_of_rows_changes_nothing(crm):
    before = measured(crm, as_of=END)
    for found, wanted in zip(measured(in_another_order(crm, seed=1), as_of=END), before, strict=True):
        assert_same_bytes(found, wanted)


def test_an_example_has_the_same_features_alone_and_among_others(crm):
    snapshot = take_snapshot(crm, as_of=END)
    examples = training_examples(snapshot, observe_at_days=AGES)
    some = examples["account_id"].isin(examples["account_id"].unique()[::7])
    among_all = build_features(examples, snapshot, catalog_of(FEATURES))[some.to_numpy()]
    assert_same_bytes(build_features(examples[some], snapshot, catalog_of(FEATURES)), among_all)


def test_a_past_example_has_the_features_it_had_on_its_day(crm):
    day = date(2025, 3, 31)
    now, then = (take_snapshot(crm, as_of=as_of) for as_of in (END, day))
    examples = scoring_examples(then).drop(columns="basis")
    catalog = catalog_of({name: spec for name, spec in FEATURES.items() if spec.reads != "example"})
    assert_same_bytes(build_features(examples, now, catalog), build_features(examples, then, catalog))


def test_the_features_of_the_leak_test_have_every_verb_and_may_all_be_read(crm):
    assert {spec.verb for spec in FEATURES.values()} == set(VERBS)
    check_catalog(catalog_of(FEATURES), crm)


def test_the_scrambled_extract_does_differ(crm):
    other = measured(scrambled(crm, after=date(2025, 3, 31), seed=1), as_of=END)
    for found, wanted in zip(other, measured(crm, as_of=END), strict=True):
        assert len(found) != len(wanted)


def test_measuring_changes_neither_the_tables_nor_the_examples(crm):
    snapshot = take_snapshot(crm, as_of=END)
    examples = training_examples(snapshot, observe_at_days=AGES)
    before = {name: frame.copy(deep=True) for name, frame in {**snapshot.tables, "examples": examples}.items()}
    build_features(examples, snapshot, catalog_of(FEATURES))
    for name, frame in before.items():
        pd.testing.assert_frame_equal(examples if name == "examples" else snapshot[name], frame)
