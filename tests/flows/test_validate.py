"""A blind sheet goes out and comes back, beside a scoring made by hand."""

import io
import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook
from scipy.special import expit

from winworth.bundle import save_version
from winworth.config import load_settings
from winworth.crm.mapping import ColumnMap, CrmMap, TableMap
from winworth.errors import ConfigError, DataError, IntegrityError
from winworth.flows.validate import bring_back, send_out
from winworth.printed import field
from winworth.sheets import from_csv, to_parquet

AS_OF = date(2026, 3, 31)
LATER = AS_OF + timedelta(days=180)
N = 200
IDLE = np.arange(N) % 5 == 4


def scored(version: str) -> pd.DataFrame:
    chance = np.linspace(0.9, 0.02, N)
    return pd.DataFrame(
        {
            "account_id": [f"A{k:03d}" for k in range(N)],
            "name": [f"Company {k}" for k in range(N)],
            "as_of": AS_OF.isoformat(),
            "deal_id": [None if idle else f"D{k}" for k, idle in enumerate(IDLE)],
            "basis": np.where(IDLE, "next_deal", "open_deal"),
            "win_probability": chance,
            "expected_value": chance * 1000,
            "tier": ["A"] * 40 + ["B"] * 60 + ["C"] * 100,
            "tier_doubt": np.where(np.arange(N) % 60 > 45, 0.5, 0.05),
            "reason_1": "headcount: 12 (+3 points)",
            "model_version": version,
        }
    ).astype({"deal_id": "str"})


@pytest.fixture
def company(pytestconfig, tmp_path):
    """Return settings that read a file of deals won by chance as scored, and a home with the scores."""
    metrics = {"horizon_days": 180, "exclude_kinds": ["renewal"]}
    version = save_version(tmp_path / "models", {"metrics.json": json.dumps(metrics).encode()}, as_of=AS_OF)
    accounts = scored(version)
    folder = tmp_path / "scores" / AS_OF.isoformat()
    folder.mkdir(parents=True)
    (folder / "account_scores.parquet").write_bytes(to_parquet(accounts))
    rng = np.random.default_rng(0)
    won = rng.random(N) < accounts["win_probability"]
    deals = ["deal_id,account_id,status,kind,opened_on,closed_on"]
    for k in range(N):
        day = AS_OF + timedelta(days=int(rng.integers(1, 180)))
        opened_on = AS_OF + timedelta(days=1) if IDLE[k] else date(2026, 1, 5)
        deals.append(f"D{k},A{k:03d},{'won' if won[k] else 'lost'},new,{opened_on},{day}")
        deals.append(f"N{k},A{k:03d},won,new,2026-04-02,2026-06-01")
        deals += [f"R{k},A{k:03d},won,renewal,2026-01-05,{day}", f"P{k},A{k:03d},won,new,2025-01-05,2025-06-01"]
        deals.append(f"F{k},A{k:03d},won,new,2026-10-02,2026-10-20")
    (tmp_path / "deals.csv").write_text("\n".join(deals) + "\n")
    columns = {name: ColumnMap(name, known="at_creation") for name in deals[0].split(",")}
    settings = load_settings(pytestconfig.rootpath / "conf")
    catalog = replace(settings.catalog, criteria={})
    crm = CrmMap("Test", {"deals": TableMap("deals.csv", columns)}, folder=str(tmp_path))
    return replace(settings, crm=crm, catalog=catalog), tmp_path, won


def fill(path, seen):
    """Fill in a sheet as a seller would who sees `seen`, a chance by account."""
    book = load_workbook(path)
    for row in book.active.iter_rows(min_row=5):
        chance = seen[row[1].value]
        row[4].value = "A" if chance > 0.7 else "B" if chance > 0.4 else "C"
        row[5].value = round(100 * chance) if row[3].value else None
    book.save(path)


def test_sheet_and_key_are_the_same_bytes_twice_and_the_key_stays_aside(company):
    settings, home, _ = company
    done = send_out(settings, as_of=AS_OF, home=home, out=home / "out" / "sheet.xlsx")
    first = done.sheet.read_bytes(), (done.folder / "key.json").read_bytes()
    again = send_out(settings, as_of=AS_OF, home=home, out=done.sheet)
    assert (again.sheet.read_bytes(), (again.folder / "key.json").read_bytes()) == first
    assert sum(done.strata.values()) == 60 and len(done.strata) == 8
    assert not list((home / "out").glob("*.json"))
    assert str(done.sheet) in field.sent_out(done).document["sheet"]


def test_every_borderline_account_is_in_the_hold_out_list_by_a_coin(company):
    settings, home, _ = company
    done = send_out(settings, as_of=AS_OF, home=home, out=home / "sheet.xlsx")
    held = from_csv((done.folder / "holdout.csv").read_bytes())
    accounts = pd.read_parquet(home / "scores" / AS_OF.isoformat() / "account_scores.parquet")
    assert held["account_id"].tolist() == accounts.loc[accounts["tier_doubt"] == 0.5, "account_id"].tolist()
    assert done.n_borderline == len(held) and done.n_hold_out == (held["arm"] == "hold_out").sum()
    assert set(held["work_as"]) <= set("ABC") and set(held["arm"]) == {"work", "hold_out"}


