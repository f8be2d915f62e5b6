"""What a draft consists of: tables and columns, each with why it was guessed and what is to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from winworth.draft.sample import Exported, Refused

UNSURE = "unsure"  # written as latest_only behind an anchor, so that one answer serves all columns in the same doubt
UNANSWERED = "?"  # what only a person can fill in: check refuses it


@dataclass(frozen=True)
class DraftColumn:
    """One line of crm.yaml. `options` are written as they stand; `why` is its comment, `questions` go above the line."""

    name: str
    source: str
    kind: str | None = None
    known: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    why: str = ""
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class DraftJoin:
    """A look-up file whose columns are added: the table's column, the file's header, and what is added."""

    file: str
    on: Mapping[str, str]
    columns: tuple[DraftColumn, ...]
    why: str = ""
    separator: str | None = None


@dataclass(frozen=True)
class LeftOut:
    """A column, or a file, that is not mapped, and the reason."""

    what: str
    why: str


@dataclass(frozen=True)
class DraftTable:
    """One table of crm.yaml, from one export."""

    name: str
    export: Exported
    columns: tuple[DraftColumn, ...]
    key: bool = False
    known: str | None = None
    locale: str | None = None
    joins: tuple[DraftJoin, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)

    def column(self, name: str) -> DraftColumn | None:
        """Return the column of that name, if it is mapped."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Every question about the table, each with where in crm.yaml it stands."""
        of_columns = [
            (f"tables.{self.name}.columns.{column.name}", question) for column in self.columns for question in column.questions
        ]
        return [(f"tables.{self.name}", question) for question in self.questions] + of_columns


@dataclass(frozen=True)
class Draft:
    """The whole of crm.yaml, and what of the folder it leaves out."""

    company: str
    folder: str
    currency: str
    currency_why: str
    tables: tuple[DraftTable, ...]
    unmapped: tuple[LeftOut, ...] = ()
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()

    def table(self, name: str) -> DraftTable | None:
        """Return the table of that name, if it is drafted."""
        return next((table for table in self.tables if table.name == name), None)

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Every question of the draft, each with where in crm.yaml it stands."""
        return [("crm.yaml", question) for question in self.questions] + [pair for table in self.tables for pair in table.asked]
