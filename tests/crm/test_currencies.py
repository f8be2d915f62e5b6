"""Money of several currencies is turned at the day's rate, and never added as it is."""

import pytest

from winworth.errors import DataError

RATES = ["currency,valid_on,rate", "USD,2024-01-01,0.9", "USD,2024-06-01,0.8", "CHF,2024-03-15,1.05"]


def line(deal, status, closed_on, currency, amount=100):
    return f"{deal},A001,{status},{amount},2024-01-05,{closed_on},{currency}"


@pytest.fixture
def mixed(exports):
    """Return deals in euros, in dollars before and after their rate changed, in francs, and without a currency."""
    lines = [
        "deal_id,account_id,status,amount,opened_on,closed_on,currency",
        line("D1", "won", "2024-02-01", "EUR"),
        line("D2", "won", "2024-05-31", "USD"),
        line("D3", "won", "2024-06-01", "USD"),
        line("D4", "open", "", "USD"),
        line("D5", "lost", "2024-04-01", "CHF"),
        line("D6", "won", "2024-04-01", ""),
        *(line(f"E{k}", "lost", "2024-04-01", "EUR") for k in range(30)),
    ]
    exports.add("deals", lines)
    return exports


def amounts(tables):
    deals = tables["deals"].set_index("deal_id")
    return {name: round(float(deals["amount"].get(name, float("nan"))), 6) for name in ("D1", "D2", "D3", "D4", "D5", "D6")}


def test_f51_each_row_is_turned_at_the_last_rate_by_its_own_day(mixed):
    mixed.add("rates", RATES)
    tables = mixed.read(currency="EUR")
    assert amounts(tables) == {"D1": 100, "D2": 90, "D3": 80, "D4": 90, "D5": 105, "D6": 100}
    assert set(tables["deals"]["currency"].dropna()) == {"EUR"}
    assert "rates" not in tables
    assert any("4 rows in other currencies count in EUR" in warning for warning in tables.report.warnings)


def test_f51_several_currencies_without_rates_are_refused_with_counts_and_the_first_case(mixed):
    with pytest.raises(
        DataError, match=r"3 currencies \(EUR 32, USD 3, CHF 1\).*first \"USD\" \(deals.csv, line 3\).*Map a table rates"
    ):
        mixed.read(currency="EUR")


def test_f51_a_row_before_its_first_rate_is_put_aside_and_money_is_conserved(mixed):
    mixed.add("rates", [*RATES[:3], "CHF,2024-05-01,1.05"])
    tables = mixed.read(currency="EUR")
    assert "D5" not in set(tables["deals"]["deal_id"])
    fault = tables.report.quarantine.set_index("rule").loc["F51-no-rate"]
    assert (fault["row"], fault["value"]) == (6, "CHF")
    count = next(count for count in tables.report.files if count.table == "deals")
    assert count.amounts["CHF"] == {"read": 100, "used": 0, "quarantined": 100, "duplicate": 0, "out_of_scope": 0}


def test_f51_a_later_rate_changes_nothing_before_its_day(mixed):
    mixed.add("rates", RATES)
    before = amounts(mixed.read(currency="EUR"))
    mixed.add("rates", [*RATES, "USD,2024-06-02,5.0", "CHF,2024-12-01,9.0"])
    assert amounts(mixed.read(currency="EUR")) == before


def test_one_currency_that_is_not_the_companys_is_refused_too(mixed):
    mixed.add(
        "deals", ["deal_id,account_id,status,amount,opened_on,closed_on,currency", line("D1", "won", "2024-02-01", "USD")]
    )
    with pytest.raises(DataError, match="the company's is EUR"):
        mixed.read(currency="EUR")
