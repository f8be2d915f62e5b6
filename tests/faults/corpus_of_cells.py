"""Faults F38 to F62: days, amounts and labels."""

from datetime import date

import pandas as pd
from clean_crm import AS_OF, Crm, Mended, PutAside, Refused, SaidOfDays, Verdict, clean

from winworth.crm.snapshot import take_snapshot


def f38_month_before_day(crm: Crm) -> Verdict:
    french(crm, "%m/%d/%Y", lambda day: day)
    return Refused(says=("^deals.csv, line .*column opened_on", "under locale fr", r"`format: '%m/%d/%Y'`"))


def f38_days_that_read_both_ways(crm: Crm) -> Verdict:
    french(crm, "%d/%m/%Y", lambda day: day.replace(day=day.day % 12 + 1))
    return Refused(says=("^deals.csv, line 2, column opened_on: each of 120 dates reads as day/month and as month/day",))


def f38_one_day_that_proves_the_other_order(crm: Crm) -> Verdict:
    french(crm, "%d/%m/%Y", lambda day: day.replace(day=day.day % 12 + 1))
    crm.spoil("deals", 9, "opened_on", "03/31/2025")
    return Refused(says=('^deals.csv, line 9, column opened_on.*"03/31/2025"', "the other way round"))


def f39_iso_under_a_locale_that_puts_days_first(crm: Crm) -> Verdict:
    crm.option("deals", locale="fr")
    for column in ("amount", "budget"):
        crm.column("deals", column, decimal=".")
    return Refused(says=("^deals.csv, line 2, column opened_on", r"`format: '%Y-%m-%d'`"))


def f40_a_day_in_another_format(crm: Crm) -> Verdict:
    crm.spoil("deals", 4, "opened_on", "03/04/2025")
    return PutAside(rule="F40-date-format", rows=((4, "opened_on", "03/04/2025"),), gone=("D000003",))


def f41_a_day_that_does_not_exist(crm: Crm) -> Verdict:
    crm.spoil("deals", 4, "opened_on", "2025-02-30")
    return PutAside(rule="F41-date", rows=((4, "opened_on", "2025-02-30"),), gone=("D000003",))


def f41_days_of_nought(crm: Crm) -> Verdict:
    crm.spoil("deals", 4, "opened_on", "0000-00-00")
    return PutAside(rule="F41-date", rows=((4, "opened_on", "0000-00-00"),), gone=("D000003",))


def f42_day_numbers_of_excel(crm: Crm) -> Verdict:
    crm.spoil_all("deals", "opened_on", lambda text: str((pd.Timestamp(text) - pd.Timestamp(1899, 12, 30)).days))
    return Refused(says=("^deals.csv, line 2, column opened_on", "Excel's own day numbers"))


def f43_a_time_zone_that_was_not_declared(crm: Crm) -> Verdict:
    crm.spoil("deals", 4, "opened_on", "2025-02-03T23:30:00+02:00")
    return PutAside(rule="F40-date-format", rows=((4, "opened_on", "2025-02-03T23:30:00+02:00"),), gone=("D000003",))


def f43_times_of_a_declared_form_keep_their_day(crm: Crm) -> Verdict:
    crm.spoil_all("deals", "opened_on", lambda text: text + "T23:30:00+02:00")
    crm.column("deals", "opened_on", format="%Y-%m-%dT%H:%M:%S%z")
    return Mended()


def f44_a_day_somebody_expects(crm: Crm) -> Verdict:
    crm.spoil("deals", crm.find("deals", "status", "open"), "closed_on", "2026-12-31")
    return Mended(warning="^deals: closed_on of 1 row with status open was taken for an expected day and left out")


def f44_a_deal_that_ended_in_the_future(crm: Crm) -> Verdict:
    crm.spoil("deals", 2, "closed_on", "2062-12-09")
    said = (
        "^Later than 2026-06-30 and so not known are 1 of deals.closed_on; the latest day is 2062-12-09. A deal that ends later"
    )
    return SaidOfDays(pattern=said, but={"deals": ("D000001",)})


