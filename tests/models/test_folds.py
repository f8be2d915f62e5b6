import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from winworth.errors import DataError
from winworth.models.folds import (
    ForwardFolds,
    GroupedFolds,
    Observed,
    fold_of_groups,
    forward_plan,
    grouped_folds,
    input_twins,
    joined_groups,
)

FIXED = settings(deadline=None, derandomize=True)

START, DAY, HORIZON, EMBARGO = 18_262, 18_262 + 1_400, 120, 30  # 2020-01-01, and nearly four years later


def history(n=2000, *, first=START, last=DAY, seed=0):
    rng = np.random.default_rng(seed)
    return Observed(rng.integers(first, last, n), rng.integers(0, int(n * 0.9), n), rng.integers(0, n // 8, n))


def plan(observed, *, least=100, **options):
    chosen = {"day": DAY, "horizon": HORIZON, "embargo": EMBARGO} | options
    return forward_plan(observed, lambda fold: len(fold.train) >= least and len(fold.test) >= 20, **chosen)


@pytest.fixture(scope="module")
def observed():
    return history()


@pytest.fixture(scope="module")
def planned(observed):
    return plan(observed)


def quarter_of(fold):
    """Return the first day of a fold's quarter and of the next, read from its name."""
    first = pd.Period(fold.name.replace(" ", ""), freq="Q")
    return tuple((p.start_time - pd.Timestamp("1970-01-01")).days for p in (first, first + 1))


def linked_by_hand(*keys):
    """Join rows one pair at a time, until nothing changes."""
    group = list(range(len(keys[0])))
    for key in keys:
        for i in range(len(key)):
            for j in range(i):
                if key[i] >= 0 and key[i] == key[j] and group[i] != group[j]:
                    old, new = group[i], group[j]
                    group = [new if g == old else g for g in group]
    return group


def test_no_training_row_is_observed_after_the_training_day(observed, planned):
    for fold in (*planned.choice, planned.locked):
        assert observed.day[fold.train].max() <= fold.train_day == quarter_of(fold)[0] - EMBARGO


def test_test_rows_are_those_of_the_quarter_that_the_fold_is_named_by(observed, planned):
    for fold in (*planned.choice, planned.locked):
        start, end = quarter_of(fold)
        expected = np.flatnonzero((observed.day >= start) & (observed.day < end))
        assert fold.test.tolist() == expected.tolist()


def test_the_locked_quarter_is_the_latest_that_is_mature(planned):
    end = quarter_of(planned.locked)[1]
    next_end = (pd.Timestamp("1970-01-01") + pd.Timedelta(days=end) + pd.offsets.QuarterBegin(startingMonth=1)).to_julian_date()
    assert end + HORIZON <= DAY < next_end - pd.Timestamp("1970-01-01").to_julian_date() + HORIZON
    assert planned.locked.test_day == DAY


def test_choice_quarters_were_mature_when_the_locked_quarter_began(planned):
    began = quarter_of(planned.locked)[0]
    assert planned.chosen_forward and 1 <= len(planned.choice) <= 4
    for fold in planned.choice:
        assert quarter_of(fold)[1] + HORIZON <= began == fold.test_day


def test_a_day_of_patience_makes_the_next_quarter_mature(observed):
    new_year = 19_358  # 2023-01-01
    before, after = (plan(observed, day=new_year + HORIZON - wait).locked.name for wait in (2, 1))
    assert (before, after) == ("2022 Q3", "2022 Q4")


def test_twins_are_never_in_train_and_test_of_one_fold(observed, planned):
    early = plan(history(last=START + 420), day=START + 420, horizon=60)
    assert not early.chosen_forward
    for seen, folds in ((observed, (*planned.choice, planned.locked)), (history(last=START + 420), early.choice)):
        for fold in folds:
            assert not np.isin(seen.twins[fold.train], seen.twins[fold.test]).any()


def test_a_history_without_a_mature_quarter_is_refused():
    with pytest.raises(DataError, match="too short to test forward in time: 300 examples over 7. days"):
        plan(history(300, first=DAY - 80))


def test_an_empty_history_is_refused():
    with pytest.raises(DataError, match="0 examples over 0 days"):
        plan(Observed(*(np.empty(0, dtype=int),) * 3))


def test_a_short_history_is_chosen_in_folds_apart_by_account_before_the_locked_quarter():
    observed = history(600, last=START + 330)
    short = plan(observed, day=START + 330, horizon=60, least=80)
    locked = short.locked
    assert not short.chosen_forward and len(short.choice) == 5
    for fold in short.choice:
        rows = np.r_[fold.train, fold.test]
        assert np.sort(rows).tolist() == locked.train.tolist()
        assert fold.train_day == fold.test_day == locked.train_day
        assert not np.isin(observed.accounts[fold.train], observed.accounts[fold.test]).any()


@FIXED
@given(st.lists(st.integers(0, 12), min_size=30, max_size=80), st.integers(0, 5))
def test_grouped_folds_keep_groups_whole_and_differ_by_at_most_the_largest_group(groups, seed):
    groups = np.array([*groups, *range(13)])
    fold = fold_of_groups(groups, n_splits=4, seed=seed)
    load = np.bincount(fold, minlength=4)
    assert all(len(set(fold[groups == g])) == 1 for g in np.unique(groups))
    assert load.max() - load.min() <= np.bincount(groups).max()


def test_the_same_seed_gives_the_same_folds_and_another_seed_others():
    groups = np.random.default_rng(0).integers(0, 40, 200)
    first, again, other = (fold_of_groups(groups, n_splits=5, seed=seed) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()


def test_each_row_is_tested_once(observed):
    folds = grouped_folds(observed.accounts, seed=3)
    assert np.sort(np.concatenate([f.test for f in folds])).tolist() == list(range(len(observed.day)))
    assert all(len(f.train) + len(f.test) == len(observed.day) for f in folds)


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(DataError, match="3 groups cannot be dealt into 5 folds"):
        grouped_folds(np.array([0, 1, 2, 2, 1]))


@FIXED
@given(st.lists(st.tuples(*(st.integers(-1, 4),) * 3), min_size=1, max_size=14))
def test_joined_groups_are_those_of_a_brute_force_union(rows):
    keys = np.array(rows).T
    found, expected = joined_groups(*keys), np.array(linked_by_hand(*keys))
    assert ((found[:, None] == found) == (expected[:, None] == expected)).all()


def test_twins_share_all_inputs_missing_ones_included():
    table = pd.DataFrame({"size": [1.0, np.nan, np.nan, 1.0, 2.0], "sector": ["it", None, None, "it", "it"]})
    codes = input_twins(table)
    assert codes[0] == codes[3] and codes[1] == codes[2] and len(set(codes)) == 3


def test_scikit_learn_can_cross_validate_by_grouped_folds():
    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(120, 2)), rng.integers(0, 30, 120)
    scores = cross_val_score(LogisticRegression(), X, (X[:, 0] > 0).astype(int), groups=groups, cv=GroupedFolds(3, seed=1))
    assert len(scores) == 3 and scores.min() > 0.8


def forward_rows(n=1500, seed=3):
    """Return a matrix, outcomes, accounts and days on which rows were observed and settled."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = (rng.random(n) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    observed_on = rng.integers(START, DAY, n)
    return X, y, rng.integers(0, n // 6, n), observed_on, observed_on + rng.integers(1, HORIZON, n)


def test_forward_folds_train_on_nothing_observed_or_settled_within_the_embargo():
    X, y, groups, observed_on, settled_on = forward_rows()
    folds = ForwardFolds(observed_on, settled_on, n_splits=5, embargo=EMBARGO)
    found = list(folds.split(X, y))
    assert len(found) == folds.get_n_splits() == 5
    for train, test in found:
        start = observed_on[test].min()
        assert (
            max(observed_on[train].max(), settled_on[train].max()) <= start - EMBARGO + 3
        )  # its first row may come days later
        assert pd.PeriodIndex(pd.to_datetime(observed_on[test], unit="D"), freq="Q").nunique() == 1
    assert np.diff([len(train) for train, _ in found]).min() > 0


def test_forward_folds_keep_accounts_apart_only_where_they_are_given():
    X, y, groups, observed_on, settled_on = forward_rows()
    folds = ForwardFolds(observed_on, settled_on)
    for (mixed, test), (apart, same) in zip(folds.split(X, y), folds.split(X, y, groups), strict=True):
        assert test.tolist() == same.tolist()
        assert np.isin(groups[mixed], groups[test]).any()
        assert not np.isin(groups[apart], groups[test]).any()
        assert np.isin(apart, mixed).all()


def test_forward_folds_leave_copies_of_tested_rows_out_of_training():
    X, y, _, observed_on, settled_on = forward_rows()
    last = list(ForwardFolds(observed_on, settled_on).split(X, y))[-1]
    copied = X.copy()
    copied[last[0][:20]] = copied[last[1][:20]]
    train = list(ForwardFolds(observed_on, settled_on).split(copied, y))[-1][0]
    assert not np.isin(last[0][:20], train).any()
    assert len(train) == len(last[0]) - 20


def test_forward_folds_serve_scikit_learn_and_refuse_what_is_too_short():
    X, y, groups, observed_on, settled_on = forward_rows()
    folds = ForwardFolds(observed_on, settled_on)
    scores = cross_val_score(LogisticRegression(), X, y, groups=groups, cv=folds, scoring="roc_auc")
    assert len(scores) == 4 and scores.mean() > 0.65
    with pytest.raises(DataError, match="1500 rows has rows settled 2000 days before it: the history is too short"):
        next(ForwardFolds(observed_on, settled_on, embargo=2000).split(X))
    with pytest.raises(ValueError, match="X has 10 rows and observed_on 1500"):
        next(folds.split(X[:10]))
