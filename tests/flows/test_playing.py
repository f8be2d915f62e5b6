"""From scored accounts to work: plays, sellers, ranks, trend and the files for the CRM, without a model."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from winworth.config import load_settings
from winworth.crm.snapshot import take_snapshot
from winworth.errors import ConfigError
from winworth.flows.playing import present_owners, regions, with_plays
from winworth.flows.prepare import Prepared
from winworth.sheets import from_csv
from winworth.tables import CrmTables, ReadReport

AS_OF = date(2026, 6, 30)
DEALS = pd.DataFrame(
    {
        "deal_id": ["D1", "D2", "D3", "D4", "D5"],
        "account_id": ["A1", "A1", "A2", "A3", "A2"],
        "owner_id": ["V01", "V02", "V03", None, "V04"],
        "status": ["open", "won", "lost", "open", "open"],
        "opened_on": pd.to_datetime(["2026-01-01", "2026-05-01", "2026-02-01", "2026-03-01", "2026-07-02"]).astype(
            "datetime64[s]"
        ),
        "closed_on": pd.to_datetime([None, "2026-06-01", "2026-04-01", None, None]).astype("datetime64[s]"),
    }
)
ACCOUNTS = pd.DataFrame({"account_id": ["A1", "A2", "A3", "A4"], "region": ["North", "South", "North", None]})
SCORED = pd.DataFrame(
    {
        "account_id": ["A3", "A1", "A2", "A4"],
        "win_probability": [0.5, 0.4, 0.3, 0.2],
        "expected_value": [900.0, 500.0, 300.0, 100.0],
        "agreed_value": [900.0, 500.0, 300.0, 100.0],
        "score": [80.0, 60.0, 55.0, 20.0],
        "tier": ["A", "A", "B", "C"],
        "hours": [12.0, 12.0, 4.0, 0.5],
        "previous_tier": None,
        "segment": [1, 2, 2, 1],
        "segment_label": "learnt",
    }
)


@pytest.fixture(scope="module")
def settings(pytestconfig):
    return load_settings(pytestconfig.rootpath / "conf")


@pytest.fixture(scope="module")
def prepared():
    known = {("deals", "owner_id"): "latest_only", ("accounts", "region"): "at_creation"}
    crm = CrmTables({"deals": DEALS, "accounts": ACCOUNTS}, known, ReadReport((), pd.DataFrame()))
    return Prepared(crm, take_snapshot(crm, as_of=AS_OF), ())


@pytest.fixture
def played(settings, prepared):
    """Return a function that plays scored accounts out with some settings changed."""

    def run(accounts=SCORED, playbooks=settings.playbooks, lang="en", previous=None, **scoring):
        own = replace(settings, playbooks=playbooks, scoring=replace(settings.scoring, **scoring))
        texts = {code: accounts[["account_id", "segment_label"]] for code in ("en", "fr")}
        places = {"owner_id": present_owners(prepared), "region": regions(prepared.snapshot)}
        placed = accounts.assign(**{name: accounts["account_id"].map(found) for name, found in places.items()})
        return with_plays(placed, texts, own, lang=lang, previous=previous)

    return run


def test_the_owner_is_that_of_the_open_deal_opened_last_and_else_of_the_last_deal_known_on_the_day(prepared):
    assert present_owners(prepared).to_dict() == {"A1": "V01", "A2": "V03"}


def test_each_account_has_play_channel_seller_ranks_and_trend_after_its_tier(played):
    done = played(sellers={"V01": 100, "V03": 4})
    place = done.accounts.columns.get_loc("previous_tier")
    told = ["play", "channel", "seller", "rank_in_seller", "rank", "trend"]
    assert done.accounts.columns[place + 1 : place + 7].tolist() == told
    assert done.accounts["seller"].fillna("").tolist() == ["V01", "V01", "V03", ""]
    assert done.accounts["rank_in_seller"].fillna(0).tolist() == [1, 2, 1, 0]
    assert done.accounts["rank"].fillna(0).tolist() == [1, 2, 1, 0]
    assert done.accounts["play"].iloc[[0, 2]].tolist() == ["Automation plan with the management", "First process automated"]
    assert set(done.accounts["trend"]) == {"steady"}
    assert done.warnings == ()


def test_play_and_channel_are_told_in_both_languages(played):
    done = played(lang="fr")
    assert done.accounts["play"].equals(done.texts["fr"]["play"])
    assert done.texts["en"]["channel"].tolist()[3] == "e-mail and web"
    assert done.texts["fr"]["channel"].tolist()[3] == "courriel et web"


def test_plays_are_written_out_for_the_segments_and_tiers_that_accounts_have(played):
    table = from_csv(played().files["plays_fr.csv"])
    assert table[["segment", "tier", "n_accounts"]].values.tolist() == [
        ["S1", "A", 1],
        ["S1", "C", 1],
        ["S2", "A", 1],
        ["S2", "B", 1],
    ]
    assert table["to_finance"].str.len().min() > 10


def test_a_name_that_leadership_gave_a_segment_takes_the_place_of_the_learnt_one(played, settings):
    books = settings.playbooks
    label = replace(books.segments["S1"], label=books.play("S1", "A").name)
    done = played(playbooks=replace(books, segments={"S1": label}))
    assert done.accounts["segment_label"].tolist()[:2] == ["Automation plan with the management", "learnt"]


def test_a_tier_without_a_play_stops_the_run(played, settings):
    books = settings.playbooks
    with pytest.raises(ConfigError, match="no play for segment S2 and tier B"):
        played(playbooks=replace(books, tiers=replace(books.tiers, B=None)))


def test_without_playbooks_the_built_in_plays_apply_and_the_run_says_so(played):
    done = played(playbooks=None)
    assert done.accounts["play"].tolist()[0] == "Win it together"
    assert "There is no playbooks.yaml: the built-in plays apply" in done.warnings[0]


def test_what_is_beyond_the_sellers_hours_and_who_changes_hands_is_said(played):
    done = played(sellers={"V02": 12})
    assert done.accounts["seller"].fillna("").tolist() == ["V02", "", "", ""]
    assert "2 of 3 A and B accounts are beyond the sellers' hours" in done.warnings[0]
    assert played(sellers={"V02": 28, "V03": 0}).warnings == (
        "2 A and B accounts go to another seller: their owner has no hours for them.",
    )


def test_the_trend_is_against_the_scoring_before(played):
    before = SCORED.assign(score=[70.0, 60.0, 65.0, 24.0]).iloc[::-1]
    assert played(previous=before).accounts["trend"].tolist() == ["up", "steady", "down", "steady"]


def test_the_files_for_the_crm_hold_what_changed_since_then_and_are_the_same_twice(played):
    before = SCORED.assign(trend="steady", tier=["A", "B", "B", "C"])
    done = played(previous=before)
    assert done.files["crm/salesforce.csv"].decode().splitlines()[1:] == ['"A1",60,"A","steady"']
    assert done.files == played(previous=before).files


def test_the_first_files_for_the_crm_hold_all_accounts_and_those_gone_since_the_last_are_said(played):
    upgraded = played(previous=SCORED)
    assert upgraded.files["crm/salesforce.csv"].count(b"\n") == 1 + len(SCORED) and upgraded.warnings == ()
    fewer = played(SCORED[:3], previous=SCORED.assign(trend="steady"))
    assert "1 accounts of the scoring before are not scored now, the first A4" in fewer.warnings[-1]


def test_no_accounts_leave_files_of_headers(played):
    done = played(SCORED[:0])
    assert len(done.accounts) == 0 and done.files["crm/hubspot.csv"].count(b"\n") == 1


@pytest.mark.parametrize("previous", [SCORED, SCORED[:0]], ids=["some before", "none before"])
def test_no_accounts_now_are_no_fault_whatever_was_scored_before(played, previous):
    nobody = SCORED[:0].astype({"account_id": "str"})
    done = played(nobody, previous=previous.astype({"account_id": "str"}).assign(trend="steady"))
    assert len(done.accounts) == 0 and done.files["crm/hubspot.csv"].count(b"\n") == 1
