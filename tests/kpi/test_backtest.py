"""A-first in companies where its true gain is known, and its parts against linear programming and hand counts."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from scipy.special import expit

from winworth.errors import DataError
from winworth.kpi.backtest import Backtest, Claim, Overlap, backtest, capture_curve, judge
from winworth.kpi.policy import Choice, Learnt, choose_highest, learn, weighted_parts, worst_mean
from winworth.models.metrics import Figure
from winworth.review.effects import backtest_sentences
from winworth.review.words import words_in


def company(seed, *, effect=0.0, hidden=0.0, lean=0.5, n=700):
    """Two periods; sellers lean to high scores, and where `hidden` is above 0 to what only they know. Returns rows and gain."""
    rng, account, period = np.random.default_rng(seed), np.repeat(np.arange(n), 2), np.tile([0, 1], n)
    quality, segment = rng.normal(size=n)[account], rng.integers(3, size=n)[account]
    activity, secret = rng.poisson(np.exp(0.3 * quality + 0.5)), rng.normal(size=2 * n)
    z = 0.9 * quality + 0.44 * rng.normal(size=2 * n)
    worked = rng.random(2 * n) < expit(-0.9 + lean * z + 0.15 * (activity - 2) + 0.3 * (segment == 0) + hidden * secret)
    plain = np.exp(8 + 0.72 * z + 0.12 * np.log1p(activity) + 0.25 * (segment == 1) + 0.35 * hidden * secret)
    lifted = plain * (1 + 0.3 * effect * np.exp(0.35 * z))
    noise = rng.gamma(2, 0.5, 2 * n)
    rows = pd.DataFrame(
        {
            "account_id": account,
            "period": period,
            "segment": np.array(["PME", "ETI", "GE"])[segment],
            "score": 50 + 15 * z,
            "activity": activity,
            "worked": worked,
            "outcome": np.where(worked, lifted, plain) * noise,
        }
    )
    chosen = choose_highest(rows)
    return rows, float((np.where(chosen, lifted, plain) * noise).sum() / rows["outcome"].sum() - 1)


def told(found, lang="en"):
    """Return the sentences of a backtest, its blanks of one quarter and company filled in."""
    quarters = [{"quarter": "2026 Q1", "day": "2025-12-31", "scored": "published"}]
    whole = found.to_dict() | {"n_accounts": 700, "quarters": quarters, "outcome": "won", "effort": "hours"}
    return " ".join(backtest_sentences(whole, words_in(lang))).replace("\u00a0", " ")


def claims(seeds, **world):
    found = [company(seed, **world) for seed in seeds]
    return [(backtest(rows, seed=0).claim, gain) for rows, gain in found]


def test_where_effort_changes_nothing_the_naive_claim_is_58_percent_and_this_one_is_none():
    found = claims(range(4))
    assert np.mean([claim.naive for claim, _ in found]) == pytest.approx(0.58, abs=0.12)
    for claim, gain in found:
        assert gain == pytest.approx(0, abs=1e-9)
        assert claim.gain.low < 0 < claim.gain.high
        assert claim.tipping == 1.0


def test_a_true_gain_is_found_where_the_naive_claim_is_more_than_twice_too_high():
    found = claims(range(4), effect=0.8)
    value, weighted, naive, gain = np.mean([(c.gain.value, c.weighted, c.naive, gain) for c, gain in found], axis=0)
    assert gain > 0.06
    assert value == pytest.approx(gain, abs=0.025)
    assert weighted == pytest.approx(gain, abs=0.04)
    assert naive > 2.5 * gain
    assert all(claim.gain.low > 0 and claim.tipping > 1.01 for claim, _ in found)


def test_what_only_sellers_know_biases_it_and_the_sensitivity_says_how_little_that_takes():
    """The true gain is 0; the odds were shifted by far more than the figure that would undo the claim."""
    found = claims(range(4), hidden=1.0)
    assert np.mean([claim.gain.value for claim, _ in found]) > 0.02
    assert max(claim.tipping for claim, _ in found) < 1.3


def test_a_gain_that_slight_hidden_reasons_would_undo_is_not_called_causal():
    found = [backtest(company(seed, hidden=1.0)[0], seed=0) for seed in range(4)]
    gains = [one for one in found if not one.claim.gain.low <= 0 <= one.claim.gain.high]
    assert gains and sum(one.is_causal for one in gains) <= 1
    assert any("Not causal: if score" in told(one) for one in gains)


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 1.5])
def test_the_interval_covers_the_true_gain(effect):
    found = claims(range(100, 140), effect=effect)
    assert np.mean([claim.gain.low <= gain <= claim.gain.high for claim, gain in found]) >= 0.9


def test_where_who_was_worked_is_drawn_by_lot_it_is_what_the_draw_says():
    """The mean of those treated as the choice would treat them, over the mean of all."""
    rows, _ = company(5, effect=1.0, lean=0.0)
    rng = np.random.default_rng(0)
    rows = rows.assign(worked=rng.random(len(rows)) < 0.5)
    chosen = choose_highest(rows)
    choice = Choice(rows["account_id"].to_numpy(), rows["outcome"].to_numpy(), rows["worked"].to_numpy(), chosen)
    half = Learnt(np.full(len(rows), 0.5), np.zeros(len(rows)))
    by_hand = rows.loc[rows["worked"] == chosen, "outcome"].mean()
    for is_robust in (False, True):
        assert weighted_parts(choice, half, is_robust=is_robust).mean() == pytest.approx(by_hand)


def test_a_right_expectation_makes_up_for_wrong_chances():
    rng, n = np.random.default_rng(0), 4000
    x = rng.normal(size=n)
    worked, chosen = rng.random(n) < expit(x), x > 1
    choice = Choice(np.arange(n), 5 + 2 * x + rng.normal(size=n), worked, chosen)
    wrong = Learnt(np.full(n, 0.5), 5 + 2 * x)
    assert weighted_parts(choice, wrong, is_robust=True).mean() == pytest.approx(5, abs=0.1)
    assert weighted_parts(choice, wrong, is_robust=False).mean() != pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("odds", [1.0, 1.5, 4.0])
def test_the_worst_mean_is_that_of_a_linear_programme(odds):
    """Weights between bounds, divided by their sum: linear after Charnes and Cooper's change of variables."""
    rng, n = np.random.default_rng(1), 30
    choice = Choice(np.arange(n), rng.normal(size=n), rng.random(n) < 0.5, rng.random(n) < 0.5)
    learnt = Learnt(rng.uniform(0.2, 0.8, n), rng.normal(size=n))
    rows = np.flatnonzero(choice.is_followed)
    excess = 1 / learnt.chance_of(choice.chosen)[rows] - 1
    left, k = (choice.outcome - learnt.expected)[rows], len(rows)
    bounds = np.vstack([np.c_[np.eye(k), -(1 + excess * odds)], np.c_[-np.eye(k), 1 + excess / odds]])
    found = linprog(np.r_[left, 0], A_ub=bounds, b_ub=np.zeros(2 * k), A_eq=[np.r_[np.ones(k), 0]], b_eq=[1])
    assert worst_mean(choice, learnt, odds) == pytest.approx(learnt.expected.mean() + found.fun)


