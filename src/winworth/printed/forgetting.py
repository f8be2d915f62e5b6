"""What forget prints."""

from typing import TYPE_CHECKING, Any

from winworth.printed.report import Report, plain_table

if TYPE_CHECKING:
    from winworth.flows.forget import Forgotten


def forgotten(done: "Forgotten") -> Report:
    """Say what was taken out of which file, what had used it, and what is left to do elsewhere."""
    table = plain_table(f"Taken out: {done.id}", ["file", "rows"])
    for name, n in done.rows.items():
        table.add_row(name, f"{n:,}")
    for name in done.removed:
        table.add_row(name, "all of it")
    used = f"It was used by {', '.join(done.versions)}, which keep numbers in place of ids." if done.versions else ""
    parts: list[Any] = [table, *filter(None, [used])]
    if any(name.startswith("reviews/") for name in done.removed):
        parts.append("Pages that named it are gone: write them again with winworth review.")
    parts.append("The CRM and its exports were not touched: whatever is still there is read again by the next run.")
    document = {"id": done.id, "rows": done.rows, "removed": list(done.removed), "versions": list(done.versions)}
    return Report(parts, document)
