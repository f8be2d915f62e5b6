"""Four quarters and twelve months of a company to which everything happens: what each command says, and what stays whole."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import year_world as world
from typer.testing import CliRunner

from winworth.bundle import open_version
from winworth.cli.app import app
from winworth.errors import WinworthError
from winworth.flows.inputs import files_hash
from winworth.scoring.movement import NOBODY

pytestmark = pytest.mark.long

QUARTERS = ("2025-06-30", "2025-09-30", "2025-12-31", "2026-03-31")
MONTHS = tuple(f"{day:%Y-%m-%d}" for day in pd.date_range("2025-07-31", "2026-06-30", freq="ME"))
RETRAINED = ("2025-09-30", "2026-03-31")
SMALL = ("n_boot=30", "leak_tax=false", "weights={n_boot: 10, n_repeats: 1, n_shadows: 1, most_asked: 3000}")
MEND_LEAK = {"nothing_filled_late", "too_strong_alone", "missingness"}


@dataclass
class Year:
    """A home, what each command said in order, the champion after each, and each month's scores as they were published."""

    base: Path
    told: list[tuple[str, str, dict]] = field(default_factory=list)
    champions: list[str] = field(default_factory=list)
    published: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def conf(self) -> Path:
        return self.base / "conf"

    def run(self, verb: str, day: str = "", *options: str) -> dict:
        line = [verb, "--home", str(self.home), "--json", *options]
        line += ["--conf", str(self.conf), "--as-of", day] if day else []
        line += [part for one in SMALL for part in ("--set", one)] if verb in ("monthly", "quarterly") else []
        done = CliRunner().invoke(app, line)
        if isinstance(done.exception, WinworthError):
            said = {"exit_code": done.exception.exit_code, "message": str(done.exception)}
        else:
            assert isinstance(done.exception, SystemExit | None), done.exception
            said = json.loads(done.stdout)
            assert said.get("exit_code", 0) == done.exit_code
        self.told.append((verb, day, said))
        self.champions.append(self.pointer("champion"))
        return said

    def pointer(self, role: str) -> str:
        path = self.home / "models" / role
        return path.read_text().strip() if path.exists() else ""

    def of(self, verb: str, day: str) -> list[dict]:
        return [said for one, on, said in self.told if (one, on) == (verb, day)]

    def json(self, *parts: str) -> dict:
        return json.loads(self.home.joinpath(*parts).read_text(encoding="utf-8"))

    def scores(self, day: str) -> pd.DataFrame:
        return pd.read_parquet(self.home / "scores" / day / "account_scores.parquet").set_index("account_id")


@pytest.fixture(scope="module")
def year(tmp_path_factory) -> Year:
    """Play the year once; the tests read what it left."""
    year = Year(tmp_path_factory.mktemp("year"))
    company, exports = world.a_company(n_deals=3000, seed=2), year.base / "exports"
    year.home.mkdir()
    world.configure(year.conf, exports)
    for day in (QUARTERS[0], *MONTHS):
        world.export(company, date.fromisoformat(day), exports)
        if day in QUARTERS:
            QUARTER.get(day, plain_quarter)(year, day)
        if day in MONTHS:
            year.run("monthly", day)
            year.published[day] = files_hash(year.home, [year.home / "scores" / day])
    return year


def plain_quarter(year: Year, day: str) -> None:
    """Run a quarter; where the champion is as good as what was trained, go on with it."""
    if year.run("quarterly", day)["exit_code"] == 4:
        year.run("quarterly", day, "--from", "predict")


def agreed_quarter(year: Year, day: str) -> None:
    """Compare a change of the year before; then leadership sets a weight for six weeks."""
    year.run("quarterly", day, "--split", "2025-01-01", "--treated", "Occitanie", "--by", "region")
    one = {"criterion": "sector", "weight": 20, "who": "C. Martin", "why": "two deals in it are near"}
    world.mend(
        year.conf / "overrides.yaml", overrides=[one | {"agreed_on": date.fromisoformat(day), "until": date(2025, 11, 15)}]
    )
    year.run("agree", day)


def leaking_quarter(year: Year, day: str) -> None:
    """A new column is made a criterion, refused, signed for, found out, rolled back, and mended."""
    before = year.pointer("champion")
    world.map_discount(year.conf, known="at_creation")
    world.use_discount(year.conf, used=True)
    year.run("quarterly", day)
    year.run("promote", "", "--promote-anyway", "--who", "A. Petit", "--why", "its figures are so good")
    year.run("quarterly", day)
    year.run("promote", "", "--to", before)
    year.run("quarterly", day)
    year.run("quarterly", day, "--from", "predict")
    world.map_discount(year.conf, known="at_close")
    year.run("quarterly", day)
    world.use_discount(year.conf, used=False)
    plain_quarter(year, day)


