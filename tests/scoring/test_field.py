import io
import json
import re
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from winworth.errors import DataError, IntegrityError
from winworth.scoring.field import IDLE, FieldKey, draw, hold_out, strata
from winworth.scoring.field_sheet import answers_of, read_sheet, write_sheet

RNG = np.random.default_rng(4)
ACCOUNTS = pd.DataFrame(
    {
        "account_id": [f"A{k:03d}" for k in range(400)],
        "name": [f"Maison {k}" for k in range(400)],
        "deal_id": [f"D{k}" if k % 3 else None for k in range(400)],
        "basis": ["open_deal" if k % 3 else "next_deal" for k in range(400)],
        "as_of": "2026-06-30",
        "tier": ["A"] * 80 + ["B"] * 120 + ["C"] * 200,
        "tier_doubt": np.where(np.arange(400) % 200 < 30, 0.45, 0.05),
        "win_probability": np.linspace(0.953, 0.017, 400),
        "score": np.linspace(91.37, 3.21, 400),
        "expected_value": np.linspace(987_654.3, 12.5, 400),
        "reason_1": [f"headcount: {k} (+3 points)" for k in range(400)],
    }
)
OPEN = ACCOUNTS[ACCOUNTS["basis"] == "open_deal"]


def key_of(drawn: pd.DataFrame) -> FieldKey:
    return FieldKey("2026-06-30", "2026-06-30-0123abcd", 180, ("renewal",), 7, strata(ACCOUNTS).value_counts().to_dict(), drawn)


@pytest.fixture(scope="module")
def drawn():
    return draw(ACCOUNTS, n=40, seed=7)


@pytest.fixture(scope="module")
def key(drawn):
    return key_of(drawn)


@pytest.fixture(scope="module")
def content(key, drawn):
    return write_sheet(key, drawn, lang="fr")


@pytest.fixture
def edit(content):
    """Return a function that edits the sheet as in a spreadsheet program and returns its bytes."""

    def edited(*changes):
        book = load_workbook(io.BytesIO(content))
        for change in changes:
            change(book.active)
        sink = io.BytesIO()
        book.save(sink)
        return sink.getvalue()

    return edited


def put(cell, value):
    return lambda sheet: sheet.__setitem__(cell, value)


def answers(content, key):
    return answers_of(read_sheet(content, "sheet.xlsx"), key, "sheet.xlsx")


def test_strata_are_drawn_alike_and_the_doubted_are_one_of_them(drawn):
    level = drawn["stratum"].str.removesuffix(IDLE)
    assert level.value_counts().to_dict() == {"A": 10, "B": 10, "C": 10, "borderline": 10}
    assert (level.eq("borderline") == drawn["tier_doubt"].between(0.3, 0.7)).all()


def test_two_accounts_with_an_open_deal_are_drawn_for_each_without_and_a_chance_is_theirs_alone(drawn):
    has_deal = drawn["basis"] == "open_deal"
    assert 2 * (~has_deal).sum() == pytest.approx(has_deal.sum(), abs=4)
    assert (drawn["win_probability"].notna() == has_deal).all()
    assert (drawn["stratum"].str.endswith(IDLE) == ~has_deal).all()


def test_without_tier_doubt_there_is_no_borderline():
    found = draw(OPEN.drop(columns="tier_doubt"), n=30, seed=7)
    assert found["stratum"].value_counts().to_dict() == {"A": 10, "B": 10, "C": 10}
    assert len(hold_out(ACCOUNTS.drop(columns="tier_doubt"), seed=7)) == 0


def test_a_small_stratum_is_taken_whole_and_the_others_make_up_for_it():
    few = OPEN[(OPEN["tier"] != "A") | (OPEN.index < 3)]
    found = draw(few.drop(columns="tier_doubt"), n=30, seed=7)["stratum"].value_counts().to_dict()
    assert found == {"A": 2, "B": 14, "C": 14}


def test_the_order_of_rows_changes_nothing_and_the_seed_changes_all(drawn):
    again = draw(ACCOUNTS.sample(frac=1, random_state=1), n=40, seed=7)
    pd.testing.assert_frame_equal(again, drawn)
    assert set(draw(ACCOUNTS, n=40, seed=8)["account_id"]) != set(drawn["account_id"])


def test_the_order_on_the_sheet_tells_nothing_of_the_rank():
    place = [np.corrcoef(np.arange(200), draw(ACCOUNTS, n=200, seed=s)["score"])[0, 1] for s in range(40)]
    assert abs(np.mean(place)) < 3 / np.sqrt(200 * 40)


