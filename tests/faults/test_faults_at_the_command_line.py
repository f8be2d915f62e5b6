"""A fault in a file ends `winworth check` with its exit code and its sentence, and never with a traceback."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import corpus_of_files
import corpus_of_ids
import corpus_of_packages
import pytest
import yaml
from clean_crm import AS_OF, Crm

from winworth.cli import main

CRITERIA = {
    "size": {
        "family": "firmographic",
        "label": {"en": "Size"},
        "features": {"headcount": {"value": "accounts.headcount", "label": {"en": "headcount"}}},
    }
}


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Return a function that spoils the clean CRM and gives what `winworth check` says of it: exit code, output, errors."""

    def run(fault, *tables: str) -> tuple[int, str, str]:
        (tmp_path / "crm").mkdir(exist_ok=True)
        crm = Crm(tmp_path / "crm")
        crm.column("accounts", "headcount", known="at_creation")
        fault(crm)
        with_conf(crm, tables, tmp_path / "conf")
        arguments = ["check", "--conf", str(tmp_path / "conf"), "--as-of", AS_OF.isoformat(), "--json"]
        monkeypatch.setattr(sys, "argv", ["winworth", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def with_conf(crm: Crm, tables: tuple[str, ...], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in tables:
        if f"{name}.csv" not in crm.written:
            (crm.folder / f"{name}.csv").write_bytes(crm.text(name).encode())
    mapped = {name: {**asdict(crm.tables[name]), "joins": []} for name in tables}
    document = {"company": "Clean", "folder": str(crm.folder), "tables": mapped}
    (folder / "crm.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document))))
    (folder / "criteria.yaml").write_text(yaml.safe_dump({"criteria": CRITERIA}))


def test_f09_a_quote_that_never_closes_ends_with_3(check):
    code, _, errors = check(corpus_of_files.f09_a_quote_that_never_closes, "deals", "accounts")
    assert code == 3
    assert errors.startswith("DataError: deals.csv, line 30: a quote opens here")


def test_f19_a_bomb_ends_with_7(check):
    code, _, errors = check(corpus_of_packages.f19_a_bomb_in_gzip, "deals", "accounts")
    assert code == 7
    assert errors.startswith("ResourceError: deals.csv.gz unpacks to more than")


def test_f31_a_deal_of_no_account_is_counted_and_the_run_goes_on(check):
    code, out, _ = check(corpus_of_ids.f31_a_deal_of_no_account, "deals", "accounts")
    told = json.loads(out)
    assert code == 0
    assert told["rules"] == {"F31-no-such-account": 1}
    assert next(count for count in told["read"] if count["table"] == "deals")["n_used"] == 119


def test_f90_memory_that_runs_out_ends_with_7(check, monkeypatch):
    def refuse(*_, **__):
        raise MemoryError

    monkeypatch.setattr("winworth.crm.cells._lines", refuse)
    code, _, errors = check(lambda crm: None, "deals", "accounts")
    assert code == 7
    assert errors.startswith("ResourceError: memory ran out")


def test_f90_a_file_too_large_for_the_memory_of_duckdb_ends_with_7(check, monkeypatch):
    import duckdb

    def refuse(*_, **__):
        raise duckdb.OutOfMemoryException("out of memory")

    monkeypatch.setattr("winworth.crm.cells._load", refuse)
    code, _, errors = check(lambda crm: None, "deals", "accounts")
    assert code == 7
    assert errors.startswith("ResourceError: deals.csv does not fit into memory. Split the export by year")