def f44_an_activity_in_the_future(crm: Crm) -> Verdict:
    crm.spoil("activities", 2, "happened_on", "2062-12-09")
    said = "^Later than 2026-06-30 and so not known are 1 of activities; the latest day is 2062"
    return SaidOfDays(("deals", "activities"), said, but={"activities": ("E000001",)})


def f45_closed_before_it_opened(crm: Crm) -> Verdict:
    crm.spoil("deals", 2, "closed_on", "2020-01-01")
    return PutAside(rule="F45-closed-before-opened", rows=((2, "closed_on", "2020-01-01"),), gone=("D000001",))


def f45_a_deal_that_ended_on_no_day(crm: Crm) -> Verdict:
    crm.spoil("deals", 2, "closed_on", "")
    return PutAside(rule="F45-no-closing-day", rows=((2, "closed_on", ""),), gone=("D000001",))


def f46_days_that_stand_for_none(crm: Crm) -> Verdict:
    days = ("1900-01-01", "9999-12-31", "0025-03-04")
    for line, day in enumerate(days, start=2):
        crm.spoil("deals", line, "opened_on", day)
    rows = tuple((line, "opened_on", day) for line, day in enumerate(days, start=2))
    return PutAside(rule="F46-unlikely-date", rows=rows, gone=("D000001", "D000002", "D000003"))


def f46_days_declared_to_stand_for_none(crm: Crm) -> Verdict:
    line = crm.find("deals", "status", "open")
    crm.spoil("deals", line, "closed_on", "9999-12-31")
    crm.column("deals", "closed_on", missing_values=("9999-12-31",))
    return Mended()


def f47_an_extract_of_the_quarter_before(crm: Crm) -> Verdict:
    said = "^Nothing is on record for the 9. days up to 2026-09-30, .* the extract seems to be of 2026-06-"
    return SaidOfDays(("deals", "activities", "invoices"), said, date(2026, 9, 30))


def f47_quarters_that_overlap(crm: Crm) -> Verdict:
    header, *rows = crm.lines["deals"]
    crm.write("deals-q1.csv", "\n".join([header, *rows[:70]]))
    crm.write("deals-q2.csv", "\n".join([header, *rows[60:]]))
    crm.option("deals", file="deals-q*.csv")
    return Mended(warning="^deals: 10 rows repeat an earlier row and were dropped", duplicates=10)


def f48_rows_all_modified_at_once(crm: Crm) -> Verdict:
    crm.with_column("deals", "modified_on", lambda line: "2026-06-28")
    return Mended(holds=lambda found: "modified_on" not in take_snapshot(found, as_of=AS_OF)["deals"])


def f50_negatives_as_accountants_write_them(crm: Crm) -> Verdict:
    for line, text in enumerate(["(500)", "(1500.25)", "500-", "-500"], start=2):
        crm.spoil("invoices", line, "amount", text)
    return Mended(
        ("deals", "invoices"),
        but={"invoices": ("F000001", "F000002", "F000003", "F000004")},
        holds=lambda found: found["invoices"]["amount"].head(4).tolist() == [-500.0, -1500.25, -500.0, -500.0],
    )


def f50_a_credit_of_unknown_sign(crm: Crm) -> Verdict:
    crm.spoil("deals", 2, "amount", "500 CR")
    return PutAside(rule="F02-number", rows=((2, "amount", "500 CR"),), gone=("D000001",))


def f51_currencies_without_rates(crm: Crm) -> Verdict:
    crm.spoil("deals", 3, "currency", "USD")
    return Refused(
        says=(r'^deals: money is in 2 currencies \(EUR 119, USD 1\).*first "USD" \(deals.csv, line 3\).*Map a table rates',)
    )


