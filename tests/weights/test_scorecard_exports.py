"""What is exported scores every row as Python does: read by a pencil, by DuckDB, by PostgreSQL and by a spreadsheet."""

import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from card_world import CATALOG, fitted, random_rows
from spreadsheet import values_by_column

from winworth.errors import ConfigError
from winworth.sheets import from_csv, to_csv
from winworth.weights.reasons import Wording
from winworth.weights.scorecard import Scorecard
from winworth.weights.scorecard_rows import card_rows
from winworth.weights.scorecard_sheet import SheetRows, to_workbook
from winworth.weights.scorecard_sql import to_sql

Drawn = tuple[pd.DataFrame, np.ndarray]
TABLE = ("main", 'acc"ounts; --')


@pytest.fixture(scope="module")
def card() -> Scorecard:
    card = fitted()
    assert card.pairs
    return card


@pytest.fixture(scope="module")
def rows(card) -> Drawn:
    return random_rows(card)


def expected(card: Scorecard, features: pd.DataFrame, has_no_deal: np.ndarray | None) -> pd.DataFrame:
    criteria = card.criteria(features, has_no_deal)
    return criteria.assign(score=card.total(criteria))


# A pencil: only what stands in the file.


def is_at(line, end: str, features: pd.DataFrame, levels: dict[str, set[str]], blank: np.ndarray) -> np.ndarray:
    """Say which rows a line of the file speaks of, by one of its two features."""
    kind, name = line["kind" + end], line["feature" + end]
    column = features[name]
    if kind == "no_deal":
        return blank
    missing = (column.isna() | (column == "")).to_numpy(dtype=bool)
    if kind == "missing":
        return missing & ~blank
    if kind == "interval":
        low, high = line["from" + end], line["to" + end]
        found = (column >= (-np.inf if np.isnan(low) else low)) & ((column < high) | np.isnan(high))
    elif kind == "level":
        found = column == line["level" + end]
    else:
        found = ~column.isin(levels[name])
    return found.to_numpy(dtype=bool) & ~missing & ~blank


def pencil(table: pd.DataFrame, features: pd.DataFrame, has_no_deal: np.ndarray) -> pd.DataFrame:
    """Score by hand from the rows of scorecard.csv."""
    nobody, scores, total = np.zeros(len(features), dtype=bool), {}, 0
    for criterion, own in table.groupby("criterion", sort=False):
        points = {line["kind"]: line["points"] for _, line in own.iterrows() if pd.isna(line["feature"])}
        found = np.full(len(features), points["start"])
        for (_, second), lines in own[own["feature"].notna()].groupby(["feature", "feature_2"], dropna=False):
            once = np.zeros(len(features), dtype=int)
            blank = has_no_deal if (lines["kind"] == "no_deal").any() else nobody
            levels = {
                name: set(lines[f"level{end}"].dropna()) for end in ("", "_2") for name in lines[f"feature{end}"].dropna()
            }
            for _, line in lines.iterrows():
                here = is_at(line, "", features, levels, blank)
                if not pd.isna(second):
                    here &= is_at(line, "_2", features, levels, blank)
                found, once = found + here * line["points"], once + here
            assert (once == 1).all()
        scores[criterion] = np.clip(found, points["least"], points["most"])
        total = total + own["weight"].iloc[0] * scores[criterion]
    return pd.DataFrame(scores, index=features.index).assign(score=total / 100)


def test_a_person_with_a_pencil_and_the_csv_finds_the_same_number(card, rows):
    features, has_no_deal = rows
    table = from_csv(to_csv(card_rows(card)))
    pd.testing.assert_frame_equal(pencil(table, features, has_no_deal), expected(card, *rows))
    pd.testing.assert_frame_equal(pencil(table, features, has_no_deal & False), expected(card, features, None))


def test_the_csv_survives_a_french_excel(card):
    table = card_rows(card)
    back = from_csv(to_csv(table, excel_fr=True))
    for name in ("from", "to", "points", "weight"):
        assert back[name].equals(table[name])
    assert back["level"].fillna("").tolist() == table["level"].fillna("").tolist()


def test_weights_stand_on_every_row_and_sum_to_100(card):
    table = card_rows(card)
    assert table.groupby("criterion")["weight"].nunique().eq(1).all()
    assert table.groupby("criterion")["weight"].first().sum() == 100


# SQL


def loaded(features: pd.DataFrame, has_no_deal: np.ndarray) -> pd.DataFrame:
    return features.assign(account_id=np.arange(len(features)), has_no_deal=has_no_deal)


