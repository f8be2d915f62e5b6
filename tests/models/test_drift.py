"""Drift alarms stay silent where nothing drifts, however accounts repeat, and speak where something was planted."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from winworth.models.drift import alarms, at_ages_of, drifted, out_of_range, psi, spread_of

LEVELS = list("abcdefgh")
SHARES = [0.4, 0.2, 0.15, 0.1, 0.06, 0.05, 0.03, 0.01]


def table(n: int, seed: int, per_account: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw nine features: of the account, of the row, with levels; some have gaps."""
    rng = np.random.default_rng(seed)
    accounts = np.arange(n) // per_account
    size = accounts.max() + 1
    made = {}
    for k in range(3):
        made[f"size{k}"] = rng.lognormal(size=size)[accounts]
        made[f"calls{k}"] = np.where(rng.random(n) < 0.1, np.nan, rng.poisson(1.0, n))
        made[f"sector{k}"] = np.array(LEVELS, dtype=object)[rng.choice(8, p=SHARES, size=size)][accounts]
    return pd.DataFrame(made), accounts


def reference(then: pd.DataFrame, accounts: np.ndarray) -> dict:
    levels = {name: [k for k, n in then[name].value_counts().items() if n >= 5] for name in then if "sector" in name}
    return {name: spread_of(then[name], accounts, levels.get(name)) for name in then}


def found(then: dict, now: pd.DataFrame, accounts: np.ndarray) -> list:
    return alarms([test for name in then for test in drifted(name, then[name], now[name], accounts)])


@pytest.mark.parametrize("n", [60, 300])
def test_fewer_than_one_company_in_twenty_is_alarmed_where_nothing_has_drifted(n):
    then = reference(*table(1500, seed=0))
    alarmed = sum(bool(found(then, *table(n, seed=seed))) for seed in range(1, 81))
    assert alarmed <= 4


def test_a_fixed_limit_would_have_cried_wolf():
    then = reference(*table(1500, seed=0))
    tests = [t for seed in range(1, 21) for t in drifted("size0", then["size0"], *_column(table(100, seed), "size0"))]
    assert np.mean([t.size > 0.1 for t in tests if t.what == "values"]) > 0.2


def _column(drawn, name):
    return drawn[0][name], drawn[1]


def test_psi_of_separate_accounts_has_the_chi_square_it_is_said_to_have():
    rng, share, n, m = np.random.default_rng(3), np.full(5, 0.2), 4000, 500
    scaled = [psi(rng.multinomial(n, share), rng.multinomial(m, share)) / (1 / n + 1 / m) for _ in range(2000)]
    assert np.mean(np.array(scaled) > chi2.ppf(0.95, 4)) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda now: now.assign(size1=now["size1"] * 3), ("size1", "values")),
        (lambda now: now.assign(sector1=now["sector1"].replace({"a": "b"})), ("sector1", "values")),
        (lambda now: now.assign(size2=now["size2"].mask(np.arange(len(now)) % 4 == 0)), ("size2", "missing")),
        (lambda now: now.assign(sector0=now["sector0"].replace({"b": "new trade"})), ("sector0", "new_levels")),
    ],
)
def test_a_planted_drift_is_seen_and_named(spoil, what):
    then = reference(*table(1500, seed=0))
    now, accounts = table(600, seed=1)
    assert what in {(test.feature, test.what) for test in found(then, spoil(now), accounts)}


def test_the_same_drift_of_repeated_accounts_is_less_sure():
    then = spread_of(pd.Series(np.arange(1000.0)), np.arange(1000))
    now = pd.Series(np.arange(200.0) % 20 * 50 + 120)
    alone, together = (
        next(t for t in drifted("x", then, now, who) if t.what == "values") for who in (np.arange(200), np.arange(200) % 20)
    )
    assert together.p > alone.p


def test_too_few_rows_say_nothing_and_ranges_are_counted():
    then = spread_of(pd.Series(np.arange(100.0)), np.arange(100))
    assert drifted("x", then, pd.Series([1e9] * 5), np.arange(5)) == []
    assert out_of_range(then, pd.Series([-1.0, 5.0, 100.0, np.nan])) == 2


def by_age(n: int, shares: list[float], seed: int) -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """Draw stages that depend on a deal's age alone, two rows an account."""
    rng = np.random.default_rng(seed)
    ages = rng.choice([0, 30, 90], p=shares, size=n)
    stage = np.where(ages == 0, "a", np.where(rng.random(n) < 0.5, "b", "c"))
    return pd.Series(stage), ages, np.arange(n) // 2


def test_a_month_in_which_few_deals_open_is_no_drift_of_what_grows_with_their_age():
    stage, ages, accounts = by_age(1500, [0.5, 0.35, 0.15], 0)
    then, shares = spread_of(stage, accounts, list("abc")), {"0": 0.5, "30": 0.35, "90": 0.15}
    plain, weighed = [], []
    for seed in range(1, 61):
        now, ages, accounts = by_age(250, [0.3, 0.5, 0.2], seed)
        plain += drifted("stage", then, now, accounts)[:1]
        weighed += drifted("stage", then, now, accounts, at_ages_of(shares, ages))[:1]
    assert sum(test.p < 0.01 for test in plain) >= 50
    assert sum(test.p < 0.01 for test in weighed) <= 2


def test_at_equal_ages_a_planted_drift_is_still_seen():
    stage, _, accounts = by_age(1500, [0.5, 0.35, 0.15], 0)
    then = spread_of(stage, accounts, list("abc"))
    now, ages, accounts = by_age(250, [0.3, 0.5, 0.2], 1)
    (test, *_) = drifted("stage", then, now.replace("c", "b"), accounts, at_ages_of({"0": 0.5, "30": 0.35, "90": 0.15}, ages))
    assert test.p < 1e-6 and test.is_large


def test_equal_weights_change_nothing_and_no_known_ages_weigh_nothing():
    stage, ages, accounts = by_age(300, [0.5, 0.35, 0.15], 3)
    then = spread_of(stage, accounts, list("abc"))
    now, _, accounts = by_age(200, [0.4, 0.4, 0.2], 4)
    assert drifted("stage", then, now, accounts, np.ones(200)) == drifted("stage", then, now, accounts)
    assert at_ages_of(None, ages) is None and at_ages_of({"0": 1.0}, np.array([])) is None
