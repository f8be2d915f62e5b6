"""A single column that tells too much is found by what it tells, on rows it did not learn from."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from winworth.features.leak_names import late_word
from winworth.models.folds import grouped_folds
from winworth.models.leak_tests import (
    Split,
    auc_of_features,
    carriers,
    closed_against_open_auc,
    missing_auc,
    noise,
    single_auc,
    splits_of,
    too_early,
)
from winworth.models.task import WinTask

N = 2000


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def won(rng):
    return (rng.random(N) < 0.3).astype(float)


def split_in_two(y):
    first, w = np.arange(len(y)) % 2 == 0, np.ones(len(y))
    a, b = np.flatnonzero(first), np.flatnonzero(~first)
    return [Split(a, y[a], w[a], b, y[b], w[b]), Split(b, y[b], w[b], a, y[a], w[a])]


def test_a_column_that_rises_with_the_outcome_has_its_rank_auc(rng, won):
    x = won + rng.normal(0, 1, N)
    assert single_auc(pd.Series(x), split_in_two(won)) == pytest.approx(roc_auc_score(won, x), abs=0.02)


def test_a_column_that_tells_only_in_its_middle_is_as_strong_as_it_is(rng, won):
    x = np.where(won == 1, rng.normal(0, 0.3, N), rng.normal(0, 3, N))
    assert abs(roc_auc_score(won, x) - 0.5) < 0.05
    assert single_auc(pd.Series(x), split_in_two(won)) > 0.8


def test_noise_tells_nothing_however_many_levels_it_has(rng, won):
    levels = pd.Series(rng.integers(0, 400, N)).astype("str")
    assert abs(single_auc(levels, split_in_two(won)) - 0.5) < 0.05
    assert abs(single_auc(pd.Series(rng.random(N)), split_in_two(won)) - 0.5) < 0.05


def test_a_level_written_when_the_deal_ends_gives_it_away(won):
    assert single_auc(pd.Series(won).map({1.0: "closed won", 0.0: "closed lost"}), split_in_two(won)) == 1


def test_a_column_filled_in_at_the_win_is_found_by_its_gaps(rng, won):
    filled = pd.Series(rng.random(N)).where((won == 1) | (rng.random(N) < 0.1))
    assert missing_auc(filled, split_in_two(won)) == pytest.approx(0.95, abs=0.02)
    assert missing_auc(pd.Series(rng.random(N)), split_in_two(won)) == 0.5


def test_too_few_wins_say_nothing(won):
    y = won * (np.arange(N) < 30)
    assert np.isnan(single_auc(pd.Series(y), split_in_two(y)))


def test_a_time_proxy_tells_closed_from_open_across_quarters_and_not_within(rng):
    cohort = np.sort(rng.integers(0, 8, N))
    is_open = rng.random(N) < cohort / 10
    accounts = rng.integers(0, 300, N)
    number = pd.Series(cohort + rng.random(N))
    assert abs(closed_against_open_auc(number, is_open, cohort, accounts) - 0.5) < 0.08
    everyone = np.zeros(N, dtype=int)
    assert closed_against_open_auc(number, is_open, everyone, accounts) > 0.65
    modified = pd.Series(np.where(is_open, rng.integers(0, 30, N), rng.integers(20, 400, N)).astype(float))
    assert closed_against_open_auc(modified, is_open, cohort, accounts) > 0.9
    assert np.isnan(closed_against_open_auc(modified, is_open & (np.arange(N) < 5), cohort, accounts))


@pytest.mark.parametrize(("at_zero", "later", "found"), [(0.9, 0.9, True), (0.5, 0.8, False), (0.6, 0.6, False)])
def test_what_is_strong_on_the_first_day_already_is_too_early(at_zero, later, found):
    assert too_early(at_zero, later) is found


def test_the_noise_of_an_auc_is_that_of_drawing_again(rng):
    def draw():
        y = (rng.random(400) < 0.3).astype(float)
        return roc_auc_score(y, y + rng.normal(0, 1, 400))

    spread = 2 * np.std([draw() for _ in range(300)])
    y = (np.arange(400) < 120).astype(float)
    assert noise(0.76, split_in_two(y)) == pytest.approx(spread, rel=0.2)


def test_outcomes_that_are_not_yet_known_are_in_no_split_and_the_rest_is_measured_without_them(rng, won):
    X = pd.DataFrame({"tells": won + rng.normal(0, 1, N), "noise": rng.random(N)})
    weight = (np.arange(N) % 10 > 0).astype(float)
    task = WinTask(X, won == 1, weight, np.arange(N), horizon=180)
    folds = grouped_folds(np.arange(N), n_splits=3)
    assert sum(len(split.test) for split in splits_of(task, folds)) == weight.sum()
    assert auc_of_features(task, ["tells"], folds) == pytest.approx(0.75, abs=0.05)
    assert auc_of_features(task, ["noise"], folds) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (("n_stage_changes",), "stage"),
        (("days", "Elapsed Days In Sales Stage"), "elapsed"),
        (("wonAmount",), "won"),
        (("motif", "Motif de clôture"), "motif"),
        (("fin", "Date de clôture"), "clotur"),
        (("sector", "Secteur d'activité"), None),
        (("signals_90d",), None),
        (("design", "region", "Raison sociale"), None),
    ],
)
def test_a_name_that_speaks_of_the_end_gives_the_word(names, word):
    assert late_word(*names) == word


def companies(rng, won, *, leak):
    """Return a task whose nameless columns tell a little each, and two that give the outcome away only together."""
    half = rng.normal(0, 1, N)
    features = pd.DataFrame({f"c{k}": rng.normal(0, 1, N) + 0.5 * won for k in range(3)})
    if leak:
        features = features.assign(c7=half, c8=3 * won - half + rng.normal(0, 0.3, N))
    return WinTask(features, won > 0, np.ones(N), np.arange(N), 90, threads=1)


def test_columns_that_are_too_good_only_together_are_found_whatever_their_names(rng, won):
    folds = grouped_folds(np.arange(N), n_splits=2)
    together, resting = carriers(companies(rng, won, leak=True), folds)
    assert together > 0.9
    assert "c8" in resting and len(resting) <= 2


def test_honest_columns_that_are_strong_together_are_not_accused(rng, won):
    folds = grouped_folds(np.arange(N), n_splits=2)
    together, resting = carriers(companies(rng, won, leak=False), folds)
    assert 0.65 < together < 0.9
    assert resting == []