QUARTER = {"2025-09-30": agreed_quarter, "2025-12-31": leaking_quarter}


def step(said: dict, name: str) -> dict:
    return next(entry for entry in said["steps"] if entry["step"] == name)


# --- what each step said ------------------------------------------------------------------------------------------------


def test_the_first_quarter_has_a_champion_scores_and_a_page_by_one_command(year):
    (said,) = year.of("quarterly", QUARTERS[0])
    assert (said["exit_code"], said["verdict"]) == (0, "done")
    assert step(said, "archive")["says"] == "8 files: their copies and hashes are kept."
    assert "there is no champion yet" in step(said, "train")["says"]
    assert step(said, "promote")["says"].endswith("is in use, the first.")
    assert (year.home / step(said, "review")["says"]).exists()


def test_what_was_compared_once_is_compared_anew_each_quarter_until_something_else_is_asked(year):
    told = [step(said, "compare")["says"] for day in QUARTERS for said in year.of("quarterly", day)[:1]]
    assert told[0].startswith("Nothing to compare")
    assert told[1:] == ["Before and after: Occitanie from 2025-01-01 on."] * 3
    assert len(list((year.home / "compared").glob("*/*/compare.json"))) == 3


def test_a_new_channel_is_named_by_monitor_from_its_first_month_on_and_not_before(year):
    named = {}
    for day in MONTHS:
        reasons = year.json("monitor", day, "monitor.json")["reasons"]
        named[day] = [one["key"] for one in reasons if one.get("feature") == "source"]
    assert [named[day] for day in MONTHS[:3]] == [[], [], []]
    assert all("drift_new_levels" in named[day] for day in MONTHS[3:6])
    assert all(year.of("monthly", day)[0]["exit_code"] == 11 for day in MONTHS[3:6])


def test_before_anything_changed_every_month_is_told_to_go_on(year):
    assert [year.of("monthly", day)[0]["verdict"] for day in MONTHS[:3]] == ["done"] * 3


def test_a_pivot_is_found_by_what_was_announced_and_did_not_come(year):
    reasons = year.json("monitor", MONTHS[-1], "monitor.json")["reasons"]
    assert {one["key"] for one in reasons} & {"wins", "slope", "fell", "blind"}
    assert year.of("monthly", MONTHS[-1])[0]["exit_code"] in (10, 11, 12)
    page = (year.home / "reviews" / MONTHS[-1] / "review-monthly-en.html").read_text(encoding="utf-8")
    assert f"monitor/{MONTHS[-1]}/monitor-en.html" in page


def test_a_month_with_a_verdict_still_has_its_scores_and_its_page(year):
    for day in MONTHS:
        (said,) = year.of("monthly", day)
        assert [entry["step"] for entry in said["steps"]] == ["check", "predict", "monitor", "review"]
        assert said["exit_code"] == step(said, "monitor")["exit_code"]
        assert all((year.home / name).exists() for entry in said["steps"] for name in entry["wrote"])


def test_an_override_holds_to_its_last_day_and_is_then_said_to_be_ignored(year):
    runs = {day: year.json("scores", day, "run.json") for day in MONTHS[2:5]}
    weights = [run["overrides"] and run["overrides"]["weights"]["sector"]["agreed"] for run in runs.values()]
    assert weights == [20, 20, None]
    ended = "The override of sector by C. Martin ended on 2025-11-15: it is ignored."
    assert [ended in run["warnings"] for run in runs.values()] == [False, False, True]


def test_a_leak_is_refused_by_name_and_the_champion_stays(year):
    first = year.of("quarterly", "2025-12-31")[0]
    refused = step(first, "promote")
    assert (first["exit_code"], refused["error"], first["left"]) == (4, "GateRefused", ["promote", "predict", "review"])
    failed = {line[2:].split(":")[0] for line in refused["says"].splitlines()[1:]}
    assert failed == MEND_LEAK
    assert all("signed_discount" in line for line in refused["says"].splitlines()[1:])
    at = next(k for k, (verb, day, _) in enumerate(year.told) if (verb, day) == ("quarterly", "2025-12-31"))
    assert year.champions[at] == year.champions[at - 1]


def test_a_bad_promotion_is_signed_rolled_back_and_not_undone_by_a_command_that_runs_again(year):
    signed, back = year.of("promote", "")
    _, used, stopped, went_on, at_close, *_ = year.of("quarterly", "2025-12-31")
    assert (used["exit_code"], used["ran"]) == (0, ["archive", "promote", "predict", "review"])
    assert "**Promoted against its gate** by A. Petit" in open_version(year.home / "models" / signed["version"]).text(
        "model_card.md"
    )
    assert stopped["exit_code"] == 2
    assert f"promoted {signed['version']}, and {back['version']} is in use by now" in step(stopped, "promote")["says"]
    assert went_on["exit_code"] == 0 and step(went_on, "promote")["passed_over"]
    assert at_close["exit_code"] == 2
    assert "signed_discount reads deals.signed_discount (at_close)" in step(at_close, "check")["says"]


