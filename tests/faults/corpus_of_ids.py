"""Faults F24 to F37: identifiers, what rows are to each other, and levels."""

import unicodedata

import pandas as pd
from clean_crm import Crm, Mended, PutAside, Refused, Verdict, clean

BOTH = ("deals", "accounts")


def f24_leading_zeros(crm: Crm) -> Verdict:
    crm.spoil("deals", 2, "deal_id", "00123")
    return Mended(but={"deals": ("D000001", "00123")}, holds=lambda found: found["deals"]["deal_id"][0] == "00123")


def f25_big_ids_beside_a_missing_one(crm: Crm) -> Verdict:
    crm.spoil("deals", 2, "owner_id", "9007199254740993")
    crm.spoil("deals", 3, "owner_id", "")
    owners = ["9007199254740993"]
    return Mended(but={"deals": ("D000001", "D000002")}, holds=lambda found: list(found["deals"]["owner_id"][:1]) == owners)


def f25_ids_that_parquet_holds_as_numbers(crm: Crm) -> Verdict:
    """A table with a gap among whole numbers leaves pandas as floats: 123.0 is the id 123, and beyond 2**53 it is none."""
    ids = [None, *range(123, 242)]
    numbered = clean()["deals"].assign(owner_id=pd.Series(ids, dtype="float64"))
    numbered.to_parquet(crm.folder / "deals.parquet")
    crm.option("deals", file="deals.parquet")
    names = ["deal_id", "account_id", "status", "amount", "opened_on", "closed_on", "owner_id"]
    crm.option("deals", columns={name: crm.tables["deals"].columns[name] for name in names})
    known = tuple(clean()["deals"]["deal_id"])
    held = [str(number) for number in ids[1:]]
    return Mended(but={"deals": known}, holds=lambda found: found["deals"]["owner_id"].tolist()[1:] == held)


def f26_an_id_that_excel_has_ruined(crm: Crm) -> Verdict:
    crm.spoil("deals", 2, "deal_id", "1.23E+11")
    return PutAside(rule="F26-ruined-id", rows=((2, "deal_id", "1.23E+11"),), gone=("D000001",))


def f26_ids_that_excel_has_ruined(crm: Crm) -> Verdict:
    crm.spoil_all("deals", "deal_id", lambda text: f"1.2{text[-2:]}E+11")
    return Refused(says=("^deals.csv, line 2, column deal_id", "Export the column as text"))


def f27_fifteen_letters_beside_eighteen(crm: Crm) -> Verdict:
    short = {account_id: f"001A000001{account_id[2:]}" for account_id in clean()["accounts"]["account_id"]}
    crm.spoil_all("deals", "account_id", lambda text: short[text])
    crm.spoil_all("accounts", "account_id", lambda text: short[text] + "IAA")
    return Mended(
        BOTH,
        warning="^deals: account_id of 120 rows stands with 15 letters and counts as the one with 18",
        but={"deals": tuple(clean()["deals"]["deal_id"]), "accounts": tuple(a + "IAA" for a in short.values()) + tuple(short)},
        holds=lambda found: found["deals"]["account_id"].isin(found["accounts"]["account_id"]).all(),
    )


def f27_letters_that_differ_by_case_only(crm: Crm) -> Verdict:
    crm.spoil("deals", 2, "deal_id", "d000002")
    return Mended(but={"deals": ("D000001", "d000002")}, holds=lambda found: len(found["deals"]) == 120)


def f28_ids_and_levels_in_two_forms(crm: Crm) -> Verdict:
    for line in range(2, 40, 2):
        crm.spoil("deals", line, "source", unicodedata.normalize("NFD", crm.cell("deals", line, "source")) + "\u200b ")
        crm.spoil("deals", line, "account_id", crm.cell("deals", line, "account_id") + "\u200b")
    return Mended(BOTH)


def f28_one_id_in_two_forms(crm: Crm) -> Verdict:
    crm.spoil("accounts", 9, "account_id", crm.cell("accounts", 8, "account_id") + "\u200b")
    return Refused(
        BOTH, ('values? of account_id stand on rows that differ: "A000007" .*accounts.csv, line 8 and accounts.csv, line 9',)
    )


def f29_a_row_that_stands_twice(crm: Crm) -> Verdict:
    crm.lines["deals"].append(crm.lines["deals"][5])
    return Mended(warning="^deals: 1 row repeats an earlier row and was dropped", duplicates=1)


