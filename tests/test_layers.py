"""Imports go downward only, and each heavy library has one door."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "winworth"
LAYERS = [
    ("errors",),
    ("atomic", "erase", "shaped", "yaml_files", "lock", "sheets", "merged"),
    ("tables",),
    ("crm",),
    ("features",),
    ("models",),
    ("weights",),
    ("scoring",),
    ("kpi",),
    ("draft",),
    ("agreed", "bundle", "tracked_monitoring", "tracked_run", "tracked_tuning", "tracking", "review", "pyfunc"),
    ("config",),
    ("flows",),
    ("printed",),
    ("cli",),
]
DOORS = {
    "mlflow": {"tracking.py", "tracked_tuning.py", "pyfunc.py"},
    "shap": {"weights/attribution.py"},
    "pyspark": {"flows/on_spark.py"},
    "py4j": {"flows/on_spark.py"},
    "optuna": {"models/tune.py"},
    "matplotlib": {"review/charts.py"},
    "yaml": {"yaml_files.py"},
    "pydantic": {"shaped.py"},
    "typer": {f"cli/{name}.py" for name in ("app", "options", "starting", "learning", "scoring", "judging", "watching")},
}
HEAVY = {"pandas", "numpy", "sklearn", "lightgbm", "mlflow", "shap", "scipy", "matplotlib", "duckdb", "pyarrow", "pydantic"}
KNOWS_NOTHING_OF_CRM = ("crm", "features")


def imported(source: str) -> list[tuple[int, str]]:
    """Return every imported module with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.lineno, node.module)]
            if node.module == "winworth":
                found += [(node.lineno, f"winworth.{alias.name}") for alias in node.names]
    return found


def rank(room: str) -> int:
    return next((k for k, rooms in enumerate(LAYERS) if room in rooms), -1)


def broken_rules(path: str, source: str) -> list[str]:
    """Say which imports of a module (its path below src/winworth) break a rule."""
    room = Path(path).parts[0].removesuffix(".py")
    broken = []
    for line, module in imported(source):
        top, *rest = module.split(".")
        where = f"{path}:{line} imports {module}"
        if top == "winworth" and rest:
            if rank(rest[0]) > rank(room):
                broken.append(f"{where}, which lies above {room}")
            if room == "models" and rest[0] in KNOWS_NOTHING_OF_CRM:
                broken.append(f"{where}: models know nothing of CRM")
        if path not in DOORS.get(top, {path}):
            broken.append(f"{where}, whose only door is {', '.join(sorted(DOORS[top]))}")
        if top == "lightgbm" and room != "models":
            broken.append(f"{where}, which belongs in models")
    return broken


def modules() -> list[str]:
    return sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", modules())
def test_a_module_imports_only_what_lies_below_and_through_the_doors(path):
    assert broken_rules(path, (SOURCE / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", modules())
def test_every_room_has_a_layer(path):
    assert path == "__init__.py" or rank(Path(path).parts[0].removesuffix(".py")) >= 0


@pytest.mark.parametrize(
    ("path", "line", "says"),
    [
        ("models/win.py", "from winworth.crm.snapshot import Snapshot", "models know nothing of CRM"),
        ("crm/read.py", "import winworth.features.build", "which lies above crm"),
        ("flows/train.py", "import mlflow", "whose only door is"),
        ("scoring/tiers.py", "from lightgbm import Booster", "which belongs in models"),
        ("review/page.py", "def late():\n    import yaml", "whose only door is yaml_files.py"),
    ],
)
def test_a_planted_import_is_named_with_its_file(path, line, says):
    broken = broken_rules(path, (SOURCE / path).read_text(encoding="utf-8") + "\n" + line + "\n")
    assert len(broken) == 1
    assert broken[0].startswith(path)
    assert says in broken[0]


def test_the_command_line_loads_no_heavy_library_before_it_is_asked_to():
    for path in (SOURCE / "cli").glob("*.py"):
        at_top = ast.Module([node for node in ast.parse(path.read_text()).body if not isinstance(node, ast.FunctionDef)], [])
        found = {module.split(".")[0] for _, module in imported(ast.unparse(at_top))}
        inside = {module for _, module in imported(ast.unparse(at_top)) if module.startswith("winworth.")}
        assert not found & HEAVY
        assert all(module.startswith(("winworth.cli", "winworth.errors")) for module in inside), path
