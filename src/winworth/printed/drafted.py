"""What init prints: which file is which table, what it asks, what it left out, and the next command."""

from typing import TYPE_CHECKING, Any

from rich.text import Text

from winworth.crm.wording import printable
from winworth.draft.drafted import UNSURE
from winworth.printed.report import Report, plain_table

if TYPE_CHECKING:
    from winworth.flows.init import Initiated

MOST_QUESTIONS = 12


def initiated(done: "Initiated") -> Report:
    """Show the tables that were recognised, the questions, and how to go on."""
    draft = done.draft
    table = plain_table("Recognised", ["table", "file", "rows", "columns mapped", "in doubt", "left out"], n_text=2)
    for one in draft.tables:
        columns = [*one.columns, *(column for join in one.joins for column in join.columns)]
        n_unsure = sum(column.known == UNSURE for column in columns)
        numbers = (f"{one.export.n_rows:,}", str(len(columns)), str(n_unsure), str(len(one.left_out)))
        table.add_row(one.name, Text(printable(one.export.file)), *numbers)
    parts: list[Any] = [table]
    parts += [f"Not mapped: {printable(one.what)}: {printable(one.why, 300)}" for one in draft.unmapped]
    parts += [f"Cannot be read: {printable(one.file)}: {printable(one.why, 300)}" for one in draft.refused]
    asked = draft.asked + _groups_in_doubt(done)
    parts += [f"? {where}: {printable(question, 300)}" for where, question in asked[:MOST_QUESTIONS]]
    if len(asked) > MOST_QUESTIONS:
        parts.append(f"and {len(asked) - MOST_QUESTIONS} more questions, each above its line in crm.yaml.")
    parts.append(f"Written: {done.out}/ ({', '.join(done.files)}). Answer the lines that begin with `# ?`, then:")
    parts.append(f"winworth check --conf {done.out} --as-of THE-DAY-OF-THE-EXPORT")
    document = {
        "out": str(done.out),
        "tables": {one.name: {"file": one.export.file, "rows": one.export.n_rows} for one in draft.tables},
        "questions": [{"where": where, "question": question} for where, question in asked],
        "unmapped": {one.what: one.why for one in draft.unmapped},
        "refused": {one.file: one.why for one in draft.refused},
    }
    return Report(parts, document)


def _groups_in_doubt(done: "Initiated") -> list[tuple[str, str]]:
    counts = {one.name: sum(column.known == UNSURE for column in one.columns) for one in done.draft.tables}
    return [
        (
            f"tables.{name}.columns",
            f"Were its columns in doubt ({n}) filled in on the first day and never changed? One line answers for all.",
        )
        for name, n in counts.items()
        if n
    ]