def f51_a_day_before_the_first_rate(crm: Crm) -> Verdict:
    crm.spoil("deals", 3, "currency", "USD")
    crm.add("rates", ["currency,valid_on,rate", "USD,2026-06-30,0.9"])
    said = "^deals: 1 row have a currency without a rate by their day"
    return PutAside(("deals", "rates"), "F51-no-rate", rows=((3, "currency", "USD"),), gone=("D000002",), warning=said)


def f52_thousands_beside_units(crm: Crm) -> Verdict:
    for line in range(2, 122):
        if crm.cell("deals", line, "source") == "Partenaire":
            crm.spoil("deals", line, "amount", f"{float(crm.cell('deals', line, 'amount')) / 1000:.5f}")
    spoiled = clean()["deals"].loc[clean()["deals"]["source"] == "Partenaire", "deal_id"]
    return Mended(
        warning=r'^deals: amount is about 1,000 times smaller where source is "Partenaire" \(\d+ rows, first deals.csv, line 2',
        but={"deals": tuple(spoiled)},
    )


def f53_numbers_without_end(crm: Crm) -> Verdict:
    texts = ("NaN", "inf", "-Infinity", "1e400")
    for line, text in enumerate(texts, start=2):
        crm.spoil("deals", line, "amount", text)
    rows = tuple((line, "amount", text) for line, text in enumerate(texts, start=2))
    return PutAside(rule="F53-not-finite", rows=rows, gone=("D000001", "D000002", "D000003", "D000004"))


def f54_an_amount_a_hundred_times_too_high(crm: Crm) -> Verdict:
    line = crm.find("deals", "status", "won")
    crm.spoil("deals", line, "amount", "90000000")
    return Mended(
        warning=rf"^deals: one row has \d+% of all amount: 90,000,000 \(deals.csv, line {line}\)",
        but={"deals": (crm.cell("deals", line, "deal_id"),)},
    )


def f56_a_status_that_is_not_mapped(crm: Crm) -> Verdict:
    for line in (2, 8):
        crm.spoil("deals", line, "status", "Gagnée")
    return Refused(
        says=(r'^deals.csv, line 2, column status: .* in 2 of 120 cells: "Gagnée" \(2\)', "Map each to won, lost, open")
    )


def f57_a_won_deal_of_no_amount(crm: Crm) -> Verdict:
    line = crm.find("deals", "status", "won")
    crm.spoil("deals", line, "amount", "0")
    deal = crm.cell("deals", line, "deal_id")
    return Mended(warning=rf"^deals: 1 won deal has no amount above 0: .*deals.csv, line {line}", but={"deals": (deal,)})


def f58_no_deal_was_lost(crm: Crm) -> Verdict:
    crm.lines["deals"] = [line for line in crm.lines["deals"] if ",lost," not in line]
    lost = clean()["deals"].loc[clean()["deals"]["status"] == "lost", "deal_id"]
    return Mended(warning=r"^deals: 2\d have ended and none is lost.*CRMs delete lost deals", but={"deals": tuple(lost)})


def f61_losses_all_on_one_day(crm: Crm) -> Verdict:
    lost = [line for line in range(2, 122) if crm.cell("deals", line, "status") == "lost"]
    for line in lost:
        crm.spoil("deals", line, "closed_on", "2026-06-29")
    return Mended(
        warning=rf"^deals: {len(lost)} of {len(lost)} losses are on 2026-06-29",
        but={"deals": tuple(crm.cell("deals", line, "deal_id") for line in lost)},
    )


def french(crm: Crm, form: str, day_of) -> None:
    """Write opened_on in a French file in a format, each day changed by `day_of`."""
    crm.option("deals", locale="fr")
    for column in ("amount", "budget"):
        crm.column("deals", column, decimal=".")
    crm.column("deals", "closed_on", format="%Y-%m-%d")
    crm.spoil_all("deals", "opened_on", lambda text: day_of(pd.Timestamp(text)).strftime(form))
