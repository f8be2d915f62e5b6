"""The notebooks are named by a question, hold no output and no function, and run as they are on the demo company."""

import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest

import winworth

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
named = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


def test_they_ask_five_questions_in_the_order_in_which_they_are_asked():
    told = ["01-what-is-in-the-crm", "02-can-we-tell-who-wins", "03-what-matters-and-how-much", "04-whom-to-call-first"]
    assert [path.stem for path in NOTEBOOKS] == [*told, "05-is-the-new-model-better"]


@named
def test_nothing_is_stored_in_a_notebook_but_what_was_written(path):
    book = nbformat.read(path, as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert code and all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert book.cells[0].source.startswith("# ") and book.cells[0].source.splitlines()[0].endswith("?")
    assert not re.search(r"^\s*(def|class) ", "\n".join(cell.source for cell in code), re.MULTILINE)
    assert str(ROOT) not in path.read_text(encoding="utf-8") and max(cell.source.count("\n") for cell in code) < 25


@pytest.mark.long
@named
def test_a_notebook_runs_as_it_is_on_the_demo_company(path, demo, tmp_path):
    from nbclient import NotebookClient

    for name in ("notebooks", "conf"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "demo").symlink_to(demo.home, target_is_directory=True)
    before = {file: file.stat().st_mtime_ns for file in demo.home.rglob("*") if file.is_file() and "mlflow" not in file.parts}
    book = nbformat.read(tmp_path / "notebooks" / path.name, as_version=4)
    how = {"timeout": 1200, "kernel_name": "python3", "resources": {"metadata": {"path": str(tmp_path / "notebooks")}}}
    source = str(Path(winworth.__file__).parents[1])  # the kernel starts elsewhere, and must run what is tested here
    NotebookClient(book, **how).execute(env=os.environ | {"PYTHONPATH": source})
    shown = [output for cell in book.cells for output in cell.get("outputs", ())]
    assert [output for output in shown if output.output_type == "error"] == []
    assert sum(output.output_type in ("display_data", "execute_result") for output in shown) >= 3
    assert before == {file: file.stat().st_mtime_ns for file in before}
