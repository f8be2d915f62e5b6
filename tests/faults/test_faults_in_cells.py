"""Each fault of numbers, dates and levels, by its id: refused or put aside, the clean rows as they were."""

import pandas as pd
import pytest

from winworth.errors import DataError


@pytest.mark.parametrize("mark", [" ", "\u00a0", "\u202f", "'", "."])
def test_f02_thousands_marks_of_the_locale_are_read(exports, clean, mark):
    exports.spoil("deals", 2, f'D000,A000,won,"1{mark}000,5",2024-01-01,2024-03-01')
    for line in range(3, 62):
        exports.spoil("deals", line, exports.lines["deals"][line - 1].replace(".5,", ","))
    exports.column("deals", "amount", decimal=",")
    exports.option("deals", locale="fr")
    for column in ("opened_on", "closed_on"):
        exports.column("deals", column, format="%Y-%m-%d")
    assert exports.read()["deals"]["amount"].head(2).tolist() == [1000.5, 1001.0]


def test_f02_thousands_marks_out_of_place_are_no_number(exports, expect_put_aside):
    raw = 'D000,A000,won,"1,00,0.5",2024-01-01,2024-03-01'
    exports.spoil("deals", 2, raw)
    exports.column("deals", "opened_on", format="%Y-%m-%d")
    exports.column("deals", "closed_on", format="%Y-%m-%d")
    exports.option("deals", locale="en")
    tables = exports.read()
    expect_put_aside(tables, "F02-number", 2, raw, "D000")
    assert tables.report.quarantine["value"].tolist() == ["1,00,0.5"]


def _with_dates(exports, form: str, days: range) -> None:
    """Write each date of opened_on in a format, its day drawn from `days`."""
    rows = []
    for at, row in enumerate(exports.lines["deals"][1:]):
        cells = row.split(",")
        day = pd.Timestamp(2024, at % 12 + 1, days[at % len(days)])
        rows.append(",".join([*cells[:2], "open", cells[3], day.strftime(form), ""]))
    exports.add("deals", [exports.lines["deals"][0], *rows])
    exports.option("deals", locale="fr")
    exports.column("deals", "amount", decimal=".")


def test_f38_month_first_under_day_first_is_refused_with_the_likely_format(exports):
    _with_dates(exports, "%m/%d/%Y", range(1, 29))
    with pytest.raises(DataError, match=r"column opened_on.*format %d/%m/%Y.*`format: '%m/%d/%Y'`"):
        exports.read()


def test_f38_one_date_that_proves_the_other_order_is_enough(exports):
    _with_dates(exports, "%m/%d/%Y", range(1, 13))
    exports.spoil("deals", 9, "D007,A007,open,1,12/31/2024,")
    with pytest.raises(DataError, match=r'line 9, column opened_on.*"12/31/2024".*the other way round'):
        exports.read()


def test_f38_dates_that_read_both_ways_are_refused_until_a_format_is_declared(exports):
    _with_dates(exports, "%d/%m/%Y", range(1, 12))
    with pytest.raises(DataError, match=r"each of 60 dates reads as day/month and as month/day.*unproven"):
        exports.read()
    exports.column("deals", "opened_on", format="%d/%m/%Y")
    assert exports.read()["deals"]["opened_on"][1] == pd.Timestamp(2024, 2, 2)


@pytest.mark.parametrize(
    ("rule", "cell"),
    [("F41-date", "2025-02-30"), ("F40-date-format", "03/04/2025"), ("F46-unlikely-date", "9999-12-31")],
)
def test_f41_a_day_that_does_not_exist_is_put_aside(exports, expect_put_aside, rule, cell):
    raw = f"D002,A002,open,1002.5,{cell},"
    exports.spoil("deals", 4, raw)
    expect_put_aside(exports.read(), rule, 4, raw, "D002")


def test_f45_a_deal_closed_before_it_opened_is_put_aside(exports, expect_put_aside):
    raw = "D000,A000,won,1000.5,2024-05-01,2024-03-01"
    exports.spoil("deals", 2, raw)
    expect_put_aside(exports.read(), "F45-closed-before-opened", 2, raw, "D000")


@pytest.mark.parametrize("cell", ["NaN", "inf", "-Infinity", "1e400"])
def test_f53_a_number_without_end_is_put_aside(exports, expect_put_aside, cell):
    raw = f"D000,A000,won,{cell},2024-01-01,2024-03-01"
    exports.spoil("deals", 2, raw)
    expect_put_aside(exports.read(), "F53-not-finite", 2, raw, "D000")


def test_f56_a_status_that_is_not_mapped_is_refused_with_its_count(exports):
    for line in (2, 8):
        exports.spoil("deals", line, exports.lines["deals"][line - 1].replace("won", "Gagné"))
    with pytest.raises(
        DataError, match=r'deals.csv, line 2, column status: .* in 2 of 60 cells: "Gagné" \(2\).*won, lost, open'
    ):
        exports.read()
    exports.column("deals", "status", values={"won": "won", "lost": "lost", "open": "open"})
    with pytest.raises(DataError, match=r'"Gagné" \(2\)'):
        exports.read()


def test_f42_day_numbers_of_excel_are_named(exports):
    _with_dates(exports, "45292", range(1, 2))
    with pytest.raises(DataError, match="Excel's own day numbers"):
        exports.read()
