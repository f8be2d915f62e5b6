"""The contract of every table, by name, and the tables of one extract once they have been read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

Kind = Literal["id", "level", "number", "date"]
Known = Literal["at_creation", "dated", "latest_only", "at_close"]
STATUSES = ("won", "lost", "open")


@dataclass(frozen=True)
class Column:
    """A canonical column: what its cells are, whether the table can do without it, and its permitted levels."""

    kind: Kind
    required: bool = False
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A canonical table. `happened_on` names the day of an event; a table without one describes things that last."""

    name: str
    columns: Mapping[str, Column]
    key: str | None = None
    required: bool = False
    happened_on: str | None = None

    @property
    def is_event(self) -> bool:
        """Whether each row is something that happened on a day."""
        return self.happened_on is not None


def _columns(*, ids: str = "", levels: str = "", numbers: str = "", dates: str = "", required: str = "") -> dict[str, Column]:
    kinds: dict[Kind, str] = {"id": ids, "level": levels, "number": numbers, "date": dates}
    needed = required.split()
    return {name: Column(kind, name in needed) for kind, names in kinds.items() for name in names.split()}


_ACCOUNT_FACTS = {
    "levels": "sector country region business_model size_class",
    "numbers": "headcount revenue balance_sheet",
}
_DEAL_FACTS = {"levels": "currency kind source product stage", "numbers": "amount probability"}

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "deals",
            _columns(
                ids="deal_id account_id owner_id group_id",
                levels="status " + _DEAL_FACTS["levels"],
                numbers=_DEAL_FACTS["numbers"],
                dates="opened_on closed_on modified_on",
                required="status",
            )
            | {"status": Column("level", True, STATUSES)},
            key="deal_id",
            required=True,
        ),
        Table(
            "accounts",
            _columns(
                ids="account_id parent_id",
                dates="created_on modified_on",
                required="account_id",
                levels="name " + _ACCOUNT_FACTS["levels"],
                numbers=_ACCOUNT_FACTS["numbers"],
            ),
            key="account_id",
        ),
        Table(
            "contacts",
            _columns(ids="contact_id account_id", levels="role seniority", dates="known_on", required="account_id known_on"),
            key="contact_id",
            happened_on="known_on",
        ),
        Table(
            "activities",
            _columns(
                ids="activity_id account_id deal_id contact_id",
                levels="kind outcome",
                numbers="hours",
                dates="happened_on known_on",
                required="account_id kind happened_on",
            ),
            key="activity_id",
            happened_on="happened_on",
        ),
        Table(
            "stage_changes",
            _columns(ids="deal_id", levels="stage", dates="changed_on", required="deal_id stage changed_on"),
            happened_on="changed_on",
        ),
        Table(
            "deal_versions",
            _columns(ids="deal_id", dates="changed_on", required="deal_id changed_on", **_DEAL_FACTS),
            happened_on="changed_on",
        ),
        Table(
            "account_versions",
            _columns(ids="account_id", dates="changed_on", required="account_id changed_on", **_ACCOUNT_FACTS),
            happened_on="changed_on",
        ),
        Table(
            "invoices",
            _columns(
                ids="invoice_id account_id",
                levels="currency",
                numbers="amount margin",
                dates="invoiced_on",
                required="account_id invoiced_on amount",
            ),
            key="invoice_id",
            happened_on="invoiced_on",
        ),
        Table(
            "rates",
            _columns(levels="currency", numbers="rate", dates="valid_on", required="currency rate valid_on"),
            happened_on="valid_on",
        ),
        Table("costs", _columns(levels="item currency", numbers="amount", dates="month", required="month amount")),
        Table(
            "technologies",
            _columns(ids="account_id", levels="technology", dates="seen_on", required="account_id technology seen_on"),
            happened_on="seen_on",
        ),
    )
}


@dataclass(frozen=True)
class FileCount:
    """Where the rows of one file went; the parts add up to `n_read`, in rows and in amounts."""

    table: str
    file: str
    sha256: str
    n_read: int
    n_used: int
    n_quarantined: int
    n_duplicate: int
    n_out_of_scope: int
    amounts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadReport:
    """What reading an extract did: a count for each file, each row put aside, and what a person should know.

    `quarantine` has one row for each faulty row: table, file, row (physical line, from 1), rule, column, value, raw_line.
    """

    files: tuple[FileCount, ...]
    quarantine: pd.DataFrame
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class CrmTables:
    """The canonical tables of one extract.

    `tables` maps a table's name to its frame: ids and levels are text, numbers float64, dates datetime64[s]; missing is
    NaN or NaT. A table the export does not have is absent. `known` says, by (table, column), when a column's value is
    known; a column that does not say may not be read by a feature.
    """

    tables: Mapping[str, pd.DataFrame]
    known: Mapping[tuple[str, str], Known]
    report: ReadReport

    def __contains__(self, name: object) -> bool:
        return name in self.tables

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    @property
    def has_dates(self) -> bool:
        """Whether deals say when they opened; without that, nothing can be ordered in time."""
        return "opened_on" in self["deals"].columns

    @property
    def has_accounts(self) -> bool:
        """Whether deals say whose they are."""
        return "account_id" in self["deals"].columns
