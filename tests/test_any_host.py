"""What a run leaves is the same to the byte whatever the machine: threads, locale, time zone, hash seed, order of rows."""

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from small_company import Company, held, new_home, small_company
from winworth.bundle import champion

LEFT = ("models", "scores", "reviews")
HOSTS = {
    "plain": (1, {}),
    "French, two threads": (2, {"LC_ALL": "fr_FR.ISO-8859-1", "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "1"}),
    "Turkish, four threads": (4, {"LC_ALL": "tr_TR.UTF-8", "TZ": "America/St_Johns", "PYTHONHASHSEED": "77"}),
    "ASCII": (2, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "TZ": "Etc/GMT+12", "PYTHONHASHSEED": "3"}),
}


def locales(folder: Path) -> dict[str, str]:
    """Compile the locales where the machine has what it takes; where it has not, a locale that is none falls back to C."""
    folder.mkdir()
    for name in ("fr_FR.ISO-8859-1", "tr_TR.UTF-8"):
        language, codec = name.split(".")
        if shutil.which("localedef"):
            subprocess.run(["localedef", "-i", language, "-f", codec, str(folder / name)], capture_output=True)
    return {"LOCPATH": str(folder)} if any(folder.iterdir()) else {}


def whole_run(company: Company, home: Path, threads: int, env: dict) -> Path:
    """Train with doubt about the weights, promote, score and review, each in a process of its own."""
    settings = (f"threads={threads}", "weights.n_boot=10", "n_boot=20")
    company.run("train", home, *(word for setting in settings for word in ("--set", setting)), env=env)
    for verb in ("promote", "predict", "review"):
        company.run(verb, home, env=env)
    return home


@pytest.mark.long
def test_no_byte_of_models_scores_and_pages_depends_on_the_host(tmp_path, migrated):
    company, found = small_company(tmp_path, n_deals=600), {}
    compiled = locales(tmp_path / "locales")
    for host, (threads, env) in HOSTS.items():
        found[host] = held(whole_run(company, new_home(tmp_path / host, migrated), threads, compiled | env), *LEFT)
    for host, left in found.items():
        assert sorted(left) == sorted(found["plain"]), host
        assert [name for name, content in left.items() if content != found["plain"][name]] == [], host


def without_version(content: bytes, version: str) -> bytes:
    return content.replace(version.encode(), b"VERSION")


@pytest.mark.long
def test_the_order_of_rows_changes_only_what_tells_of_files_and_lines(tmp_path, migrated):
    """Hashes of files differ, and with them the version's name; quarantine.csv tells other lines of the same rows."""
    plain, mixed = small_company(tmp_path / "plain", n_deals=600), small_company(tmp_path / "mixed", n_deals=600)
    dice, left = np.random.default_rng(0), []
    for path in sorted((tmp_path / "mixed" / "exports").glob("*.csv")):
        head, *rows = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(head + b"".join(rows[at] for at in dice.permutation(len(rows))))
    for company, name in ((plain, "a"), (mixed, "b")):
        home = whole_run(company, new_home(tmp_path / name, migrated), 2, {})
        version = champion(home / "models")
        learnt = {Path(name).name: content for name, content in held(home, f"models/{version}").items()}
        scores = {name: content for name, content in held(home, "scores").items() if not name.endswith(".parquet")}
        aside = pd.read_csv(io.BytesIO(scores.pop("scores/2026-06-30/quarantine.csv")), dtype=str)
        run = scores.pop("scores/2026-06-30/run.json")
        assert run
        tables = {n: pd.read_parquet(home / n) for n in sorted(held(home, "scores")) if n.endswith(".parquet")}
        scores = {name: without_version(content, version) for name, content in scores.items()}
        left.append((learnt, scores, tables, sorted(aside["raw_line"].fillna(""))))
    (one, scored, tables, aside), (other, scored_too, tables_too, aside_too) = left
    told = {"metrics.json", "model_card.md", "manifest.json"}
    assert [name for name in one if one[name] != other[name] and name not in told] == []
    assert [name for name in scored if scored[name] != scored_too[name]] == []
    for name, table in tables.items():
        pd.testing.assert_frame_equal(
            table.drop(columns="model_version", errors="ignore"),
            tables_too[name].drop(columns="model_version", errors="ignore"),
        )
    assert aside == aside_too
