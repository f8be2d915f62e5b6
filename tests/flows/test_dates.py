from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.crm.snapshot import take_snapshot
from winworth.crm.synthetic.growth import AS_OF, growing_pipeline
from winworth.flows.dates import DATE_COLUMNS, close_dates, horizon_to_propose, learn_dates, read_dates
from winworth.models.censoring import Histories
from winworth.models.task import WinTask
from winworth.tables import CrmTables, ReadReport

OPEN = 2**40
DAY = date(2026, 6, 30)
DAY_NUMBER = int(np.datetime64(DAY, "D").astype(int))


def task_of(n_deals, seed=0):
    """Return a task on deals observed as they open, and the rows behind it."""
    world = growing_pipeline(n_deals=n_deals, wins="slower", seed=seed)
    shift = DAY_NUMBER - AS_OF
    opened, ended = world.opened + shift, world.ended + shift
    is_closed = ended <= DAY_NUMBER
    known = Histories(opened, np.where(is_closed, ended, OPEN), world.won & is_closed)
    features = world.features.assign(sector=np.where(world.features["noise"] > 0, "steel", "retail"))
    ended_on = pd.Series(ended.astype("datetime64[D]").astype("datetime64[s]")).where(is_closed)
    rows = pd.DataFrame(
        {"deal_id": [f"D{at}" for at in range(n_deals)], "age_days": 0.0, "ended_on": ended_on, "won": known.won}
    )
    return WinTask(features, known.won, np.ones(n_deals), np.arange(n_deals), 180, known, threads=1), rows


def snapshot_of(deals):
    return take_snapshot(CrmTables({"deals": pd.DataFrame(deals)}, {}, ReadReport((), pd.DataFrame())), as_of=DAY)


def deals_won_after(days, **columns):
    opened = pd.Timestamp("2025-01-01").as_unit("s")
    closed = [opened + pd.Timedelta(days=n) for n in days]
    ids = [f"D{at}" for at in range(len(days))]
    return {"deal_id": ids, "status": "won", "opened_on": opened, "closed_on": pd.Series(closed).dt.as_unit("s")} | columns


@pytest.fixture(scope="module")
def learnt():
    task, rows = task_of(900)
    return task, learn_dates(task, rows, as_of=DAY)


def scored_rows(n):
    rows = pd.DataFrame({"basis": "open_deal", "age_days": np.linspace(0, 200, n)}, index=range(10, 10 + n))
    return rows.assign(
        basis=rows["basis"].mask(rows.index == 11, "next_deal"), age_days=rows["age_days"].mask(rows.index == 12)
    )


def test_open_deals_of_known_age_are_dated_after_the_day_and_no_others(learnt):
    task, dates = learnt
    rows = scored_rows(20)
    told = close_dates(dates, rows, task.features[:20].set_axis(rows.index), as_of=DAY)
    assert tuple(told) == DATE_COLUMNS
    assert list(told.index[told.isna().any(axis=1)]) == [11, 12]
    known = told.dropna()
    assert (known["expected_close_low"] > pd.Timestamp(DAY)).all()
    assert (known["expected_close_low"] < known["expected_close_on"]).all()
    assert (known["expected_close_on"] < known["expected_close_high"]).all()


def test_without_dates_the_columns_are_there_and_empty(learnt):
    rows = scored_rows(4)
    told = close_dates(None, rows, learnt[0].features[:4], as_of=DAY)
    kept = close_dates(learnt[1], rows, learnt[0].features[:4], as_of=DAY)
    assert told.isna().all(axis=None)
    assert told.dtypes.tolist() == kept.dtypes.tolist()


def test_dates_read_from_their_files_are_the_same(learnt):
    task, dates = learnt
    again = read_dates(dates.to_files() | {"win.json": b"{}", "metrics.json": b"{}"})
    told = [d.predict(task.features, np.zeros(len(task.won)), as_of=DAY) for d in (dates, again)]
    pd.testing.assert_frame_equal(*told)


def test_a_model_version_without_dates_gives_none():
    assert read_dates({"win.json": b"{}"}) is None


@pytest.mark.parametrize("n_deals", [0, 60])
def test_too_few_deals_are_not_dated(n_deals):
    task, rows = task_of(60)
    kept = np.arange(n_deals)
    few = WinTask(task.features.iloc[kept], task.won[kept], task.weight[kept], kept, 180, task.histories.take(kept))
    assert learn_dates(few, rows.iloc[kept], as_of=DAY) is None


def test_deals_without_dates_are_not_dated():
    task, rows = task_of(900)
    undated = WinTask(task.features, task.won, task.weight, task.accounts, 180)
    assert learn_dates(undated, rows, as_of=DAY) is None


def test_the_proposed_horizon_counts_from_the_opening_and_leaves_out_kinds():
    kinds = ["new"] * 5 + ["renewal"] * 5
    deals = deals_won_after([10, 20, 30, 40, 50, 300, 300, 300, 300, 300], kind=kinds)
    assert horizon_to_propose(snapshot_of(deals), exclude_kinds=("renewal",)) == 40
    assert horizon_to_propose(snapshot_of(deals)) == 300


def test_without_dates_no_horizon_is_proposed():
    assert horizon_to_propose(snapshot_of({"deal_id": ["D1"], "status": ["won"]})) is None
