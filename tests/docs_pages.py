"""The pages of docs/, taken apart: their commands, links, code spans and tables; and the words of the source they speak of."""

import ast
import re
import shlex
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.M | re.S)
SPAN = re.compile(r"`([^`\n]+)`")


def blocks(page: str, language: str) -> list[str]:
    return [text for _, found, text in FENCE.findall(PAGES[page]) if found == language]


def prose(page: str) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", PAGES[page])


def spans(page: str) -> list[str]:
    return SPAN.findall(prose(page))


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    below = PAGES[page].split(f"\n{heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", below, re.M).group(0).splitlines()[2:]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def commands(program: str) -> list[tuple[str, list[str], bool]]:
    """List each command of a program: its page, its words, and whether it stands whole in a block, to be copied.

    What a shell or a scheduler fills in is a word X.
    """
    found = []
    for page in PAGES:
        lines = [(line, True) for _, _, block in FENCE.findall(PAGES[page]) for line in block.splitlines()]
        lines += [(span, False) for span in spans(page) if re.match(rf"(?:\.venv/bin/)?{program} ", span)]
        for line, is_whole in lines:
            filled = re.sub(r"\$\([^)]*\)|\{\{.*?\}\}", "X", line)
            for part in re.split(r"&&|\|\||;", filled):
                told = re.search(rf"(?:^|\s|/bin/){program} (.*)", part.strip())
                if told:
                    found.append((page, _words(told.group(1)), is_whole))
    return found


def _words(told: str) -> list[str]:
    """Cut a command into words; one that stands within a string of another language ends with it."""
    told = told.replace("...", "X")
    return shlex.split(told.partition('"')[0] if told.count('"') % 2 else told, comments=True)


def links(page: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def words_of_the_source() -> frozenset[str]:
    """Return every word that a page may name: of code, configuration and the Makefile."""
    paths = [
        *(ROOT / "src").rglob("*.py"),
        *(ROOT / "src").rglob("*.yaml"),
        *(ROOT / "conf").rglob("*.yaml"),
        ROOT / "Makefile",
    ]
    return frozenset(word for path in paths for word in re.findall(r"\w+", path.read_text(encoding="utf-8")))


@cache
def sentences() -> tuple[tuple[str, str], ...]:
    """Return every string of the source in one piece, what it fills in as …, after the error it is raised with, or ""."""
    found = []
    for path in (ROOT / "src" / "winworth").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
        found += [(ast.unparse(call.func), text) for call in raised for text in _strings(call)]
        found += [("", text) for text in _strings(tree)]
    return tuple(found)


def _strings(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found
