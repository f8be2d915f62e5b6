import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from winworth.models import ladder
from winworth.models.folds import grouped_folds
from winworth.models.task import Rung, WinTask

RUNGS = {
    name: Rung(name, reads="criteria" if name == "criteria" else "all") for name in ("base rate", "criteria", "ridge", "trees")
}


def task_of(effect, *, seed, n=400):
    """Make a question whose answer hangs on `size` by `effect` and on nothing else; context is noise."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame({"size": rng.normal(size=n), "visits": rng.normal(size=n), "age": rng.normal(size=n)})
    won = rng.random(n) < expit(effect * features["size"].to_numpy() - 0.5)
    accounts = rng.integers(0, n // 2, n)
    return WinTask(features, won, np.ones(n), accounts, 180, context=frozenset({"age"}), seed=seed, threads=1)


def climbed(effect, seed):
    task = task_of(effect, seed=seed)
    return ladder.climb(task, grouped_folds(task.accounts, n_splits=3, seed=seed), n_deals=400)


def on_rows(margins, y, n_times=1):
    """Put margins on rows of one fold, each row an account that stands there `n_times`."""
    rows = np.tile(np.arange(len(y)), n_times)
    margins = {name: margin[rows] for name, margin in margins.items()}
    return ladder.Tested(rows, np.zeros(len(rows)), y[rows], np.ones(len(rows)), rows, margins)


@pytest.fixture(scope="module")
def outcomes():
    return (np.random.default_rng(0).random(400) < 0.4).astype(float)


@pytest.fixture(scope="module")
def margins(outcomes):
    """Return margins before trees: the base rate knows nothing, criteria alone know all, ridge lies between."""
    told = outcomes - 0.4
    ridge = 1.5 * told - 0.4 + 0.5 * np.random.default_rng(1).normal(size=400)
    return {"base rate": np.full(400, -0.4), "criteria": 20 * told, "ridge": ridge}


def trees_better_by(step, margins, outcomes, right):
    """Move the ridge margin towards the outcome on a share `right` of the rows, and away from it on the others."""
    towards = np.where(np.random.default_rng(3).random(400) < right, step, -step)
    return margins | {"trees": margins["ridge"] + towards * (outcomes - 0.4)}


def test_on_noise_the_chosen_rung_says_nothing_of_the_account():
    chosen = [climbed(0.0, seed).chosen.name for seed in range(5)]
    assert sum(name in ladder.SAYS_NOTHING for name in chosen) >= 4


def test_with_signal_the_ladder_is_climbed_and_criteria_alone_are_only_tested():
    for seed in range(2):
        climb = climbed(1.5, seed)
        assert climb.chosen.name in ("ridge", "trees", "average")
        assert {"base rate", "context", "criteria", "ridge", "trees", "average"} == set(climb.loss)
        assert climb.loss["ridge"] < climb.loss["context"]


def test_of_two_rungs_within_one_standard_error_the_simpler_is_chosen(outcomes, margins):
    climb = ladder._choose(RUNGS, on_rows(trees_better_by(0.4, margins, outcomes, right=0.58), outcomes))
    mean, error = climb.behind_best["ridge"]
    assert 0 < mean <= error
    assert climb.chosen.name == "ridge"


def test_a_rung_better_by_more_than_one_standard_error_is_chosen(outcomes, margins):
    climb = ladder._choose(RUNGS, on_rows(trees_better_by(0.4, margins, outcomes, right=0.8), outcomes))
    mean, error = climb.behind_best["ridge"]
    assert mean > error
    assert climb.chosen.name == "trees"


def test_criteria_alone_are_never_chosen_however_good(outcomes, margins):
    climb = ladder._choose(RUNGS, on_rows(trees_better_by(0.4, margins, outcomes, right=0.0), outcomes))
    assert climb.loss["criteria"] == min(climb.loss.values())
    assert climb.chosen.name == "ridge"


def test_rows_of_one_account_are_one_draw_in_the_choice(outcomes, margins):
    rungs = trees_better_by(0.4, margins, outcomes, right=0.58)
    once, often = (ladder._choose(RUNGS, on_rows(rungs, outcomes, n_times)) for n_times in (1, 9))
    assert often.behind_best["ridge"] == pytest.approx(once.behind_best["ridge"])
    assert often.chosen == once.chosen


def test_a_fold_is_calibrated_by_the_others(outcomes):
    margin = 4 * (outcomes - 0.5) * (np.random.default_rng(0).random(400) < 0.8)
    half = np.arange(400) % 2
    rows = ladder.Tested(np.arange(400), half, outcomes, np.ones(400), np.arange(400), {"ridge": margin})
    flipped = ladder.Tested(
        rows.rows, half, np.where(half == 0, 1 - outcomes, outcomes), rows.weight, rows.accounts, rows.margins
    )
    here = half == 0
    assert np.array_equal(rows.calibrated("ridge")[here], flipped.calibrated("ridge")[here])
    assert not np.allclose(rows.calibrated("ridge")[~here], flipped.calibrated("ridge")[~here])


def test_only_a_long_history_may_try_large_trees():
    assert [rung.name for rung in ladder.rungs_for(ladder.MANY_DEALS - 1)[1]] == ["trees"]
    assert [rung.size.leaves for rung in ladder.rungs_for(ladder.MANY_DEALS)[1]] == [6, 16, 63]


def test_trees_by_themselves_are_not_chosen_in_a_short_history(outcomes, margins):
    told = on_rows(trees_better_by(0.4, margins, outcomes, right=0.8), outcomes)
    assert ladder._choose(RUNGS, told).chosen.name == "trees"
    climb = ladder._choose(RUNGS, told, barred=("trees",))
    assert climb.chosen.name != "trees" and "trees" in climb.loss


def test_a_history_is_worth_no_more_than_its_rarer_outcome_bears():
    assert ladder.telling_deals(500, 500) == 1000
    assert ladder.telling_deals(60, 40_000) == ladder.telling_deals(40_000, 60) == 300
