import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.crm.snapshot import Snapshot
from winworth.models.shares import newcombe, wilson
from winworth.scoring.personas import LABELS, ROLES, Personas, days_known, learn_personas, roles_in

AS_OF = date(2026, 6, 30)
KNOWN = {("contacts", "role"): "dated"}


def drawn(n=1200, seed=0, *, effect=0.3, segments=2):
    """Draw deals of two segments and two ages: the decider is known more often in deals that will be won, in segment 1."""
    rng = np.random.default_rng(seed)
    won, segment = rng.random(n) < 0.4, rng.integers(1, segments + 1, n)
    rate = 0.4 + effect * (won & (segment == 1))
    days = pd.DataFrame({role: np.where(rng.random(n) < 0.6, rng.integers(1, 99, n), np.nan) for role in ("it", "user")})
    days.insert(0, "decider", np.where(rng.random(n) < rate, rng.integers(1, 99, n), np.nan))
    deals = pd.DataFrame({"segment": segment, "won": won, "account": np.arange(n)})
    both = pd.concat([deals.assign(age_days=0.0), deals.assign(age_days=30.0)], ignore_index=True)
    return pd.concat([days, days], ignore_index=True), both


@pytest.fixture(scope="module")
def found():
    days, deals = drawn()
    return learn_personas(days, deals), days, deals


def cell(personas, **where):
    table = personas.table
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_the_planted_role_is_clear_where_it_was_planted_and_nowhere_else(found):
    table = found[0].table
    clear = table[table["is_clear"]]
    assert set(clear["role"]) == {"decider"}
    assert set(clear["segment"]) == {"1", "all"}
    assert cell(found[0], segment="1", age_days=30.0, role="decider")["difference"] == pytest.approx(0.3, abs=0.1)


def test_shares_and_intervals_are_those_counted_by_hand(found):
    personas, days, deals = found
    told = cell(personas, segment="2", age_days=0.0, role="it")
    own = (deals["segment"] == 2) & (deals["age_days"] == 0)
    won, lost = own & deals["won"], own & ~deals["won"]
    (k, n), (j, m) = ((days.loc[rows, "it"].notna().sum(), rows.sum()) for rows in (won, lost))
    assert (told["n_won"], told["n_not_won"]) == (n, m)
    assert (told["won"], told["not_won"]) == pytest.approx((k / n, j / m))
    assert (told["won_low"], told["won_high"]) == pytest.approx(wilson(k, n), abs=2e-3)
    assert (told["low"], told["high"]) == pytest.approx(newcombe((k / n, n), (j / m, m)), abs=2e-3)


def test_the_role_known_first_is_counted_once_a_deal(found):
    table = found[0].table
    shares = table.groupby(["segment", "age_days"])["first_won"].sum()
    assert ((shares > 0.8) & (shares <= 1 + 1e-9)).all()
    days = pd.DataFrame({"decider": [9.0, 3.0] * 20, "it": [9.0, 5.0] * 20})
    deals = pd.DataFrame({"segment": "1", "age_days": 0.0, "won": [True] * 20 + [False] * 20, "account": range(40)})
    told = learn_personas(days, deals).table.set_index("role")["first_won"]
    assert told.to_dict() == {"decider": 0.25, "it": 0.75}


def test_a_cell_of_fewer_than_ten_is_hidden():
    days, deals = drawn(200)
    few = ((deals["segment"] == 1) & deals["won"] & (deals["age_days"] == 30)).cumsum()
    kept = ~((deals["segment"] == 1) & deals["won"] & (deals["age_days"] == 30) & (few > 9))
    personas = learn_personas(days[kept].reset_index(drop=True), deals[kept].reset_index(drop=True))
    hidden = cell(personas, segment="1", age_days=30.0, role="decider")
    assert hidden["n_won"] == 9
    assert hidden[["won", "won_low", "not_won", "difference", "low", "first_won"]].isna().all()
    assert not hidden["is_clear"]
    assert cell(personas, segment="all", age_days=30.0, role="decider")["won"] > 0


def test_where_no_role_matters_none_is_called_missing():
    said = 0
    for seed in range(30):
        days, deals = drawn(300, seed, effect=0.0)
        personas = learn_personas(days, deals)
        said += (personas.committee(days * np.nan, deals["segment"], deals["age_days"])["missing_role"] != "").any()
    assert said <= 4


