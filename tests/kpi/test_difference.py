"""What may be said of a difference, on planted effects and trends: by its coverage, and by the words that it is told in."""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.errors import DataError
from winworth.kpi.quarters import Regime
from winworth.kpi.relative import relative_difference
from winworth.review.effects import difference_sentence
from winworth.review.words import words_in

EN, FR = words_in("en"), words_in("fr")
NAMES_A_CAUSE = re.compile(r"\b(brought|caus|effect of the change|thanks to|due to|led to|impact|because)", re.I)
NOMME_UNE_CAUSE = re.compile(r"\b(apport|caus|effet du changement|grâce|dû|due|à cause|entraîn|parce)", re.I)


def company(seed, *, effect=0.0, trend=0.0, n_treated=40, n_untouched=80, n_earlier=4):
    """Two deals a quarter of each account, whose level is its own; two quarters follow the change. Effects are shares."""
    rng, n = np.random.default_rng(seed), n_treated + n_untouched
    account = np.repeat(np.arange(n), 2 * (n_earlier + 2))
    period = np.tile(np.repeat(np.arange(-n_earlier, 2), 2), n)
    is_treated = account < n_treated
    mean = 10 * np.exp(0.2 * is_treated + 0.03 * period + rng.normal(0, 0.1, n)[account] + trend * is_treated * period)
    y = mean * np.where(is_treated & (period >= 0), 1 + effect, 1.0) * rng.gamma(25, 1 / 25, len(account))
    segment = np.where(is_treated, "ETI", np.where(account % 2, "PME", "TPE"))
    return pd.DataFrame({"account_id": account, "segment": segment, "period": period, "amount": y})


def told(found, words=EN):
    return difference_sentence("ETI", found.to_dict(), words, n_compared=1, currency="EUR")


def estimate(rows, **options):
    return relative_difference(rows, "amount", treated=["ETI"], **options)


def test_a_planted_effect_is_called_the_changes_doing():
    found = estimate(company(2, effect=0.15))
    assert found.is_causal
    assert found.relative.low < 0.15 < found.relative.high
    assert NAMES_A_CAUSE.search(told(found))
    assert NOMME_UNE_CAUSE.search(told(found, FR))


def test_no_cause_is_named_where_the_earlier_quarters_drifted_apart():
    found = estimate(company(3, trend=0.06))
    assert found.p < 0.001
    assert not found.is_causal
    assert "did not move alike" in told(found)
    assert not NAMES_A_CAUSE.search(told(found))
    assert not NOMME_UNE_CAUSE.search(told(found, FR))


def test_no_cause_is_named_with_fewer_than_four_earlier_quarters():
    found = estimate(company(4, effect=0.2, n_earlier=3))
    assert found.p < 0.001
    assert not found.is_causal
    assert "only 3 earlier quarters" in told(found)
    assert not NAMES_A_CAUSE.search(told(found))
    assert not NOMME_UNE_CAUSE.search(told(found, FR))


def test_nothing_is_claimed_where_nothing_happened():
    found = estimate(company(5))
    assert "No difference beyond noise" in told(found)
    assert not NAMES_A_CAUSE.search(told(found))
    assert not NOMME_UNE_CAUSE.search(told(found, FR))


def test_the_interval_the_trend_test_and_the_detectable_effect_hold_what_they_promise():
    """60 companies of 40 and 80 accounts: 95 % intervals, a 5 % test of true trends, and a power of 80 %."""
    first = estimate(company(0))
    share = first.detectable / (first.effect.value / first.relative.value)  # of what was to be expected
    found = [estimate(company(100 + seed, effect=share)) for seed in range(60)]
    assert np.mean([f.relative.low <= share <= f.relative.high for f in found]) >= 0.90
    assert np.mean([f.trend.p < 0.05 for f in found]) <= 0.10
    assert 0.70 <= np.mean([f.p < 0.05 for f in found]) <= 0.90


def test_few_treated_accounts_do_not_make_it_too_sure():
    found = [estimate(company(seed, n_treated=10)).relative for seed in range(60)]
    assert np.mean([f.low <= 0 <= f.high for f in found]) >= 0.90


def test_the_path_starts_from_the_last_earlier_quarter_and_follows_the_effect():
    path = estimate(company(8, effect=0.3)).trend.path.set_index("period")
    assert path.index.tolist() == [-4, -3, -2, -1, 0, 1]
    assert path.loc[-1, "difference"] == 0
    assert path.loc[0, "low"] < 0.3 < path.loc[0, "high"]


def test_a_comparison_across_a_regime_change_says_so():
    found = estimate(company(9), crossed=[Regime(date(2026, 1, 1), "new price list")])
    assert "goes across new price list (2026-01-01)" in told(found)
    assert found.to_dict()["crossed"] == ["new price list (2026-01-01)"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rows: rows[rows["period"] < 0], "one side of the change only"),
        (lambda rows: rows[rows["account_id"] > 35], "have 4 accounts"),
        (lambda rows: rows[rows["segment"] != "ETI"], "No rows are in the segment ETI"),
    ],
)
def test_what_cannot_be_compared_is_an_error(spoil, says):
    with pytest.raises(DataError, match=says):
        estimate(spoil(company(0)))
