"""Read everything and say what is there, what was put aside and what may not be used; train nothing."""

from dataclasses import dataclass
from datetime import date

from winworth.config import Settings
from winworth.features.refused import refused_columns
from winworth.flows.dates import horizon_to_propose
from winworth.flows.prepare import prepare
from winworth.flows.record import read_record


@dataclass(frozen=True)
class Checked:
    """Where the rows of each file went, rows of quarantine by rule, deals by status, refused columns, warnings, the horizon,
    and the one that the time to win proposes (None without dates or wins).
    """

    read: list[dict]
    rules: dict[str, int]
    statuses: dict[str, int]
    refused: list[str]
    warnings: tuple[str, ...]
    horizon_days: int
    proposed_horizon_days: int | None


def check(settings: Settings, *, as_of: date) -> Checked:
    """Read the extract as `train` would, and count."""
    prepared = prepare(settings, as_of=as_of)
    report = prepared.crm.report
    statuses = prepared.snapshot["deals"]["status"].value_counts().sort_index()
    refused = refused_columns(prepared.crm, settings.waived(as_of))
    return Checked(
        read=read_record(report),
        rules={str(rule): int(n) for rule, n in report.quarantine["rule"].value_counts().sort_index().items()},
        statuses={str(status): int(n) for status, n in statuses.items()},
        refused=[f"{table}.{column}" for table, column in refused],
        warnings=prepared.warnings,
        horizon_days=settings.training.win.horizon_days,
        proposed_horizon_days=horizon_to_propose(prepared.snapshot, exclude_kinds=settings.training.win.exclude_kinds),
    )
