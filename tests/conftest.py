"""A small clean CRM in files, for tests that spoil one thing in it; and the demo company, taken the whole way once."""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # before anything loads OpenMP: spinning threads starve other tests

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest

from winworth.config import Settings, load_settings
from winworth.crm.mapping import ColumnMap, CrmMap, TableMap
from winworth.crm.read import read_crm
from winworth.tables import CrmTables

ACCOUNTS = ["account_id,name,sector", *(f"A{at:03d},Company {at},{'retail' if at % 2 else 'steel'}" for at in range(10))]


def _deal(at: int) -> str:
    status = ("won", "lost", "open")[at % 3]
    closed_on = "" if status == "open" else f"2024-{at % 9 + 3:02d}-{at % 28 + 1:02d}"
    return f"D{at:03d},A{at % 10:03d},{status},{1000 + at}.5,2024-01-{at % 28 + 1:02d},{closed_on}"


DEALS = ["deal_id,account_id,status,amount,opened_on,closed_on", *(_deal(at) for at in range(60))]
ACTIVITIES = [
    "activity_id,account_id,kind,happened_on,known_on",
    *(f"T{at:03d},A{at % 10:03d},call,2024-02-{at % 28 + 1:02d},2024-02-{at % 28 + 1:02d}" for at in range(60)),
]


def columns(header: str, **options: ColumnMap) -> dict[str, ColumnMap]:
    return {name: options.get(name, ColumnMap(name)) for name in header.split(",")}


@dataclass
class Exports:
    """Files in a folder and their map; `spoil` changes a line, `option` the map of a table."""

    folder: Path
    tables: dict[str, TableMap] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, lines: list[str]) -> None:
        self.lines[name] = list(lines)
        self.tables[name] = TableMap(f"{name}.csv", columns(lines[0]))
        self.write(f"{name}.csv", "\n".join(lines) + "\n")

    def write(self, file: str, content: str | bytes) -> Path:
        path = self.folder / file
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def spoil(self, name: str, line: int, text: str) -> None:
        """Put `text` in place of a line, counted from 1."""
        self.lines[name][line - 1] = text
        self.write(f"{name}.csv", "\n".join(self.lines[name]) + "\n")

    def option(self, name: str, **options) -> None:
        self.tables[name] = replace(self.tables[name], **options)

    def column(self, name: str, column: str, **options) -> None:
        known = dict(self.tables[name].columns)
        known[column] = replace(known.get(column, ColumnMap(column)), **options)
        self.option(name, columns=known)

    def read(self, **options) -> CrmTables:
        return read_crm(CrmMap("Test", self.tables, **options), root=self.folder)


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    """Return ten accounts, sixty deals and sixty activities without a fault."""
    made = Exports(tmp_path)
    for name, lines in (("accounts", ACCOUNTS), ("deals", DEALS), ("activities", ACTIVITIES)):
        made.add(name, lines)
    return made


@pytest.fixture
def clean(exports: Exports) -> CrmTables:
    """Return what the files hold before a test spoils them."""
    return exports.read()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep on one worker what shares something slow to make: the demo company, or the fixtures of a module."""
    shared = "demo" if "demo" in getattr(item, "fixturenames", ()) else item.path.name
    item.add_marker(pytest.mark.xdist_group(shared))


ROOT = Path(__file__).parents[1]
AS_OF = date(2026, 6, 30)


@dataclass(frozen=True)
class Demo:
    """The demo company of 6,000 deals as `make demo` leaves it."""

    home: Path
    settings: Settings
    done: "object"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Take the demo company the whole way, once for all tests; they read it and change nothing."""
    from winworth.flows.demo import demo as run

    home = tmp_path_factory.mktemp("demo")
    settings = load_settings(ROOT / "conf")
    done = run(settings, as_of=AS_OF, home=home)
    exports = replace(settings, crm=replace(settings.crm, folder=str(home / "exports")))
    return Demo(home, exports, done)


@pytest.fixture
def demo_copy(demo: Demo, tmp_path: Path) -> Demo:
    """Return a copy of the demo's models that a test may spoil."""
    import shutil

    shutil.copytree(demo.home / "models", tmp_path / "models", symlinks=True)
    return replace(demo, home=tmp_path)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an MLflow store that has its tables: making them takes seconds."""
    from winworth.tracking import open_store

    home = tmp_path_factory.mktemp("migrated")
    open_store(home, uri=f"sqlite:///{home}/mlflow/mlflow.db")
    return home / "mlflow" / "mlflow.db"


@pytest.fixture
def home(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home whose MLflow store has its tables."""
    import shutil

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    home = tmp_path / "maison é"
    (home / "mlflow").mkdir(parents=True)
    shutil.copy(migrated, home / "mlflow" / "mlflow.db")
    return home
