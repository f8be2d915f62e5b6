import numpy as np
import pytest

from winworth.models.metrics import Figure, auc
from winworth.weights.fidelity import LaterRows, captured, fidelity, keeps_enough


def later(n: int = 600, seed: int = 0) -> LaterRows:
    rng = np.random.default_rng(seed)
    log_value = rng.normal(5, 1, n)
    won = (rng.random(n) < 1 / (1 + np.exp(5 - log_value))).astype(float)
    return LaterRows(log_value, rng.integers(0, n // 2, n), won, rng.uniform(0, 2, n))


def test_the_models_own_order_keeps_everything():
    rows = later()
    found = fidelity(rows.log_value * 3 + 1, rows, capacity=0.2, seed=0, n_boot=50)
    for figure in (found.ev_ratio, found.spearman, found.r2):
        assert figure.value == pytest.approx(1)
        assert figure.low == pytest.approx(1)
    assert found.auc_change.value == 0
    assert found.ev_ratio.n == 600


def test_noise_keeps_less_and_its_interval_says_so():
    rows = later()
    noise = np.random.default_rng(1).normal(size=600)
    found = fidelity(noise, rows, capacity=0.2, seed=0, n_boot=100)
    assert found.ev_ratio.high < 0.7
    assert found.spearman.low < 0 < found.spearman.high
    assert found.r2.value < 0.02
    assert found.auc_change.high < 0


def test_the_ratio_is_that_of_a_count_by_hand():
    log_value, score = np.log([1.0, 2.0, 3.0, 4.0, 10.0]), np.array([9, 8, 7, 1, 6])
    rows = LaterRows(log_value, np.arange(5))
    assert fidelity(score, rows, capacity=0.4, seed=0, n_boot=5).ev_ratio.value == pytest.approx((1 + 2) / (10 + 4))


def test_ties_count_in_part():
    assert captured(np.array([1, 1, 1, 0]), np.array([3.0, 6.0, 9.0, 50.0]), np.ones(4), capacity=0.25) == pytest.approx(6)


def test_auc_is_compared_on_rows_whose_outcome_is_known():
    rows, rng = later(), np.random.default_rng(2)
    score = rows.log_value + rng.normal(size=600)
    found = fidelity(score, rows, capacity=0.2, seed=0, n_boot=50).auc_change
    assert found.value == auc(rows.won, score, rows.weight) - auc(rows.won, rows.log_value, rows.weight)
    assert found.low < found.value < found.high < 0.01
    unknown = fidelity(score, LaterRows(rows.log_value, rows.accounts), capacity=0.2, seed=0, n_boot=5)
    assert unknown.to_dict()["auc_change"] == {"value": None, "low": None, "high": None, "n": 600}


def test_intervals_draw_whole_accounts():
    rows = later()
    one = LaterRows(rows.log_value, np.zeros(600, dtype=int))
    score = rows.log_value + np.random.default_rng(3).normal(size=600)
    figure = fidelity(score, one, capacity=0.2, seed=0, n_boot=20).ev_ratio
    assert figure.low == figure.high == figure.value


@pytest.mark.parametrize(("value", "passed"), [(0.97, True), (0.9699, False), (float("nan"), False)])
def test_the_gate_asks_for_97_per_cent(value, passed):
    verdict = keeps_enough(Figure(value, 0.95, 0.99, 400))
    assert verdict.passed is passed
    assert passed or "the models rank" in verdict.says


def test_the_gate_says_its_figures():
    assert keeps_enough(Figure(0.984, 0.971, 0.993, 400)).says == (
        "the scorecard keeps 98.4% [97.1%-99.3%] of the expected value that the models capture at capacity, on 400 rows"
    )


def test_no_rows_are_not_measured():
    none = LaterRows(np.array([]), np.array([], dtype=int))
    found = fidelity(np.array([]), none, capacity=0.2, seed=0, n_boot=5)
    assert not keeps_enough(found.ev_ratio).passed
