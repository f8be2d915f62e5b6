"""Made-up exports in the exact shape of a CRM product, written, drafted with its preset and checked."""

import csv
from datetime import date, timedelta
from pathlib import Path

from winworth.config import Settings, load_settings
from winworth.flows.check import Checked, check
from winworth.flows.init import init

DAY0 = date(2024, 1, 3)
N = 90
AS_OF = date(2025, 6, 30)


def write(path: Path, rows: list[dict[str, object]], **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
        table = csv.DictWriter(file, list(rows[0]), **options)
        table.writeheader()
        table.writerows(rows)


def opened(at: int) -> date:
    return DAY0 + timedelta(days=4 * at)


def closed(at: int) -> date:
    return opened(at) + timedelta(days=20 + at % 17)


def answered(home: Path, preset: str) -> tuple[Settings, Checked]:
    """Draft with a preset, answer the one question a table asks of its columns in doubt, and check."""
    init(home / "exports", out=home / "conf", preset=preset)
    crm = home / "conf" / "crm.yaml"
    crm.write_text(crm.read_text(encoding="utf-8").replace("unsure latest_only", "unsure at_creation"), encoding="utf-8")
    settings = load_settings(home / "conf")
    return settings, check(settings, as_of=AS_OF)


def known(settings: Settings, table: str) -> dict[str, str | None]:
    return {column.source: column.known for column in settings.crm.tables[table].columns.values()}


def sources(settings: Settings, table: str) -> dict[str, str]:
    return {name: column.source for name, column in settings.crm.tables[table].columns.items()}
