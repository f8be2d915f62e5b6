from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.models.purchases import net_purchases
from winworth.models.value_metrics import (
    compare_values,
    decile_table,
    decile_wape,
    largest_share,
    top_share,
    total_ratio,
    without_model,
)


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    y = rng.lognormal(sigma=1.5, size=2000)
    return y, y * rng.lognormal(sigma=0.5, size=2000)


def test_a_perfect_prediction_has_perfect_figures(drawn):
    told = compare_values(drawn[0], {"perfect": drawn[0]}, seed=0).loc["perfect"]
    assert told[["mae", "spearman", "gini", "total", "total_low", "total_high", "decile_wape"]].tolist() == pytest.approx(
        [0, 1, 1, 1, 1, 1, 0]
    )


def test_the_interval_of_the_total_is_that_of_a_bootstrap_by_hand(drawn):
    y, p = drawn
    rng = np.random.default_rng(5)
    ratios = [p[rows].sum() / y[rows].sum() for rows in rng.integers(0, len(y), (1000, len(y)))]
    found = total_ratio(y, p, seed=0, n_boot=1000)
    assert (found.low, found.high) == pytest.approx(np.quantile(ratios, [0.025, 0.975]), rel=0.02)


def test_the_top_share_is_what_the_highest_tenth_brought(drawn):
    y, p = drawn
    assert top_share(y, p) == pytest.approx(y[np.argsort(-p)[:200]].sum() / y.sum())


def test_one_value_for_all_captures_a_tenth_with_a_tenth(drawn):
    constant = np.full(2000, 3.0)
    assert top_share(drawn[0], constant) == pytest.approx(0.1)
    assert len(decile_table(drawn[0], constant)) == 1


def test_a_decile_that_brought_nothing_does_not_blow_up_the_error():
    y = np.r_[np.zeros(50), np.ones(50)]
    assert decile_wape(y, np.r_[np.full(50, 0.01), np.ones(50)]) == pytest.approx(0.01)


def test_deciles_add_up(drawn):
    table = decile_table(*drawn)
    assert table["n"].tolist() == [200] * 10
    assert table[["observed", "predicted"]].sum().tolist() == pytest.approx([part.sum() for part in drawn])


def test_the_largest_account_is_named_by_its_share():
    assert largest_share(np.array([90.0, 10.0])) == 0.9


def test_nothing_came_and_nobody_there_have_no_figures():
    for n in (0, 5):
        told = compare_values(np.zeros(n), {"ours": np.ones(n)}, seed=0).loc["ours"]
        assert told.drop("mae").isna().all()


def test_what_needs_no_model_is_read_off_the_log():
    rows = [("a", "2022-07-15", 36.0), ("a", "2024-01-01", 12.0), ("b", "2024-06-01", 6.0)]
    log = pd.DataFrame(rows, columns=["account_id", "bought_on", "amount"]).assign(
        bought_on=lambda t: pd.to_datetime(t["bought_on"])
    )
    told = without_model(net_purchases(log, as_of=date(2024, 6, 30)), months=24)
    assert told["past spend"].tolist() == [48, 6]
    assert told["last 12 months"].tolist() == [24, 12]
    assert told["constant"].tolist() == pytest.approx([(48 / 24 + 6) / 2 * 24] * 2)
