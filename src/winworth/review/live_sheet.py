"""The scorecard at work on a sheet: change a weight, and scores and ranks follow by formulas."""

from typing import TYPE_CHECKING

import numpy as np

from winworth.review.outside import harmless, shown
from winworth.review.sheet_rows import Formats, Formula, Sheet
from winworth.review.words import Words
from winworth.weights.overrides import rescaled

if TYPE_CHECKING:
    from openpyxl import Workbook

    from winworth.review.page import Review

MOST_ROWS = 2_000  # every rank reads every other row
_KEYS = 9  # columns before the criteria
_NOW, _YOURS, _SHARE, _HEAD, _FIRST = 3, 4, 5, 6, 7  # rows


def write_live(book: "Workbook", review: "Review", formats: Formats, words: Words) -> None:
    """Write the first accounts with their criterion scores, the weights above them, and what follows from both by formulas.

    The score is the sum of share x criterion score, a share being a weight over the sum of weights; worth moves by the points
    that the score moves, as an override would move it.
    """
    from openpyxl.utils import get_column_letter

    it = review.workshop
    now = rescaled(it.learnt, {one["criterion"]: one["weight"] for one in it.overrides})
    names = list(it.learnt.index)
    labels = [shown(review.weights["label"].get(name, name), 60).text for name in names]
    accounts = review.accounts.assign(worth=it.worth).sort_values("agreed_value", ascending=False, kind="stable")
    n = min(len(accounts), MOST_ROWS)
    widths = [44, 10, 9, 9, 10, 10, 10, 15, 15, *[17] * len(names)]
    sheet = Sheet(book, words.say("book_live"), formats, widths=widths, frozen=f"B{_FIRST}")
    told = words.say(
        "book_live_part" if n < len(accounts) else "book_live_all", n=words.number(n), all=words.number(len(accounts))
    )
    sheet.line([told], ["plain"])
    sheet.line([words.say("book_point"), float(np.exp(it.unit))], ["plain", "times"])
    first, last = get_column_letter(_KEYS + 1), get_column_letter(_KEYS + len(names))
    blank = [None] * (_KEYS - 1)
    for key, values, shape in (
        ("book_weight_now", [int(weight) for weight in now], "whole"),
        ("book_weight_yours", [int(weight) for weight in now], "input"),
        ("book_weight_share", [_share(get_column_letter(_KEYS + 1 + k), first, last) for k in range(len(names))], "decimal"),
    ):
        sheet.line([words.say(key), *blank, *values], ["strong", *["plain"] * (_KEYS - 1), *[shape] * len(names)])
    heads = ("account", "tier", "book_rank_now", "book_rank_new", "book_rank_move", "book_score_now", "book_score_new")
    heads += ("book_worth_now", "book_worth_new")
    sheet.head([*(words.say(key) for key in heads), *labels], height=48)
    columns = ["name", "account_id", "tier", "agreed_value", *names]
    worth = "money" if accounts["expected_value"].notna().all() else "share"
    shapes = ["text", "text", "whole", "whole", "signed", "decimal", "decimal", worth, worth, *["whole"] * len(names)]
    for place, (name, key, tier, value, *scores) in enumerate(accounts[columns].head(n).itertuples(index=False, name=None)):
        row = _FIRST + place
        known = [shown(harmless(name) or key, 60).text, harmless(tier), place + 1]
        made = _formulas(row, (first, last), _FIRST + n - 1)
        sheet.line([*known, *made[:4], float(value), made[4], *map(float, scores)], shapes)
    sheet.filtered(_HEAD, _KEYS + len(names), n)
    for column in (6, 7):
        sheet.bars(column, _FIRST, n)


def _share(letter: str, first: str, last: str) -> Formula:
    return Formula(f"100*{letter}{_YOURS}/SUM(${first}${_YOURS}:${last}${_YOURS})")


def _formulas(row: int, ends: tuple[str, str], bottom: int) -> list[Formula]:
    """Return an account's new rank, its move, its score now and new, and its new worth."""
    first, last = ends
    scores = f"${first}{row}:${last}{row}"
    by = [f"SUMPRODUCT(${first}${line}:${last}${line},{scores})/100" for line in (_NOW, _SHARE)]
    told = [f"RANK(I{row},$I${_FIRST}:$I${bottom})", f"C{row}-D{row}", *by, f"H{row}*$B$2^(G{row}-F{row})"]
    return list(map(Formula, told))
