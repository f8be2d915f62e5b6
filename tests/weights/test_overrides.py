"""What leadership changes: signed, dated, rescaled, priced."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.errors import ConfigError
from winworth.weights.overrides import LaterScores, Override, in_force, log_shift, overruled, page_draws, price

AGREED, UNTIL = date(2026, 7, 1), date(2026, 12, 31)
WEIGHTS = pd.Series({"size": 50, "budget": 30, "source": 20, "noise": 0})


def override(criterion="size", weight=40, **other):
    told = {"who": "C. Martin", "why": "pilot in the north", "agreed_on": AGREED, "until": UNTIL} | other
    return Override(criterion, weight, **told)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weight": 101}, "weight is 101; it must be a whole number from 0 to 100"),
        ({"weight": -1}, "weight is -1"),
        ({"who": " "}, "who and why must say something"),
        ({"why": ""}, "who and why must say something"),
        ({"until": date(2027, 1, 2)}, "until is 2027-01-02; it must lie within two quarters"),
        ({"until": date(2026, 6, 30)}, "until is 2026-06-30"),
    ],
)
def test_an_override_that_is_not_signed_dated_and_sound_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        override(**wrong)


def test_it_holds_from_the_day_it_was_agreed_to_its_last_day_and_says_when_it_does_not():
    one = [override()]
    assert [len(in_force(one, list(WEIGHTS.index), as_of=day)[0]) for day in (AGREED, UNTIL)] == [1, 1]
    ended = in_force(one, list(WEIGHTS.index), as_of=date(2027, 1, 1))
    assert ended == ([], ["The override of size by C. Martin ended on 2026-12-31: it is ignored."])
    early = in_force(one, list(WEIGHTS.index), as_of=date(2026, 6, 30))
    assert early == ([], ["The override of size by C. Martin begins on 2026-07-01."])


def test_unknown_repeated_and_too_heavy_overrides_are_refused_with_the_way_out():
    names = list(WEIGHTS.index)
    with pytest.raises(ConfigError, match="bugdet is no criterion. Did you mean budget?"):
        in_force([override("bugdet")], names, as_of=AGREED)
    with pytest.raises(ConfigError, match="size is overruled twice on 2026-07-01. Keep one"):
        in_force([override(), override(weight=10)], names, as_of=AGREED)
    with pytest.raises(ConfigError, match="sum to 120; at most 100"):
        in_force([override(weight=60), override("budget", 60)], names, as_of=AGREED)
    with pytest.raises(ConfigError, match="60 points are left, and no other criterion weighs anything"):
        overruled(pd.Series({"size": 100, "budget": 0}), [override()])


def test_of_who_ended_nothing_is_asked_not_even_that_the_criterion_is_still_there():
    gone = override("gone", until=date(2026, 7, 31))
    assert in_force([gone], ["size"], as_of=date(2026, 8, 1))[0] == []


def test_a_price_that_has_no_rank_correlation_is_still_json():
    rows = later(2)
    json.dumps(price(rows, WEIGHTS, WEIGHTS, seed=0, n_boot=2).to_dict(), allow_nan=False)


def test_the_rest_keeps_its_proportions_and_all_sum_to_100():
    found = overruled(WEIGHTS, [override(weight=40), override("noise", 10)])
    assert found.to_dict() == {"size": 40, "budget": 30, "source": 20, "noise": 10}
    for weight in range(0, 101):
        after = overruled(WEIGHTS, [override(weight=weight)])
        assert after.sum() == 100 and after["size"] == weight
        assert abs(after["budget"] - (100 - weight) * 0.6) <= 1


def later(n=4000, seed=0):
    """Return rows whose log expected value is what the learnt weights say of their criterion scores."""
    rng = np.random.default_rng(seed)
    criteria = pd.DataFrame(rng.integers(0, 101, (n, 4)), columns=list(WEIGHTS.index))
    unit = 0.05
    log_value = unit * (criteria.to_numpy() @ WEIGHTS.to_numpy()) / 100
    p = np.minimum(np.exp(log_value - 4.2), 0.95)
    won = (rng.random(n) < p).astype(float)
    return LaterScores(criteria, log_value, np.arange(n) // 2, won, np.ones(n), unit, 0.2, True)


def test_the_price_is_what_the_top_fifth_brings_less_by_hand():
    rows, after = later(), overruled(WEIGHTS, [override("noise", 60)])
    found = price(rows, WEIGHTS, after, seed=0, n_boot=100)
    value, n = np.exp(rows.log_value), 800
    score = rows.criteria.to_numpy() @ after.to_numpy()
    best, ours = (np.sort(value[np.argsort(-by, kind="stable")[:n]]).sum() for by in (rows.log_value, score))
    assert found.captured.value == pytest.approx(best, rel=2e-3)
    assert found.change.value == pytest.approx(ours - best, rel=2e-2)
    assert found.change_share.value == pytest.approx((ours - best) / best, rel=2e-2)
    assert found.change_share.high < 0 and found.wins_change.value < 0
    assert found.change_share.low < found.change_share.value < found.change_share.high


def test_weights_that_stay_cost_nothing():
    found = price(later(), WEIGHTS, WEIGHTS, seed=0, n_boot=20)
    assert (found.change.value, found.change_share.value, found.wins_change.value, found.spearman) == (0, 0, 0, 1)


def test_a_larger_departure_costs_more():
    rows = later()
    costs = [price(rows, WEIGHTS, overruled(WEIGHTS, [override("noise", w)]), seed=0, n_boot=2) for w in (10, 30, 60)]
    changes = [cost.change_share.value for cost in costs]
    assert 0 > changes[0] > changes[1] > changes[2]


def test_the_shift_is_that_of_the_score_in_log_expected_value():
    criteria = pd.DataFrame({"size": [100], "budget": [0], "source": [50], "noise": [0]})
    after = overruled(WEIGHTS, [override(weight=40)])
    assert log_shift(criteria, WEIGHTS, after, unit=0.05) == pytest.approx(0.05 * (-10 * 100 + 4 * 50) / 100)


def test_later_rows_come_back_from_json():
    rows = later(20)
    again = LaterScores.from_dict(rows.to_dict())
    pd.testing.assert_frame_equal(again.criteria, rows.criteria)
    assert np.allclose(again.log_value, rows.log_value, atol=1e-6) and again.unit == rows.unit


def test_draws_that_the_page_makes_too_draw_whole_accounts_evenly():
    groups = np.repeat(np.arange(400), 2)
    draws = np.array(page_draws(groups, seed=3, n_boot=300))
    assert (draws[:, ::2] == draws[:, 1::2]).all() and (draws[:, ::2].sum(axis=1) == 400).all()
    counts = draws[:, ::2]
    assert np.abs(counts.mean(axis=0) - 1).max() < 5 / np.sqrt(300) and abs(counts.var() - (1 - 1 / 400)) < 0.02
    assert np.corrcoef(counts[:-1].ravel(), counts[1:].ravel())[0, 1] == pytest.approx(0, abs=0.01)
    assert (draws != np.array(page_draws(groups, seed=4, n_boot=300))).any()
