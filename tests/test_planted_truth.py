"""What was planted comes back, and where nothing was planted nothing is found."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from winworth.bundle import open_version
from winworth.config import Settings, load_settings
from winworth.crm.synthetic import World, software_company, write_exports
from winworth.errors import GateRefused
from winworth.flows.predict import predict
from winworth.flows.promote import Signature, promote
from winworth.flows.scorecard import QUICK
from winworth.flows.train import train
from winworth.scoring.settings import Serving

AS_OF = date(2026, 6, 30)
CONF = Path(__file__).parents[1] / "conf"


def settings_for(folder: Path, **training) -> Settings:
    settings = load_settings(CONF)
    return replace(
        settings,
        crm=replace(settings.crm, folder=str(folder)),
        training=replace(settings.training, n_boot=60, leak_tax=False, weights=QUICK, **training),
    )


def exported(world: World, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_exports(world, folder)
    return folder


def with_shuffled_labels(world: World, seed: int) -> World:
    """Deal the outcomes of the closed deals out anew: amounts and days go with the outcome, nothing else does."""
    deals = world.tables["deals"]
    closed = np.flatnonzero(deals["status"] != "open")
    drawn = np.random.default_rng(seed).permutation(closed)
    columns = ["status", "amount", "loss_reason"]
    shuffled = deals.copy()
    shuffled.loc[shuffled.index[closed], columns] = deals.loc[deals.index[drawn], columns].to_numpy()
    return replace(world, tables={**world.tables, "deals": shuffled.astype(deals.dtypes)})


def test_the_order_of_the_three_strongest_criteria_comes_back(demo):
    world = software_company(n_deals=6000, as_of=AS_OF, seed=1)
    found = demo.done.trained.scorer.weights.table["weight"]
    assert found.index[:3].tolist() == world.truth.sort_values(ascending=False).index[:3].tolist()


def test_a_noise_criterion_and_a_postcode_decoy_weigh_little(demo):
    weight = demo.done.trained.scorer.weights.table["weight"]
    assert weight.sum() == 100
    assert weight["billing_day"] + weight["postcode"] <= 20


def test_the_leak_that_was_refused_would_have_flattered(demo):
    tax = demo.done.trained.metrics["leak_tax"]
    assert "deals.loss_reason" in tax["columns"]
    assert tax["auc_with"] > tax["auc_without"] + 0.1


def test_the_model_comes_near_the_oracle_and_not_above_what_can_be_known(demo):
    win = demo.done.trained.metrics["win"]
    assert win["out_of_time"]["auc"]["low"] < 0.82
    assert win["out_of_time"]["auc"]["value"] > 0.74


@pytest.mark.parametrize("made", ["shuffled", "null twin"])
def test_without_signal_ranking_is_a_coin_toss_and_promotion_is_refused(made, tmp_path):
    world = software_company(n_deals=6000, as_of=AS_OF, seed=3, signal=made == "shuffled")
    if made == "shuffled":
        world = with_shuffled_labels(world, seed=5)
    trained = train(settings_for(exported(world, tmp_path / "exports")), as_of=AS_OF, home=tmp_path)
    auc = trained.metrics["win"]["baselines"]["criteria"]["auc"]
    assert abs(auc["value"] - 0.5) <= 3 * (auc["high"] - auc["low"]) / 3.92
    assert not trained.metrics["gate"]["passed"]
    with pytest.raises(GateRefused, match="nothing to rank by"):
        promote(tmp_path)


def learnt(home: Path, version: str) -> dict[str, bytes]:
    """Return what was learnt, without the record of the files read."""
    contents = open_version(home / "models" / version).contents
    return {name: content for name, content in contents.items() if name not in ("metrics.json", "model_card.md")}


def test_what_happens_after_the_as_of_date_changes_no_byte_of_what_is_learnt(tmp_path):
    world = software_company(n_deals=1500, as_of=AS_OF, seed=2)
    as_of = AS_OF - timedelta(days=120)
    later = software_company(n_deals=1500, as_of=AS_OF, seed=2).tables
    day = pd.Timestamp(as_of)
    deals = later["deals"]
    ends_later = deals["closed_on"] > day
    swapped = deals["status"].mask(ends_later, deals["status"].map({"won": "lost", "lost": "won", "open": "open"}))
    changed = deals.assign(status=swapped, amount=deals["amount"].mask(ends_later, deals["amount"] * 3))
    activities = later["activities"]
    lively = activities.assign(kind=activities["kind"].mask(activities["happened_on"] > day, "meeting"))
    other = replace(world, tables={**later, "deals": changed, "activities": lively})
    versions = []
    for name, told in (("as it was", world), ("otherwise", other)):
        home = tmp_path / name
        versions.append(learnt(home, train(settings_for(exported(told, home / "exports")), as_of=as_of, home=home).version))
    assert versions[0] == versions[1]


def test_the_same_inputs_give_the_same_version_whatever_the_threads_and_the_order_of_rows(tmp_path):
    world = software_company(n_deals=1200, as_of=AS_OF, seed=4)
    rng = np.random.default_rng(0)
    mixed = {name: table.iloc[rng.permutation(len(table))].reset_index(drop=True) for name, table in world.tables.items()}
    found = []
    for name, tables, threads in (("plain", world.tables, 2), ("again", world.tables, 1), ("mixed", mixed, 2)):
        home = tmp_path / name
        folder = exported(replace(world, tables=tables), home / "exports")
        found.append(learnt(home, train(settings_for(folder, threads=threads), as_of=AS_OF, home=home).version))
    assert found[0] == found[1]
    assert found[0] == found[2]


def test_fewer_than_fifty_wins_give_a_base_rate_and_no_weights(tmp_path):
    world = software_company(n_deals=150, as_of=AS_OF, seed=6)
    trained = train(settings_for(exported(world, tmp_path / "exports")), as_of=AS_OF, home=tmp_path)
    assert trained.metrics["mode"] == "base_rate"
    assert not trained.metrics["weights_published"]
    rate = trained.metrics["win"]["baselines"]["base_rate"]["base_rate"]
    assert rate["low"] < rate["value"] < rate["high"]
    with pytest.raises(GateRefused, match="at least 50 and 50 are needed"):
        promote(tmp_path)


@pytest.mark.long
def test_ten_times_the_money_is_ten_times_every_value_and_leaves_tiers_alone(tmp_path):
    world = software_company(n_deals=1500, as_of=AS_OF, seed=7)
    money = {"deals": ["amount"], "invoices": ["amount", "margin"]}
    tenfold = {n: world.tables[n].assign(**{c: 10 * world.tables[n][c] for c in columns}) for n, columns in money.items()}
    found = []
    for name, tables in (("once", world.tables), ("tenfold", {**world.tables, **tenfold})):
        home = tmp_path / name
        settings = settings_for(exported(replace(world, tables=tables), home / "exports"))
        settings = replace(settings, scoring=replace(settings.scoring, serving=Serving()))
        train(settings, as_of=AS_OF, home=home)
        promote(home, signature=Signature("a test", "it compares two"))
        found.append(predict(settings, as_of=AS_OF, home=home).accounts.set_index("account_id"))
    once, ten = found[0], found[1].loc[found[0].index]
    for column in ("lifetime_value", "value_low", "value_high", "residual_value", "expected_value"):
        assert np.allclose(ten[column], 10 * once[column], rtol=1e-4), column
    assert (once["tier"] == ten["tier"]).all()
    assert np.allclose(once["win_probability"], ten["win_probability"])