def test_a_filled_sheet_is_judged_by_what_came_of_the_deals_open_on_its_day_renewals_and_later_deals_apart(company):
    settings, home, won = company
    sheet = send_out(settings, as_of=AS_OF, home=home, out=home / "sheet.xlsx", n=160).sheet
    noise = np.random.default_rng(1).normal(0, 1, N)
    knows = dict(zip((f"A{k:03d}" for k in range(N)), expit(3 * won - 1.5 + noise), strict=True))
    fill(sheet, knows)
    done = bring_back(settings, as_of=LATER, home=home, filled=sheet, n_boot=100)
    judged = from_csv((done.folder / "judged.csv").read_bytes())
    place = judged["account_id"].str[1:].astype(int).to_numpy()
    assert judged["won"].isna().tolist() == IDLE[place].tolist()
    assert judged["won"].dropna().astype(bool).tolist() == won[place][~IDLE[place]].tolist()
    assert done.n_answered == done.n_sent == 160 and done.n_won == judged["won"].sum()
    assert done.n_asked == done.figures["seller"].n == done.figures["model"].n == (~IDLE[place]).sum()
    assert done.figures["seller"].value > done.figures["model"].value > 0.6
    assert done.figures["combined"].value > done.figures["model"].value
    assert done.figures["gain"].low > 0
    said = field.came_back(done).document
    assert said["figures"]["agreement"]["n"] == 160 and len(said["disagreements"]) == 10
    assert json.loads((done.folder / "verdict.json").read_text())["n_won"] == done.n_won


def test_before_the_horizon_has_passed_no_outcome_counts(company):
    settings, home, _ = company
    sheet = send_out(settings, as_of=AS_OF, home=home, out=home / "sheet.xlsx").sheet
    fill(sheet, {f"A{k:03d}": 0.5 for k in range(N)})
    done = bring_back(settings, as_of=LATER - timedelta(days=1), home=home, filled=sheet, n_boot=20)
    assert done.n_won is None and np.isnan(done.figures["seller"].value) and done.known_from == LATER
    assert done.figures["agreement"].value < 0.4
    assert any("complete on 2026-09-27" in part for part in field.came_back(done).parts if isinstance(part, str))


def test_a_sheet_fits_no_other_scoring(company):
    settings, home, _ = company
    sheet = send_out(settings, as_of=AS_OF, home=home, out=home / "sheet.xlsx").sheet
    path = home / "scores" / AS_OF.isoformat() / "account_scores.parquet"
    accounts = pd.read_parquet(path)
    path.write_bytes(to_parquet(accounts.assign(win_probability=accounts["win_probability"] / 2)))
    other = send_out(settings, as_of=AS_OF, home=home, out=home / "other.xlsx")
    book = load_workbook(sheet)
    book.active["B1"] = load_workbook(other.sheet).active["B1"].value[:8] + book.active["B1"].value[8:]
    book.save(home / "mixed.xlsx")
    with pytest.raises(DataError, match="no sheet of that number was written from"):
        bring_back(settings, as_of=AS_OF, home=home, filled=home / "mixed.xlsx")
    key = other.folder / "key.json"
    key.write_text(key.read_text().replace('"tier": "A"', '"tier": "B"', 1))
    with pytest.raises(IntegrityError, match="was changed since"):
        bring_back(settings, as_of=AS_OF, home=home, filled=other.sheet)


def test_a_filled_sheet_is_never_written_over(company):
    settings, home, _ = company
    sheet = send_out(settings, as_of=AS_OF, home=home, out=home / "sheet.xlsx").sheet
    fill(sheet, {f"A{k:03d}": 0.5 for k in range(N)})
    filled = sheet.read_bytes()
    with pytest.raises(ConfigError, match="may have been filled in"):
        send_out(settings, as_of=AS_OF, home=home, out=sheet)
    assert sheet.read_bytes() == filled


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s, h: send_out(s, as_of=LATER, home=h, out=h / "sheet.xlsx"), "There are no scores of 2026-09-27"),
        (lambda s, h: send_out(s, as_of=AS_OF, home=h, out=h / "sheet.csv"), "End it in .xlsx"),
        (lambda s, h: bring_back(s, as_of=AS_OF, home=h, filled=h / "nothing.xlsx"), "There is no file"),
    ],
)
def test_a_wrong_argument_says_what_to_do(company, call, says):
    settings, home, _ = company
    with pytest.raises(ConfigError, match=says):
        call(settings, home)


def test_one_of_out_and_in_is_asked_for(tmp_path):
    from typer.testing import CliRunner

    from winworth.cli.app import app

    for args in ([], ["--out", "a.xlsx", "--in", "b.xlsx"]):
        done = CliRunner().invoke(app, ["validate", "--as-of", "2026-06-30", *args])
        assert isinstance(done.exception, ConfigError) and "one of --out FILE.xlsx" in str(done.exception)


def test_the_workbook_of_an_account_with_an_evil_name_holds_text(company):
    settings, home, _ = company
    path = home / "scores" / AS_OF.isoformat() / "account_scores.parquet"
    accounts = pd.read_parquet(path)
    path.write_bytes(to_parquet(accounts.assign(name="=cmd|' /C calc'!A0")))
    sheet = send_out(settings, as_of=AS_OF, home=home, out=home / "sheet.xlsx").sheet
    cells = [cell for row in load_workbook(io.BytesIO(sheet.read_bytes())).active.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"n", "s"}
