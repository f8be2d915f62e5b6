import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from winworth.crm.synthetic.growth import AS_OF, growing_pipeline
from winworth.models.censoring import Histories
from winworth.models.hazards import LEAST_ROWS, MOST_DAYS, CompetingHazards
from winworth.models.trees import TreeSize

OPEN = 2**40
SMALL = TreeSize(4, 40, 0.1, min_rows=20)
BENCH = Path(__file__).parents[2] / "bench" / "growth.py"


@pytest.fixture(scope="module")
def bench():
    """Return bench/growth.py as a module."""
    spec = importlib.util.spec_from_file_location("bench_growth", BENCH)
    module = sys.modules["bench_growth"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["bench_growth"]


@pytest.fixture(scope="module")
def learnt(bench):
    """Return a world, its examples, and hazards learnt from them."""
    world = growing_pipeline(n_deals=3000, wins="faster", seed=3)
    given = bench.known(world)
    model = CompetingHazards(0.1, SMALL, threads=1).fit(given.X, given.histories, given.age, day=AS_OF)
    return world, given, model


def constant_world(won=0.1, lost=0.2, n=20_000, seed=0):
    """Draw deals whose chance to be won, and lost, is the same each 30 days, none of them followed for over 20 periods."""
    rng = np.random.default_rng(seed)
    closes_in = rng.geometric(won + lost, n)
    ended = np.where(closes_in <= 20, closes_in * 30 - rng.integers(0, 30, n), OPEN)
    return Histories(np.zeros(n, dtype=int), ended, (rng.random(n) < won / (won + lost)) & (ended < OPEN))


def flat(history, *, day=600, **settings):
    X = np.zeros((len(history.won), 1))
    return CompetingHazards(threads=1, **settings).fit(X, history, np.zeros(len(X)), day=day), X[:1]


def test_constant_hazards_come_back():
    model, X = flat(constant_world())
    won, lost = model.hazards(X, np.zeros(1), 15)
    assert won == pytest.approx(0.1, abs=0.012)
    assert lost == pytest.approx(0.2, abs=0.016)


def test_incidence_and_days_are_those_of_the_hazards_summed_by_hand():
    model, X = flat(constant_world())
    won, lost = (part[0] for part in model.hazards(X, np.array([60.0]), 400))
    still_open, won_by, days, closed, to_win = 1.0, [], 0.0, [0.0], 0.0
    for k in range(MOST_DAYS // 30):
        won_by.append((won_by[-1] if won_by else 0.0) + still_open * won[k])
        days += still_open * (won[k] + lost[k]) * (30 * k + 15)
        to_win += still_open * won[k] * (30 * k + 15)
        still_open *= 1 - won[k] - lost[k]
        closed.append(1 - still_open)
    told = model.days_to_close(X, np.array([60.0]))
    assert model.win_probability_by(X, np.array([60.0]), 180)[0] == pytest.approx(won_by[5])
    assert model.win_probability_by(X, np.array([60.0]), 75)[0] == pytest.approx((won_by[1] + won_by[2]) / 2)
    assert told.expected[0] == pytest.approx(days)
    assert told.to_win[0] == pytest.approx(to_win / won_by[-1])
    ends = 30.0 * np.arange(len(closed))
    assert told.low[0] == pytest.approx(np.interp(0.1, closed, ends))
    assert told.high[0] == pytest.approx(np.interp(0.9, closed, ends))


def test_a_period_that_is_only_partly_seen_counts_for_no_deal():
    whole = constant_world(n=2000)
    shorter = Histories(whole.observed, np.where(whole.ended > 300, OPEN, whole.ended), whole.won & (whole.ended <= 300))
    found, until = (flat(history, day=day)[0] for history, day in ((whole, 317), (shorter, 300)))
    assert json.dumps(found.to_files("dates")) == json.dumps(until.to_files("dates"))


def test_a_deal_that_closes_on_the_last_day_of_a_period_closes_in_it():
    ended = np.r_[np.full(300, 30), np.full(300, 60)]
    model, X = flat(Histories(np.zeros(600, dtype=int), ended, np.arange(600) % 2 == 0))
    won, lost = (part[0] for part in model.hazards(X, np.zeros(1), 2))
    assert won + lost == pytest.approx([0.5, 1.0], abs=0.03)


def test_keeping_closed_deals_of_a_partly_seen_period_would_raise_hazards_and_ours_are_not_raised():
    rng = np.random.default_rng(5)
    n, day = 20_000, 100
    observed = rng.integers(0, 100, n)
    ended = observed + np.ceil(rng.exponential(100, n)).astype(int)
    history = Histories(observed, np.where(ended <= day, ended, OPEN), (rng.random(n) < 0.5) & (ended <= day))
    model, X = flat(history, day=day)
    won, lost = model.hazards(X, np.zeros(1), 1)
    assert won[0, 0] + lost[0, 0] == pytest.approx(1 - np.exp(-0.3), rel=0.05)
    n_ended, n_whole = ((ended - observed <= 30) & (ended <= day)).sum(), (observed <= day - 30).sum()
    careless = n_ended / (n_whole + ((observed > day - 30) & (ended <= day)).sum())
    assert careless > 1.1 * (1 - np.exp(-0.3))


def test_beyond_the_data_the_hazard_is_that_of_the_last_period(learnt):
    world, given, model = learnt
    won, lost = model.hazards(given.X[:5], np.full(5, 90.0), 100)
    n = int(model.last_age_) + 1
    assert (won[:, n:] == won[:, [n]]).all()
    assert (lost[:, n:] == lost[:, [n]]).all()
    oldest = model.hazards(given.X[:5], np.full(5, 30 * model.last_age_), 3)
    older = model.hazards(given.X[:5], np.full(5, 30 * model.last_age_ + 900), 3)
    assert all((a == b).all() for a, b in zip(oldest, older, strict=True))


def test_the_last_period_has_enough_rows_with_those_of_later_periods(learnt):
    world, given, model = learnt
    observed, ended = given.histories.observed, given.histories.ended
    n_periods = np.minimum((AS_OF - observed) // 30, (ended - observed - 1) // 30 + 1)
    n_from = [np.maximum(n_periods - model.last_since_ - later, 0).sum() for later in (0, 1)]
    assert n_from[0] >= LEAST_ROWS > n_from[1]


def test_win_probability_grows_with_the_days_and_never_passes_one(learnt):
    world, given, model = learnt
    told = np.array([model.win_probability_by(given.X[:300], given.age[:300], days) for days in (0, 10, 30, 95, 180, 3000)])
    assert (told[0] == 0).all()
    assert (np.diff(told, axis=0) > 0).all()
    assert told.max() < 1


def test_a_row_is_told_the_same_whatever_stands_beside_it(learnt, monkeypatch):
    world, given, model = learnt
    together = model.days_to_close(given.X[:50], given.age[:50]).expected
    alone = [model.days_to_close(given.X[[i]], given.age[[i]]).expected[0] for i in range(50)]
    assert together == pytest.approx(alone, rel=1e-12)
    monkeypatch.setattr("winworth.models.hazards.CHUNK", 7)
    assert model.days_to_close(given.X[:50], given.age[:50]).expected == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("wins", ["slower", "faster"])
def test_four_open_deals_in_five_close_within_the_interval(bench, wins):
    world = growing_pipeline(n_deals=4000, wins=wins, seed=4)
    given = bench.known(world)
    model = CompetingHazards(0.1, SMALL, threads=1).fit(given.X, given.histories, given.age, day=AS_OF)
    still_open = np.flatnonzero(world.ended > AS_OF)
    age = (AS_OF - world.opened[still_open]).astype(float)
    told = model.days_to_close(bench.matrix(world, still_open, age), age)
    days = (world.ended - AS_OF)[still_open]
    assert 0.74 < ((told.low <= days) & (days <= told.high)).mean() < 0.86
    assert ((told.low < told.expected) & (told.expected < told.high)).all()
    assert told.expected.mean() == pytest.approx(days.mean(), rel=0.2)
    won = world.won[still_open]
    assert told.to_win[won].mean() == pytest.approx(days[won].mean(), rel=0.2)


def test_what_is_written_and_read_predicts_the_same(learnt):
    world, given, model = learnt
    files = model.to_files("dates")
    assert sorted(files) == ["dates.json", "dates_lost.json", "dates_lost_trees.txt", "dates_won.json", "dates_won_trees.txt"]
    read = {name: value if isinstance(value, str) else json.loads(json.dumps(value)) for name, value in files.items()}
    again = CompetingHazards.from_files(read, "dates")
    for found, wanted in zip(
        again.hazards(given.X[:99], given.age[:99], 9), model.hazards(given.X[:99], given.age[:99], 9), strict=True
    ):
        assert found.tolist() == wanted.tolist()


def test_the_same_rows_give_the_same_bytes(learnt):
    world, given, model = learnt
    again = CompetingHazards(0.1, SMALL, threads=2).fit(given.X, given.histories, given.age, day=AS_OF)
    assert json.dumps(again.to_files("dates")) == json.dumps(model.to_files("dates"))


def test_a_row_of_weight_two_counts_as_two_rows():
    history = constant_world(n=400)
    X = np.random.default_rng(1).normal(size=(400, 2))
    twice = np.r_[np.arange(400), np.arange(100)]
    weighted = CompetingHazards().fit(X, history, np.zeros(400), day=600, sample_weight=np.r_[np.full(100, 2), np.ones(300)])
    repeated = CompetingHazards().fit(X[twice], history.take(twice), np.zeros(500), day=600)
    found, wanted = (model.win_probability_by(X, np.zeros(400), 90) for model in (weighted, repeated))
    assert found == pytest.approx(wanted, abs=2e-3)


def test_no_deal_to_date_gives_no_dates(learnt):
    model = learnt[2]
    assert len(model.win_probability_by(np.empty((0, 5)), np.empty(0), 90)) == 0
    assert len(model.days_to_close(np.empty((0, 5)), np.empty(0)).high) == 0


def test_without_losses_it_refuses():
    history = Histories(np.zeros(40, dtype=int), np.arange(1, 41), np.ones(40, dtype=bool))
    with pytest.raises(ValueError, match="both won and lost deals, and 600 knows 40 and 0"):
        flat(history)


def test_what_happens_after_the_day_changes_nothing(learnt):
    world, given, model = learnt
    history = given.histories
    later = history.ended > AS_OF
    moved = Histories(history.observed, np.where(later, AS_OF + 1, history.ended), history.won | later)
    again = CompetingHazards(0.1, SMALL, threads=1).fit(given.X, moved, given.age, day=AS_OF)
    assert json.dumps(again.to_files("dates")) == json.dumps(model.to_files("dates"))


def test_where_the_pipeline_grows_censoring_is_right_and_the_naive_ways_are_not(bench):
    ratio = bench.compare(2, 3000)["ratio"].unstack("way")
    assert (ratio[["IPCW", "competing hazards"]] - 1).abs().max(axis=None) <= 0.10
    fresh = ratio.xs("fresh", level="deals")
    assert (fresh["open = not won"] < 0.85).all()
    assert fresh["open = not won"].min() < 0.76
    assert (fresh["closed deals only"] > 1.12).all()
    assert fresh.loc["faster", "IPCW, deals weigh 1"] > 1.10
