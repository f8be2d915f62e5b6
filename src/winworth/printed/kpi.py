"""What kpi prints: the ten KPIs of all accounts, the last quarter beside the whole span."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from winworth.kpi.ledger import KPIS
from winworth.kpi.measures import IMMATURE, UNKNOWN
from winworth.printed.report import Report, plain, plain_table
from winworth.review.warned import in_words
from winworth.review.words import Words, words_in

if TYPE_CHECKING:
    from winworth.flows.kpi import Counted


def counted(done: "Counted") -> Report:
    """Show each KPI of the last quarter and of all quarters, with its interval and n."""
    words, table = words_in(done.lang), done.table[done.table["group"] == "all"]
    quarters = [name for name in table["quarter"].unique() if name != "all"]
    columns = [words.say("kpi_column"), words.period(quarters[-1]), "n", words.say("kpi_whole", n=len(quarters)), "n"]
    shown = plain_table(words.say("kpi_title"), columns)
    for name, own in table.groupby("kpi", sort=False):
        cells: list[str] = []
        for quarter in (quarters[-1], "all"):
            row = own[own["quarter"] == quarter].iloc[0]
            cells += [_cell(row, KPIS[name].unit, done.currency, words), words.number(row["n"])]
        shown.add_row(words.say(f"kpi_name_{name}"), *cells)
    parts: list[Any] = [
        shown,
        *(words.say("kpi_note", note=in_words(note, words) or note) for note in done.warnings),
        words.say("kpi_where", folder=done.folder),
    ]
    return Report(parts, {"folder": str(done.folder), "rows": plain(done.table), "warnings": list(done.warnings)})


def _cell(row: pd.Series, unit: str, currency: str, words: Words) -> str:
    if row["mark"]:
        unknown = words.say("missing") if row["mark"] == UNKNOWN else str(row["mark"])
        if row["mark"] == UNKNOWN and unit == "ratio" and pd.notna(row["numerator"]):
            return words.say("kpi_weighted", money=words.money(row["numerator"], currency)).replace(" (", "\n(")
        return words.say("kpi_too_early") if row["mark"] == IMMATURE else unknown
    shows = {
        "share": words.share,
        "days": words.number,
        "ratio": lambda value: words.number(value, 2),
    }
    figure = words.figure(row.to_dict(), shows.get(unit, lambda value: words.number(value)))
    return figure.replace(" [", "\n[")