def test_the_coin_is_fair_hangs_on_the_account_alone_and_is_kept_with_its_chance():
    many = pd.concat([ACCOUNTS.assign(account_id=ACCOUNTS["account_id"] + f"-{k}", tier_doubt=0.5) for k in range(10)])
    held = hold_out(many, seed=3)
    assert abs((held["arm"] == "hold_out").mean() - 0.5) < 3 * 0.5 / np.sqrt(len(held))
    part = hold_out(many.sample(50, random_state=1), seed=3).set_index("account_id")["arm"]
    assert part.equals(held.set_index("account_id")["arm"].loc[part.index])
    assert set(held["arm"]) == {"work", "hold_out"} and (held["chance"] == 0.5).all()
    by_tier = held.groupby("tier")["arm"].apply(lambda arm: (arm == "hold_out").mean())
    assert by_tier.between(0.44, 0.56).all()


def test_borderline_accounts_are_worked_as_one_of_the_two_tiers_they_lie_between():
    held = hold_out(ACCOUNTS.assign(tier_doubt=0.5), seed=3)
    assert held.groupby("tier")["between"].unique().map(sorted).to_dict() == {"A": ["A-B"], "B": ["A-B", "B-C"], "C": ["B-C"]}
    upper, lower = held["between"].str[0], held["between"].str[-1]
    assert held["work_as"].equals(upper.where(held["arm"] == "work", lower))
    worth = held.merge(ACCOUNTS, on="account_id").query("tier_x == 'B'").groupby("between")["expected_value"]
    assert worth.min()["A-B"] > worth.max()["B-C"]


@pytest.mark.parametrize("tiers", ["AC", "BC", "AB", "ABC"])
def test_the_coin_sends_nobody_to_a_tier_that_is_not_published(tiers):
    published = ACCOUNTS.assign(tier_doubt=0.5)[ACCOUNTS["tier"].isin(list(tiers))]
    held = hold_out(published, seed=3)
    assert set(held["work_as"]) == set(tiers) and len(held) == len(published)
    for tier, known in held.groupby("tier")["between"]:
        place = tiers.index(tier)
        beside = {tiers[k : k + 2] for k in (place - 1, place) if 0 <= k < len(tiers) - 1}
        assert set(known.str.replace("-", "")) == beside


def test_with_one_tier_there_is_nothing_to_hold_out():
    assert len(hold_out(ACCOUNTS.assign(tier_doubt=0.5, tier="A"), seed=3)) == 0


def test_no_byte_of_the_sheet_tells_a_tier_a_chance_a_score_or_a_reason(content, drawn):
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        text = " ".join(packed.read(name).decode(errors="replace") for name in packed.namelist())
    for name in ("win_probability", "score", "expected_value"):
        assert [v for v in drawn[name].dropna() if f"{v:.2f}" in text or f"{v:.6g}" in text] == []
    assert "headcount" not in text and "borderline" not in text and "tier_doubt" not in text
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Jugement"]
    cells = [[cell.value for cell in row] for row in book.active.iter_rows(min_row=5)]
    assert [row[:4] for row in cells] == [
        [k, *row]
        for k, row in enumerate(
            drawn[["account_id", "name", "deal_id"]].astype(object).replace(np.nan, None).values.tolist(), start=1
        )
    ]
    assert all(row[4:] == [None, None, None] for row in cells)


def test_the_sheet_is_the_same_bytes_twice(content, key, drawn):
    assert write_sheet(key, drawn, lang="fr") == content


def test_only_the_answers_are_unlocked_and_no_text_is_a_formula(key, drawn):
    evil = drawn.assign(name='=HYPERLINK("http://x")', deal_id="+33")
    sheet = load_workbook(io.BytesIO(write_sheet(key, evil, lang="en"))).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert sheet.protection.sheet
    unlocked = {cell.coordinate for row in sheet.iter_rows() for cell in row if not cell.protection.locked}
    asked = {f"F{row}" for row, asks in enumerate(key.is_asked, start=5) if asks}
    assert unlocked == asked | {f"{letter}{row}" for letter in "EG" for row in range(5, 45)}
    grey = {cell.coordinate for cell in sheet["F"][4:] if cell.fill.fgColor.rgb.endswith("D9D9D9")}
    assert grey == {f"F{row}" for row in range(5, 45)} - asked and 10 <= len(grey) <= 15
    rules = {str(rule.sqref): rule.type for rule in sheet.data_validations.dataValidation}
    assert rules == {"E5:E44": "list", "F5:F44": "whole"}


@pytest.mark.parametrize(("lang", "said"), [("en", "a deal open on 2026-06-30"), ("fr", "une affaire en cours le 30/06/2026")])
def test_the_sheet_says_that_the_chance_is_of_deals_open_on_the_day(key, drawn, lang, said):
    asked = load_workbook(io.BytesIO(write_sheet(key, drawn, lang=lang))).active["A2"].value
    assert said in asked and ("grey" in asked or "grise" in asked)


