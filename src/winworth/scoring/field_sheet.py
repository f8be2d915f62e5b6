"""The sheet that sellers fill in without seeing a score: written as a workbook, and read back with every fault named."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from winworth.errors import DataError
from winworth.scoring.field import FieldKey
from winworth.scoring.judged import TIERS
from winworth.weights.safe_cells import header, put, saved, text

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

WORDS = {
    "en": {
        "title": "Judgement",
        "sheet": "Sheet",
        "columns": ("No.", "Account", "Name", "Open deal", "Tier (A, B, C)", "Chance to buy (0-100)", "Comment"),
        "ask": "For each account, from what you know of it: its tier (A: work it first, B: next, C: last); and where it has an "
        "open deal, the chance, 0 to 100, that it signs a deal open on {day} within {days} days (no other deal counts). A grey "
        "cell asks nothing: no deal is open. Leave empty what you cannot say. The order tells nothing.",
        "day": "%Y-%m-%d",
        "tier": "A, B or C",
        "chance": "A whole number from 0 to 100: write 70 for 70 %",
    },
    "fr": {
        "title": "Jugement",
        "sheet": "Feuille",
        "columns": ("N°", "Compte", "Nom", "Affaire en cours", "Priorité (A, B, C)", "Chance d'achat (0-100)", "Commentaire"),
        "ask": "Pour chaque compte, d'après ce que vous en savez : sa priorité (A : à travailler d'abord, B : ensuite, C : en "
        "dernier) ; et s'il a une affaire en cours, la chance, de 0 à 100, qu'il signe dans les {days} jours une affaire en "
        "cours le {day} (aucune autre ne compte). Une case grise ne demande rien : aucune affaire n'est en cours. Laissez vide "
        "ce que vous ne pouvez pas dire. L'ordre ne dit rien.",
        "day": "%d/%m/%Y",
        "tier": "A, B ou C",
        "chance": "Un nombre entier de 0 à 100 : écrivez 70 pour 70 %",
    },
}
_HEAD, _FIRST = 4, 5  # rows of the header and of the first account
_ACCOUNT, _TIER, _CHANCE, _COMMENT = 2, 5, 6, 7  # columns
_MOST_BYTES, _MOST_ROWS = 50_000_000, 20_000  # unpacked; a sheet of ours has a few hundred rows


@dataclass(frozen=True)
class Filled:
    """A workbook as it came back: which sheet it is, and by row account_id, tier, chance, comment as they were typed."""

    sheet: str
    rows: pd.DataFrame


def write_sheet(key: FieldKey, names: pd.DataFrame, *, lang: str) -> bytes:
    """Return the workbook for the accounts of `key`, in its order, with no score, tier, chance or reason in it.

    `names` has name and deal_id in the same order. Only the cells to fill in are unlocked, and they take nothing but A, B, C
    and whole numbers to 100; where no chance is asked its cell is grey and locked. No text is a formula; the bytes depend on
    the arguments alone.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment

    words, book = WORDS[lang], Workbook()
    sheet = book.active
    sheet.title = words["title"]
    text(sheet["A1"], words["sheet"])
    text(sheet["B1"], key.sheet)
    text(sheet["A2"], words["ask"].format(days=key.horizon_days, day=f"{date.fromisoformat(key.as_of):{words['day']}}"))
    sheet.merge_cells("A2:G2")
    sheet["A2"].alignment = Alignment(wrap_text=True, vertical="top")
    sheet.row_dimensions[2].height = 80
    header(sheet, _HEAD, words["columns"])
    told = zip(key.accounts["account_id"], names["name"], names["deal_id"], strict=True)
    for row, cells in enumerate(told, start=_FIRST):
        put(sheet.cell(row, 1), row - _FIRST + 1)
        for column, value in enumerate(cells, start=_ACCOUNT):
            text(sheet.cell(row, column), value if isinstance(value, str) else "")
    _unlock(sheet, key.is_asked)
    _guard(sheet, len(key.accounts), words)
    return saved(book)


def _unlock(sheet: "Worksheet", is_asked: pd.Series) -> None:
    """Open the cells to fill in; grey those of chances that are not asked."""
    from openpyxl.styles import PatternFill, Protection

    for row, asks_chance in enumerate(is_asked, start=_FIRST):
        for column in (_TIER, _CHANCE, _COMMENT):
            if column != _CHANCE or asks_chance:
                sheet.cell(row, column).protection = Protection(locked=False)
            else:
                sheet.cell(row, column).fill = PatternFill("solid", fgColor="D9D9D9")


