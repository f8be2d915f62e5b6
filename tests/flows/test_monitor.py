"""Monitoring keeps quiet where nothing has changed, and names what was planted; it reads nothing later than its day."""

import json
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from monitor_world import END, company, crown

import winworth.flows.monitor as flow
from winworth.bundle import open_version
from winworth.errors import ConfigError
from winworth.flows.fresh import fresh_examples, observe
from winworth.flows.learn import day_number
from winworth.flows.monitor import measured, monitor
from winworth.flows.prepare import prepare
from winworth.flows.promises import kept_promises
from winworth.flows.ranked import OLD
from winworth.flows.verdict import EXIT_CODES, Reason, reach_verdict
from winworth.models.shares import wilson
from winworth.review.monitored import monitor_page
from winworth.review.words import words_in
from winworth.scoring.scorer import Scorer

LAG = 195


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Return a company of 1,000 deals whose champion is a horizon and a fortnight old."""
    home = tmp_path_factory.mktemp("watched")
    return crown(company(home, n_deals=1000, seed=2), home, on=END - timedelta(days=LAG))


@pytest.fixture(scope="module")
def known(watched):
    """Return the champion, its scorer, and what is known on the last day."""
    bundle = open_version(watched.home / "models" / watched.version)
    scorer = Scorer.from_files(bundle.contents)
    return bundle, scorer, prepare(watched.settings, as_of=END, catalog=scorer.catalog)


def spoilt(prepared, table: str, change):
    tables = {**prepared.snapshot.tables, table: change(prepared.snapshot[table])}
    return replace(prepared, snapshot=replace(prepared.snapshot, tables=tables))


def told(watched, known, prepared=None) -> dict:
    bundle, scorer, clean = known
    return measured(bundle, scorer, prepared or clean, watched.settings, watched.home)


def verdict_of(found: dict) -> tuple[str, set]:
    verdict, reasons = reach_verdict(found, oldest_days=OLD)
    return verdict, {(reason.key, reason.values.get("feature")) for reason in reasons}


@pytest.fixture(scope="module")
def quiet(watched, known):
    return told(watched, known)


def test_where_nothing_has_changed_the_verdict_is_to_go_on(quiet):
    assert verdict_of(quiet) == ("go_on", set())
    assert quiet["drift"]["n"] > 200
    assert quiet["calibration"]["coins"]["n"] > 100


def changed(accounts: pd.DataFrame) -> pd.DataFrame:
    """Return accounts with four faults, each in a column of its own."""
    third = np.arange(len(accounts)) % 3 == 0
    return accounts.assign(
        headcount=accounts["headcount"] * 4,
        automation_level=accounts["automation_level"].mask(third),
        sector=accounts["sector"].where(~third, "Space"),
        billing_day=np.nan,
    )


def test_each_planted_drift_is_named_with_its_feature_and_nothing_else(watched, known):
    found = told(watched, known, spoilt(known[2], "accounts", changed))
    verdict, reasons = verdict_of(found)
    planted = {("drift_values", "headcount"), ("drift_missing", "automation_level"), ("drift_new_levels", "sector")}
    assert verdict == "stop"
    assert planted | {("lost", "billing_day")} <= reasons
    assert {feature for _, feature in reasons} <= {"headcount", "automation_level", "sector", "billing_day", "score"}
    assert verdict_of(found | {"drift": found["drift"] | {"lost": []}})[0] == "retrain"


def lost_after(day, share: float):
    """Return a change of deals: of those won after a day, a share was lost."""

    def change(deals: pd.DataFrame) -> pd.DataFrame:
        later = (deals["closed_on"] > pd.Timestamp(day)) & (deals["status"] == "won")
        hit = later & (np.random.default_rng(1).random(len(deals)) < share)
        return deals.assign(status=deals["status"].mask(hit, "lost"))

    return change


def test_wins_that_stay_away_ask_for_recalibration(watched, known):
    found = told(watched, known, spoilt(known[2], "deals", lost_after(END - timedelta(days=LAG), 0.7)))
    assert ("wins", None) in verdict_of(found)[1]
    assert verdict_of(found)[0] == "recalibrate"
    assert found["calibration"]["coins"]["ratio"] < 0.6


def test_no_deal_that_taught_the_champion_speaks_for_it(watched, known):
    bundle, scorer, prepared = known
    observed = observe(prepared, scorer, bundle, watched.settings)
    fresh = fresh_examples(observed, scorer, bundle, day=day_number(END))
    rows, horizon = observed.examples.rows, pd.Timedelta(days=180)
    then = pd.Timestamp(bundle.as_of)
    settled = (rows["ended_on"] <= then) & (rows["ended_on"] <= rows["observed_on"] + horizon)
    settled |= rows["observed_on"] + horizon <= then
    taught = set(rows.loc[settled & (rows["observed_on"] <= then), "deal_id"])
    assert not taught & set(fresh.rows["deal_id"])
    assert fresh.rows["observed_on"].min() > then
    assert (
        set(fresh.rows["deal_id"])
        == set(rows.loc[rows["observed_on"].between(then, pd.Timestamp(END), "neither"), "deal_id"]) - taught
    )


def test_what_is_later_than_the_day_changes_nothing(watched, known):
    bundle, scorer, _ = known
    day = END - timedelta(days=100)
    before = prepare(watched.settings, as_of=day, catalog=scorer.catalog)
    later = lost_after(day, 1.0)(before.crm["deals"])
    cut = replace(before, crm=replace(before.crm, tables={**before.crm.tables, "deals": later}))
    from winworth.crm.snapshot import take_snapshot

    cut = replace(cut, snapshot=take_snapshot(cut.crm, as_of=day, waived=watched.settings.waived(day)))
    first, second = (measured(bundle, scorer, one, watched.settings, watched.home) for one in (before, cut))
    assert first["calibration"] == second["calibration"]
    assert first["drift"] == second["drift"]
    assert first["ranking"]["auc"] is None
    assert first["ranking"]["from"] == (bundle.as_of + timedelta(days=181)).isoformat()


def test_the_run_is_published_whole_in_both_languages_and_a_lost_record_loses_nothing(watched, known, quiet, monkeypatch):
    monkeypatch.setattr(flow, "prepare", lambda *args, **kwargs: known[2])
    monkeypatch.setattr(flow, "measured", lambda *args: dict(quiet))
    monkeypatch.setattr("winworth.tracking.open_store", lambda *args, **kwargs: 1 / 0)
    done = monitor(watched.settings, as_of=END, home=watched.home)
    assert (done.verdict, done.exit_code) == ("go_on", 0)
    assert {path.name for path in done.folder.iterdir()} == {"monitor.json", "monitor-en.html", "monitor-fr.html"}
    written = json.loads((done.folder / "monitor.json").read_text(encoding="utf-8"))
    assert written["model_version"] == watched.version
    assert "Go on: nothing speaks against the champion." in (done.folder / "monitor-en.html").read_text(encoding="utf-8")
    assert "Continuer" in (done.folder / "monitor-fr.html").read_text(encoding="utf-8")
    waiting = json.loads((watched.home / "mlflow_pending.json").read_text(encoding="utf-8"))
    assert waiting[0]["monitoring"]["tags"]["verdict"] == "go_on"
    with pytest.raises(ConfigError, match="would know the future"):
        monitor(watched.settings, as_of=END - timedelta(days=LAG + 1), home=watched.home)


def test_a_version_without_a_reference_says_that_drift_was_not_measured(watched, known):
    bundle, scorer, prepared = known
    old = replace(bundle, contents={name: c for name, c in bundle.contents.items() if name != "reference.json"})
    found = flow.drift_of(old, scorer, observe(prepared, scorer, bundle, watched.settings), END)
    assert found["since"] is None and found["tests"] == []


def test_scores_of_old_stand_beside_what_was_won_and_brought(watched, known, tmp_path):
    _, _, prepared = known
    day = END - timedelta(days=190)
    deals = prepared.snapshot["deals"]
    start, end = pd.Timestamp(day), pd.Timestamp(day) + pd.Timedelta(days=180)
    open_then = deals[(deals["opened_on"] <= start) & ~(deals["closed_on"] <= start)]
    scored = open_then[["deal_id", "account_id"]].assign(
        win_probability=np.linspace(0.05, 0.6, len(open_then)), lifetime_value=1000.0
    )
    scored = pd.concat([scored, pd.DataFrame([{"deal_id": "gone", "account_id": "x", "win_probability": 0.5}])])
    accounts = pd.DataFrame({"account_id": scored["account_id"].unique()})
    accounts = accounts.assign(tier=np.where(accounts.index < len(accounts) / 2, "A", "C"))
    folder = tmp_path / "scores" / day.isoformat()
    folder.mkdir(parents=True)
    scored.to_parquet(folder / "deal_scores.parquet")
    accounts.to_parquet(folder / "account_scores.parquet")
    (folder / "run.json").write_text(json.dumps({"model_version": "then"}))
    found = kept_promises(tmp_path, prepared.snapshot, watched.settings, horizon_days=180)
    assert (found.scored_on, found.version, found.n_gone) == (day, "then", 1)
    tier = next(group for group in found.groups if group["name"] == "A" and group["kind"] == "tier")
    best = set(accounts.loc[accounts["tier"] == "A", "account_id"])
    own = open_then[open_then["account_id"].isin(best)]
    won = ((own["status"] == "won") & (own["closed_on"] <= end)).sum()
    assert (tier["n"], tier["n_won"]) == (len(own), won)
    assert tier["announced_rate"] == pytest.approx(scored[scored["account_id"].isin(best)]["win_probability"].mean())
    low, high = wilson(won, len(own))
    assert tier["win_rate"]["low"] <= low + 1e-9 and tier["win_rate"]["high"] >= high - 1e-9
    assert sum(group["n"] for group in found.groups if group["kind"] == "tenth") == len(open_then)
    assert (
        kept_promises(tmp_path, replace(prepared.snapshot, as_of=END - timedelta(days=20)), watched.settings, horizon_days=180)
        is None
    )


def facts(**changed) -> dict:
    """Return what monitoring tells where all is well, with some of it changed."""
    coins = {"n": 100, "seen": 20, "announced": 20.0, "z": 0.0, "ratio": 1.0}
    well = {
        "model_version": "v",
        "age": {"model_days": 90, "last_day": "2026-06-30", "is_silent": False},
        "drift": {"alarms": [], "lost": []},
        "calibration": {"coins": coins, "refit": None},
        "ranking": {"auc": {"value": 0.74, "low": 0.6}, "then": {"value": 0.75}, "p": 0.4, "chance_to_see": 0.3, "n_deals": 99},
        "promises": None,
    }
    return well | changed


GROUP = {"kind": "tier", "name": "A", "n": 90, "p": 1e-6, "ratio": 0.4, "win_rate": {"value": 0.2}, "announced_rate": 0.5}


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, "go_on"),
        ({"age": {"model_days": OLD + 1, "last_day": None, "is_silent": False}}, "retrain"),
        ({"age": {"model_days": 9, "last_day": "2026-01-01", "is_silent": True}}, "stop"),
        ({"ranking": facts()["ranking"] | {"p": 0.001}}, "retrain"),
        ({"ranking": facts()["ranking"] | {"p": 0.001, "auc": {"value": 0.52, "low": 0.45}}}, "stop"),
        ({"drift": {"alarms": [{"what": "values", "feature": "x"}], "lost": []}}, "retrain"),
        ({"promises": {"version": "v", "groups": [GROUP]}}, "recalibrate"),
        ({"promises": {"version": "another", "groups": [GROUP]}}, "go_on"),
    ],
)
def test_the_verdict_is_the_gravest_that_a_fact_asks_for(changed, verdict):
    assert reach_verdict(facts(**changed), oldest_days=OLD)[0] == verdict


def test_a_drift_that_many_closed_deals_show_to_be_harmless_asks_for_nothing():
    alarms = {"alarms": [{"what": "values", "feature": "x"}], "lost": []}
    seen = facts()["ranking"] | {"chance_to_see": 0.9}
    verdict, reasons = reach_verdict(facts(drift=alarms, ranking=seen), oldest_days=OLD)
    assert verdict == "go_on" and len(reasons) == 1


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_reason_can_be_said(quiet, lang):
    shares = {"feature": "sector", "size": 0.3, "p": 1e-6, "n": 90, "then": 0.1, "now": 0.4}
    well = {"day": "2026-06-30", "feature": "sector", "days": 300, "most": 200, "value": 0.5, "tier": "A", **shares}
    coins = well | {"seen": 3, "announced": 12.4}
    keys = (
        "silent",
        "lost",
        "blind",
        "fell",
        "old",
        "wins",
        "slope",
        "tier",
        "drift_values",
        "drift_missing",
        "drift_new_levels",
    )
    for key in keys:
        reason = Reason("retrain", key, coins).to_dict()
        page = monitor_page(quiet | {"as_of": "2026-06-30", "verdict": "retrain", "reasons": [reason]}, lang=lang)
        assert "{" not in page.split("<main>")[1]
        assert words_in(lang).say("monitor_verdict_retrain") in unescape(page)


def test_exit_codes_are_no_one_else_s():
    from winworth import errors

    taken = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}
    assert not taken & (set(EXIT_CODES.values()) - {0})
    assert all(a != b for a, b in combinations(EXIT_CODES.values(), 2))


@pytest.mark.slow
def test_of_twelve_companies_in_which_nothing_changed_hardly_one_is_alarmed(tmp_path, monkeypatch):
    monkeypatch.setattr(flow, "record_monitoring", lambda *args: None)
    alarmed = []
    for seed in range(11, 23):
        home = tmp_path / str(seed)
        watched = crown(company(home, n_deals=1500, seed=seed), home, on=END - timedelta(days=LAG))
        alarmed += [seed] if monitor(watched.settings, as_of=END, home=home).verdict != "go_on" else []
    assert len(alarmed) <= 2, alarmed


@pytest.mark.slow
def test_a_summer_in_which_few_deals_open_raises_no_alarm(tmp_path):
    """Fewer young deals are no drift of the stage, which grows with age; this company was alarmed by it."""
    watched = crown(company(tmp_path, n_deals=3000, seed=1), tmp_path, on=date(2025, 6, 30))
    bundle = open_version(tmp_path / "models" / watched.version)
    scorer = Scorer.from_files(bundle.contents)
    prepared = prepare(watched.settings, as_of=date(2025, 8, 31), catalog=scorer.catalog)
    observed = observe(prepared, scorer, bundle, watched.settings)
    assert flow.drift_of(bundle, scorer, observed, date(2025, 8, 31))["alarms"] == []
    old = replace(bundle, contents=dict(bundle.contents) | {"reference.json": without_ages(bundle)})
    found = flow.drift_of(old, scorer, observed, date(2025, 8, 31))["alarms"]
    assert [alarm["feature"] for alarm in found] == ["stage"]  # so it was while ages were not kept


def without_ages(bundle) -> bytes:
    return json.dumps({name: told for name, told in bundle.json("reference.json").items() if name != "ages"}).encode()


def test_where_nothing_has_been_observed_no_figure_is_told(quiet):
    known = quiet | {"as_of": "2026-06-30", "verdict": "go_on", "reasons": []}
    told = json.loads(json.dumps(known, default=str))
    told["calibration"]["coins"]["n"] = told["drift"]["n"] = 0
    for lang, says in (("en", "Not measured"), ("fr", "Non mesuré")):
        page = unescape(monitor_page(told, lang=lang))
        assert page.count(says) >= 2 and " z 0" not in page and "PSI</th>" not in page
    assert "nothing has been observed since training" in unescape(monitor_page(told, lang="en"))
    assert "nothing has been observed" not in unescape(monitor_page(known, lang="en"))
