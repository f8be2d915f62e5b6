"""Faults F01 to F18, and F23: the text of files, from its bytes to its rows."""

import codecs

from clean_crm import Crm, Mended, PutAside, Refused, Verdict, clean


def f01_another_separator(crm: Crm) -> Verdict:
    crm.lines["deals"] = [line.replace(",", ";") for line in crm.lines["deals"]]
    return Refused(says=(r'^deals.csv, line 1: parted by ","', 'It looks parted by ";": set tables.deals.separator'))


def f01_a_decimal_comma(crm: Crm) -> Verdict:
    crm.option("deals", separator=";")
    crm.lines["deals"] = [line.replace(",", ";").replace(".0;", ",5;") for line in crm.lines["deals"]]
    return Refused(says=(r"^deals.csv, line 2, column amount", "under locale iso", "`locale: fr`"))


def f02_thousands_marks_of_the_locale(crm: Crm) -> Verdict:
    marks = "\u00a0\u202f '."
    as_declared(crm)
    crm.spoil_all("deals", "amount", lambda text: f"{float(text):,.2f}".replace(",", marks[len(text) % 5]).replace(".", ",", 0))
    crm.spoil_all("deals", "amount", lambda text: text[:-3] + "," + text[-2:])
    return Mended()


def f02_a_mark_out_of_place(crm: Crm) -> Verdict:
    as_declared(crm)
    crm.spoil_all("deals", "amount", lambda text: text.replace(".", ","))
    crm.spoil("deals", 5, "amount", "1.23,5")
    return PutAside(rule="F02-number", rows=((5, "amount", "1.23,5"),), gone=("D000004",))


def f03_numbers_that_read_both_ways(crm: Crm) -> Verdict:
    crm.spoil_all("deals", "amount", lambda text: f"{float(text) % 900 + 1:.0f}.000")
    return Refused(says=(r"^deals.csv, line 2, column amount", "unproven", r"`decimal: '\.'`"))


def f04_a_byte_order_mark(crm: Crm) -> Verdict:
    crm.write("deals.csv", codecs.BOM_UTF8 + crm.text("deals").encode())
    return Mended()


def f04_two_exports_put_together(crm: Crm) -> Verdict:
    crm.lines["deals"].append("\ufeff" + crm.lines["deals"][0])
    return Refused(says=("^deals.csv, line 122: a second file begins here",))


def f05_utf_16(crm: Crm) -> Verdict:
    crm.write("deals.csv", crm.text("deals").encode("utf-16"))
    return Mended()


def f06_cp1252(crm: Crm) -> Verdict:
    content = crm.text("deals").encode("cp1252")
    crm.write("deals.csv", content)
    at = next(at for at, byte in enumerate(content) if byte > 127)
    line = content[:at].count(b"\n") + 1
    return Mended(
        warning=f"^deals.csv is not UTF-8: the first other byte is in line {line}, at byte {at}. It was read as cp1252"
    )


def f06_a_declared_encoding_is_held_to(crm: Crm) -> Verdict:
    crm.write("deals.csv", crm.text("deals").encode("cp1252"))
    crm.option("deals", encoding="utf-8")
    return Refused(says=(r"^deals.csv, line \d+: byte \d+ of the file is not utf-8",))


def f07_mojibake(crm: Crm) -> Verdict:
    crm.spoil("deals", 4, "source", "Téléphone".encode().decode("cp1252"))
    said = r"^deals: 1 cell of source .*\"TÃ©lÃ©phone\" \(deals.csv, line 4\).*\"Téléphone\""
    return Mended(warning=said, but={"deals": ("D000003",)})


def f08_a_quote_that_closes_a_row_later(crm: Crm) -> Verdict:
    swallow(crm, 9, "product")
    return Refused(
        says=("^deals.csv, line 9: a quote opens here and closes rows later, so that line 10", 'the column "product"')
    )


def f08_breaks_within_a_cell_stay(crm: Crm) -> Verdict:
    crm.spoil("accounts", 9, "name", "Bâtiment D\n33000, Bordeaux\nCedex")
    kept = clean()["accounts"]["account_id"][7]
    return Mended(("deals", "accounts"), but={"accounts": (kept,)})


def f09_a_quote_that_never_closes(crm: Crm) -> Verdict:
    cells = crm.lines["deals"][29].split(",")
    crm.lines["deals"][29] = ",".join([*cells[:3], '"' + cells[3], *cells[4:]])
    return Refused(says=("^deals.csv, line 30: a quote opens here and does not close",))


def f10_a_cell_too_many_everywhere(crm: Crm) -> Verdict:
    crm.lines["deals"][1:] = ["x," + line for line in crm.lines["deals"][1:]]
    return Refused(says=("^deals.csv, line 2: the row has 14 fields, the header 13",))


def f10_an_empty_cell_behind_every_row(crm: Crm) -> Verdict:
    crm.lines["deals"][1:] = [line + "," for line in crm.lines["deals"][1:]]
    return Mended()


def f11_a_short_row(crm: Crm) -> Verdict:
    crm.lines["deals"][6] = "D000006,A000001,V01"
    return PutAside(rule="F11-short-row", rows=((7, "", ""),), gone=("D000006",))


