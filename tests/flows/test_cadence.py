"""A month and a quarter as one command: where they stop, where they go on, what they leave on record."""

import json
import multiprocessing
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from monitor_world import END, company, crown
from typer.testing import CliRunner

from winworth.cli.app import app
from winworth.config import load_settings
from winworth.errors import ConfigError, DataError, GateRefused, IntegrityError, LockedError
from winworth.flows import cadence, steps
from winworth.flows.cadence import go_through
from winworth.flows.compare import Question, asked_before
from winworth.flows.inputs import configuration_hash, files_hash
from winworth.flows.steps import Left, Step, Turn
from winworth.lock import run_lock
from winworth.printed.cadence import went as printed

ROOT = Path(__file__).parents[2]
DAY = date(2026, 6, 30)
NAMES = ("check", "predict", "monitor", "review")


class Month:
    """A month whose steps write a file each; `fault` makes one refuse, `advises` is monitor's code, `extract` what is read."""

    def __init__(self, home: Path):
        self.home, self.fault, self.advises, self.extract, self.calls = home, {}, 0, {"deals.csv": "1"}, []
        self.settings = load_settings(ROOT / "conf")

    def step(self, name: str) -> Step:
        def run(turn: Turn, earlier) -> Left:
            self.calls.append(name)
            if name in self.fault:
                raise self.fault[name]
            path = turn.home / "wrote" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            wrote = () if name == "check" else (path,)
            return Left(f"{name} is done.", wrote, 2, self.advises if name == "monitor" else 0, read=self.read_by(name))

        return Step(name, run, ("models/champion",) if name == "predict" else ())

    def read_by(self, name: str) -> dict:
        return self.extract if name in ("check", "predict") else {}

    def go(self, **how):
        self.calls = []
        settings = how.pop("settings", self.settings)
        return go_through(Turn(settings, DAY, self.home, "monthly"), **how)

    @property
    def record(self) -> bytes:
        return (self.home / "cadence" / "2026-06-30-monthly.json").read_bytes()


@pytest.fixture
def month(tmp_path, monkeypatch):
    made = Month(tmp_path)
    monkeypatch.setitem(steps.PLANS, "monthly", tuple(made.step(name) for name in NAMES))
    monkeypatch.setattr(cadence, "code_version", lambda: {"version": "1", "sha256": "a"})
    return made


def test_a_month_that_ended_well_is_one_record_and_a_second_run_only_reads_the_extract(month):
    done = month.go()
    told = json.loads(month.record)
    assert [entry["step"] for entry in told["steps"]] == list(NAMES) == month.calls
    assert (told["verdict"], told["exit_code"], told["inputs"]["extract"]) == ("done", 0, {"deals.csv": "1"})
    assert told["steps"][1]["wrote"] == ["wrote/predict"] and told["steps"][1]["n_warnings"] == 2
    assert (done.ran, done.left) == (NAMES, ())
    first = month.record
    month.go()
    assert month.calls == ["check"]
    assert month.record == first


def test_it_stops_at_the_first_refusal_with_its_code_and_goes_on_from_there(month):
    month.go()
    whole = month.record
    month.fault = {"predict": GateRefused("no: 0.5 is asked")}
    refused = month.go(again=True)
    assert month.calls == ["check", "predict"]
    assert (refused.exit_code, refused.refused["says"], refused.left) == (4, "no: 0.5 is asked", NAMES[1:])
    assert json.loads(month.record)["verdict"] == "refused"
    month.go()
    assert month.calls == ["check", "predict"]
    month.fault = {"review": DataError("no review")}
    assert month.go(again=True).exit_code == 3
    month.fault = {}
    assert month.go().exit_code == 0
    assert month.calls == ["check", "review"]
    assert month.record == whole


