import json
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from winworth.bundle import open_version
from winworth.crm.snapshot import Snapshot
from winworth.flows.prepare import prepare
from winworth.flows.profile import committees, icp_rules
from winworth.scoring.personas import learn_personas
from winworth.scoring.scorer import as_json

MATTERS = {"headcount", "size_class", "sector", "automation_level", "n_technologies"}


@pytest.fixture(scope="module")
def scored(demo):
    """Return the demo's metrics, its scores, and the tables they were made from."""
    done = demo.done
    crm = prepare(demo.settings, as_of=date(2026, 6, 30)).snapshot
    return SimpleNamespace(metrics=done.trained.metrics, accounts=done.predicted.accounts, deals=done.predicted.deals, crm=crm)


def test_the_demo_companys_rules_speak_of_what_matters_and_hold_on_the_locked_quarter(scored):
    icp = scored.metrics["icp"]
    assert 1 <= len(icp["rules"]) <= 5
    assert {c["feature"] for rule in icp["rules"] for c in rule["conditions"]} <= MATTERS
    for rule in icp["rules"]:
        assert rule["past"]["coverage"] >= 0.05
        assert rule["past"]["lower_bound_90"] > 1
        assert rule["locked"]["lift"]["low"] > 1
        assert rule["locked"]["p_corrected"] <= 0.05
        assert rule["words"]["en"] != rule["words"]["fr"]
    assert icp["else"]["lift"]["value"] < 1


def test_each_account_shows_the_first_rule_that_its_own_cells_meet(scored):
    own = scored.crm["accounts"].set_index("account_id").reindex(scored.accounts["account_id"])
    n_tools = scored.crm["technologies"].groupby("account_id")["technology"].nunique()
    own = own.assign(n_technologies=n_tools.reindex(own.index).fillna(0))
    expected = np.zeros(len(own), dtype=int)
    for k, rule in reversed(list(enumerate(scored.metrics["icp"]["rules"], 1))):
        met = np.ones(len(own), dtype=bool)
        for c in rule["conditions"]:
            cells = own[c["feature"]].to_numpy()
            compare = {"at_least": np.greater_equal, "below": np.less, "is": np.equal}[c["kind"]]
            met &= compare(cells, c["value"])
        expected[met] = k
    assert (scored.accounts["icp_rule"].to_numpy() == expected).all()
    assert set(expected) >= {0, 1}


def test_the_demo_companys_deals_say_how_complete_their_committee_is(scored):
    cells = pd.DataFrame(scored.metrics["personas"]["cells"])
    assert set(cells.loc[cells["is_clear"], "role"]) == {"decider"}  # the one role that this world's buyers depend on
    contacts = scored.crm["contacts"]
    deciders = set(contacts.loc[contacts["role"] == "decider", "account_id"])
    lacking = scored.deals[scored.deals["missing_role"] == "decider"]
    assert len(lacking)
    assert not set(lacking["account_id"]) & deciders
    assert set(scored.deals["missing_role"]) <= {"", "decider"}
    assert scored.deals["committee"].between(0, 1).mean() > 0.9
    assert not {"committee", "missing_role"} & set(scored.accounts.columns)


def test_the_demo_companys_cycles_are_those_of_its_making_and_large_ones_buy_more(scored):
    told = scored.metrics["size_classes"]
    assert list(told) == ["TPE", "PME", "ETI", "GE"]
    assert told["PME"]["cycle_days"]["value"] == pytest.approx(57.7, abs=3)
    baskets = [told[name]["basket_mean"]["value"] for name in ("TPE", "PME", "ETI")]
    assert baskets == sorted(baskets)
    deals = scored.crm["deals"]
    deals = deals[deals["kind"] != "renewal"]
    pme = scored.crm["accounts"].query("size_class == 'PME'")["account_id"]
    won = deals[deals["account_id"].isin(pme) & (deals["status"] == "won")]
    assert told["PME"]["n_deals"] == deals["account_id"].isin(pme).sum()
    assert told["PME"]["basket_median"]["value"] == won["amount"].median()


def test_what_is_applied_is_kept_in_the_model_version(demo, scored):
    bundle = open_version(demo.home / "models" / demo.done.trained.version)
    assert bundle.json("icp.json") == json.loads(as_json(scored.metrics["icp"]))
    assert bundle.json("personas.json") == json.loads(as_json(scored.metrics["personas"]))


def small(contacts=True):
    rng = np.random.default_rng(0)
    deals = pd.DataFrame({"segment": 1, "age_days": 0.0, "won": rng.random(400) < 0.5, "account": np.arange(400)})
    days = pd.DataFrame({"decider": np.where(rng.random(400) < 0.3 + 0.5 * deals["won"], 5.0, np.nan)})
    kept = {"personas.json": as_json(learn_personas(days, deals).to_dict()).encode()}
    day = pd.Timestamp("2026-06-30").as_unit("s")
    rows = pd.DataFrame(
        {"deal_id": ["D1", "D2", None], "account_id": ["A1", "A2", "A3"], "observed_on": day, "age_days": [9.0, 9.0, 0.0]}
    ).assign(basis=["open_deal", "open_deal", "next_deal"])
    known = pd.DataFrame({"account_id": ["A1"], "role": ["decider"], "known_on": [day]})
    tables = {"deals": pd.DataFrame({"account_id": ["A1"], "opened_on": [day]})} | ({"contacts": known} if contacts else {})
    return kept, rows, Snapshot(tables, {("contacts", "role"): "dated"}, date(2026, 6, 30))


def test_only_open_deals_have_a_committee():
    kept, rows, snapshot = small()
    told = committees(kept, rows, snapshot, np.ones(3, dtype=int))
    assert told["committee"].tolist() == pytest.approx([1.0, 0.0, np.nan], nan_ok=True)
    assert told["missing_role"].tolist() == ["", "decider", ""]


@pytest.mark.parametrize("lacks", ["contacts", "personas", "deals"])
def test_where_nothing_is_known_of_committees_nothing_is_said(lacks):
    kept, rows, snapshot = small(contacts=lacks != "contacts")
    rows = rows.assign(basis="next_deal") if lacks == "deals" else rows
    told = committees({} if lacks == "personas" else kept, rows, snapshot, np.ones(3, dtype=int))
    assert told["committee"].isna().all()
    assert set(told["missing_role"]) == {""}


def test_a_model_version_without_rules_puts_every_account_under_none():
    assert icp_rules({}, pd.DataFrame({"headcount": [1.0, 2.0]})).tolist() == [0, 0]
