"""What a verb says: parts for people, one document for programs, and how both write a table and a figure."""

import sys
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_HELD = {0x00A0: "\ue000", 0x202F: "\ue001"}  # no-break spaces, while lines are broken
_FREED = {0xE000: "\u00a0", 0xE001: "\u202f"}


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


class _Console(Console):
    """Breaks no line at a no-break space: rich takes it for a space, and would part a number from its thousands."""

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(text.translate(_HELD), **how)


def printed(report: Report) -> None:
    """Print the parts for people, as wide as the terminal is."""
    console = _Console(highlight=False, soft_wrap=False)
    with console.capture() as said:
        for part in report.parts:
            console.print(part, markup=False) if isinstance(part, str) else console.print(part)
    sys.stdout.write(said.get().translate(_FREED))
    sys.stdout.flush()


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