def test_a_chance_where_none_is_asked_is_a_fault(edit, key):
    row = 5 + int(np.flatnonzero(~key.is_asked)[0])
    with pytest.raises(DataError, match=rf"row {row} \(A\d+\): no chance is asked where no deal is open. Empty its cell"):
        answers(edit(put(f"F{row}", 40)), key)


def test_answers_come_back_by_account_as_they_were_typed(edit, key, drawn):
    back = answers(edit(put("E5", " b"), put("F5", 70), put("G5", "=déjà client"), put("F6", "12,5 %"), put("E7", "C")), key)
    assert back["account_id"].tolist() == drawn["account_id"].tolist()
    assert back["seller_tier"].fillna("").tolist()[:4] == ["B", "", "C", ""]
    assert back["seller_chance"].fillna(-1).tolist()[:4] == [0.7, 0.125, -1, -1]
    assert back["comment"].fillna("").tolist()[:2] == ["=déjà client", ""]


def test_a_sheet_sorted_by_hand_comes_back_the_same(edit, key):
    def swapped(sheet):
        for column in range(1, 8):
            one, other = sheet.cell(5, column), sheet.cell(30, column)
            one.value, other.value = other.value, one.value

    filled = [put("E5", "A"), put("F30", 40)]
    pd.testing.assert_frame_equal(answers(edit(*filled, swapped), key), answers(edit(*filled), key))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([put("E5", "D")], r"row 5 \(A\d+\): the tier is 'D'. Write A, B or C"),
        ([put("F6", 170)], r"row 6 \(A\d+\): the chance is '170'. Write a number from 0 to 100"),
        ([put("F6", 0.7)], r"row 6 \(A\d+\): the chance is '0.7'. Write a number from 0 to 100 \(70 for 70 %\)"),
        ([put("F6", -1)], r"the chance is '-1'"),
        ([put("F6", "nan")], r"the chance is 'nan'"),
        ([put("F6", True)], r"the chance is 'True'"),
        ([put("F6", "=50+5")], r"the chance is '=50\+5'"),
        ([put("F6", "high")], r"the chance is 'high'"),
        ([put("B7", "A9999")], r"row 7 \(A9999\): the sheet that was sent out has no such account(?s:.*)1 accounts are gone"),
        ([put("B7", None)], r"row 7 \(no account\)"),
        ([lambda s: s.__setitem__("B8", s["B9"].value)], r"row 9 \(A\d+\): the account stands already in row 8. Keep one"),
        ([lambda s: s.delete_rows(10, 3)], r"3 accounts are gone, the first A\d+. Put their rows back"),
        ([put(f"E{k}", "?") for k in range(5, 15)], r"has 10 faults:(?s:.*)\.\.\. and 5 faults more"),
        ([lambda s: s.delete_cols(3)], r"sheet.xlsx row 4: the header is .*Put the columns back"),
        ([lambda s: s.delete_rows(1)], r"sheet.xlsx row 4: the header is "),
        ([put("B1", None)], r"cell B1: the sheet's number is gone"),
    ],
)
def test_an_edited_sheet_is_an_error_that_names_the_row_and_the_way_out(edit, key, changes, says):
    with pytest.raises(DataError, match=says):
        answers(edit(*changes), key)


def bomb() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda content: b"", "not a workbook"),
        (lambda content: b"account;tier\nA1;B\n", "Save the sheet again as .xlsx"),
        (lambda content: content[:-200], "not a workbook"),
        (lambda content: bomb(), "unpacks to 60,000,000 bytes"),
    ],
)
def test_what_is_no_workbook_is_an_error(content, spoil, says):
    with pytest.raises(DataError, match=says):
        read_sheet(spoil(content), "sheet.xlsx")


def test_the_key_comes_back_from_json_and_a_changed_one_is_refused(key):
    kept = json.loads(json.dumps(key.to_dict()))
    assert FieldKey.from_dict(kept, "key.json").sheet == key.sheet == kept["sheet"]
    for spoiled in (
        kept | {"horizon_days": 90},
        kept | {"accounts": kept["accounts"][1:]},
        kept | {"accounts": [{**kept["accounts"][0], "tier": "C", "win_probability": 0.5}, *kept["accounts"][1:]]},
        {name: value for name, value in kept.items() if name != "seed"},
    ):
        with pytest.raises(IntegrityError, match="key.json is not the key that was written"):
            FieldKey.from_dict(spoiled, "key.json")


def test_another_scoring_of_the_same_accounts_is_another_sheet(key):
    moved = key.accounts.assign(win_probability=key.accounts["win_probability"] + 1e-6)
    assert replace(key, accounts=moved).sheet != key.sheet
    assert re.fullmatch("[0-9a-f]{32}", key.sheet)
