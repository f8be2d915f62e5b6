from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from winworth.models.censoring import Histories
from winworth.models.evaluate import judge_forward, judge_grouped, leak_tax
from winworth.models.folds import Observed, forward_plan, grouped_folds
from winworth.models.ladder import climb
from winworth.models.task import Rung, WinTask

DAY, HORIZON = 19_000, 60


def task_of(effect, *, seed=0, n=1200):
    """Make two years of dated deals whose wins hang on `size` by `effect`; accounts come back."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame({"size": rng.normal(size=n), "visits": rng.normal(size=n)})
    won = rng.random(n) < expit(effect * features["size"].to_numpy() - 0.3)
    observed = rng.integers(DAY - 730, DAY, n)
    ended = observed + rng.integers(1, 75, n)
    histories = Histories(observed, np.where(ended <= DAY, ended, 2**40), won & (ended <= DAY))
    return WinTask(features, won, np.ones(n), rng.integers(0, n // 4, n), HORIZON, histories, seed=seed, threads=1)


def planned(task):
    observed = Observed(task.histories.observed, np.arange(len(task.won)), task.accounts)
    return forward_plan(observed, lambda fold: len(fold.train) > 150, day=DAY, horizon=HORIZON)


@pytest.fixture(scope="module")
def noise():
    task = task_of(0.0, seed=3)
    return task, planned(task)


@pytest.fixture(scope="module")
def noise_report(noise):
    task, plan = noise
    ladder = climb(task, plan.choice, n_deals=1200)
    ladder = replace(ladder, chosen=ladder.rungs["average"])
    return judge_forward(task, plan.locked, ladder, capacity=0.2, n_boot=60)


@pytest.fixture(scope="module")
def signal():
    task = task_of(1.5)
    plan = planned(task)
    return task, plan, climb(task, plan.choice, n_deals=1200)


def test_shuffled_outcomes_cannot_be_told(noise_report):
    for name in ("ridge", "trees", "average"):
        figure = noise_report.figures[name]["auc"]
        assert abs(figure.value - 0.5) < 3 * (figure.high - figure.low) / 3.92


def test_with_shuffled_outcomes_nothing_is_surely_better_than_the_base_rate(noise_report):
    assert noise_report.rival == "base rate"
    assert noise_report.chance_better_than("base rate") < 0.9


def test_with_signal_the_chosen_model_is_surely_better_than_the_base_rate(signal):
    task, plan, ladder = signal
    report = judge_forward(task, plan.locked, ladder, capacity=0.2, n_boot=50)
    assert (report.chosen, report.period, report.is_forward) == (ladder.chosen.name, plan.locked.name, True)
    assert report.chance_better_than("base rate") > 0.99
    assert report.figures[report.chosen]["auc"].low > 0.6
    assert report.new_accounts["auc"].value > 0.6


def test_rows_not_yet_settled_are_not_judged(noise, noise_report):
    task, plan = noise
    weight = task.outcomes(plan.locked.test, plan.locked.test_day)[1]
    assert len(noise_report.judged.y) == (weight > 0).sum()
    assert (noise_report.judged.weight > 0).all()


def test_new_accounts_are_judged_by_models_that_never_saw_them(signal, monkeypatch):
    task, plan, ladder = signal
    trained, told = [], []
    fit, margin = WinTask.fit, WinTask.margin
    monkeypatch.setattr(WinTask, "fit", lambda self, rows, *rest: trained.append(rows) or fit(self, rows, *rest))
    monkeypatch.setattr(WinTask, "margin", lambda self, fitted, rows: told.append(rows) or margin(self, fitted, rows))
    judge_forward(task, plan.locked, ladder, capacity=0.2, n_boot=2)
    apart = list(zip(trained, told, strict=True))[-5:]
    assert np.sort(np.concatenate([test for _, test in apart])).tolist() == plan.locked.test.tolist()
    for train, test in apart:
        assert len(train) and not np.isin(task.accounts[train], task.accounts[test]).any()


def test_models_judged_in_the_locked_quarter_know_nothing_later_than_its_training_day(signal):
    task, plan, ladder = signal
    late = task.histories.ended > plan.locked.train_day
    late[plan.locked.test] = False
    flipped = replace(task, histories=replace(task.histories, won=task.histories.won ^ late))
    one, other = (judge_forward(t, plan.locked, ladder, capacity=0.2, n_boot=2) for t in (task, flipped))
    assert all(np.array_equal(one.judged.p[name], other.judged.p[name]) for name in one.judged.p)


def test_without_dates_the_folds_are_judged_and_the_report_says_so():
    task = replace(task_of(1.0, n=400), histories=None)
    folds = grouped_folds(task.accounts)
    ladder = climb(task, folds, n_deals=400)
    report = judge_grouped(task, folds, ladder, capacity=0.2, n_boot=20)
    assert (report.period, report.is_forward, report.new_accounts) == ("no dates", False, None)
    assert len(report.judged.y) == 400
    assert report.figures[report.chosen]["auc"].n == 400


def test_the_leak_tax_shows_what_a_column_of_the_outcome_brings(signal):
    task, plan, _ = signal
    leaking = task.with_features(task.features.assign(amount_paid=task.won * 1.0))
    without, with_them = leak_tax(task, leaking, plan.choice, Rung("ridge", C=0.1))
    assert 0.6 < without < with_them - 0.1
