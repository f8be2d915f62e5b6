"""What won deals bring is read from what is there, said aloud, and never taken from what came later."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from winworth.config import load_settings
from winworth.crm.outcomes import attach_outcomes
from winworth.crm.snapshot import take_snapshot
from winworth.crm.synthetic import software_company
from winworth.errors import IntegrityError
from winworth.features.examples import training_examples
from winworth.flows.customers import customers_files, judge_customers, learn_customers, read_customers, residual_values
from winworth.flows.worth import BASES, worth_of
from winworth.tables import CrmTables, ReadReport

AS_OF = date(2026, 6, 30)
WORLD = software_company(n_deals=2500, as_of=AS_OF, seed=5)


@pytest.fixture(scope="module")
def settings(pytestconfig):
    return load_settings(pytestconfig.rootpath / "conf")


def snapshot_of(as_of=AS_OF, **tables):
    """Take the company with some tables replaced (None: absent)."""
    kept = {name: table for name, table in {**WORLD.tables, **tables}.items() if table is not None}
    return take_snapshot(CrmTables(kept, {}, ReadReport((), pd.DataFrame())), as_of=as_of)


def rows_of(snapshot):
    return attach_outcomes(training_examples(snapshot, observe_at_days=(0,), exclude_kinds=("renewal",)), snapshot)


def worth(settings, snapshot):
    rows = rows_of(snapshot)
    return worth_of(rows, snapshot, settings), rows


def test_recent_wins_are_completed_and_their_value_follows_the_planted_one(settings):
    found, rows = worth(settings, snapshot_of())
    assert found.basis == "margin"
    assert 0.5 < found.share_seen < 0.95
    amount = rows["amount"].to_numpy()
    known = ~np.isnan(found.money)
    assert known.sum() > 300
    ended = (pd.Timestamp(AS_OF) - rows["ended_on"]).dt.days
    ratio = {name: found.money[known & of].sum() / amount[known & of].sum() for name, of in halves(ended).items()}
    assert ratio["recent"] == pytest.approx(ratio["old"], rel=0.12)  # what they have paid so far is half of it


def halves(ended):
    return {"recent": (ended < 240).to_numpy(), "old": (ended > 730).to_numpy()}


def test_the_bases_are_margin_turnover_and_the_deals_own_amount(settings):
    without = WORLD.tables["invoices"].drop(columns="margin")
    found = {name: worth(settings, snapshot_of(invoices=t))[0] for name, t in (("turnover", without), ("deal_amount", None))}
    assert {name: w.basis for name, w in found.items()} == {"turnover": "turnover", "deal_amount": "deal_amount"}
    assert "turnover x 0.7 stands in" in found["turnover"].notes[0]
    rows = rows_of(snapshot_of())
    money = found["deal_amount"].money
    assert np.allclose(money[rows["won"]], rows.loc[rows["won"], "amount"] * 0.7)
    assert set(BASES) == {"margin", "turnover", "deal_amount", "none"}


def test_a_few_missing_margins_follow_the_rate_of_the_others(settings):
    invoices = WORLD.tables["invoices"]
    gaps = invoices.assign(margin=invoices["margin"].mask(invoices.index % 10 == 0))
    found, whole = worth(settings, snapshot_of(invoices=gaps))[0], worth(settings, snapshot_of())[0]
    assert found.basis == "margin" and "invoices have no margin: the rate of the others" in found.notes[0]
    assert np.nansum(found.money) == pytest.approx(np.nansum(whole.money), rel=0.02)


def test_a_deal_won_long_ago_and_never_invoiced_is_unknown_or_nothing_as_the_settings_say(settings):
    invoices, deals = WORLD.tables["invoices"], WORLD.tables["deals"]
    old = deals[(deals["status"] == "won") & (deals["kind"] == "new") & (deals["closed_on"] < "2025-01-01")]
    silent = old["account_id"].iloc[0]
    snapshot = snapshot_of(invoices=invoices[invoices["account_id"] != silent])
    nothing = replace(
        settings, scoring=replace(settings.scoring, value=replace(settings.scoring.value, zero_amounts="nothing"))
    )
    (unknown, rows), (zero, _) = worth(settings, snapshot), worth(nothing, snapshot)
    own = ((rows["account_id"] == silent) & rows["won"] & (rows["ended_on"] < "2025-01-01")).to_numpy()
    assert np.isnan(unknown.money[own]).all() and (zero.money[own] == 0).all()
    assert any("never invoiced" in note for note in unknown.notes)


def test_what_is_invoiced_later_changes_nothing_that_was_known_on_a_day(settings):
    day = AS_OF - timedelta(days=200)
    invoices = WORLD.tables["invoices"]
    later = invoices["invoiced_on"] > pd.Timestamp(day)
    other = invoices.assign(margin=invoices["margin"].mask(later, 1e6))
    one, two = (worth(settings, snapshot_of(day, invoices=t))[0] for t in (invoices, other))
    assert np.array_equal(one.money, two.money, equal_nan=True)


def test_ten_times_the_money_is_ten_times_the_worth(settings):
    invoices = WORLD.tables["invoices"]
    tenfold = invoices.assign(amount=invoices["amount"] * 10, margin=invoices["margin"] * 10)
    one, ten = (worth(settings, snapshot_of(invoices=t))[0].money for t in (invoices, tenfold))
    assert np.allclose(ten, 10 * one, rtol=1e-6, equal_nan=True)


def test_customers_are_judged_on_a_year_they_had_not_seen_and_beat_what_needs_no_model(settings):
    judged = judge_customers(snapshot_of(), settings)
    ways = judged["ways"]
    assert list(ways) == ["ours", "past spend", "last 12 months", "constant"]
    assert ways["ours"]["gini"] > ways["last 12 months"]["gini"]
    assert ways["ours"]["total_ratio_low"] < 1.1 and ways["ours"]["total_ratio_high"] > 0.9
    assert judged["coverage_80"]["all"]["n"] == judged["n"]
    invoices = WORLD.tables["invoices"]
    future = invoices["invoiced_on"] > "2025-07-01"
    other = judge_customers(snapshot_of(invoices=invoices.assign(margin=invoices["margin"].mask(future, 1.0))), settings)
    assert [row["predicted"] for row in other["deciles"]] == [row["predicted"] for row in judged["deciles"]]


def test_a_challenger_stands_beside_where_customers_buy_irregularly_and_is_told_why_not_where_they_do_not(settings):
    invoices = WORLD.tables["invoices"]
    assert "vary by" in judge_customers(snapshot_of(), settings)["challenger"]
    rng = np.random.default_rng(0)
    scattered = invoices[rng.random(len(invoices)) < 0.3]
    moved = pd.to_timedelta(rng.integers(-20, 20, len(scattered)), "D")
    judged = judge_customers(snapshot_of(invoices=scattered.assign(invoiced_on=scattered["invoiced_on"] + moved)), settings)
    assert "stands beside" in judged["challenger"]
    assert judged["ways"]["BG/NBD + Gamma-Gamma"]["total_ratio"] > 0


def test_a_missing_margin_is_filled_by_what_was_known_before_the_year_held_out(settings):
    invoices = WORLD.tables["invoices"]
    gaps = invoices.assign(margin=invoices["margin"].mask(invoices.index % 10 == 0))
    future = gaps["invoiced_on"] > "2025-07-01"
    found = [
        judge_customers(snapshot_of(invoices=t), settings) for t in (gaps, gaps.assign(margin=gaps["margin"].mask(future, 1.0)))
    ]
    assert found[0]["deciles"][0]["predicted"] == found[1]["deciles"][0]["predicted"]


def test_who_was_never_invoiced_has_no_residual_value_and_without_invoices_nobody_has(settings):
    snapshot = snapshot_of()
    told = residual_values(learn_customers(snapshot, settings), snapshot, settings)
    assert set(told["account_id"]) == set(WORLD.tables["invoices"]["account_id"])
    assert (told["value"] >= 0).all() and (told["low"] <= told["value"]).mean() > 0.9
    bare = snapshot_of(invoices=None)
    assert learn_customers(bare, settings) is None and judge_customers(bare, settings) is None
    assert residual_values(None, bare, settings).empty


def test_files_of_another_winworth_are_refused_with_the_way_out(settings):
    files = customers_files(learn_customers(snapshot_of(), settings))
    name = next(name for name in files if b'"followed"' in files[name])
    older = files | {name: files[name].replace(b'"followed"', b'"other"')}
    with pytest.raises(IntegrityError, match="lack 'followed': another winworth wrote them"):
        read_customers(older)