def f30_one_key_on_rows_that_differ(crm: Crm) -> Verdict:
    crm.lines["deals"].append(crm.lines["deals"][5].replace("EUR", "CHF"))
    return Refused(
        says=(r'1 values of deal_id stand on rows that differ: "D000005" \(deals.csv, line 6 and deals.csv, line 122\)',)
    )


def f30_the_row_modified_last_counts(crm: Crm) -> Verdict:
    crm.with_column("deals", "modified_on", lambda line: "2026-06-29")
    older = crm.lines["deals"][5].replace("2026-06-29", "2026-06-28").replace("EUR", "CHF")
    crm.lines["deals"].append(older)
    return Mended(warning="^deals: 1 row have the deal_id of a row that was modified later", duplicates=1)


def f31_a_deal_of_no_account(crm: Crm) -> Verdict:
    crm.spoil("deals", 2, "account_id", "A999999")
    return PutAside(
        BOTH,
        "F31-no-such-account",
        rows=((2, "account_id", "A999999"),),
        gone=("D000001",),
        warning=r"^deals: 1 of 120 rows name no such account: .*Their amounts sum to [\d,]+\.\d\d",
    )


def f31_many_deals_of_no_account(crm: Crm) -> Verdict:
    for line in range(2, 9):
        crm.spoil("deals", line, "account_id", "A999999")
    return Refused(BOTH, (r"^deals: 7 of 120 rows name no such account: .*deals.csv, line 2.*More than 5%",))


def f31_an_invoice_of_no_account(crm: Crm) -> Verdict:
    crm.spoil("invoices", 3, "account_id", "A999999")
    return PutAside(
        (*BOTH, "invoices"),
        "F31-no-such-account",
        "invoices",
        rows=((3, "account_id", "A999999"),),
        gone=("F000002",),
        warning="^invoices: 1 of 135 rows name no such account",
    )


def f32_a_row_without_its_key(crm: Crm) -> Verdict:
    crm.spoil("deals", 4, "deal_id", "")
    return PutAside(rule="F32-missing", rows=((4, "deal_id", ""),), gone=("D000003",))


def f33_parents_in_a_circle(crm: Crm) -> Verdict:
    circle = {"A000003": "A000007", "A000007": "A000009", "A000009": "A000003"}
    crm.with_column("accounts", "parent_id", lambda line: circle.get(crm.lines["accounts"][line - 1][:7], ""))
    return Refused(BOTH, (r"^accounts: .*A000003 > A000007 > A000009 > A000003.*accounts.csv, line 4",))


def f33_an_account_that_is_its_own_parent(crm: Crm) -> Verdict:
    crm.with_column("accounts", "parent_id", lambda line: "A000004" if line == 5 else "")
    return Refused(BOTH, (r"^accounts: .*A000004 > A000004",))


def f33_an_account_merged_into_another(crm: Crm) -> Verdict:
    crm.column("deals", "account_id", aliases={"A000900": "A000048"})
    crm.spoil("deals", 2, "account_id", "A000900")
    return Mended(BOTH)


def f33_an_account_merged_twice(crm: Crm) -> Verdict:
    from winworth.errors import ConfigError

    crm.column("deals", "account_id", aliases={"A000900": "A000901", "A000901": "A000048"})
    return Refused(BOTH, (r"deals.columns.account_id.aliases.*A000900.*A000901",), ConfigError, 2)


def f34_words_that_look_missing(crm: Crm) -> Verdict:
    words = ["NA", "None", "null", "nan", "n/a"]
    names = [crm.cell("accounts", line, "account_id") for line in range(2, 7)]
    for line, word in enumerate(words, start=2):
        crm.spoil("accounts", line, "name", word)
    crm.column("accounts", "name", missing_values=("n/a",))
    said = [*words[:4], True]
    return Mended(
        BOTH,
        but={"accounts": tuple(names)},
        holds=lambda found: [*found["accounts"]["name"][:4], found["accounts"]["name"].isna()[4]] == said,
    )


def f37_one_level_written_in_three_ways(crm: Crm) -> Verdict:
    crm.spoil("deals", 3, "product", "ESSENTIEL")
    crm.spoil("deals", 4, "product", "essentiel ")
    return Mended(
        warning=r'^deals: product has what may be one word in several ways: .*"Essentiel" \(\d+\).*"ESSENTIEL" \(1\).*aliases',
        but={"deals": ("D000002", "D000003")},
    )