def test_a_killed_run_goes_on_after_the_last_step_it_recorded(month):
    month.fault = {"monitor": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        month.go()
    assert json.loads(month.record)["verdict"] == "unfinished"
    month.fault = {}
    month.go()
    assert month.calls == ["check", "monitor", "review"]


def other_settings(month):
    training = replace(month.settings.training, seed=9)
    month.settings = replace(month.settings, training=training)


CHANGES = {
    "the extract": (lambda month: month.extract.update({"deals.csv": "2"}), NAMES),
    "the configuration": (other_settings, NAMES),
    "what a step wrote": (lambda month: (month.home / "wrote" / "monitor").write_text("x"), ("check", "monitor", "review")),
    "what a step wrote, gone": (lambda month: (month.home / "wrote" / "monitor").unlink(), ("check", "monitor", "review")),
    "the champion": (
        lambda month: ((month.home / "models").mkdir(), (month.home / "models" / "champion").write_text("v")),
        NAMES,
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_step_that_stands_on_something_else_is_taken_anew_and_all_after_it(month, what):
    month.go()
    change, taken = CHANGES[what]
    month.extract = dict(month.extract)
    change(month)
    month.go()
    assert month.calls == list(taken)


def test_other_code_takes_everything_anew(month, monkeypatch):
    month.go()
    monkeypatch.setattr(cadence, "code_version", lambda: {"version": "1", "sha256": "b"})
    month.go()
    assert month.calls == list(NAMES)


def test_from_takes_a_step_and_all_after_it_and_passes_over_a_refusal_before_it(month):
    month.go()
    month.go(begin="monitor")
    assert month.calls == ["monitor", "review"]
    month.fault = {"predict": GateRefused("no")}
    assert month.go(again=True).exit_code == 4
    done = month.go(begin="monitor")
    assert (done.exit_code, done.left, done.record["verdict"]) == (0, (), "done")
    assert done.record["steps"][1]["passed_over"] and done.record["steps"][1]["exit_code"] == 4
    with pytest.raises(ConfigError, match=r"--from montor is no step of monthly\. Did you mean monitor\?"):
        month.go(begin="montor")


def test_files_that_change_between_two_steps_are_refused_by_name(month, monkeypatch):
    monkeypatch.setattr(month, "read_by", lambda name: {"deals.csv": name} if name in ("check", "predict") else {})
    done = month.go()
    assert (done.exit_code, month.calls) == (3, ["check", "predict"])
    assert "1 tables' files changed between the first step and predict: deals.csv" in done.refused["says"]


@pytest.mark.parametrize(("code", "verdict"), [(10, "recalibrate"), (11, "retrain"), (12, "stop")])
def test_what_monitor_advises_stops_nothing_and_is_the_code_at_the_end(month, code, verdict):
    month.advises = code
    done = month.go()
    assert month.calls == list(NAMES)
    assert (done.exit_code, done.record["verdict"], done.refused) == (code, verdict, None)
    assert any(f"monitor advises to {verdict}" in part for part in printed(done).parts if isinstance(part, str))


def hold(home: str, held, over) -> None:
    with run_lock(Path(home) / "cadence", "quarterly"):
        held.set()
        over.wait(60)


def test_a_second_month_or_quarter_at_once_is_told_who_is_at_work_and_takes_no_step(month):
    context = multiprocessing.get_context("fork")
    held, over = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(month.home), held, over))
    other.start()
    try:
        assert held.wait(60)
        with pytest.raises(LockedError, match="winworth quarterly"):
            month.go()
        assert month.calls == []
    finally:
        over.set()
        other.join()
    assert month.go().exit_code == 0


def test_a_record_that_is_none_is_refused_and_not_overwritten(month):
    month.go()
    path = month.home / "cadence" / "2026-06-30-monthly.json"
    path.write_text('{"steps": 3}')
    with pytest.raises(IntegrityError, match="is no record of a month or quarter"):
        month.go()
    assert path.read_text() == '{"steps": 3}'


def test_the_table_keeps_to_80_columns_and_the_document_says_where_to_go_on(month):
    from io import StringIO

    from rich.console import Console

    month.fault = {"predict": GateRefused("no: " + "a long reason " * 20)}
    report = printed(month.go())
    console = Console(width=80, record=True, file=StringIO())
    for part in report.parts:
        console.print(part)
    said = console.export_text()
    assert max(map(len, said.splitlines())) <= 80
    assert "not run" in said and "It stops at predict" in said
    assert (report.document["error"], report.document["exit_code"], report.document["left"]) == (
        "GateRefused",
        4,
        list(NAMES[1:]),
    )


def test_who_has_no_champion_is_not_told_to_go_on_with_it(month, monkeypatch):
    promote = replace(month.step("predict"), name="promote")
    monkeypatch.setitem(steps.PLANS, "monthly", (month.step("check"), promote, month.step("review")))
    month.fault = {"predict": GateRefused("no")}
    assert "There is no champion yet: winworth review writes the page" in printed(month.go()).parts[-2]
    (month.home / "models").mkdir()
    (month.home / "models" / "champion").write_text("v")
    assert printed(month.go()).parts[-2] == "To go on with the champion as it is: winworth monthly --from predict."


# --- what the steps stand on and say ------------------------------------------------------------------------------------


def test_the_hash_of_a_configuration_does_not_depend_on_where_its_folder_stands():
    settings = load_settings(ROOT / "conf")
    assert configuration_hash(settings) == configuration_hash(replace(settings, folder=Path("elsewhere")))
    assert configuration_hash(settings) != configuration_hash(load_settings(ROOT / "conf", overrides=("seed=2",)))


def test_the_hash_of_files_knows_names_and_contents(tmp_path):
    (tmp_path / "a").write_text("1")
    first = files_hash(tmp_path, [tmp_path])
    (tmp_path / "a").rename(tmp_path / "b")
    assert files_hash(tmp_path, [tmp_path]) != first
    assert files_hash(tmp_path, [tmp_path / "gone"]) == ""


def test_a_step_reads_scores_of_earlier_days_alone_and_no_document_of_a_later_day(tmp_path):
    for name in ("scores/2026-05-31/run.json", "scores/2026-06-30/run.json", "kpi/2026-07-31/kpi.parquet"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("")
    turn = Turn(load_settings(ROOT / "conf"), DAY, tmp_path, "monthly")
    assert [p.parent.name for p in steps.REVIEW.inputs(turn)] == ["2026-05-31"]


def test_what_was_compared_last_is_what_is_compared_anew(tmp_path):
    for day, split in (("2026-03-31", "2025-07-01"), ("2026-06-30", "2026-01-01")):
        folder = tmp_path / "compared" / day / "x"
        folder.mkdir(parents=True)
        asked = {"split": split, "treated": ["S2"], "by": "region", "outcomes": ["won"]}
        (folder / "compare.json").write_text(json.dumps({"question": asked}))
    assert asked_before(tmp_path, DAY) == (Question(date(2025, 7, 1), ("S2",), "region", ("won",)),)
    assert asked_before(tmp_path, date(2026, 1, 1)) == ()


def a_quarter(tmp_path, monkeypatch, *, challenger: str, champion: str):
    monkeypatch.setattr(steps, "challenger", lambda models: challenger)
    monkeypatch.setattr(steps, "champion", lambda models: champion)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "champion").write_text(champion)
    return Turn(load_settings(ROOT / "conf"), DAY, tmp_path, "quarterly")


def test_a_quarter_promotes_what_it_trained_and_nothing_else(tmp_path, monkeypatch):
    turn = a_quarter(tmp_path, monkeypatch, challenger="another", champion="old")
    with pytest.raises(ConfigError, match="trained mine, and the challenger is another by now"):
        steps._promote(turn, {"train": {"version": "mine"}})


def test_a_quarter_does_not_undo_that_someone_went_back(tmp_path, monkeypatch):
    turn = a_quarter(tmp_path, monkeypatch, challenger="mine", champion="old")
    with pytest.raises(ConfigError, match="promoted mine, and old is in use by now.*--from predict"):
        steps._promote(turn, {"train": {"version": "mine"}, "promote": {"version": "mine"}})


def test_what_was_signed_for_by_hand_is_in_use_and_is_not_asked_again(tmp_path, monkeypatch):
    turn = a_quarter(tmp_path, monkeypatch, challenger="signed", champion="signed")
    assert steps._promote(turn, {"train": {"version": "mine"}}).says == "signed is in use."


def test_split_and_treated_go_together(tmp_path):
    done = CliRunner().invoke(app, ["quarterly", "--as-of", "2026-06-30", "--split", "2026-01-01", "--home", str(tmp_path)])
    assert isinstance(done.exception, ConfigError) and "go together" in str(done.exception)


# --- on a company -------------------------------------------------------------------------------------------------------


class Unweighed:
    """The rest of a model version's record: nothing but that no weight is published."""

    def json(self, name: str) -> dict:
        return {"weights_published": False}


@pytest.mark.slow
def test_a_month_ends_with_what_monitor_advises_and_the_page_says_so_in_the_reader_s_words(tmp_path, monkeypatch):
    watched = crown(company(tmp_path, n_deals=1000, seed=2), tmp_path, on=END - timedelta(days=195), base=Unweighed())
    conf = tmp_path / "conf"
    shutil.copytree(ROOT / "conf", conf)
    path = conf / "crm.yaml"
    path.write_text(path.read_text().replace("folder: ../demo/exports", f"folder: {watched.settings.crm.folder}"))
    line = ["monthly", "--as-of", "2026-06-30", "--conf", str(conf), "--home", str(tmp_path), "--lang", "fr"]
    monkeypatch.setattr("winworth.flows.monitor.reach_verdict", lambda told, oldest_days: ("stop", ()))
    done = CliRunner().invoke(app, [*line, "--json"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["verdict"], told["ran"]) == (12, "stop", list(NAMES))
    page = (tmp_path / "reviews" / "2026-06-30" / "review-monthly-fr.html").read_text(encoding="utf-8")
    assert "Ne travaillez pas d’après cette liste." in page and "monitor/2026-06-30/monitor-fr.html" in page
    again = CliRunner().invoke(app, line)
    assert again.exit_code == 12 and again.stdout.count("stands") == 3