@pytest.mark.parametrize("no_deal", ["has_no_deal", None])
def test_sql_in_duckdb_equals_python_on_every_row(card, rows, no_deal):
    con = duckdb.connect()
    con.register("given", loaded(*rows))
    con.execute('CREATE TABLE "acc""ounts; --" AS SELECT * FROM given')
    found = con.execute(to_sql(card, table=TABLE, key="account_id", no_deal=no_deal)).df().set_index("account_id")
    found = found.sort_index().rename_axis(None).astype({name: "int64" for name in card.weights})
    pd.testing.assert_frame_equal(found, expected(card, rows[0], rows[1] if no_deal else None))
    assert con.execute('SELECT count(*) FROM "acc""ounts; --"').fetchone() == (10_000,)


def test_sql_counts_null_and_nan_alike(card, rows):
    con = duckdb.connect()
    con.register("given", loaded(*rows).head(2))
    con.execute("CREATE TABLE main.t AS SELECT * FROM given; UPDATE t SET budget = NULL, visits = 'NaN'::DOUBLE")
    found = con.execute(to_sql(card, table="t", key="account_id")).df()
    features = rows[0].head(2).assign(budget=np.nan, visits=np.nan)
    assert found["score"].tolist() == card.score(features).tolist()


def test_a_name_that_sql_cannot_hold_is_refused(card):
    with pytest.raises(ConfigError, match="cannot name a column"):
        to_sql(card, table="a\0b", key="account_id")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory) -> Iterator[list[str]]:
    """Start a PostgreSQL of our own, reachable by a socket in its folder only; return the psql command."""
    binaries = {name: shutil.which(name) for name in ("initdb", "pg_ctl", "psql")}
    if None in binaries.values():
        pytest.skip(f"PostgreSQL is not on this machine: {binaries}")
    folder = tmp_path_factory.mktemp("pg")
    as_user, user = [], {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if not shutil.which("runuser"):
            pytest.skip("PostgreSQL does not run as root, and there is no runuser")
        home = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
        shutil.chown(home, "nobody")
        as_user, folder = ["runuser", "-u", "nobody", "--"], home
    data, user = folder / "data", ["-U", "tester"]
    quiet = {"capture_output": True, "text": True, "cwd": folder}
    made = subprocess.run([*as_user, binaries["initdb"], "-D", data, *user, "-E", "UTF8", "--no-sync"], **quiet)
    if made.returncode:
        pytest.skip(f"initdb failed: {made.stderr[-300:]}")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
    start = [*as_user, binaries["pg_ctl"], "-D", data, "-w", "-o", options, "-l", folder / "log", "start"]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    yield [binaries["psql"], "-h", str(folder), *user, "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-X", "-q"]
    subprocess.run([*as_user, binaries["pg_ctl"], "-D", data, "-m", "immediate", "stop"], check=True, **quiet)
    shutil.rmtree(folder)


@pytest.mark.parametrize("no_deal", ["has_no_deal", None])
def test_sql_in_postgresql_equals_python_on_every_row(card, rows, postgres, no_deal, tmp_path):
    given = loaded(*rows)
    kinds = {name: "double precision" if given[name].dtype == float else "text" for name in given}
    kinds |= {"account_id": "integer", "has_no_deal": "boolean"}
    name = '"acc""ounts; --"'
    columns = ", ".join('"{}" {}'.format(column.replace('"', '""'), kind) for column, kind in kinds.items())
    given.to_csv(tmp_path / "given.csv", index=False, na_rep="\\N", quoting=0)
    script = (
        f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({columns});\n"
        f"\\copy {name} FROM '{tmp_path / 'given.csv'}' WITH (FORMAT csv, HEADER, NULL '\\N')\n"
        "SET extra_float_digits = 3;\n"
        f"{to_sql(card, table=('public', TABLE[1]), key='account_id', no_deal=no_deal).rstrip()};\n"
    )
    (tmp_path / "run.sql").write_text(script)
    done = subprocess.run([*postgres, "--csv", "-f", tmp_path / "run.sql"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(io.StringIO(done.stdout)).set_index("account_id").sort_index().rename_axis(None)
    pd.testing.assert_frame_equal(found.astype({"score": float}), expected(card, rows[0], rows[1] if no_deal else None))


# Excel


def workbook(card: Scorecard, lang: str, features: pd.DataFrame, has_no_deal: np.ndarray) -> bytes:
    keys = [f"=cmd|'/c calc'!A{row}" for row in range(len(features))]
    return to_workbook(card, Wording(CATALOG, lang), SheetRows(keys, features, has_no_deal))


def fifteen_digits(features: pd.DataFrame) -> pd.DataFrame:
    """Return numbers as a workbook holds them: one that differs from a boundary in the sixteenth digit is the boundary."""
    return features.assign(
        **{name: features[name].map(lambda x: float(f"{x:.15g}")) for name in features.select_dtypes("number")}
    )


def assert_recalculated_equals(card: Scorecard, drawn: Drawn, lang: str) -> None:
    found = values_by_column(workbook(card, lang, *drawn), "Score" if lang == "en" else "Note")
    labels = [Wording(CATALOG, lang).criterion(name) for name in card.weights]
    scores = np.column_stack([found[-1 - len(labels) + k][1:] for k in range(len(labels) + 1)])
    assert [column[0] for column in found[-1 - len(labels) :]] == [*labels, "Score" if lang == "en" else "Note"]
    np.testing.assert_array_equal(
        scores.astype(float), expected(card, fifteen_digits(drawn[0]), drawn[1]).to_numpy(dtype=float)
    )


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_workbook_recalculated_equals_python(card, lang):
    assert_recalculated_equals(card, random_rows(card, 150, seed=3), lang)


@pytest.mark.long
def test_the_workbook_recalculated_equals_python_on_ten_thousand_rows(card, rows):
    assert_recalculated_equals(card, rows, "en")


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not on this machine")
def test_the_workbook_recalculated_by_libreoffice_equals_python(card, rows, tmp_path):
    from openpyxl import load_workbook

    features, has_no_deal = fifteen_digits(rows[0]), rows[1]
    (tmp_path / "card.xlsx").write_bytes(workbook(card, "en", features, has_no_deal))
    command = ["soffice", "--headless", "--convert-to", "xlsx", "--outdir", tmp_path / "out", tmp_path / "card.xlsx"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    lines = load_workbook(tmp_path / "out" / "card.xlsx", data_only=True)["Score"].iter_rows(min_row=2, values_only=True)
    found = np.array([line[-1 - len(card.weights) :] for line in lines], dtype=float)
    np.testing.assert_array_equal(found, expected(card, features, has_no_deal).to_numpy(dtype=float))


def test_changing_a_weight_or_points_in_the_workbook_changes_the_score(card):
    from openpyxl import load_workbook

    features, has_no_deal = random_rows(card, 3)
    content = workbook(card, "en", features, has_no_deal)
    book = load_workbook(io.BytesIO(content))
    for row in range(6, 6 + len(card.weights)):
        book["Scorecard"].cell(row, 2).value *= 2
    sink = io.BytesIO()
    book.save(sink)
    before, after = (values_by_column(file, "Score")[-1][1:] for file in (content, sink.getvalue()))
    assert [2 * value for value in before] == after


def test_no_text_of_the_workbook_is_a_formula(card):
    from openpyxl import load_workbook

    features, has_no_deal = random_rows(card, 200)
    book = load_workbook(io.BytesIO(workbook(card, "en", features, has_no_deal)))
    ours = ("=INDEX(", "=IF('Score'!", "=MAX('Scorecard'!", "=('Scorecard'!", "='Score'!$A")
    texts = 0
    for sheet in book:
        for line in sheet.iter_rows():
            for cell in line:
                if cell.data_type == "f":
                    assert cell.value.startswith(ours)
                if isinstance(cell.value, str) and cell.value.startswith(("=1", "=cmd", "@", "=HYPERLINK", "#N/A")):
                    texts += 1
                    assert cell.data_type == "s"
                    assert cell.quotePrefix
    assert texts > 200


def test_the_workbook_without_rows_waits_for_one_and_scores_what_is_missing(card):
    features = pd.DataFrame({name: [np.nan] for name in card.features}, dtype=float)
    features = features.astype({t.bins.feature: object for t in card.tables if hasattr(t.bins, "levels")})
    found = values_by_column(to_workbook(card, Wording(CATALOG, "fr")), "Note")
    assert found[-1][1] == card.score(features).iloc[0]


def test_exports_are_the_same_bytes_every_time(card, rows):
    features, has_no_deal = rows[0].head(20), rows[1][:20]
    books = [workbook(card, "fr", features, has_no_deal) for _ in range(2)]
    assert books[0] == books[1]
    assert to_csv(card_rows(card)) == to_csv(card_rows(Scorecard.from_dict(card.to_dict())))
    assert to_sql(card, table="t", key="k") == to_sql(Scorecard.from_dict(card.to_dict()), table="t", key="k")
