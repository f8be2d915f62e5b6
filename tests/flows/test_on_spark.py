"""Spark scores what one machine scores, bit for bit; without PySpark or Java nothing here runs."""

import shutil
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from conftest import AS_OF
from small_company import small_company
from winworth.bundle import champion, open_version
from winworth.config import load_settings
from winworth.crm.read import read_crm
from winworth.errors import DataError
from winworth.features.build import build_features
from winworth.features.examples import scoring_examples
from winworth.flows.predict import InParts, predict
from winworth.flows.prepare import prepare
from winworth.flows.scored import Wanted
from winworth.scoring.scorer import Scorer
from winworth.tracking import open_store

pyspark = pytest.importorskip("pyspark", reason="PySpark is absent: pip install winworth[spark]")
if not shutil.which("java"):
    pytest.skip("Java is absent: Spark needs 17 or later", allow_module_level=True)

pytestmark = pytest.mark.long
WANTED = Wanted(excel_fr=True, doubt=True, by=date(2026, 12, 31))
SCORES = "win_probability double, value_if_won double, expected_value double, score double"


@pytest.fixture(scope="module")
def spark():
    """Return a session of two workers' threads, which `predict` finds running."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PYSPARK_PYTHON", sys.executable)
    builder = pyspark.sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
    yield session
    session.stop()
    patch.undo()


@pytest.fixture(scope="module")
def company(tmp_path_factory, spark):
    """Return a small company's settings, its extract as folders of Parquet that Spark wrote, and a home with a champion."""
    folder = tmp_path_factory.mktemp("company")
    made = small_company(folder / "made", 600)
    for verb in ("train", "promote"):
        made.run(verb, folder / "home")
    settings = load_settings(made.conf)
    crm = read_crm(settings.crm, root=settings.folder)
    tables = {}
    for name, table_map in settings.crm.tables.items():
        rows = spark.createDataFrame(pa.Table.from_pandas(crm[name], preserve_index=False))
        rows.coalesce(1 if name in ("costs", "rates") else 2).write.parquet(str(folder / "lake" / f"{name}.parquet"))
        columns = {
            column: replace(found, source=column, format=None, values={word: word for word in found.values.values()})
            for column, found in table_map.columns.items()
        }
        tables[name] = replace(table_map, file=f"{name}.parquet", columns=columns)
    return replace(settings, crm=replace(settings.crm, tables=tables, folder=str(folder / "lake"))), folder / "home"


@pytest.fixture
def features(company):
    """Return the features of all that is scored, and the scorer of the champion."""
    settings, home = company
    scorer = Scorer.from_files(version(home).contents)
    prepared = prepare(settings, as_of=AS_OF, catalog=scorer.catalog)
    return build_features(scoring_examples(prepared.snapshot), prepared.snapshot, scorer.catalog), scorer


def version(home):
    return open_version(home / "models" / champion(home / "models"))


def in_home(company, folder: Path, engine: str) -> Path:
    """Score twice in a home of its own, so that the second run has an earlier one."""
    settings, home = company
    folder.mkdir()
    (folder / "models").symlink_to(home / "models")
    for day in (AS_OF, AS_OF.replace(month=7)):
        done = predict(settings, as_of=day, home=folder, wanted=WANTED, in_parts=InParts(60, engine))
    assert done.run["movement"] and done.run["n_accounts"] > 240
    return folder


def test_a_scoring_run_on_spark_publishes_the_bytes_of_the_embedded_run(company, spark, tmp_path):
    embedded, on_spark = (in_home(company, tmp_path / engine, engine) / "scores" for engine in ("embedded", "spark"))
    files = sorted(path.relative_to(embedded) for path in embedded.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(on_spark) for path in on_spark.rglob("*") if path.is_file())
    assert [str(file) for file in files if (embedded / file).read_bytes() != (on_spark / file).read_bytes()] == []
    assert not list(on_spark.parent.glob(".parts*"))


def test_a_fault_that_a_worker_finds_is_raised_as_the_embedded_run_raises_it(company, spark):
    settings, home = company
    deals = settings.crm.tables["deals"]
    amount = replace(deals.columns["amount"], source="account_id")  # no numbers there
    tables = settings.crm.tables | {"deals": replace(deals, columns=deals.columns | {"amount": amount})}
    spoilt = replace(settings, crm=replace(settings.crm, tables=tables))
    said = []
    for engine in ("embedded", "spark"):
        with pytest.raises(DataError) as raised:
            predict(spoilt, as_of=AS_OF, home=home, in_parts=InParts(60, engine))
        said.append(str(raised.value))
    assert said[0] == said[1]


def test_the_registered_model_scores_on_spark_in_batches_of_any_size_as_the_scorer_does_here(company, features, spark):
    import mlflow
    from pyspark.sql.functions import struct

    table, scorer = features
    here = scorer.score(table)
    # a champion by signature has the models of the challenger that was registered
    model = open_store(company[1]).get_model_version_by_alias("winworth", "challenger").source
    rows = spark.createDataFrame(pa.Table.from_pandas(table.assign(row=range(len(table))), preserve_index=False)).repartition(3)

    score = mlflow.pyfunc.spark_udf(spark, model, result_type=SCORES, env_manager="local")
    by_udf = rows.select("row", score(struct(*table.columns)).alias("scores")).select("row", "scores.*")

    def in_batches(batches):
        loaded = mlflow.pyfunc.load_model(model)
        for batch in batches:
            yield pd.concat([batch[["row"]], loaded.predict(batch.drop(columns="row"))], axis=1)

    by_map = rows.mapInPandas(in_batches, f"row long, {SCORES}")
    for found, n_rows in ((by_udf, 10_000), (by_udf, 17), (by_map, 5)):
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", n_rows)
        told = found.toArrow().to_pandas().sort_values("row", ignore_index=True).drop(columns="row")
        pd.testing.assert_frame_equal(told, here.reset_index(drop=True), check_exact=True)
