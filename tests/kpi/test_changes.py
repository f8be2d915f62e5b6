"""What a change can move, counted row by row as a person would, on the small company of the ledger's tests."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from kpi_world import AS_OF, draw_tables

from winworth.crm.snapshot import take_snapshot
from winworth.kpi.changes import OUTCOMES, Scene, customers_since
from winworth.kpi.quarters import Regime
from winworth.kpi.survival import closing
from winworth.models.censoring import Histories
from winworth.models.incidence import cumulative_incidence
from winworth.tables import CrmTables, ReadReport

SPLIT, AGE = date(2025, 7, 1), 90


@pytest.fixture(scope="module")
def tables():
    tables = draw_tables(600, 1)
    won = tables["deals"]["status"] == "won"
    kind = np.where(won & tables["deals"].duplicated("account_id"), "upsell", "new")
    costs = tables["costs"]
    by_size = [costs.assign(size_class=size, amount=costs["amount"] * part) for size, part in (("PME", 0.5), ("ETI", 0.3))]
    return tables | {"deals": tables["deals"].assign(kind=kind), "costs": pd.concat(by_size, ignore_index=True)}


def scene_of(tables, **options):
    snapshot = take_snapshot(CrmTables(tables, {}, ReadReport((), pd.DataFrame())), as_of=AS_OF)
    segment = tables["accounts"].set_index("account_id")["size_class"]
    return Scene(snapshot, segment, "size_class", SPLIT, AGE, **options)


def quarter(day, number):
    start = pd.Timestamp(SPLIT) + pd.DateOffset(months=3 * number)
    return start <= day < start + pd.DateOffset(months=3)


def test_days_open_are_the_area_under_kaplan_and_meiers_curve(tables):
    """At equal age nothing is censored before the age: the mean of days, cut there, is the restricted mean."""
    scene = scene_of(tables)
    rows = OUTCOMES["days_open"].rows(scene)
    opened = rows["opened_on"].to_numpy().astype("datetime64[D]").astype(int)
    ended = rows["closed_on"].fillna(pd.Timestamp("2099-01-01")).to_numpy().astype("datetime64[D]").astype(int)
    day = int(np.datetime64(AS_OF, "D").astype(int))
    curve = cumulative_incidence(closing(Histories(opened, ended, np.ones(len(rows), dtype=bool))), day=day)
    area = sum(1 - curve.won_by(np.array([age]))[0] for age in range(AGE))
    assert rows["days_open"].mean() == pytest.approx(area)


def test_every_deal_has_been_followed_to_the_age(tables):
    rows = OUTCOMES["won"].rows(scene_of(tables))
    assert (rows["opened_on"] <= pd.Timestamp(AS_OF) - pd.Timedelta(days=AGE)).all()
    assert rows["amount_won"].gt(0).equals(rows["won"].eq(1))


def test_upsells_are_those_opened_in_the_quarter_and_won_in_time_by_who_was_a_customer_before(tables):
    rows = OUTCOMES["upsells"].rows(scene_of(tables))
    known = take_snapshot(CrmTables(tables, {}, ReadReport((), pd.DataFrame())), as_of=AS_OF)["deals"]
    won_in_time = known[(known["kind"] == "upsell") & ((known["closed_on"] - known["opened_on"]).dt.days <= AGE)]
    won_in_time = won_in_time[won_in_time["status"] == "won"]
    since = customers_since(known)
    assert set(rows["period"]) == {
        -3,
        -2,
        -1,
        0,
        1,
        2,
    }  # the first customer came in -4, and what was opened since April is too young
    for number in (-1, 0, 2):
        start = pd.Timestamp(SPLIT) + pd.DateOffset(months=3 * number)
        own = rows[rows["period"] == number]
        assert set(own["account_id"]) == set(since.index[since < start])
        of = won_in_time[[quarter(day, number) for day in won_in_time["opened_on"]]]
        assert own["upsells"].sum() == of["account_id"].isin(own["account_id"]).sum()


def test_revenue_is_what_was_invoiced_in_whole_quarters_after_the_first_invoice(tables):
    rows = OUTCOMES["revenue"].rows(scene_of(tables))
    invoices = tables["invoices"].query("invoiced_on <= @AS_OF")
    first = invoices.groupby("account_id")["invoiced_on"].min()
    own = rows[rows["period"] == 1].set_index("account_id")["revenue"]
    start = pd.Timestamp(SPLIT) + pd.DateOffset(months=3)
    assert set(own.index) == set(first.index[first < start])
    of = invoices[[quarter(day, 1) for day in invoices["invoiced_on"]]]
    assert own.sum() == pytest.approx(of.loc[of["account_id"].isin(own.index), "amount"].sum())
    assert rows["period"].max() == 3


def test_acquisition_is_new_customers_over_costs_by_segment_and_month(tables):
    rows = OUTCOMES["acquisition_cost"].rows(scene_of(tables)).set_index(["segment", "month"])
    since = customers_since(take_snapshot(CrmTables(tables, {}, ReadReport((), pd.DataFrame())), as_of=AS_OF)["deals"])
    size = since.index.map(tables["accounts"].set_index("account_id")["size_class"])
    month = pd.Timestamp("2025-03-01")
    expected = ((size == "PME") & (since.dt.strftime("%Y-%m") == "2025-03").to_numpy()).sum()
    assert rows.loc[("PME", month), "acquisition_cost"] == expected
    assert rows.loc[("PME", month), "exposure"] == pytest.approx(4500.0)


def test_with_a_lag_the_customers_of_later_months_stand_beside_the_costs(tables):
    now, later = (OUTCOMES["acquisition_cost"].rows(scene_of(tables, cac_lag_months=lag)) for lag in (0, 2))
    by_month = now.set_index(["segment", "month"])["acquisition_cost"]
    lagged = later.set_index(["segment", "month"])["acquisition_cost"]
    assert lagged["PME", pd.Timestamp("2025-03-01")] == by_month["PME", pd.Timestamp("2025-05-01")]
    assert later["month"].max() == now["month"].max() - pd.DateOffset(months=2)


def test_a_month_that_a_regime_change_cuts_is_left_out(tables):
    rows = OUTCOMES["acquisition_cost"].rows(scene_of(tables, regimes=(Regime(date(2025, 3, 10), "new prices"),)))
    assert pd.Timestamp("2025-03-01") not in set(rows["month"])
    panel = OUTCOMES["revenue"].rows(scene_of(tables, regimes=(Regime(date(2025, 11, 1), "new prices"),)))
    lengths = panel.groupby("period")["exposure"].first() * 91
    assert lengths[1] == pytest.approx(31)
    assert lengths[2] == pytest.approx(61)


@pytest.mark.parametrize("outcome", ["upsells", "revenue", "acquisition_cost"])
def test_what_the_extract_does_not_tell_is_not_made_up(tables, outcome):
    bare = {name: table for name, table in tables.items() if name not in ("invoices", "costs")}
    assert OUTCOMES[outcome].rows(scene_of(bare | {"deals": tables["deals"].drop(columns="kind")})) is None
