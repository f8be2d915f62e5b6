"""Every verb against a referee: plain loops over the rows of the extract, which know no snapshot and no sorted key."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winworth.crm.snapshot import take_snapshot
from winworth.features.build import build_features
from winworth.features.catalog import VERBS, Catalog, Criterion, Feature
from winworth.tables import TABLES, CrmTables, ReadReport

DTYPES = {"id": "str", "level": "str", "number": "float64", "date": "datetime64[s]"}
DAY0, LAST = pd.Timestamp("2024-01-01"), 60
AS_OF = date(2024, 3, 1)  # 60 days after DAY0
KEYS = {"account": "account_id", "deal": "deal_id"}
KNOWN = {
    ("accounts", "sector"): "at_creation",
    ("accounts", "headcount"): "dated",
    ("deals", "source"): "at_creation",
    ("deals", "product"): "dated",
}
MEETINGS = {"kind": "meeting"}
HELD = {"kind": ("meeting", "call"), "outcome": "held"}
CATALOG = {
    "all": Feature(count="activities"),
    "held": Feature(count="activities", where=HELD),
    "recent": Feature(count="activities", within_days=7),
    "today": Feature(count="activities", within_days=1),
    "recent_of_deal": Feature(count="activities", within_days=30, where=MEETINGS, by="deal"),
    "seen": Feature(count="technologies"),
    "deals_closed": Feature(count="deals", where={"status": ("won", "lost")}),
    "hours": Feature(sum="activities.hours"),
    "recent_hours": Feature(sum="activities.hours", within_days=10, where=MEETINGS),
    "hours_of_deal": Feature(sum="activities.hours", by="deal"),
    "amounts_closed": Feature(sum="deals.amount", within_days=40),
    "mean_hours": Feature(mean="activities.hours", where=MEETINGS),
    "recent_mean_hours": Feature(mean="activities.hours", within_days=10),
    "mean_hours_of_deal": Feature(mean="activities.hours", within_days=20, by="deal"),
    "kinds": Feature(distinct="activities.kind"),
    "recent_kinds": Feature(distinct="activities.kind", within_days=10),
    "outcomes_of_deal": Feature(distinct="activities.outcome", within_days=25, by="deal"),
    "hours_told": Feature(distinct="activities.hours", within_days=15, where=MEETINGS),
    "roles": Feature(distinct="contacts.role"),
    "share_held": Feature(share="activities", where={"outcome": "held"}),
    "share_held_of_meetings": Feature(share="activities", where={"outcome": "held"}, among=MEETINGS, within_days=20),
    "share_meetings": Feature(share="activities", where=MEETINGS, among={"kind": ("call", "meeting")}, by="deal"),
    "share_disjoint": Feature(share="activities", where={"kind": ("mail", "meeting")}, among=MEETINGS),
    "since_first": Feature(days_since_first="activities"),
    "since_first_held": Feature(days_since_first="activities", where=HELD),
    "since_first_of_deal": Feature(days_since_first="activities", by="deal"),
    "since_last": Feature(days_since_last="activities"),
    "since_last_held": Feature(days_since_last="activities", where=HELD, within_days=20),
    "since_last_of_deal": Feature(days_since_last="activities", within_days=5, by="deal"),
    "since_deal_closed": Feature(days_since_last="deals"),
    "since_invoice": Feature(days_since_last="invoices"),
    "trend": Feature(trend="activities", within_days=10, against_days=30),
    "trend_of_deal": Feature(trend="activities", where=MEETINGS, within_days=7, against_days=7, by="deal"),
    "decayed": Feature(decayed_count="activities", half_life_days=10),
    "decayed_fast": Feature(decayed_count="activities", half_life_days=0.5, where=MEETINGS),
    "decayed_of_deal": Feature(decayed_count="activities", half_life_days=45, by="deal"),
    "won": Feature(deals_won="accounts"),
    "won_lately": Feature(deals_won="accounts", within_days=20),
    "won_outbound": Feature(deals_won="accounts", where={"source": "outbound"}),
    "lost": Feature(deals_lost="accounts"),
    "lost_lately": Feature(deals_lost="accounts", within_days=20),
    "invoiced": Feature(invoiced="accounts"),
    "invoiced_lately": Feature(invoiced="accounts", within_days=30),
    "age": Feature(value="example.age_days"),
    "quarter": Feature(value="example.quarter"),
    "sector": Feature(value="accounts.sector"),
    "headcount": Feature(value="accounts.headcount"),
    "source": Feature(value="deals.source"),
    "product": Feature(value="deals.product", by="deal"),
    "stage": Feature(value="stage_changes.stage", by="deal"),
    "last_outcome": Feature(value="activities.outcome", where=MEETINGS),
    "last_hours_of_deal": Feature(value="activities.hours", by="deal"),
    "last_role": Feature(value="contacts.role"),
}


def catalog_of(features):
    return Catalog({"all": Criterion("context", {"en": "All"}, features)})


# --- what is generated -------------------------------------------------------------------------------------------------

DAYS = st.integers(-5, LAST + 10)
ACCOUNT, DEAL = st.sampled_from(["A0", "A1", "A2", "A3", None]), st.sampled_from(["D0", "D1", "D2", "D3", None])
KIND, OUTCOME = st.sampled_from(["meeting", "call", "mail"]), st.sampled_from(["held", "no_show", None])
MONEY = st.none() | st.integers(-(10**7), 10**7).map(lambda cents: cents / 100)
LEVEL = st.sampled_from(["x", "y", None])
COLUMNS = {
    "accounts": {"created_on": st.none() | DAYS, "sector": LEVEL},
    "deals": {
        "account_id": ACCOUNT,
        "opened_on": DAYS,
        "closed_on": st.none() | st.integers(0, LAST),  # days it took
        "status": st.sampled_from(["won", "lost", "open"]),
        "source": st.sampled_from(["inbound", "outbound", None]),
        "amount": MONEY,
    },
    "activities": {
        "account_id": ACCOUNT,
        "deal_id": DEAL,
        "kind": KIND,
        "outcome": OUTCOME,
        "hours": MONEY,
        "happened_on": DAYS,
        "known_on": st.none() | DAYS,
    },
    "contacts": {"account_id": ACCOUNT, "role": LEVEL, "known_on": DAYS},
    "technologies": {"account_id": ACCOUNT, "technology": LEVEL, "seen_on": DAYS},
    "invoices": {"account_id": ACCOUNT, "amount": MONEY, "invoiced_on": DAYS},
    "stage_changes": {"deal_id": DEAL, "stage": LEVEL, "changed_on": DAYS},
    "deal_versions": {"deal_id": DEAL, "product": LEVEL, "changed_on": DAYS},
    "account_versions": {"account_id": ACCOUNT, "headcount": MONEY, "changed_on": DAYS},
}
FIXED = {"accounts": ("account_id", ["A0", "A1", "A2"]), "deals": ("deal_id", ["D0", "D1", "D2", "D4", "D5", "D6"])}


def table(name, rows):
    """Put generated rows, whose dates are days from DAY0, into a canonical frame; overwritten columns say what is false."""
    frame = pd.DataFrame(rows, columns=[*FIXED.get(name, ())[:1], *COLUMNS[name]])
    for column in frame:
        kind = TABLES[name].columns[column].kind
        if kind == "date":
            start = frame["opened_on"] if column == "closed_on" else DAY0
            frame[column] = start + pd.to_timedelta(frame[column].astype(float), unit="D")
        frame[column] = frame[column].astype(DTYPES[kind])
    if name == "accounts":
        frame = frame.assign(headcount=-1.0)
    return frame.assign(product="never") if name == "deals" else frame


@st.composite
def extracts(draw):
    """Draw a small extract: few entities, few days, and so many ties, gaps and late entries."""
    tables = {}
    for name, columns in COLUMNS.items():
        row = st.tuples(*columns.values())
        if name in FIXED:
            keys = FIXED[name][1]
            rows = [(key, *draw(row)) for key in keys]
        else:
            rows = draw(st.lists(row, max_size=14 if name == "activities" else 6))
        tables[name] = table(name, rows)
    return CrmTables(tables, KNOWN, ReadReport((), pd.DataFrame()))


@st.composite
def observations(draw):
    row = st.tuples(DEAL, st.sampled_from(["A0", "A1", "A2", "A7", None]), st.integers(0, LAST))
    rows = draw(st.lists(row, min_size=1, max_size=6))
    return observed([(deal, account, DAY0 + pd.Timedelta(days=day)) for deal, account, day in rows])


def observed(rows):
    frame = pd.DataFrame(rows, columns=["deal_id", "account_id", "observed_on"])
    text = {"deal_id": "str", "account_id": "str", "observed_on": "datetime64[s]"}
    return frame.astype(text).assign(age_days=np.arange(len(frame), dtype=float), quarter="Q1")


# --- the referee -------------------------------------------------------------------------------------------------------


def rows_known(records, name, on, key, entity, where):
    """Return the rows of an entity that meet the conditions and could be known on a day, each with its `day`."""
    found = []
    for row in records[name]:
        day = row[TABLES[name].happened_on or "closed_on"]
        entered = row.get("known_on")
        is_known = day <= on and (pd.isna(entered) or entered <= on) and row.get("status") != "open"
        if is_known and row[key] == entity and meets(row, where):
            found.append({**row, "day": day})
    return found


def meets(row, where):
    return all(row[column] == levels if isinstance(levels, str) else row[column] in levels for column, levels in where.items())


def in_window(rows, on, within):
    return [row for row in rows if within is None or row["day"] > on - pd.Timedelta(days=within)]


def last_value(rows, column):
    """Return what the last day says; of several values on that day the greatest, and missing only when all are."""
    if not rows:
        return None
    last = max(row["day"] for row in rows)
    values = [row[column] for row in rows if row["day"] == last and not pd.isna(row[column])]
    return max(values) if values else None


def expected_value(spec, example, records):
    name, column = spec.value.split(".")
    on = example["observed_on"]
    if name == "example":
        return example[column]
    if KNOWN.get((name, column)) == "dated":
        key = {"accounts": "account_id", "deals": "deal_id"}[name]
        rows = rows_known(records, name.removesuffix("s") + "_versions", on, key, example[key], {})
        return last_value(rows, column)
    if name in ("accounts", "deals"):
        key, born = ("account_id", "created_on") if name == "accounts" else ("deal_id", "opened_on")
        rows = [row for row in records[name] if row[key] == example[key]]
        return rows[0][column] if rows and not rows[0][born] > on else None
    key = "deal_id" if name == "stage_changes" else KEYS[spec.by]
    return last_value(rows_known(records, name, on, key, example[key], spec.where), column)


def expected(spec, example, records):
    """Return what a feature is, by looping over rows; None where it is missing."""
    verb, on = spec.verb, example["observed_on"]
    if verb == "value":
        return expected_value(spec, example, records)
    key = KEYS[spec.by]
    if pd.isna(example[key]):
        return None
    where = dict(spec.where)
    if verb in ("deals_won", "deals_lost"):
        where["status"] = verb[len("deals_") :]
    rows = rows_known(records, spec.reads, on, key, example[key], spec.among if verb == "share" else where)
    recent = in_window(rows, on, spec.within_days)
    ages = [(on - row["day"]).days for row in recent]
    values = [row[spec.column or "amount"] for row in recent] if verb in ("sum", "mean", "distinct", "invoiced") else []
    values = [value for value in values if not pd.isna(value)]
    if verb in ("count", "deals_won", "deals_lost"):
        return len(recent)
    if verb in ("sum", "invoiced"):
        return math.fsum(values)
    if verb == "mean":
        return math.fsum(values) / len(values) if values else None
    if verb == "distinct":
        return len(set(values))
    if verb == "share":
        part = [row for row in recent if meets(row, spec.where)]
        return len(part) / len(recent) if recent else None
    if verb in ("days_since_first", "days_since_last"):
        return {"days_since_first": max, "days_since_last": min}[verb](ages) if ages else None
    if verb == "trend":
        before = len(in_window(rows, on, spec.within_days + spec.against_days)) - len(recent)
        return math.log((len(recent) + 1) / (before * spec.within_days / spec.against_days + 1))
    assert verb == "decayed_count"
    return math.fsum(0.5 ** (age / spec.half_life_days) for age in ages)


def assert_as_expected(features, examples, crm, specs):
    records = {name: frame.to_dict("records") for name, frame in crm.tables.items()}
    for at, example in enumerate(examples.to_dict("records")):
        for name, spec in specs.items():
            found, wanted = features[name].iloc[at], expected(spec, example, records)
            said = f"{name} of {example}: {found!r}, and by hand {wanted!r}"
            if wanted is None or pd.isna(wanted):
                assert pd.isna(found), said
            elif isinstance(wanted, str | int):
                assert found == wanted, said
            else:
                assert math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-12), said


# --- the tests ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True)
@given(crm=extracts(), examples=observations())
def test_every_verb_says_what_loops_over_rows_say(crm, examples):
    features = build_features(examples, take_snapshot(crm, as_of=AS_OF), catalog_of(CATALOG))
    assert_as_expected(features, examples, crm, CATALOG)


def test_the_referee_hears_every_verb():
    assert {spec.verb for spec in CATALOG.values()} == set(VERBS)


def many_events(n, *, scale=1.0, seed=0):
    """Return an extract of two accounts and many activities on duplicate days, one in four entered late."""
    rng = np.random.default_rng(seed)
    happened = rng.integers(-3000, LAST, n)
    late = np.where(rng.random(n) < 0.25, rng.integers(1, 90, n), 0)
    kind, outcome = rng.choice(["meeting", "call", "mail"], n), rng.choice(["held", "no_show"], n)
    hours = np.where(rng.random(n) < 0.1, np.nan, rng.integers(-(10**7), 10**7, n) / 100 * scale)
    rows = zip(rng.choice(["A0", "A1"], n), ["D0"] * n, kind, outcome, hours, happened, happened + late, strict=True)
    crm = CrmTables({"activities": table("activities", list(rows)), "deals": table("deals", [])}, KNOWN, ReadReport((), None))
    days = DAY0 + pd.to_timedelta(rng.integers(-2000, LAST, 12), unit="D")
    return crm, observed([("D0", account, day) for account, day in zip(rng.choice(["A0", "A1"], 12), days, strict=True)])


OF_ACTIVITIES = {name: spec for name, spec in CATALOG.items() if spec.reads == "activities"}


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6], ids=["money", "small_rates", "large_money"])
def test_years_of_events_sum_to_what_loops_sum_to_at_every_scale(scale):
    crm, examples = many_events(800, scale=scale)
    features = build_features(examples, take_snapshot(crm, as_of=AS_OF), catalog_of(OF_ACTIVITIES))
    assert_as_expected(features, examples, crm, OF_ACTIVITIES)


@pytest.mark.parametrize("half_life", [0.5, 1.0, 7.0, 30.0, 4000.0])
def test_a_short_half_life_does_not_overflow_over_long_years(half_life):
    crm, examples = many_events(400, seed=1)
    decayed = {"decayed": Feature(decayed_count="activities", half_life_days=half_life)}
    features = build_features(examples, take_snapshot(crm, as_of=AS_OF), catalog_of(decayed))
    assert_as_expected(features, examples, crm, decayed)


@pytest.mark.parametrize(("hours", "wanted"), [([1234567.1, 0.1], 0.1), ([0.1, 0.2, 0.7, -0.7], 0.0)])
def test_a_window_bears_no_dust_of_what_came_before_it(hours, wanted):
    told = [("A0", "D0", "call", None, value, day, None) for day, value in enumerate(hours)]
    crm = CrmTables({"activities": table("activities", told), "deals": table("deals", [])}, KNOWN, ReadReport((), None))
    examples = observed([("D0", "A0", DAY0 + pd.Timedelta(days=len(hours) - 1))])
    features = catalog_of({"hours": Feature(sum="activities.hours", within_days=len(hours) // 2)})
    assert build_features(examples, take_snapshot(crm, as_of=AS_OF), features)["hours"].tolist() == [wanted]
