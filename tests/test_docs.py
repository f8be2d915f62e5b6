"""docs/ is true: its commands parse, its links lead somewhere, and what it names is there."""

import ast
import dataclasses
import importlib.util
import json
import re
from pathlib import Path

import pytest
import typer
import yaml

import docs_pages as pages
from winworth import errors
from winworth.cli.app import app
from winworth.config import Training, Waivers, WinSettings
from winworth.flows import leak_gate, learn
from winworth.flows.verdict import EXIT_CODES
from winworth.kpi.ledger import KPIS
from winworth.models import ladder, leak_tests, value
from winworth.review.page import SECTIONS
from winworth.scoring.settings import AdviseSettings, KpiSettings, Scoring, Serving, ValueSettings
from winworth.shaped import shaped
from winworth.tables import TABLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
COLUMNS_HEADING = "## What a column of `account_scores` means"
WINWORTH, MAKE = pages.commands("winworth"), pages.commands("make")
VERBS = typer.main.get_command(app).commands
SETTINGS = {"win": WinSettings, "value": ValueSettings, "serving": Serving, "kpi": KpiSettings, "advise": AdviseSettings}
KINDS = [kind for kind in errors.WinworthError.__subclasses__() if kind.__module__ == errors.__name__]  # tests make others


def named(found):
    return {"argvalues": found, "ids": [f"{page}: {' '.join(words)}"[:80] for page, words, _ in found]}


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "words", "is_whole"), **named(WINWORTH))
def test_a_winworth_command_of_the_docs_parses(page, words, is_whole):
    """One in a block is whole; one in a sentence may leave the day to the reader, or be a verb alone."""
    verb, *options = words
    command = VERBS[verb]
    asks_day = any("--as-of" in option.opts for option in command.params)
    if not is_whole and asks_day and "--as-of" not in options:
        options += ["--as-of", "2026-06-30"]
    if is_whole or len(words) > 1:
        command.make_context(verb, options)


def test_an_option_that_does_not_exist_is_found_out():
    command = VERBS["predict"]
    with pytest.raises(Exception, match="No such option"):
        command.make_context("predict", ["--as-of", "2026-06-30", "--no-such-option"])


@pytest.mark.parametrize(("page", "words", "is_whole"), **named(MAKE))
def test_a_make_command_of_the_docs_names_targets_and_variables_that_there_are(page, words, is_whole):
    assert words
    for word in words:
        name, is_variable, _ = word.partition("=")
        assert re.search(rf"\$\({name}\)" if is_variable else rf"^{re.escape(name)}:.*## ", MAKEFILE, re.M), word


def test_the_commands_were_found():
    assert {words[0] for _, words, _ in WINWORTH} >= {"check", "predict", "promote", "agree", "validate", "compare"}
    assert {word for _, words, _ in MAKE for word in words} >= {
        "init",
        "check",
        "train",
        "promote",
        "predict",
        "review",
        "forget",
    }


# --- links and names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", pages.PAGES)
def test_a_link_leads_to_a_file_and_a_heading(page):
    for link in pages.links(page):
        name, _, anchor = link.partition("#")
        target = (ROOT / "docs" / name).resolve() if name else ROOT / "docs" / page
        assert target.is_relative_to(ROOT)
        assert target.exists(), link
        assert not anchor or anchor in pages.anchors(target.read_text(encoding="utf-8")), link


def test_the_readme_points_to_every_page():
    assert [name for name in pages.PAGES if f"docs/{name}" not in README] == []


@pytest.mark.parametrize("page", pages.PAGES)
def test_what_stands_in_code_is_named_so_in_the_source(page):
    """Tables' columns, settings, files and words; commands and quoted sentences have tests of their own."""
    for span in pages.spans(page):
        is_command = re.match(r"(?:\.venv/bin/)?winworth |make |# \?|#\w+$|F\d\d-", span)
        if is_command or "…" in span or len(span.split()) > 3 or (ROOT / span).exists():
            continue
        words = re.findall(r"[A-Za-z_]\w*", re.sub(r"conf-mine|<version>", "", span))
        words = [re.sub(r"_fr$", "_", word) for word in words]  # the file's name ends in the language
        assert [word for word in words if word not in pages.words_of_the_source()] == [], span


