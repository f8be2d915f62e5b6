"""What a verb says: parts for people, one document for programs, and how both write a table and a figure."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table


@dataclass(frozen=True)
class Report:
    """Parts for people (text or rich tables), and the document that --json prints."""

    parts: list[Any]
    document: dict


def plain_table(title: str, columns: list[str], n_text: int = 1) -> Table:
    """Make an empty table: the first `n_text` columns to the left, the numbers after them to the right."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < n_text else "right", overflow="fold")
    return table


def warned(warnings: Any) -> list[str]:
    """Return a line a warning."""
    return [f"Note: {warning}" for warning in warnings]


def short(figure: dict) -> str:
    """Write a figure with its interval."""
    if figure["value"] is None:
        return "n/a"
    interval = "" if figure["low"] is None else f" [{three(figure['low'])}-{three(figure['high'])}]"
    return f"{three(figure['value'])}{interval}"


def value(figure: dict) -> str:
    """Write a figure without its interval."""
    return "n/a" if figure["value"] is None else three(figure["value"])


def three(value: float) -> str:
    """Write three digits after the point, or whole thousands."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"


def money(value: float | None) -> str:
    """Write whole money, or n/a."""
    return "n/a" if value is None or pd.isna(value) else f"{value:,.0f}"


def plain(table: pd.DataFrame) -> list[dict]:
    """Return the rows of a table for JSON."""
    return table.astype(object).where(table.notna(), None).to_dict("records")
