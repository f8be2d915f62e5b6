"""The review's workbook: figures as Python has them, formulas that follow a changed weight, and text that is never one."""

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook
from test_page import HOSTILE, metrics_of, review_of, weights_of
from test_workshop import LEARNT, NAMES, world

from winworth.review.live_sheet import MOST_ROWS
from winworth.review.page import Review
from winworth.review.workbook import to_workbook
from winworth.weights.overrides import log_shift, rescaled

TITLES = {
    "en": ["Accounts", "Try weights", "Weights", "KPIs", "About"],
    "fr": ["Comptes", "Essai de poids", "Poids", "Indicateurs", "À lire"],
}


def review_with(n: int = 60, **changes: object) -> Review:
    accounts, it = world(n, overrides=({"criterion": "budget", "weight": 20},))
    shift = log_shift(accounts[NAMES], LEARNT, rescaled(LEARNT, {"budget": 20}), unit=it.unit)
    accounts = accounts.assign(agreed_value=accounts["expected_value"] * np.exp(shift), play="Call", seller="V01")
    return review_of(accounts=accounts, workshop=it, **changes)


def ledger() -> pd.DataFrame:
    rows = [
        ("win_rate", "all", "all", "2026 Q1", 0.25, 0.2, 0.3, 240, ""),
        ("win_rate", "tier", "", "2026 Q1", np.nan, np.nan, np.nan, 0, "n/a"),
        ("basket_mean", "size_class", "=ETI", "all", 12_000.0, 9_000.0, 15_000.0, 41, ""),
        ("cycle", "size_class", "PME", "2026 Q1", np.nan, np.nan, np.nan, 4, "n<10"),
    ]
    return pd.DataFrame(rows, columns=["kpi", "group", "level", "quarter", "value", "low", "high", "n", "mark"])


def opened(content: bytes):
    return load_workbook(io.BytesIO(content))


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_sheet_has_a_header_that_stays_filters_and_formats(lang):
    book = opened(to_workbook(review_with(kpis=ledger()), lang=lang))
    assert book.sheetnames == TITLES[lang]
    accounts, live, weights, kpis, _ = book.worksheets
    assert [sheet.freeze_panes for sheet in (accounts, live, weights, kpis)] == ["D2", "B7", "B2", "B2"]
    assert accounts.auto_filter.ref == "A1:M61" and live.auto_filter.ref == "A6:N66"
    money = {"en": '"€"#,##0_)', "fr": '#,##0\xa0"€"_)'}[lang]
    assert (accounts["H2"].number_format, accounts["F2"].number_format) == (money, "0%_)")
    assert [kpis.cell(row, 5).number_format for row in (2, 3)] == ["0%_)", money]
    assert accounts.conditional_formatting and all(sheet.column_dimensions["A"].width > 5 for sheet in book.worksheets)
    assert all(cell.font.b for cell in accounts[1])


def test_accounts_stand_in_the_order_they_are_ranked_by_with_their_figures():
    review = review_with()
    sheet = opened(to_workbook(review, lang="en")).worksheets[0]
    ranked = review.accounts.sort_values("agreed_value", ascending=False, kind="stable")
    assert [cell.value for cell in sheet["B"][1:]] == ranked["account_id"].tolist()
    assert [cell.value or 0 for cell in sheet["H"][1:]] == pytest.approx(ranked["expected_value"].tolist())
    assert sheet["M2"].value == "announced budget: 250,000 (+9 points); meetings held, 90 days: 4 (+6 points)"


def test_kpis_that_nobody_can_know_are_left_out_and_those_too_few_are_marked():
    sheet = opened(to_workbook(review_with(kpis=ledger()), lang="en")).worksheets[3]
    assert [cell.value for cell in sheet["I"][1:]] == [None, None, "fewer than 10"]
    assert [cell.value for cell in sheet["D"][1:]] == ["Q1 2026", "all quarters", "Q1 2026"]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_same_review_gives_the_same_bytes(lang):
    assert to_workbook(review_with(), lang=lang) == to_workbook(review_with(), lang=lang)