def test_the_committee_is_the_share_of_usual_roles_and_the_missing_role_the_one_worth_most(found):
    personas = found[0]
    usual = [role for role in ("decider", "it", "user") if cell(personas, segment="1", age_days=30.0, role=role)["won"] >= 0.5]
    assert usual == ["decider", "it", "user"]
    days = pd.DataFrame({"decider": [np.nan, 4.0, np.nan], "it": [3.0, 4.0, np.nan], "user": [3.0, 9.0, np.nan]})
    told = personas.committee(days, np.array([1, 1, 1]), np.array([45.0, 45.0, 45.0]))
    assert told["committee"].tolist() == pytest.approx([2 / 3, 1.0, 0.0])
    assert told["missing_role"].tolist() == ["decider", "", "decider"]


def test_a_segment_without_figures_goes_by_all_deals(found):
    days = pd.DataFrame({"decider": [np.nan], "it": [3.0], "user": [np.nan]})
    told = found[0].committee(days, np.array([7]), np.array([np.nan]))
    assert told["missing_role"].tolist() == ["decider"]
    assert 0 <= told["committee"].iloc[0] < 1


def test_nothing_learnt_says_nothing():
    nothing = learn_personas(pd.DataFrame({"it": pd.Series(dtype=float)}), drawn()[1][:0])
    told = nothing.committee(pd.DataFrame({"it": [1.0]}), np.array([1]), np.array([3.0]))
    assert told["committee"].isna().all()
    assert told["missing_role"].tolist() == [""]


def test_personas_survive_json(found):
    again = Personas.from_dict(json.loads(json.dumps(found[0].to_dict(), allow_nan=False)))
    pd.testing.assert_frame_equal(again.table, found[0].table, check_dtype=False)


def test_deals_of_one_account_are_no_more_sure_than_the_account(found):
    _, days, deals = found
    once, thrice = learn_personas(days, deals), learn_personas(*(pd.concat([t] * 3, ignore_index=True) for t in (days, deals)))
    one, three = (cell(p, segment="all", age_days=0.0, role="decider") for p in (once, thrice))
    assert (three["low"], three["high"]) == pytest.approx((one["low"], one["high"]), abs=1e-3)


def company(known_on):
    """Return one account with a deal opened on 2026-01-10 and won on 2026-03-01, whose decider is known on a day."""
    contacts = pd.DataFrame(
        {"contact_id": ["C1", "C2"], "account_id": "A1", "role": ["it", "decider"], "known_on": ["2026-01-01", known_on]}
    )
    contacts["known_on"] = pd.to_datetime(contacts["known_on"]).astype("datetime64[s]")
    deals = pd.DataFrame({"deal_id": ["D1"], "account_id": "A1", "opened_on": pd.to_datetime(["2026-01-10"])})
    return Snapshot({"contacts": contacts.assign(available_on=contacts["known_on"]), "deals": deals}, KNOWN, AS_OF)


@pytest.mark.parametrize(("known_on", "seen"), [("2026-02-09", 0.0), ("2026-02-10", np.nan), ("2026-03-01", np.nan)])
def test_a_contact_that_becomes_known_after_the_day_changes_nothing(known_on, seen):
    rows = pd.DataFrame({"deal_id": ["D1"], "account_id": ["A1"], "observed_on": pd.to_datetime(["2026-02-09"])})
    snapshot = company(known_on)
    told = days_known(rows, snapshot, roles_in(snapshot))
    assert told["it"].tolist() == [39.0]
    assert told["decider"].tolist() == pytest.approx([seen], nan_ok=True)


def test_without_contacts_roles_or_days_there_are_no_roles():
    snapshot = company("2026-01-05")
    assert roles_in(snapshot) == ["decider", "it"]
    deals = snapshot["deals"]
    for tables in (
        {"deals": deals},
        {"deals": deals, "contacts": snapshot["contacts"].drop(columns="role")},
        {"deals": deals.drop(columns="opened_on"), "contacts": snapshot["contacts"]},
        {"deals": deals.drop(columns="account_id"), "contacts": snapshot["contacts"]},
    ):
        assert roles_in(Snapshot(tables, KNOWN, AS_OF)) == []
    for known in ({}, {("contacts", "role"): "at_close"}):
        assert roles_in(Snapshot(snapshot.tables, known, AS_OF)) == []


def test_every_role_has_a_label_in_both_languages():
    assert set(LABELS["en"]) == set(LABELS["fr"]) == set(ROLES)
