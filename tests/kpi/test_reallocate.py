"""Hours moved between zones whose elasticities are known: against other fits, closed forms, and what came of it."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from winworth.errors import ConfigError, DataError
from winworth.kpi.reallocate import SPARE, best_times, plan_hours
from winworth.kpi.response import fit_response

ZONES = ("North", "East", "South", "West")
ELASTIC = (0.05, 0.15, 0.30, 0.45)
SEASON = 1.105  # the mean of the eight quarters' growth


class Company:
    """Distributors in four zones: large ones are given more hours, whatever hours bring; revenue answers log or power."""

    def __init__(self, seed, elastic=ELASTIC, *, is_power=False, n=40):
        rng = np.random.default_rng(seed)
        self.zone, self.is_power = np.repeat(np.arange(4), n), is_power
        size = np.exp(rng.normal(0, 0.6, 4 * n))
        self.level, self.elastic = 10_000 * size, np.array(elastic)[self.zone]
        hours = (4 * size**0.5 * np.exp(rng.normal(0, 0.3, 4 * n)))[:, None] * np.exp(rng.normal(0, 0.5, (4 * n, 8)))
        noise = 0.3 * self.level[:, None] * rng.normal(size=hours.shape)
        self.mean_hours = hours.mean(axis=1)
        self.rows = pd.DataFrame(
            {
                "account_id": np.repeat(np.arange(4 * n), 8),
                "group": np.repeat(np.array(ZONES)[self.zone], 8),
                "period": np.tile(np.arange(8), 4 * n),
                "hours": hours.ravel(),
                "revenue": (self.revenue(hours) * (1 + 0.03 * np.arange(8)) + noise).ravel(),
            }
        )

    def revenue(self, hours):
        level, elastic = (x.reshape(-1, *[1] * (hours.ndim - 1)) for x in (self.level, self.elastic))
        return level * ((hours / 4) ** elastic if self.is_power else 1 + elastic * (np.log1p(hours) - np.log(5)))

    def gain(self, plan):
        """Return what the plan truly brings a quarter."""
        times = (plan.hours["planned"] / plan.hours["now"]).loc[list(ZONES)].to_numpy()[self.zone]
        return SEASON * (self.revenue(self.mean_hours * times) - self.revenue(self.mean_hours)).sum()


@pytest.fixture(scope="module")
def company():
    return Company(3)


@pytest.fixture(scope="module")
def response(company):
    return fit_response(company.rows, seed=0)


def test_a_slope_is_that_of_a_regression_with_a_column_for_every_account(company, response):
    own = company.rows[company.rows["group"] == "West"]
    columns = [pd.get_dummies(own["account_id"]), pd.get_dummies(own["period"]).iloc[:, 1:], np.log1p(own["hours"])]
    slope = np.linalg.lstsq(pd.concat(columns, axis=1).to_numpy(float), own["revenue"].to_numpy(), rcond=None)[0][-1]
    level = own["revenue"].mean()
    assert response.table.loc["West", "measured"] * level == pytest.approx(slope)


def test_draws_of_accounts_spread_as_far_as_the_clustered_error_says(response):
    level = (response.table["revenue"] / response.table["n_accounts"]).to_numpy()
    assert response.draws.std(axis=0) == pytest.approx((response.table["elasticity_sd"] * level).to_numpy(), rel=0.25)


def test_large_accounts_being_given_more_hours_does_not_look_like_hours_paying():
    """No zone answers hours, and across accounts revenue still grows with them."""
    company = Company(1, (0.0,) * 4)
    rows = company.rows
    across = np.polyfit(np.log1p(rows["hours"]), rows["revenue"], 1)[0] / rows["revenue"].mean()
    found = fit_response(rows, seed=0)
    assert across > 0.2
    assert found.table["elasticity"].abs().max() < 0.08


def test_elasticities_are_drawn_towards_each_other(response):
    table = response.table
    assert table["elasticity"].std() < table["measured"].std()
    assert (table["elasticity_sd"] < table["measured_error"] * 1.1).all()


def test_the_best_hours_are_those_of_water_filling(company):
    """Where the accounts of a zone have the same hours, slope / (1 + hours) is the same wherever no bound holds."""
    rows = company.rows.assign(hours=company.rows["period"] % 2 * 4 + 2.0)
    response = fit_response(rows, seed=0)
    slopes, n = np.maximum(response.slopes, 0), response.table["n_accounts"].to_numpy()
    bounds = np.tile([0.4, 1.9], (4, 1))

    def hours(price):
        return np.clip(slopes / price - 1, 4 * bounds[:, 0], 4 * bounds[:, 1])

    price = brentq(lambda at: n @ hours(at) - n.sum() * 4, 1e-3 * slopes.max(), slopes.max())
    found = best_times(response, bounds=bounds, capacity=4.0 * n.sum())
    assert found * 4 == pytest.approx(hours(price), rel=0.01, abs=0.02)


def test_no_other_split_of_the_hours_brings_more(response):
    bounds = np.tile([0.5, 2.0], (4, 1))
    now = response.table["hours"].to_numpy()
    best = best_times(response, bounds=bounds, capacity=now.sum())

    def worth(times):
        return sum(
            b * response.gain(at, x) for at, (b, x) in enumerate(zip(np.maximum(response.slopes, 0), times, strict=True))
        )

    assert now @ best <= now.sum() * (1 + 1e-6)
    rng = np.random.default_rng(0)
    others = rng.uniform(0.5, 2.0, (3000, 4))
    others = others[others @ now <= now.sum()]
    assert len(others) > 100
    assert max(map(worth, others)) <= worth(best) * (1 + 1e-6)


def test_hours_move_from_where_they_bring_least_to_where_they_bring_most(company, response):
    plan = plan_hours(response)
    assert plan.moves[0].source == "North"
    assert plan.moves[0].target == "West"
    assert plan.gain.low < company.gain(plan) < plan.gain.high
    assert plan.hours["planned"].sum() == pytest.approx(plan.hours["now"].sum())
    assert plan.to_dict()["moves"][0]["source"] == "North"


def test_the_gain_of_all_moves_is_that_of_each_added_up(response):
    plan = plan_hours(response)
    assert plan.gain.value == pytest.approx(sum(move.gain.value for move in plan.moves))


def test_a_zone_keeps_its_minimum_of_hours_and_none_goes_beyond_what_was_tried(response):
    now = response.table["hours"]
    plan = plan_hours(response, least={"North": 0.9 * now["North"]})
    assert plan.hours.loc["North", "planned"] >= 0.9 * now["North"] - 1e-6
    times = plan.hours["planned"] / plan.hours["now"]
    assert (times <= response.table["most"] + 1e-6).all()
    assert (times >= response.table["least"] - 1e-6).all()


def test_hours_that_nobody_works_yet_go_where_they_bring_most(response):
    now = response.table["hours"].sum()
    plan = plan_hours(response, capacity=1.2 * now)
    assert plan.moves[0].source == SPARE
    assert plan.moves[0].target == "West"
    assert plan.hours["planned"].sum() <= 1.2 * now + 1e-6


def test_planted_elasticities_come_back_in_order_and_no_move_is_made_between_equals():
    worlds, equals = ([Company(seed, elastic) for seed in range(8)] for elastic in (ELASTIC, (0.2,) * 4))
    found = [fit_response(world.rows, seed=0, n_boot=200) for world in worlds]
    assert np.mean([f.table.loc[list(ZONES), "elasticity"].is_monotonic_increasing for f in found]) >= 0.7
    plans = [plan_hours(fit_response(world.rows, seed=0, n_boot=200)) for world in equals]
    assert sum(bool(plan.moves) for plan in plans) <= 1
    assert any(plan.p_equal >= 0.05 and not plan.moves for plan in plans)


@pytest.mark.slow
@pytest.mark.parametrize("is_power", [False, True])
def test_the_gain_promised_covers_the_gain_realised(is_power):
    """In 40 companies whose revenue answers the log of hours, as is fitted, or a power of them, as is not."""
    covered = []
    for seed in range(40):
        world = Company(seed, is_power=is_power)
        plan = plan_hours(fit_response(world.rows, seed=0, n_boot=200))
        covered.append(plan.gain.low <= world.gain(plan) <= plan.gain.high)
    assert np.mean(covered) >= 0.85


@pytest.mark.slow
def test_no_move_is_recommended_between_equal_zones():
    plans = [plan_hours(fit_response(Company(seed, (0.2,) * 4).rows, seed=0, n_boot=100)) for seed in range(100)]
    assert sum(bool(plan.moves) for plan in plans) <= 10


def test_what_cannot_be_planned_is_an_error(company, response):
    with pytest.raises(ConfigError, match="Give at least as many"):
        plan_hours(response, capacity=10.0)
    with pytest.raises(ConfigError, match="Did you mean North"):
        plan_hours(response, least={"Nort": 10.0})
    with pytest.raises(DataError, match="In East, 0 accounts had different hours"):
        fit_response(company.rows.assign(hours=1.0), seed=0)