def test_a_dotted_name_is_a_column_or_a_setting():
    own = {
        (name, column)
        for name, table in yaml.safe_load((ROOT / "conf" / "crm.yaml").read_text(encoding="utf-8"))["tables"].items()
        for column in table["columns"]
    }
    dotted = [span.split(".") for page in pages.PAGES for span in pages.spans(page) if re.fullmatch(r"[a-z_]+\.[a-z_]+", span)]
    columns = {(table, column) for table, column in dotted if table in TABLES}
    assert columns - own - {(name, column) for name, table in TABLES.items() for column in table.columns} == set()
    settings = [(block, key) for block, key in dotted if block in SETTINGS]
    assert settings
    assert [key for block, key in settings if key not in {f.name for f in dataclasses.fields(SETTINGS[block])}] == []
    assert {"tiers", "sellers"} <= {f.name for f in dataclasses.fields(Scoring)}
    assert "win" in {f.name for f in dataclasses.fields(Training)}


# --- the runbook ------------------------------------------------------------------------------------------------------


def test_the_exit_codes_are_those_of_the_errors():
    kinds = [errors.WinworthError, *KINDS]
    told = [(cells[1].strip("`"), int(cells[0])) for cells in pages.rows("runbook.md", "## Exit codes")]
    assert told == [("", 0), *((kind.__name__, kind.exit_code) for kind in kinds)]


def test_the_checks_of_the_gate_are_all_told_and_no_others():
    gate = "\n".join(
        (ROOT / "src" / "winworth" / "flows" / f"{name}.py").read_text() for name in ("gate", "reigning", "scorecard")
    )
    named = set(re.findall(r'Check\("(\w+)"', gate)) | set(re.findall(r'^ +name(?:, rival)? = "(\w+)"', gate, re.M))
    told = [cells[0].strip("`") for cells in pages.rows("runbook.md", "## What the gate asks")]
    assert sorted(told) == sorted(named | set(leak_gate.NAMES.values()))


REFUSALS = {cells[0].strip("`"): int(cells[1]) for cells in pages.rows("runbook.md", "## Frequent refusals")}
WARNINGS = pages.SPAN.findall(pages.PAGES["runbook.md"].split("And warnings, which refuse nothing:", 1)[1].split("\n\n", 1)[0])


def said_with(sentence: str) -> set[str]:
    """Return the errors that a sentence is raised with; "" is a string of the source that stands elsewhere too."""
    pattern = re.compile(".*".join(re.escape(piece.strip()) for piece in sentence.split("…")), re.S)
    return {error for error, told in pages.sentences() if pattern.search(told)}


@pytest.mark.parametrize("sentence", [*REFUSALS, *WARNINGS])
def test_a_sentence_of_the_runbook_is_one_that_winworth_says(sentence):
    assert said_with(sentence)


@pytest.mark.parametrize("sentence", REFUSALS)
def test_the_code_beside_a_refusal_is_the_one_it_ends_with(sentence):
    kinds = {kind.__name__: kind.exit_code for kind in errors.WinworthError.__subclasses__()}
    assert REFUSALS[sentence] in kinds.values()
    assert {kinds[error] for error in said_with(sentence) & set(kinds)} <= {REFUSALS[sentence]}


def test_every_code_has_a_refusal_and_nearly_every_refusal_is_seen_raised():
    assert set(REFUSALS.values()) == {kind.exit_code for kind in KINDS}
    assert sum(said_with(sentence) == {""} for sentence in REFUSALS) <= 4


def test_the_rules_of_quarantine_are_all_told_and_no_others():
    told = {rule for cells in pages.rows("runbook.md", "## Rows put aside") for rule in pages.SPAN.findall(cells[0])}
    said = {text.replace("…", "") for _, text in pages.sentences() if re.fullmatch(r"F\d\d-[a-z…-]+", text)}
    assert {re.sub(r"(?<=no-such-)\w+", "", rule) for rule in told} == said


def test_the_schedules_and_waivers_are_well_formed():
    night, month, waivers = (yaml.safe_load(text) for text in pages.blocks("runbook.md", "yaml"))
    assert night["jobs"]["score"]["runs-on"] == month["jobs"]["month"]["runs-on"] == "self-hosted"
    assert len(shaped(Waivers, waivers, "leak_waivers.yaml").waivers) == 2
    (airflow,) = pages.blocks("runbook.md", "python")
    called = {node.func.id for node in ast.walk(ast.parse(airflow)) if isinstance(node, ast.Call)}
    assert called == {"DAG", "BashOperator"}


