"""The ledger: every KPI by group, level and quarter, with its interval, its counts, and where it is drawn to."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from winworth.kpi import facts, measures, pipeline
from winworth.kpi.book import Book
from winworth.kpi.groups import UNSAID, Levels
from winworth.kpi.measures import UNKNOWN, Measured, hidden
from winworth.kpi.quarters import ALL, Period
from winworth.kpi.shrink import shrunk_amounts, shrunk_shares

COLUMNS = [
    "kpi",
    "group",
    "level",
    "quarter",
    "value",
    "low",
    "high",
    "shrunk",
    "n",
    "numerator",
    "denominator",
    "mark",
    "definition",
]


@dataclass(frozen=True)
class Cell:
    """Where a figure stands in the ledger, and what it is read from."""

    book: Book
    period: Period
    group: str
    level: str


@dataclass(frozen=True)
class Kpi:
    """A figure of the ledger: the rows it counts, how it is measured from them, in what `unit` (share, money, money_a_day, days
    or ratio), and how small groups are drawn together ("shares", "amounts", or "" not at all).
    """

    count: Callable[[Book, Period], pd.DataFrame | None]
    measure: Callable[[pd.DataFrame, Cell], Measured]
    unit: str
    drawn: str = ""


def _by(measure: Callable) -> Callable[[pd.DataFrame, Cell], Measured]:
    return lambda rows, cell: measure(rows, cell.book.terms)


def _cac(rows: pd.DataFrame, cell: Cell) -> Measured:
    return measures.cost_each(rows, facts.cost(cell.book, cell.period, cell.group, cell.level))


def _coverage(rows: pd.DataFrame, cell: Cell) -> Measured:
    return pipeline.coverage(rows, cell.book.rules.quota if cell.group == ALL else None)


KPIS: Mapping[str, Kpi] = {
    "conversion": Kpi(facts.worked_accounts, _by(measures.won_in_time), "share", "shares"),
    "win_rate": Kpi(facts.opened_deals, _by(measures.won_in_time), "share", "shares"),
    "velocity": Kpi(facts.moving_deals, _by(measures.velocity), "money_a_day"),
    "no_show": Kpi(facts.meetings, _by(measures.share), "share", "shares"),
    "cac": Kpi(facts.new_customers, _cac, "money", "amounts"),
    "lifetime_value": Kpi(facts.customers_worth, _by(measures.mean), "money", "amounts"),
    "churn_accounts": Kpi(facts.customers_at_risk, _by(measures.share), "share", "shares"),
    "churn_revenue": Kpi(facts.customers_at_risk, _by(measures.ratio), "share", "amounts"),
    "basket_median": Kpi(facts.paid_deals, _by(measures.median), "money", "amounts"),
    "basket_mean": Kpi(facts.paid_deals, _by(measures.mean), "money", "amounts"),
    "basket_top_share": Kpi(facts.paid_deals, _by(measures.top_share), "share"),
    "cycle": Kpi(facts.opened_deals, _by(measures.cycle), "days", "amounts"),
    "coverage_stage": Kpi(pipeline.by_stage, _coverage, "ratio"),
    "coverage_probability": Kpi(pipeline.by_probability, _coverage, "ratio"),
}


def ledger(book: Book, periods: tuple[Period, ...], groups: Mapping[str, Levels]) -> pd.DataFrame:
    """Return one row for each KPI, group, level and period, and of all accounts together first.

    `groups` are each account's levels by period; None where they cannot be known without choosing by the outcome. Rows have
    kpi, group, level, quarter, value, low and high (95 %), shrunk, n, numerator, denominator, mark (why a figure is not shown:
    n<10, n/a or too early) and the key of its definition. The levels of a group add up to the row of all.
    """
    rows = []
    for name, kpi in KPIS.items():
        for period in periods:
            counted = kpi.count(book, period)
            for group, levels in {ALL: None, **groups}.items():
                of = _levels_of(counted, group, levels, period)
                if of is None:
                    rows.append(_row(name, group, "", period, Measured(0, mark=UNKNOWN)) | {"shrunk": np.nan})
                    continue
                parts = {level: counted[of == level] for level in ([ALL] if group == ALL else sorted(of.unique()))}
                cells = {level: hidden(kpi.measure(own, Cell(book, period, group, level))) for level, own in parts.items()}
                shrunk = _shrunk(list(cells.values()), kpi.drawn)
                for (level, measured), drawn in zip(cells.items(), shrunk, strict=True):
                    rows.append(_row(name, group, level, period, measured) | {"shrunk": drawn})
    return pd.DataFrame(rows)[COLUMNS]


def _levels_of(counted: pd.DataFrame | None, group: str, levels: Levels | None, period: Period) -> pd.Series | None:
    if counted is None:
        return None
    if group == ALL:
        return pd.Series(ALL, counted.index, dtype="str")
    known = levels[period.name]
    return None if known is None else counted["account_id"].map(known).fillna(UNSAID).astype("str")


def _row(name: str, group: str, level: str, period: Period, measured: Measured) -> dict:
    told = {key: value for key, value in asdict(measured).items() if key != "effective_n"}
    if measured.mark:
        told |= dict.fromkeys(("value", "low", "high"), np.nan)
    return {"kpi": name, "group": group, "level": level, "quarter": period.name, "definition": f"kpi_def_{name}"} | told


def _shrunk(cells: list[Measured], how: str) -> np.ndarray:
    """Draw the shown figures of one group and period together; the others have none."""
    drawn = np.full(len(cells), np.nan)
    shown = [place for place, cell in enumerate(cells) if not cell.mark]
    if not how or not shown:
        return drawn
    value, low, high, n = (
        np.array([getattr(cells[place], key) for place in shown]) for key in ("value", "low", "high", "effective_n")
    )
    drawn[shown] = shrunk_shares(value, n) if how == "shares" else shrunk_amounts(value, low, high)
    return drawn