def f11_lines_are_counted_behind_breaks_and_blank_lines(crm: Crm) -> Verdict:
    crm.spoil("deals", 3, "product", "Two\n\nlines")
    crm.lines["deals"].insert(3, "")
    crm.lines["deals"][8] = "D000007,short"
    options = {"gone": ("D000002", "D000007"), "raw_lines": ("D000007,short",)}
    return PutAside(rule="F11-short-row", rows=((11, "", ""),), **options)


def f12_a_long_row(crm: Crm) -> Verdict:
    crm.lines["deals"][6] += ",more"
    return PutAside(rule="F12-long-row", rows=((7, "", ""),), gone=("D000006",))


def f12_a_separator_behind_one_row(crm: Crm) -> Verdict:
    crm.lines["deals"][6] += ","
    return PutAside(rule="F12-long-row", rows=((7, "", ""),), gone=("D000006",))


def f13_a_header_twice(crm: Crm) -> Verdict:
    crm.lines["deals"][0] = crm.lines["deals"][0].replace("budget", "amount")
    crm.option("deals", columns={k: v for k, v in crm.tables["deals"].columns.items() if k != "budget"})
    return Refused(says=('^deals.csv, line 1: the header has "amount" more than once',))


def f14_renamed_headers(crm: Crm) -> Verdict:
    crm.lines["deals"][0] = crm.lines["deals"][0].replace("account_id", "Account Id").replace("amount", "Amount ")
    return Refused(
        says=(
            r'^deals.csv, line 1: the header lacks .*"account_id" \(nearest: "Account Id"\)',
            r'"amount" \(nearest: "Amount "',
        )
    )


def f15_a_line_that_names_the_separator(crm: Crm) -> Verdict:
    crm.option("deals", separator=";")
    crm.write("deals.csv", "sep=;\n" + crm.text("deals").replace(",", ";"))
    return Mended()


def f15_no_header(crm: Crm) -> Verdict:
    del crm.lines["deals"][0]
    return Refused(says=('^deals.csv, line 1: the header lacks "deal_id"', '"D000001"'))


def f16_deals_without_rows(crm: Crm) -> Verdict:
    del crm.lines["deals"][1:]
    return Refused(says=("^deals.csv has no rows, and deals cannot be empty",))


def f16_deals_of_no_byte(crm: Crm) -> Verdict:
    crm.write("deals.csv", "")
    return Refused(says=("^deals.csv has no rows, and deals cannot be empty",))


def f16_an_optional_table_of_no_byte(crm: Crm) -> Verdict:
    crm.write("technologies.csv", "")
    return Mended(("deals", "technologies"), "^technologies.csv has no rows", holds=lambda found: "technologies" not in found)


def f16_an_optional_table_without_rows(crm: Crm) -> Verdict:
    del crm.lines["technologies"][1:]
    said = "^technologies: technologies.csv has no rows, so what reads technologies is left out"
    return Mended(("deals", "technologies"), said, holds=lambda found: "technologies" not in found)


def f17_a_nul(crm: Crm) -> Verdict:
    crm.lines["deals"][1] = crm.lines["deals"][1].replace("EUR", "EU\0R")
    return PutAside(rule="F17-nul", rows=((2, "", ""),), gone=("D000001",))


def f17_line_ends_of_three_kinds(crm: Crm) -> Verdict:
    ends = ("\n", "\r\n", "\r")
    crm.write("deals.csv", "".join(line + ends[at % 3] for at, line in enumerate(crm.lines["deals"])))
    return Mended()


def f18_a_cell_without_end(crm: Crm) -> Verdict:
    crm.spoil("deals", 2, "product", "A" * 2_000_000)
    return PutAside(rule="F18-long-cell", rows=((2, "", ""),), gone=("D000001",))


def f23_totals_below_the_rows(crm: Crm) -> Verdict:
    empty = "," * (len(crm.header("accounts")) - 1)
    crm.lines["accounts"] += ["Total" + empty, "Confidential Information - Do Not Distribute" + empty]
    return PutAside(
        tables=("deals", "accounts"),
        table="accounts",
        rule="F23-footer",
        rows=((62, "account_id", "Total"), (63, "account_id", "Confidential Information - Do Not Distribute")),
    )


def as_declared(crm: Crm) -> None:
    """Declare French numbers, and dates as they are."""
    crm.option("deals", locale="fr")
    crm.column("deals", "budget", decimal=".")
    for column in ("opened_on", "closed_on"):
        crm.column("deals", column, format="%Y-%m-%d")


def swallow(crm: Crm, line: int, column: str) -> None:
    """Open a quote in a cell and close it in the same column of the next row."""
    at = crm.header("deals").index(column)
    first, second = (crm.lines["deals"][row - 1].split(",") for row in (line, line + 1))
    crm.lines["deals"][line - 1] = ",".join([*first[:at], '"' + first[at], *first[at + 1 :]])
    crm.lines["deals"][line] = ",".join([*second[:at], second[at] + '"', *second[at + 1 :]])
