import numpy as np
import pandas as pd
import pytest

from winworth.scoring.expected import by_account


@pytest.fixture
def deals():
    """Return three deals of one account, one of another, one without an account."""
    table = pd.DataFrame(
        {
            "account_id": ["b", "a", "b", "b", None],
            "deal_id": ["d1", None, "d3", "d2", "d5"],
            "win_probability": [0.5, 0.1, 0.2, 0.4, 0.9],
            "lifetime_value": [100.0, 900.0, 400.0, 50.0, 1e6],
            "reason_1": ["r1", "r2", "r3", "r4", "r5"],
        }
    )
    return table.assign(expected_value=table["win_probability"] * table["lifetime_value"])


def test_an_account_shows_its_deal_of_highest_expected_value(deals):
    found = by_account(deals).set_index("account_id")
    assert found.index.tolist() == ["a", "b"]
    assert found.loc["b", ["deal_id", "reason_1"]].tolist() == ["d3", "r3"]


def test_an_account_wins_if_any_of_its_deals_is_won(deals):
    found = by_account(deals).set_index("account_id")["win_probability"]
    assert found.to_dict() == pytest.approx({"a": 0.1, "b": 1 - 0.5 * 0.8 * 0.6})


def test_what_an_account_is_worth_counts_once(deals):
    found = by_account(deals).set_index("account_id").loc["b"]
    assert found["expected_value"] == pytest.approx(0.2 * 400 + 0.8 * 0.5 * 100 + 0.8 * 0.5 * 0.4 * 50)
    assert found["expected_value"] == pytest.approx(found["win_probability"] * found["lifetime_value"])


def test_the_expected_value_is_that_of_the_best_deal_won(deals):
    own = deals[deals["account_id"] == "b"]
    p, value = own["win_probability"].to_numpy(), own["lifetime_value"].to_numpy()
    outcomes = np.array(np.meshgrid(*[[0, 1]] * len(p))).reshape(len(p), -1).T
    chance = np.prod(np.where(outcomes, p, 1 - p), axis=1)
    best = (outcomes * value).max(axis=1)
    assert by_account(deals).set_index("account_id").loc["b", "expected_value"] == pytest.approx(chance @ best)


def test_no_account_is_expected_to_bring_more_than_its_deals_together(deals):
    small_and_likely = deals.assign(win_probability=[0.9, 0.1, 0.1, 0.9, 0.9], lifetime_value=[1e3, 9e2, 1e5, 1e3, 1e6])
    found = by_account(small_and_likely.assign(expected_value=0.0)).set_index("account_id").loc["b", "expected_value"]
    assert found <= 0.9 * 1e3 + 0.1 * 1e5 + 0.9 * 1e3


def test_without_values_the_likeliest_deal_is_shown(deals):
    found = by_account(deals.assign(lifetime_value=np.nan, expected_value=np.nan)).set_index("account_id")
    assert found.loc["b", "deal_id"] == "d1"
    assert np.isnan(found.loc["b", "expected_value"])


def test_deals_that_tie_are_put_in_order_by_id(deals):
    tied = by_account(deals.assign(expected_value=5.0)).set_index("account_id")
    assert tied.loc["b", "deal_id"] == "d1"


def test_the_order_of_rows_changes_nothing(deals):
    pd.testing.assert_frame_equal(by_account(deals[::-1]), by_account(deals))


def test_a_sure_deal_does_not_break_the_sum_of_logs(deals):
    found = by_account(deals.assign(win_probability=1.0))
    assert found["win_probability"].tolist() == pytest.approx([1.0, 1.0])


def test_no_deals_are_no_accounts(deals):
    assert by_account(deals[:0]).shape[0] == 0


def test_the_deals_are_left_as_they_were(deals):
    before = deals.copy()
    by_account(deals)
    pd.testing.assert_frame_equal(deals, before)
