"""Each check of the gate passes what it should, and fails, with its numbers, when what it guards against is there."""

import numpy as np
import pytest
from scipy.special import expit, logit

from winworth.flows import gate
from winworth.models.evaluate import Judged, WinReport
from winworth.models.metrics import Figure, win_metrics


def figure(value: float, spread: float = 0.05) -> Figure:
    return Figure(value, value - spread, value + spread, 400)


def report(chosen: str = "average", **p: np.ndarray) -> WinReport:
    """Judge models on 1,200 rows of 600 accounts; `p` overrules what a model says."""
    rng = np.random.default_rng(0)
    z = rng.normal(-1, 1.2, 1200)
    y = (rng.random(1200) < expit(z)).astype(float)
    flat = np.full(1200, y.mean())
    models = {"average": expit(z), "ridge": expit(z), "trees": expit(z), "criteria": expit(0.8 * z), "base rate": flat}
    models = {**models, "context": flat, **p}
    w = np.ones(1200)
    figures = {m: {k: Figure(f(y, q, w), 0, 1, 1200) for k, f in win_metrics(0.2).items()} for m, q in models.items()}
    judged = Judged(np.arange(1200), y, w, np.repeat(np.arange(600), 2), models)
    return WinReport(chosen, "2025 Q4", True, judged, figures, None)


def test_a_model_that_tells_more_than_context_passes():
    assert gate.beats_context(report()).passed


def test_a_model_that_only_relearns_context_is_refused():
    check = gate.beats_context(report(context=report().judged.p["average"]))
    assert not check.passed
    assert "nothing to rank by" in check.says


def test_criteria_that_say_nothing_by_themselves_are_refused_whatever_the_model_gains():
    noise = expit(np.random.default_rng(1).normal(-1, 0.3, 1200))
    check = gate.beats_context(report(criteria=noise))
    assert not check.passed
    assert "the criteria without context" in check.says


@pytest.mark.parametrize("chosen", ["base rate", "context"])
def test_what_says_nothing_of_the_account_is_never_promoted(chosen):
    assert not gate.beats_context(report(chosen)).passed


def test_losing_to_ridge_by_more_than_a_standard_error_is_refused():
    worse = expit(3 * logit(report().judged.p["average"]))
    assert gate.holds_against_ridge(report()).passed
    assert not gate.holds_against_ridge(report(average=worse)).passed


@pytest.mark.parametrize("turn", [lambda z: 3 * z, lambda z: z + 1.0, lambda z: z - 1.0])
def test_chances_that_do_not_come_true_are_refused(turn):
    wrong = expit(turn(logit(report().judged.p["average"])))
    assert gate.calibrated(report()).passed
    assert not gate.calibrated(report(average=wrong)).passed


@pytest.mark.parametrize(
    ("total", "gini", "passes"), [(1.0, 0.5, True), (1.5, 0.5, False), (0.6, 0.5, False), (1.0, -0.3, False), (1.0, 0.0, True)]
)
def test_values_have_to_add_up_and_not_be_in_an_order_worse_than_chance(total, gini, passes):
    assert gate.value_holds({"total_ratio": figure(total), "gini": figure(gini)}).passed == passes


def test_a_column_filled_when_deals_end_is_refused_and_one_not_measured_says_so():
    assert not gate.nothing_filled_late({"account_id": (0.9, 0.0)}).passed
    assert gate.nothing_filled_late({}).passed
    assert "not measured" in gate.nothing_filled_late(None).says


@pytest.mark.parametrize(("won", "lost", "passes"), [(50, 50, True), (49, 500, False), (500, 49, False)])
def test_too_few_wins_or_losses_are_refused(won, lost, passes):
    assert gate.enough_deals(won, lost, least_wins=50, least_losses=50).passed == passes


def test_a_model_that_only_relearns_the_stage_is_refused_and_without_stages_the_check_says_so():
    chosen = report().judged.p["average"]
    assert gate.beats_stage(report(stage=np.full(1200, chosen.mean()))).passed
    check = gate.beats_stage(report(stage=chosen))
    assert not check.passed and "against the win rate by stage" in check.says
    assert "not measured" in gate.beats_stage(report()).says


def judged(total: float = 1.0, spread: float = 0.1, behind: float = 0.2) -> dict:
    ours = {"total_ratio": total, "total_ratio_low": total - spread, "total_ratio_high": total + spread}
    return {"months": 12, "ways": {"ours": ours}, "behind_last_12_months": behind}


@pytest.mark.parametrize(
    ("change", "passes"), [({}, True), ({"total": 1.6}, False), ({"total": 0.6}, False), ({"behind": 0.97}, False)]
)
def test_customers_have_to_bring_what_was_expected_in_no_worse_an_order_than_last_year(change, passes):
    assert gate.customers_hold(judged(**change)).passed == passes
    assert gate.customers_hold(None).passed and "not measured" in gate.customers_hold(None).says
