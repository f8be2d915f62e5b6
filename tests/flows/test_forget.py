"""What is to be forgotten is in no file that is stored, and everything else is as it was."""

import shutil
import zipfile
from hashlib import sha256

import pandas as pd
import pytest
from openpyxl import Workbook

from winworth.cli.app import app
from winworth.crm.archive import FILES, archive_extract, latest_older, read_archived
from winworth.crm.mapping import CrmMap
from winworth.errors import ConfigError
from winworth.flows.forget import forget

WHO = "A000463"


@pytest.fixture
def home(demo, tmp_path):
    """Return a copy of what the demo stored, without its exports and MLflow's store."""
    for name in ("scores", "reviews", "models"):
        shutil.copytree(demo.home / name, tmp_path / name, symlinks=True)
    return tmp_path


def held_by(home, *words: str) -> list[str]:
    texts = {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix != ".parquet"}
    found = [path.name for path, text in texts.items() if any(word.encode() in text for word in words)]
    for path in home.rglob("*.parquet"):
        cells = pd.read_parquet(path).astype(str)
        found += [path.name] * int(cells.isin(words).to_numpy().any())
    return sorted(found)


def test_no_stored_file_holds_an_account_or_its_deals_once_it_is_forgotten(home):
    scores = pd.read_parquet(home / "scores" / "2026-06-30" / "account_scores.parquet")
    deals = pd.read_parquet(home / "scores" / "2026-06-30" / "deal_scores.parquet")
    own = deals.loc[deals["account_id"] == deals["account_id"].iloc[0], "deal_id"].tolist()
    who = deals["account_id"].iloc[0]
    assert held_by(home, who)
    done = forget(who, home=home)
    assert held_by(home, who, *own) == []
    left = pd.read_parquet(home / "scores" / "2026-06-30" / "account_scores.parquet")
    pd.testing.assert_frame_equal(left, scores[scores["account_id"] != who].reset_index(drop=True))
    assert done.rows["scores/2026-06-30/account_scores.csv"] == 1
    assert done.rows["scores/2026-06-30/deal_scores.csv"] == len(own)
    assert done.versions == (scores["model_version"].iloc[0],)


def test_forgetting_twice_says_that_nothing_is_left(home):
    forget(WHO, home=home)
    with pytest.raises(ConfigError, match=f"Nothing below .* holds {WHO}"):
        forget(WHO, home=home)


def test_a_longer_id_that_begins_alike_stays(tmp_path):
    folder = tmp_path / "scores" / "2026-01-31"
    folder.mkdir(parents=True)
    path = folder / "account_scores.csv"
    path.write_text(
        '"account_id","name"\n"A12","One"\n"A123","Two"\n"B-A12","Three"\n"A9","of A12,\nand more"\n', encoding="utf-8"
    )
    assert forget("A12", home=tmp_path).rows == {"scores/2026-01-31/account_scores.csv": 2}
    assert path.read_text(encoding="utf-8") == '"account_id","name"\n"A123","Two"\n"B-A12","Three"\n'


def test_pages_and_workbooks_that_hold_it_are_removed_and_others_are_not(tmp_path):
    for folder in ("reviews/2026-01-31", "validation/2026-01-31-x"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "reviews/2026-01-31/review-fr.html").write_text("<p>C000077 Société Été</p>", encoding="utf-8")
    (tmp_path / "reviews/2026-01-31/review-en.html").write_text("<p>C0000771</p>", encoding="utf-8")
    book = Workbook()
    book.active.append(["C000077", 3])
    book.save(tmp_path / "validation/2026-01-31-x/sheet.xlsx")
    (tmp_path / "validation/2026-01-31-x/key.json").write_text('{"a": "C000077", "b": "C000078"}', encoding="utf-8")
    done = forget("C000077", home=tmp_path)
    assert sorted(done.removed) == ["reviews/2026-01-31/review-fr.html", "validation/2026-01-31-x/sheet.xlsx"]
    assert (tmp_path / "reviews/2026-01-31/review-en.html").exists()
    key = (tmp_path / "validation/2026-01-31-x/key.json").read_text(encoding="utf-8")
    assert key == '{"a": "(forgotten)", "b": "C000078"}'


def test_an_archived_extract_is_read_again_without_it(exports, tmp_path):
    crm = exports.read()
    archive_extract(tmp_path, crm.report, as_of=pd.Timestamp("2024-06-30").date(), files_from=exports.folder)
    (tmp_path / "models" / "2024-06-30-abcd").mkdir(parents=True)
    done = forget("A003", home=tmp_path)
    assert done.versions == ("2024-06-30-abcd",)
    exports.spoil("accounts", 2, "A000,Another,steel")
    kept = latest_older(tmp_path, exports.read().report, as_of=pd.Timestamp("2024-12-31").date())
    again = read_archived(kept, CrmMap("Test", exports.tables)).crm
    assert "A003" not in set(again["accounts"]["account_id"]) | set(again["deals"]["account_id"])
    assert len(again["deals"]) == len(crm["deals"]) - (crm["deals"]["account_id"] == "A003").sum()


def test_a_packed_archive_goes_as_a_whole_and_says_so(exports, tmp_path):
    crm = exports.read()
    archived = archive_extract(tmp_path, crm.report, as_of=pd.Timestamp("2024-06-30").date(), files_from=exports.folder)
    packed = archived.folder / FILES / "deals.csv"
    with zipfile.ZipFile(packed.with_suffix(".zip"), "w") as zipped:
        zipped.write(packed, "deals.csv")
    manifest = archived.folder / "extract.json"
    text = manifest.read_text(encoding="utf-8").replace("deals.csv", "deals.zip")
    text = text.replace(sha256(packed.read_bytes()).hexdigest(), sha256(packed.with_suffix(".zip").read_bytes()).hexdigest())
    manifest.write_text(text, encoding="utf-8")
    packed.unlink()
    assert forget("A003", home=tmp_path).removed == (f"archive/2024-06-30/{FILES}/deals.zip",)
    assert latest_older(tmp_path, crm.report, as_of=pd.Timestamp("2024-12-31").date()) is None


@pytest.mark.parametrize(("word", "says"), [("A", "too short"), ("  ", "too short"), ("A777777", "Nothing below")])
def test_what_cannot_be_looked_for_is_refused(tmp_path, word, says):
    with pytest.raises(ConfigError, match=says):
        forget(word, home=tmp_path)


def test_the_verb_tells_what_is_left_to_do(home):
    from typer.testing import CliRunner

    said = CliRunner().invoke(app, ["forget", WHO, "--home", str(home)]).output
    assert "The CRM and its exports were not touched" in said
    assert "account_scores.csv" in said


def test_a_name_that_an_encoding_cannot_write_takes_nothing_else_with_it(tmp_path):
    (tmp_path / "reviews").mkdir()
    (tmp_path / "reviews" / "page.html").write_text("<p>77 and AB</p>", encoding="utf-8")
    (tmp_path / "reviews" / "its.html").write_text("<p>\u682a77</p>", encoding="utf-8")
    assert forget("\u682a77", home=tmp_path).removed == ("reviews/its.html",)