def test_without_hidden_reasons_the_worst_mean_is_the_estimate():
    rng, n = np.random.default_rng(2), 50
    choice = Choice(np.arange(n), rng.normal(size=n), rng.random(n) < 0.5, rng.random(n) < 0.5)
    learnt = Learnt(rng.uniform(0.2, 0.8, n), rng.normal(size=n))
    assert worst_mean(choice, learnt, 1.0) == pytest.approx(weighted_parts(choice, learnt, is_robust=True).mean())


def test_nothing_of_an_account_is_learnt_from_itself():
    rows, _ = company(6, n=150)
    chosen = choose_highest(rows)
    arrays = [rows[name].to_numpy() for name in ("account_id", "outcome", "worked")]
    plain = learn(rows, Choice(*arrays, chosen), seed=0)
    own = rows["account_id"].to_numpy() == 17
    changed = learn(rows, Choice(arrays[0], np.where(own, 1e7, arrays[1]), arrays[2], chosen), seed=0)
    assert changed.expected[own] == pytest.approx(plain.expected[own])
    assert not np.allclose(changed.expected[~own], plain.expected[~own])


def test_as_many_are_chosen_in_each_period_as_were_worked():
    rows, _ = company(7)
    chosen = choose_highest(rows)
    for _, own in rows.assign(chosen=chosen).groupby("period"):
        assert own["chosen"].sum() == own["worked"].sum()
        assert own.loc[own["chosen"], "score"].min() >= own.loc[~own["chosen"], "score"].max()


