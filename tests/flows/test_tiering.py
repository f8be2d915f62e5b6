"""Tiers in a run: what the accounts, run.json and the warnings say."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from winworth.config import load_settings
from winworth.crm.snapshot import Snapshot
from winworth.crm.synthetic import software_company, write_exports
from winworth.flows.predict import predict
from winworth.flows.promote import Signature, promote
from winworth.flows.tiering import COLUMNS, Earlier, a_still_wins, due_scores, earlier_scores, outcomes_of, tier_accounts
from winworth.flows.train import train
from winworth.printed.scores import predicted
from winworth.scoring.settings import Scoring, Serving
from winworth.sheets import from_csv
from winworth.weights.effort import Effort
from winworth.weights.noise import Noise

CONF = Path(__file__).parents[2] / "conf"
NOISE = Noise((0.2,) * 10, 50)
HOURS = {"A": 10.0, "B": 4.0, "C": 0.5}


def accounts(n=100, seed=0):
    worth = np.random.default_rng(seed).lognormal(8, 1.5, n)
    ids = [f"A{k:03d}" for k in range(n)]
    return pd.DataFrame({"account_id": ids, "win_probability": 0.3, "expected_value": worth, "residual_value": 0.0})


def tiered(table, scoring=Scoring(), metrics=None, noise=NOISE, earlier=None):  # noqa: B008 (frozen)
    return tier_accounts(table, scoring, metrics or {}, noise=noise, earlier=earlier)


def scored_on(day, table, deals=None):
    return Earlier(day, table, pd.DataFrame() if deals is None else deals, {})


def test_every_account_has_its_tier_its_doubt_and_its_hours():
    found = tiered(accounts(), Scoring(serving=Serving(hours=HOURS)))
    assert list(found.accounts.columns[-5:]) == ["tier", "tier_doubt", "previous_tier", "tier_change_reason", "hours"]
    assert set(COLUMNS) < set(found.accounts.columns)
    assert found.accounts["tier"].value_counts().to_dict() == {"A": 20, "B": 30, "C": 50}
    assert found.accounts["hours"].sum() == 20 * 10 + 30 * 4 + 50 * 0.5
    assert found.accounts["tier_doubt"].between(0, 1).all()
    assert found.record["hours_used"] == {"A": 200, "B": 120, "C": 25} and found.record["hours_left"] is None
    assert found.warnings == ()


def test_hours_left_and_the_cuts_are_told():
    found = tiered(accounts(), Scoring(serving=Serving(10.0, HOURS, {"A": 95.0, "B": 41.0})))
    assert found.record["hours_left"] == {"A": 5, "B": 1}
    assert found.record["cuts"]["A"]["low"] < found.record["cuts"]["A"]["marginal"] < found.record["cuts"]["A"]["high"]
    json.dumps(found.record, allow_nan=False)


def test_without_noise_it_is_said_that_there_is_no_doubt_and_nothing_is_held():
    table = accounts()
    first = tiered(table, noise=None)
    assert first.accounts["tier_doubt"].isna().all() and "tiers have no doubt." in first.warnings[0]
    again = tiered(table, noise=None, earlier=scored_on(date(2026, 3, 31), first.accounts))
    assert "no account is held in its tier" in again.warnings[0]
    json.dumps(again.record, allow_nan=False)


def test_tiers_of_last_time_are_found_by_account_and_new_accounts_are_named_new():
    table = accounts()
    first = tiered(table)
    shuffled = first.accounts.iloc[10:].sample(frac=1, random_state=0)
    found = tiered(table, earlier=scored_on(date(2026, 3, 31), shuffled)).accounts
    assert (found["tier"] == first.accounts["tier"]).all()
    assert found["tier_change_reason"].tolist() == ["new"] * 10 + [""] * 90
    assert found["previous_tier"].tolist() == [""] * 10 + first.accounts["tier"].tolist()[10:]


def test_only_published_tiers_are_given_and_that_is_said():
    found = tiered(accounts(), metrics={"tiers": {"published": ["B", "C"]}})
    assert found.accounts["tier"].value_counts().to_dict() == {"B": 50, "C": 50}
    assert any("Only the tiers B, C are published" in warning for warning in found.warnings)


def test_where_no_value_is_known_the_chance_of_winning_decides_and_no_cost_is_asked():
    chance = np.linspace(0.01, 0.9, 100)
    table = accounts().assign(expected_value=np.nan, residual_value=0.0, win_probability=chance)
    found = tiered(table, Scoring(serving=Serving(65.0, HOURS)))
    assert (found.accounts["tier"] == "A").to_numpy().nonzero()[0].tolist() == list(range(80, 100))
    assert found.record["cuts"]["A"]["threshold"] == pytest.approx(np.sqrt(chance[79] * chance[80]))


def test_what_customers_still_bring_has_errors_of_its_own():
    table = accounts()
    half = tiered(table.assign(residual_value=table["expected_value"] / 2)).accounts
    whole = tiered(table).accounts
    assert (half["tier_doubt"] <= whole["tier_doubt"] + 1e-12).all() and half["tier_doubt"].sum() < whole["tier_doubt"].sum()
    only = tiered(table.assign(residual_value=table["expected_value"])).accounts
    pd.testing.assert_series_equal(only["tier_doubt"], whole["tier_doubt"])


def test_an_a_that_grows_is_an_alarm():
    table = accounts()
    before = scored_on(date(2026, 3, 31), tiered(table, Scoring(tiers={"A": 0.1, "B": 0.3})).accounts)
    assert any("A is 20% of the accounts, and was 10% last time" in said for said in tiered(table, earlier=before).warnings)
    poor = tiered(table, Scoring(serving=Serving(5e4, HOURS)))
    assert any("accounts are A, and the team could work 20" in warning for warning in poor.warnings)


def published(home, day, table, deals):
    folder = home / "scores" / day.isoformat()
    folder.mkdir(parents=True)
    table.to_parquet(folder / "account_scores.parquet")
    deals.to_parquet(folder / "deal_scores.parquet")
    (folder / "run.json").write_text("{}")


def test_the_latest_earlier_scores_are_found_and_never_those_of_the_day_or_later(tmp_path):
    assert earlier_scores(tmp_path, date(2026, 6, 30)) is None
    for day in (date(2026, 3, 31), date(2026, 5, 31), date(2026, 6, 30), date(2026, 7, 31)):
        published(tmp_path, day, accounts(3), pd.DataFrame({"deal_id": ["D"]}))
    (tmp_path / "scores" / "notes").mkdir()
    assert earlier_scores(tmp_path, date(2026, 6, 30)).as_of == date(2026, 5, 31)
    assert earlier_scores(tmp_path, date(2026, 3, 31)) is None


@pytest.mark.parametrize(("n_won", "alarm"), [(25, False), (8, True), (45, True)])
def test_an_a_that_wins_otherwise_than_announced_is_an_alarm_once_the_horizon_has_passed(tmp_path, n_won, alarm):
    n, then = 50, pd.Timestamp("2025-12-31")
    table = pd.DataFrame({"account_id": [f"A{k}" for k in range(n)], "tier": "A"})
    scores = pd.DataFrame({"deal_id": [f"D{k}" for k in range(n)], "account_id": table["account_id"], "win_probability": 0.5})
    published(tmp_path, then.date(), table, scores)
    won = np.arange(n) < n_won
    late = won & (np.arange(n) >= 45)  # won, but after the horizon
    ended = then + pd.to_timedelta(np.where(late, 170, 20), unit="D")
    deals = pd.DataFrame({"deal_id": scores["deal_id"], "status": np.where(won, "won", "lost"), "closed_on": ended})
    snapshot = Snapshot({"deals": deals.assign(opened_on=then)}, {}, date(2026, 6, 30))
    due = due_scores(tmp_path, snapshot.as_of, horizon_days=180)
    assert bool(a_still_wins(due, outcomes_of(due, snapshot, horizon_days=180))) is alarm
    assert due_scores(tmp_path, date(2026, 6, 28), horizon_days=180) is None


def test_a_second_scoring_keeps_tiers_tells_why_and_splits_what_moved(demo, demo_copy):
    import shutil

    shutil.copytree(demo.home / "scores", demo_copy.home / "scores")
    done = predict(demo_copy.settings, as_of=date(2026, 7, 15), home=demo_copy.home)
    told = json.loads((done.folder / "movement.json").read_text())
    causes = {cause["cause"]: cause for cause in told["causes"]}
    change = np.rint(100 * done.accounts["expected_value"]).sum()
    change -= np.rint(100 * demo.done.predicted.accounts["expected_value"]).sum()
    assert round(100 * sum(cause["money"] for cause in told["causes"])) == change
    assert abs(causes["restated"]["money"]) < 0.01 * len(done.accounts)
    assert causes["model"]["money"] == causes["weights"]["money"] == causes["cuts"]["money"] == 0 != causes["data"]["money"]
    assert set(done.accounts["tier_change_reason"]) <= {"", "rose", "fell", "held", "cost"}
    assert (done.accounts["tier_change_reason"] == "held").any() and done.run["tiering"]["since"] == "2026-06-30"
    lines = "\n".join(line for line in predicted(done).parts if isinstance(line, str))
    for said in ("The last A is expected to bring", "accounts are borderline", "Since 2026-06-30 expected value moved by"):
        assert said in lines
    assert len(from_csv((done.folder / "borderline.csv").read_bytes())) == done.run["tiering"]["n_borderline"]


@pytest.fixture(scope="module")
def two_quarters(tmp_path_factory):
    """Train, promote and score a small company at the end of two quarters; the second time from the same extract."""
    home = tmp_path_factory.mktemp("quarters")
    (home / "exports").mkdir()
    write_exports(software_company(n_deals=1500, as_of=date(2026, 6, 30), seed=3), home / "exports")
    settings = load_settings(CONF, overrides=("serving.capacity_hours={A: 1200, B: 800}",))
    training = replace(settings.training, n_boot=20, leak_tax=False, weights=Effort(12, 1, 1, 500))
    settings = replace(settings, training=training, crm=replace(settings.crm, folder=str(home / "exports"), archive=False))
    done = []
    for day in (date(2026, 3, 31), date(2026, 6, 30)):
        trained = train(settings, as_of=day, home=home)
        promote(home, signature=Signature("a test", "it compares two quarters"))
        done.append((trained, predict(settings, as_of=day, home=home)))
    return home, done


@pytest.mark.long
def test_training_says_which_tiers_differ_and_keeps_the_noise(two_quarters):
    trained = two_quarters[1][0][0]
    told = trained.metrics["tiers"]
    assert set(told["published"]) <= {"A", "B", "C"} and told["says"]
    assert len(trained.scorer.weights.doubt.noise.sd) == 10
    json.dumps(told, allow_nan=False)


@pytest.mark.long
def test_hours_hold_in_both_quarters_and_reasons_agree_with_the_tiers(two_quarters):
    (_, first), (_, second) = two_quarters[1]
    for done in (first, second):
        hours = done.accounts.groupby("tier")["hours"].sum()
        assert hours.get("A", 0) <= 1200 and hours.get("B", 0) <= 2000
    assert (first.accounts["previous_tier"] == "").all()
    found = second.accounts[second.accounts["previous_tier"] != ""]
    rose = found["tier"] < found["previous_tier"]
    assert (found.loc[rose, "tier_change_reason"].isin(["rose", "cost"])).all()
    stayed = found["tier"] == found["previous_tier"]
    assert (found.loc[stayed, "tier_change_reason"].isin(["", "held", "cost"])).all()


@pytest.mark.long
def test_the_ledger_of_a_quarter_checks_to_the_cent_and_restates_nothing_of_the_same_extract(two_quarters):
    home, ((_, first), (_, second)) = two_quarters
    told = json.loads((second.folder / "movement.json").read_text())
    now, before = (np.rint(100 * done.accounts["expected_value"]).sum() for done in (second, first))
    causes = {cause["cause"]: cause for cause in told["causes"]}
    assert round(100 * sum(cause["money"] for cause in told["causes"])) == now - before
    assert abs(causes["restated"]["money"]) < 0.01 * len(first.accounts)
    assert causes["model"]["money"] != 0 and causes["data"]["money"] != 0
    assert causes["weights"]["money"] == 0 and causes["cuts"]["money"] == 0
    assert sum(row["n"] for row in told["matrix"]) >= len(second.accounts)
    movers = from_csv((second.folder / "movement.csv").read_bytes())
    assert len(movers) == sum(row["n"] for row in told["matrix"] if row["previous_tier"] != row["tier"])
    assert not (first.folder / "movement.json").exists() and first.run["movement"] is None


@pytest.mark.long
def test_where_the_earlier_version_is_gone_it_is_said_and_nothing_is_split(two_quarters, tmp_path):
    import shutil

    home, ((trained, _), _) = two_quarters
    shutil.copytree(home, tmp_path / "home", symlinks=True)
    shutil.rmtree(tmp_path / "home" / "models" / trained.version)
    settings = load_settings(CONF)
    settings = replace(settings, crm=replace(settings.crm, folder=str(home / "exports")))
    done = predict(settings, as_of=date(2026, 6, 30), home=tmp_path / "home")
    assert done.run["movement"] is None and not (done.folder / "movement.json").exists()
    assert any("What moved since 2026-03-31 is not split by cause" in warning for warning in done.run["warnings"])


def test_where_there_is_no_account_there_is_no_tier_and_no_alarm():
    none = accounts()[:0]
    found = tiered(none, Scoring(serving=Serving(65.0, HOURS, {"A": 100.0, "B": 50.0})))
    assert found.accounts["tier"].tolist() == [] and found.warnings == ()
    assert tiered(none, earlier=scored_on(date(2026, 3, 31), tiered(none).accounts)).record["changes"] == {}
    json.dumps(found.record, allow_nan=False)


def test_the_demo_parts_its_tiers_and_knows_its_noise(demo):
    told = demo.done.trained.metrics["tiers"]
    assert told["published"] == ["A", "B", "C"]
    brought = [told["by_tier"][tier]["value"] for tier in "ABC"]
    assert brought[0] > 2 * brought[1] > 2 * brought[2]
    noise = demo.done.trained.scorer.weights.doubt.noise
    assert noise.n_boot == 50 and all(0.1 < sd < 0.4 for sd in noise.sd)
    found = demo.done.predicted.accounts
    assert found["tier_doubt"].between(0, 0.55).all() and 0.02 < found["tier_doubt"].mean() < 0.15