def _guard(sheet: "Worksheet", n: int, words: dict) -> None:
    """Lock what is not to be filled in, and let the rest take only what can be read back."""
    from openpyxl.worksheet.datavalidation import DataValidation

    one_of = DataValidation(type="list", formula1=f'"{",".join(TIERS)}"', allow_blank=True, error=words["tier"])
    whole = DataValidation(type="whole", operator="between", formula1="0", formula2="100", error=words["chance"])
    for rule, column in ((one_of, "E"), (whole, "F")):
        rule.prompt, rule.showInputMessage, rule.showErrorMessage, rule.allow_blank = rule.error, True, True, True
        sheet.add_data_validation(rule)
        rule.add(f"{column}{_FIRST}:{column}{max(n, 1) + _FIRST - 1}")
    for letter, width in zip("ABCDEFG", (9, 36, 36, 18, 14, 20, 50), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = f"A{_FIRST}"
    sheet.protection.sheet = True


def read_sheet(content: bytes, where: str) -> Filled:
    """Read a workbook that `write_sheet` made; raises DataError where it is none, or its head was changed."""
    cells = list(_cells(content, where))
    texts = {tuple(words["columns"]) for words in WORDS.values()}
    found = tuple(str(value) for value in (cells[_HEAD - 1] if len(cells) >= _HEAD else ()))
    if found not in texts:
        raise DataError(
            f"{where} row {_HEAD}: the header is {', '.join(found)[:200] or 'empty'}, and should be {', '.join(min(texts))}. "
            "Put the columns back as they were, or copy the answers into a sheet written anew by winworth validate --out."
        )
    if not isinstance(cells[0][1], str):
        raise DataError(f"{where} cell B1: the sheet's number is gone. Copy it back from the sheet that was sent out.")
    rows = [
        (row, cell[1], *cell[4:]) for row, cell in enumerate(cells[_FIRST - 1 :], start=_FIRST) if any(_said(c) for c in cell)
    ]
    return Filled(
        cells[0][1].strip(), pd.DataFrame(rows, columns=["row", "account_id", "tier", "chance", "comment"], dtype=object)
    )


def _cells(content: bytes, where: str) -> Iterator[tuple]:
    """Return the first seven cells of each row of the first sheet, within limits: what comes back may be anybody's file."""
    from openpyxl import load_workbook

    not_ours = (
        f"{where} is not a workbook (.xlsx) that can be read: {{}}. Save the sheet again as .xlsx from a spreadsheet program."
    )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
        if size > _MOST_BYTES:
            raise DataError(not_ours.format(f"it unpacks to {size:,} bytes, more than {_MOST_BYTES:,}"))
        book = load_workbook(io.BytesIO(content), read_only=True)
        yield from book.worksheets[0].iter_rows(max_row=_MOST_ROWS, max_col=_COMMENT, values_only=True)
    except DataError:
        raise
    except Exception as error:  # whatever a damaged file makes of zipfile, the XML reader or openpyxl
        raise DataError(not_ours.format(" ".join(str(error).split())[:200] or type(error).__name__)) from error


def answers_of(filled: Filled, key: FieldKey, where: str) -> pd.DataFrame:
    """Return account_id, seller_tier, seller_chance (0-1) and comment for each account of `key`; missing: not answered.

    Raises DataError, naming rows and the way out, where accounts are unknown, twice or gone, or an answer is none.
    """
    known, seen, faults, rows = dict(zip(key.accounts["account_id"], key.is_asked, strict=True)), {}, [], []
    for row, account, tier, chance, comment in filled.rows.itertuples(index=False):
        account_id = str(account if account is not None else "").strip()
        place = f"row {row} ({account_id[:40] or 'no account'})"
        if account_id not in known:
            faults.append(f"{place}: the sheet that was sent out has no such account. Put its id back, or remove the row.")
        elif account_id in seen:
            faults.append(f"{place}: the account stands already in row {seen[account_id]}. Keep one of the two.")
        seen.setdefault(account_id, row)
        told, fault = _answer(tier, chance)
        if not fault and told[1] is not None and not known.get(account_id, True):
            fault = "no chance is asked where no deal is open. Empty its cell."
        faults += [f"{place}: {fault}"] if fault else []
        rows.append((account_id, *told, str(comment) if _said(comment) else None))
    gone = [account for account in key.accounts["account_id"] if account not in seen]
    if gone:
        faults.append(f"{len(gone)} accounts are gone, the first {gone[0]}. Put their rows back; their answers may be empty.")
    if faults:
        more = f"\n... and {len(faults) - 5} faults more." if len(faults) > 5 else ""
        raise DataError(f"{where} has {len(faults)} faults:\n" + "\n".join(faults[:5]) + more)
    answers = pd.DataFrame(rows, columns=["account_id", "seller_tier", "seller_chance", "comment"])
    answers = answers.astype({"seller_chance": float, "seller_tier": "str", "comment": "str"})
    return key.accounts[["account_id"]].merge(answers, on="account_id")


def _answer(tier: Any, chance: Any) -> tuple[tuple[str | None, float | None], str]:
    """Return the tier and the chance as 0-1, and what is wrong with either."""
    letter = str(tier).strip().upper() if _said(tier) else None
    if letter is not None and letter not in TIERS:
        return (None, None), f"the tier is {str(tier)[:40]!r}. Write A, B or C, or leave it empty."
    if not _said(chance):
        return (letter, None), ""
    try:
        number = float(str(chance).replace("%", "").replace(",", ".").strip()) if not isinstance(chance, bool) else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100 or 0 < number < 1:
        return (
            None,
            None,
        ), f"the chance is {str(chance)[:40]!r}. Write a number from 0 to 100 (70 for 70 %), or leave it empty."
    return (letter, number / 100), ""


def _said(value: Any) -> bool:
    return value is not None and str(value).strip() != ""