def test_a_mended_quarter_fails_no_test_of_leaks_and_scores_by_an_honest_version(year):
    mended = year.of("quarterly", "2025-12-31")[5]
    assert not any(name in step(mended, "train")["says"] for name in MEND_LEAK)
    for day in MONTHS:
        (version,) = year.scores(day)["model_version"].unique()
        assert "signed_discount" not in open_version(year.home / "models" / version).text("metrics.json")


# --- what stays whole ---------------------------------------------------------------------------------------------------


def test_each_month_and_quarter_has_one_record_that_ends_as_the_command_did(year):
    names = {f"{day}-monthly.json" for day in MONTHS} | {f"{day}-quarterly.json" for day in QUARTERS}
    assert {path.name for path in (year.home / "cadence").glob("*.json")} == names
    for name in names:
        record = year.json("cadence", name)
        last = year.of(record["cadence"], record["as_of"])[-1]
        assert {key: last[key] for key in record} == record


def test_no_later_run_touches_the_scores_of_a_past_month(year):
    now = {day: files_hash(year.home, [year.home / "scores" / day]) for day in MONTHS}
    assert now == year.published


def test_every_promotion_is_on_record_and_follows_from_the_one_before(year):
    lines = [json.loads(line) for line in (year.home / "models" / "promotions.jsonl").read_text().splitlines()]
    assert lines[0]["replaced"] is None
    assert all(after["replaced"] == before["version"] for before, after in zip(lines, lines[1:], strict=False))
    assert lines[-1]["version"] == year.pointer("champion")
    assert [line["signature"]["who"] for line in lines if line["signature"]] == ["A. Petit"]


def test_a_segment_keeps_its_id_and_most_of_its_accounts_when_a_model_is_trained_anew(year):
    for day, before in zip(RETRAINED, ("2025-08-31", "2026-02-28"), strict=True):
        version = year.scores(day)["model_version"].iloc[0]
        kept = open_version(year.home / "models" / version).json("metrics.json")["segments"]["ids"]["kept"]
        then, now = (year.scores(one)["segment"].dropna() for one in (before, day))
        both = then.index.intersection(now.index)
        assert kept
        for name in kept:
            old, new = set(both[then[both] == name]), set(both[now[both] == name])
            assert len(old & new) / len(old | new) >= 0.5, (day, name)


def test_no_segment_s_id_means_something_else_than_it_did(year):
    """An id that died is never given again."""
    seen, gone = set(), set()
    for day in MONTHS:
        ids = set(year.scores(day)["segment"].dropna())
        assert not ids & gone
        gone |= seen - ids
        seen |= ids


def test_tiers_go_on_from_the_month_before_and_few_change_where_the_model_stays(year):
    for before, day in zip(MONTHS, MONTHS[1:], strict=False):
        then, now = year.scores(before), year.scores(day)
        both = then.index.intersection(now.index)
        assert (now.loc[both, "previous_tier"] == then.loc[both, "tier"]).all()
        held = now["tier_change_reason"] == "held"
        assert held.any() and (now.loc[held, "tier"] == now.loc[held, "previous_tier"]).all()
        same = then["model_version"].iloc[0] == now["model_version"].iloc[0]
        share = (now.loc[both, "tier"] != now.loc[both, "previous_tier"]).mean()
        assert share < (0.06 if same else 0.15), (day, share)


def test_the_ledger_of_what_moved_loses_no_account_and_no_money(year):
    n_split = 0
    for before, day in zip(MONTHS, MONTHS[1:], strict=False):
        if not (year.home / "scores" / day / "movement.json").exists():
            continue
        n_split += 1
        told, then, now = year.json("scores", day, "movement.json"), year.scores(before), year.scores(day)
        matrix = pd.DataFrame(told["matrix"])
        for column, table in (("previous_tier", then), ("tier", now)):
            counted = matrix[matrix[column] != NOBODY].groupby(column)["n"].sum().to_dict()
            assert counted == table["tier"].value_counts().to_dict()
        assert told["totals"]["value_now"] == pytest.approx(np.rint(now["expected_value"] * 100).sum() / 100)
        assert sum(cause["money"] for cause in told["causes"]) == pytest.approx(told["totals"]["change"], abs=0.01)
    assert n_split == len(MONTHS) - 1 - 3  # while an override is in force, and the month after, nothing is split