def test_without_logged_effort_nothing_is_claimed():
    rows, _ = company(8)
    for unlogged in (rows.drop(columns="worked"), rows.assign(worked=None)):
        found = backtest(unlogged, seed=0)
        assert found.claim is None
        assert not found.is_causal
        assert "Not causal: effort is not logged" in told(found)
        assert "l’effort n’est pas saisi" in told(found, "fr")
        assert found.to_dict()["claim"] is None
        assert "brought" not in told(found).replace("would have brought is not known", "")


def test_no_claim_is_made_of_what_was_next_to_never_done():
    """Sellers who nearly always shun high scores say nothing of working them."""
    rows, _ = company(9, lean=-5.0)
    found = backtest(rows, seed=0)
    assert found.claim.overlap.trimmed > 0.2 or found.claim.overlap.effective < 50
    assert not found.is_causal
    assert "Not causal: working the highest scores first is too unlike what was done" in told(found)


def test_the_overlap_table_counts_every_row_once():
    rows, _ = company(10)
    overlap = backtest(rows, seed=0).claim.overlap
    assert overlap.table["n"].sum() == len(rows)
    assert overlap.table["worked"].sum() == overlap.table["chosen"].sum() == rows["worked"].sum()
    shares = overlap.table.query("n > 100").eval("worked / n")
    assert shares.between(
        *[overlap.table.loc[shares.index, name] - d for name, d in (("chance_from", 0.05), ("chance_to", -0.05))]
    ).all()
    assert overlap.effective < len(rows)


def test_the_words_follow_the_figures():
    capture, fifth = capture_curve(np.array([3.0, 2.0, 1.0]), np.array([2.0, 1.0, 1.0])), Figure(0.4, 0.3, 0.5, 500)
    overlap = Overlap(pd.DataFrame(), 300.0, 0.01)
    sure = Backtest(capture, fifth, Claim(Figure(0.08, 0.02, 0.14, 500), 0.07, 0.5, 1.4, overlap))
    assert "highest scores first would have brought +8.0% [+2.0% to +14.0%] (n = 500), if score, activity" in told(sure)
    assert "1.40 times would undo it" in told(sure)
    assert "+8,0 % [+2,0 % à +14,0 %]" in told(sure, "fr") and "si score, activité, affaires en cours et segment" in told(
        sure, "fr"
    )
    none = Backtest(capture, fifth, Claim(Figure(0.01, -0.02, 0.04, 500), 0.0, 0.5, 1.0, overlap))
    assert "no gain and no loss beyond noise" in told(none)


def test_the_capture_curve_of_a_perfect_score_is_the_steepest():
    rng = np.random.default_rng(0)
    outcome = rng.gamma(1, 1, 200)
    best, other = (capture_curve(score, outcome)["outcome"].to_numpy() for score in (outcome, rng.random(200)))
    assert (best >= other - 1e-12).all()
    assert capture_curve(np.ones(200), outcome)["outcome"].tolist() == [0.0, pytest.approx(1.0)]


def test_a_loss_is_told_as_one():
    """Effort that pays only where the score is low: highest first brings less than what was done."""
    rows, _ = company(11)
    rows = rows.assign(outcome=1000.0 + 2000 * (rows["worked"] & (rows["score"] < 50)))
    claim = judge(rows, choose_highest(rows), seed=0)
    assert claim.gain.high < 0
    assert claim.tipping > 1


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rows: rows.head(50), "50 rows with a score and an outcome"),
        (lambda rows: rows.assign(worked=rows["account_id"] < 5), "5 accounts were worked and 695 were not"),
        (lambda rows: rows.assign(outcome=0.0), "brought nothing"),
    ],
)
def test_what_cannot_be_judged_is_an_error(spoil, says):
    with pytest.raises(DataError, match=says):
        backtest(spoil(company(0)[0]), seed=0)