@pytest.mark.parametrize("verb", ["monthly", "quarterly"])
def test_a_month_and_a_quarter_stand_whole_in_crontab_and_airflow(verb):
    crontab, airflow = (pages.blocks("runbook.md", language)[0] for language in ("text", "python"))
    assert all(f".venv/bin/winworth {verb} --conf conf-mine" in text for text in (crontab, airflow))


def test_each_code_that_a_month_ends_with_by_advice_is_told():
    told = {int(cells[0]): cells[1] for cells in pages.rows("runbook.md", "### A month")}
    assert told == {code: verdict.replace("_", " ") for verdict, code in EXIT_CODES.items()}


# --- the glossary -----------------------------------------------------------------------------------------------------


GLOSSARY = "glossaire.md"
TERMS = [cells for heading in re.findall(r"^## .+$", pages.PAGES[GLOSSARY], re.M) for cells in pages.rows(GLOSSARY, heading)]


def test_the_french_is_set_as_french_is():
    text = re.sub(r"\]\([^)]*\)", "]", pages.SPAN.sub("", pages.PAGES[GLOSSARY]))
    text = re.sub(r"^\|[-|]+$", "", text, flags=re.M)
    assert re.findall(r".{9}[^\u00a0\u202f][:;?!%»]", text) == []
    assert re.findall(r"«[^\u00a0\u202f].{9}", text) == []
    assert "'" not in text


def test_a_term_has_a_definition_of_a_sentence_or_two_and_a_place():
    assert len(TERMS) >= 40
    for term, what, where, command, _ in TERMS:
        assert 1 <= len(re.findall(r"\.(?= |$)", what)) <= 3, term
        assert "`" in where
        assert "`winworth " in command


def test_the_parts_of_the_page_are_there_by_that_name():
    phrases = {}
    for path in (ROOT / "src" / "winworth" / "review" / "phrases" / "fr").iterdir():
        phrases |= json.loads(path.read_text(encoding="utf-8"))
    titles = {text.replace("\u202f", "\u00a0") for key, text in phrases.items() if key.endswith("_heading")}
    for term, *_, place in TERMS:
        if place:
            title, section = re.fullmatch(r"«\u00a0(.+)\u00a0» \(`#(\w+)`\)", place).groups()
            assert title in titles, term
            assert section in SECTIONS


def test_the_columns_are_those_that_the_readme_explains():
    explained = README.split(COLUMNS_HEADING, 1)[1].split("\n## ", 1)[0]
    linked = re.findall(r"\[`(\w+)`\]\(\.\./README\.md#what-a-column", pages.PAGES[GLOSSARY].split("\n## ", 1)[1])
    assert linked
    assert [name for name in linked if f"`{name}`" not in explained] == []


def test_every_kpi_has_a_term():
    told = set(pages.spans(GLOSSARY))
    assert [name for name in KPIS if name not in told] == []


# --- the questions, the dictionary ------------------------------------------------------------------------------------


def test_the_numbers_of_deals_are_those_of_the_code():
    faq = pages.PAGES["faq.md"]
    win = WinSettings()
    assert f"fewer than {win.least_wins} won or {win.least_losses} lost" in faq
    assert f"from there to {ladder.TREES_ALONE:,}" in faq
    assert f"{ladder.MANY_DEALS:,} and more" in faq
    assert ladder.telling_deals(100, 20_000) == 500
    assert f"{learn.LEAST_TO_TRAIN} won and {learn.LEAST_TO_TRAIN} not won" in faq
    assert f"{learn.LEAST_TO_TEST} of each" in faq
    assert f"least {value.LEAST} won deals" in faq


def test_the_limits_of_the_gate_are_those_of_the_code():
    runbook = pages.PAGES["runbook.md"]
    limits = {
        "too_strong_alone": leak_tests.TOO_STRONG_ALONE,
        "closed_against_open": leak_tests.CLOSED_AGAINST_OPEN,
        "missingness": leak_tests.MISSINGNESS,
    }
    for name, limit in limits.items():
        assert re.search(rf"`{name}` \|[^|]*AUC above {limit:.2f}", runbook), name


def test_the_data_dictionary_is_current():
    spec = importlib.util.spec_from_file_location("data_dictionary", ROOT / "docs" / "data_dictionary.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.written() == pages.PAGES["data-dictionary.md"], "Run make docs."
