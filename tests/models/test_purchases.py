from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.errors import DataError
from winworth.models.endings import NEVER, by_contract, by_purchases, by_silence, last_purchase
from winworth.models.landmarks import states_at, windows_of
from winworth.models.purchases import _months_back, net_purchases, window_sum

AS_OF = date(2024, 6, 30)


def log_of(*rows):
    """Return a log of (account, day, amount) rows."""
    table = pd.DataFrame(rows, columns=["account_id", "bought_on", "amount"])
    return table.assign(bought_on=pd.to_datetime(table["bought_on"], format="ISO8601"))


def netted(*rows, **options):
    return net_purchases(log_of(*rows), as_of=AS_OF, **options)


def test_a_credit_note_nets_within_its_account_and_month():
    found = netted(("a", "2024-05-02", 100), ("a", "2024-05-20", -30), ("a", "2024-06-01", 50), ("b", "2024-05-03", 7))
    assert found.of.tolist() == [0, 0, 1]
    assert found.month.tolist() == [-1, 0, -1]
    assert found.margin.tolist() == [70, 50, 7]
    assert found.n_days.tolist() == [1, 1, 1]


def test_a_month_that_nets_to_nothing_has_no_purchase_but_keeps_its_money():
    found = netted(("a", "2024-05-02", 0.1), ("a", "2024-05-03", 0.2), ("a", "2024-05-04", -0.3), ("a", "2024-06-02", -40))
    assert found.n_days.tolist() == [0, 0]
    assert found.margin == pytest.approx([0, -40])
    assert np.isnan(last_purchase(found, 0)).all()


def test_nothing_after_the_as_of_date_is_read_not_even_its_faults():
    rows = [("a", "2024-06-30 23:00", 5.0), ("a", "2024-07-01", np.nan), ("z", "2025-01-01", 9.0)]
    found = netted(*rows)
    assert found.accounts.tolist() == ["a"]
    assert found.margin.tolist() == [5]


def test_a_row_twice_at_half_weight_is_the_row_once():
    rows = [("a", "2024-05-02", 10.3), ("a", "2024-05-09", 5.1), ("b", "2024-06-02", -1.7)]
    once, twice = netted(*rows), netted(*rows, *rows, sample_weight=np.full(6, 0.5))
    for name in ("of", "month", "margin", "n_days", "first_day", "last_day", "gaps", "squares", "longest_gap"):
        np.testing.assert_allclose(getattr(twice, name), getattr(once, name), rtol=1e-12)


def test_the_margin_counts_where_it_is_given_and_the_amount_says_what_is_a_purchase():
    log = log_of(("a", "2024-05-02", 100), ("b", "2024-05-02", 100)).assign(margin=[20.0, -5.0])
    found = net_purchases(log, as_of=AS_OF)
    assert found.margin.tolist() == [20, -5]
    assert found.n_days.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"margin": [1.0, np.nan]}, r"1 of 2 rows of the log have no finite margin; the first is account b, row 1\. Put in"),
        ({"amount": [np.inf, 1.0]}, "1 of 2 rows of the log have no finite amount; the first is account a, row 0"),
        ({"account_id": ["a", None]}, "1 of 2 rows of the log have no finite account_id"),
        ({"bought_on": pd.to_datetime(["2024-05-01", None])}, "1 of 2 rows of the log have no finite bought_on"),
        ({"paid_on": pd.to_datetime(["2024-05-01"] * 2)}, r"needs one column of dates and has 2 \(bought_on, paid_on\)"),
        ({"bought_on": ["2024-05-01"] * 2}, r"has 0 \(none\)\. Keep the day .* pandas\.to_datetime"),
    ],
)
def test_a_faulty_log_is_refused_with_the_count_the_first_case_and_the_way_out(change, says):
    log = log_of(("a", "2024-05-02", 100), ("b", "2024-05-02", 100)).assign(**change)
    with pytest.raises(DataError, match=says):
        net_purchases(log, as_of=AS_OF)


def test_dates_with_a_time_zone_are_refused():
    log = log_of(("a", "2024-05-02", 1))
    with pytest.raises(DataError, match="All 1 dates in bought_on carry a time zone. Make them"):
        net_purchases(log.assign(bought_on=log["bought_on"].dt.tz_localize("UTC")), as_of=AS_OF)


def test_a_log_without_amounts_is_refused():
    with pytest.raises(DataError, match="lacks the columns amount"):
        net_purchases(log_of(("a", "2024-05-02", 1)).drop(columns="amount"), as_of=AS_OF)


@pytest.mark.parametrize(
    ("weight", "says"),
    [([1.0], "1 weights for 2 rows"), ([1.0, -1.0], "the first is -1.0 on row 1"), ([np.nan, 1.0], "1 of 2 weights")],
)
def test_faulty_weights_are_refused(weight, says):
    with pytest.raises(DataError, match=says):
        netted(("a", "2024-05-02", 1), ("b", "2024-05-02", 1), sample_weight=np.array(weight))