def test_no_text_is_ever_a_formula_nor_breaks_the_file():
    texts = ["=cmd|'/C calc'!A1", "+1", "-2+3", "@SUM(A1)", HOSTILE, "a\ud800b_x0041_\u202e", "\t=1", "x" * 10_000]
    review = review_with(len(texts) * 8)
    hostile = pd.Series(texts * 8, dtype=object)
    accounts = review.accounts.assign(**dict.fromkeys(["name", "segment_label", "reason_1", "play", "seller"], hostile))
    criteria = {name: (texts[0], texts[0], int(weight), 0, "up") for name, weight in LEARNT.items()}
    kpis = ledger().assign(level=texts[0])
    review = review_with(company=texts[0], weights=weights_of(criteria), kpis=kpis)
    review = review.__class__(**{**review.__dict__, "accounts": accounts, "workshop": review_with(len(texts) * 8).workshop})
    content = to_workbook(review, lang="en")
    book = opened(content)
    formulas = {
        (sheet.title, cell.column) for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"
    }
    assert formulas == {("Try weights", column) for column in (4, 5, 6, 7, 9, *range(10, 15))}
    risky = [cell for sheet in book for row in sheet.iter_rows() for cell in row if str(cell.value)[:1] in "=+-@"]
    assert all(cell.quotePrefix for cell in risky if cell.data_type == "s") and len(risky) > 100
    assert max(len(str(cell.value)) for row in book.worksheets[0].iter_rows() for cell in row) < 700
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert not any("\u202e".encode() in parts.read(name) for name in parts.namelist())


def test_without_weights_there_is_a_list_of_accounts_and_a_word_why_no_more():
    review = review_of(metrics=metrics_of(weights_published=False))
    book = opened(to_workbook(review, lang="en"))
    assert book.sheetnames == ["Accounts", "About"]
    assert "cannot be tried here" in book["About"]["B5"].value and "run winworth kpi" in book["About"]["B7"].value
    assert opened(to_workbook(review_of(accounts=pd.DataFrame()), lang="fr")).sheetnames[0] == "Comptes"


def test_of_many_accounts_the_first_are_live_and_the_sheet_says_so(monkeypatch):
    monkeypatch.setattr("winworth.review.live_sheet.MOST_ROWS", 25)
    sheet = opened(to_workbook(review_with(), lang="en")).worksheets[1]
    assert sheet.max_row == 6 + 25 and "the first 25 of 60 accounts" in sheet["A1"].value
    assert MOST_ROWS == 2_000


def recalculated(content: bytes, folder: Path) -> "object":
    """Return the workbook with its formulas worked out by LibreOffice."""
    soffice = shutil.which("soffice") or shutil.which("libreoffice")
    if soffice is None:
        pytest.skip("LibreOffice is not installed: formulas were not recalculated. apt-get install libreoffice-calc")
    (folder / "changed.xlsx").write_bytes(content)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [soffice, profile, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out")]
    subprocess.run([*command, str(folder / "changed.xlsx")], check=True, capture_output=True, timeout=300)
    return load_workbook(folder / "out" / "changed.xlsx", data_only=True)


def test_a_changed_weight_moves_scores_worth_and_ranks_as_python_does(tmp_path):
    review = review_with()
    book = opened(to_workbook(review, lang="fr"))
    after = rescaled(LEARNT, {"budget": 20, "engagement": 45})
    for column, weight in enumerate(after, start=10):
        book.worksheets[1].cell(4, column).value = int(weight)
    kept = io.BytesIO()
    book.save(kept)
    rows = list(recalculated(kept.getvalue(), tmp_path).worksheets[1].iter_rows(min_row=7, values_only=True))
    ranked = review.accounts.sort_values("agreed_value", ascending=False, kind="stable")
    now = rescaled(LEARNT, {"budget": 20})
    assert [row[5] for row in rows] == pytest.approx((ranked[NAMES] @ now / 100).tolist())
    assert [row[6] for row in rows] == pytest.approx((ranked[NAMES] @ after / 100).tolist())
    worth = ranked["expected_value"] * np.exp(log_shift(ranked[NAMES], LEARNT, after, unit=review.workshop.unit))
    assert [row[8] for row in rows] == pytest.approx(worth.tolist())
    places = worth.rank(ascending=False, method="min").astype(int).tolist()
    assert [row[3] for row in rows] == places
    assert [row[4] for row in rows] == [at - place for at, place in enumerate(places, start=1)]
    assert len(set(places)) > 50 and any(at != place for at, place in enumerate(places, start=1))
