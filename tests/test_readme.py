"""The README is true: its Python runs, and what it shows is what the demo prints."""

import doctest
import re
from io import StringIO
from pathlib import Path

import pytest

from winworth.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_runs():
    assert doctest.testfile(str(ROOT / "README.md"), module_relative=False).failed == 0


def test_the_first_command_stands_before_line_30():
    assert any(line.startswith("make ") for line in README.splitlines()[:30])


def test_the_readme_shows_what_the_demo_prints(demo):
    from rich.console import Console

    from winworth.printed import scores

    console = Console(width=80, record=True, file=StringIO())
    for part in scores.demonstrated(demo.done).parts:
        console.print(part)
    said = [" ".join(line.split()) for line in console.export_text().splitlines()]
    block = re.search(r"```text\n( model.*?)```", README, re.S).group(1)
    missing = [line for line in block.splitlines() if line.strip() and " ".join(line.split()) not in said]
    assert missing == []


VERBS = [verb.callback.__name__ for part in app.registered_groups for verb in part.typer_instance.registered_commands]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_the_command_line_is_in_the_readme_and_the_makefile(verb):
    assert f"winworth {verb}" in README
    assert re.search(rf"^{verb}:.*## ", (ROOT / "Makefile").read_text(), re.M)


def test_the_lock_holds_names_and_versions_only():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line)] == []