@pytest.mark.parametrize("as_of", ["2024-06-30", "2024-02-29", "2023-02-28", "2024-01-31", "2024-01-29", "2024-03-15"])
def test_months_counted_back_end_where_they_are_said_to_end(as_of):
    found = net_purchases(log_of(("a", "2020-01-02", 1)), as_of=pd.Timestamp(as_of).date())
    for month in range(-40, 1):
        last = found.day_of(month)
        assert _months_back(np.array([last, last + 1]), pd.Timestamp(as_of)).tolist() == [month, month + 1]


def test_a_small_account_keeps_its_cents_beside_a_giant():
    assert window_sum(np.array([1e18, 0.01, 0.02]), np.array([0, 1]), np.array([1, 3]))[1] == pytest.approx(0.03, rel=1e-12)


def test_the_longest_gap_is_the_95_percent_point_of_an_accounts_own():
    days = pd.Timestamp("2022-01-01") + pd.to_timedelta(np.cumsum([0, 10, 40, 15, 90, 31]), unit="D")
    found = netted(*[("b", day, 1) for day in days], ("a", "2024-01-01", 1))
    assert found.longest_gap[1] == pytest.approx(np.quantile([10, 40, 15, 90, 31], 0.95))
    assert np.isnan(found.longest_gap[0])


def test_a_silence_counts_from_six_months_and_only_where_it_could_be_observed():
    rows = [
        ("five", "2024-01-30", 1),
        ("seven", "2023-11-20", 1),
        *[("yearly", f"{year}-10-01", 1) for year in range(2019, 2024)],
    ]
    found = netted(*rows)
    left = by_silence(found, least_months=6)
    assert found.accounts[np.isfinite(left.day)].tolist() == ["seven"]
    known = dict(zip(found.accounts, found.day_of(0) - left.known_until, strict=True))
    assert known["five"] == pytest.approx(182.6, abs=0.1)
    assert known["yearly"] == pytest.approx(366, abs=1)


def test_windows_whose_leaving_is_not_observed_yet_are_not_known():
    found = netted(*[("a", day, 1) for day in pd.date_range("2022-07-01", "2024-06-01", freq="MS")])
    windows = windows_of(found, by_silence(found, least_months=6), unit=1.0, step=3, most_ahead=8)
    end = windows.month + 3 * windows.ahead
    assert (windows.is_known == (end < -6)).all()
    assert windows_of(found, by_purchases(found), unit=1.0, step=3, most_ahead=8).is_known.all()


def test_a_contract_end_after_the_as_of_date_is_not_known():
    found = netted(("a", "2024-01-30", 1), ("b", "2024-01-30", 1), ("c", "2024-01-30", 1))
    ends = pd.Series(pd.to_datetime(["2024-03-31", "2024-07-01", None]), ["a", "b", "c"])
    assert by_contract(found, ends).day.tolist() == [(pd.Timestamp("2024-03-31") - pd.Timestamp(0)).days, NEVER, NEVER]


def test_contracts_must_say_something_of_each_account_and_once():
    found = netted(("a", "2024-01-30", 1), ("b", "2024-01-30", 1))
    end = pd.Timestamp("2024-03-31")
    with pytest.raises(DataError, match="lacks 1 of 2 accounts of the log: b. Give each account one entry, NaT"):
        by_contract(found, pd.Series([end], ["a"]))
    with pytest.raises(DataError, match="names 1 accounts twice: a"):
        by_contract(found, pd.Series([end] * 3, ["a", "a", "b"]))


def test_a_state_is_what_the_log_told_by_then():
    rows = [("a", "2023-01-10", 5), ("a", "2023-03-11", 7), ("b", "2023-12-01", 1)]
    later = [("a", "2024-02-01", 1e9), ("b", "2024-03-01", -1e9), ("c", "2024-01-15", 3)]
    short = net_purchases(log_of(*rows), as_of=date(2023, 12, 31))
    then, now = states_at(netted(*rows, *later), -6, unit=1.0), states_at(short, 0, unit=1.0)
    np.testing.assert_array_equal(then.X, now.X)
    np.testing.assert_array_equal(then.rate, now.rate)


def test_windows_bring_what_was_invoiced_in_them():
    found = netted(("a", "2023-09-15", 1), ("a", "2024-01-20", 10), ("a", "2024-04-02", 100), ("a", "2024-06-30", 1000))
    windows = windows_of(found, by_purchases(found), unit=1.0, step=3, most_ahead=8)
    brought = {(month, ahead): m for month, ahead, m in zip(windows.month, windows.ahead, windows.margin, strict=True)}
    assert brought[(-3, 1)] == 1100
    assert (brought[(-6, 1)], brought[(-6, 2)]) == (10, 1100)
    assert max(month + 3 * ahead for month, ahead in brought) == 0
