"""Nothing that a run leaves or prints holds an e-mail address or a phone number, wherever they stood in the CRM."""

import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from small_company import new_home, small_company

MAIL, PHONE = "anne.roy@acme-mail.fr", "06 12 34 56 78"
PLANTED = (MAIL, PHONE, "acme-mail", "12 34 56 78", "12345678")
VERBS = ("check", "train", "promote", "predict", "review", "kpi", "monitor")


def plant(exports: Path) -> list[str]:
    """Put addresses into names, levels, faulty cells and rows of people, and return the ids of all contacts."""
    for file, column, every in (("comptes.csv", "Raison sociale", 7), ("affaires.csv", "Origine", 9)):
        path = exports / file
        head, *lines = path.read_text(encoding="utf-8-sig").splitlines()
        at, rows = head.split(";").index(column), [line.split(";") for line in lines]
        for row in rows[::every]:
            if len(row) > at:
                row[at] = f"{row[at]} {MAIL} {PHONE}"
        path.write_text("\n".join([head, *map(";".join, rows), ""]), encoding="utf-8-sig")
    faulty = {"affaires.csv": "Ouverte le", "activites.csv": "Date", "contacts.csv": "Connu le", "comptes.csv": "Effectif"}
    for file, column in faulty.items():
        path = exports / file
        head, first, *_ = path.read_text(encoding="utf-8-sig").splitlines()
        for at, said in enumerate((MAIL, PHONE)):
            row = first.split(";")
            row[0], row[head.split(";").index(column)] = f"Z{at}", said
            with path.open("a", encoding="utf-8") as out:
                out.write(";".join(row) + "\n" + ";".join([*row, said, "one too many"]) + "\n")
    contacts = pd.read_csv(exports / "contacts.csv", sep=";", dtype=str, encoding="utf-8-sig", on_bad_lines="skip")
    return contacts["Identifiant contact"].dropna().tolist()


def texts(path: Path) -> bytes:
    """Return all that a file says, a packed one unpacked."""
    content = path.read_bytes()
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv().encode()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return b"\n".join(packed.read(name) for name in packed.namelist())
    return content


@pytest.mark.long
def test_no_address_of_a_person_is_in_anything_that_a_run_leaves_or_prints(tmp_path, migrated):
    company, home = small_company(tmp_path / "company"), new_home(tmp_path / "home", migrated)
    contacts, printed = plant(company.conf.parent / "exports"), b""
    for verb in VERBS:
        arguments = company.arguments(verb, home)
        if verb == "check":
            arguments = [word for word in arguments if word not in ("--home", str(home))]
        printed += company.said(arguments, codes=(0, 10, 11, 12))
    left = {path.relative_to(home).as_posix(): texts(path) for path in sorted(home.rglob("*")) if path.is_file()}
    assert {name.split("/")[0] for name in left} >= {"models", "scores", "reviews", "mlflow", "kpi"}
    assert [(name, word) for name, text in left.items() for word in PLANTED if word.encode() in text] == []
    assert [word for word in PLANTED if word.encode() in printed] == []
    assert b"(e-mail)" in left["scores/2026-06-30/account_scores.csv"]  # the name is there, without the address
    ids = [contact for contact in contacts if contact.startswith("C")]
    assert len(ids) > 100
    told = {name: text for name, text in left.items() if name.startswith(("models", "scores", "reviews", "kpi"))}
    told.pop("scores/2026-06-30/quarantine.csv")  # raw lines of activities name their contact by id
    assert [name for name, text in told.items() if any(f'"{one}"'.encode() in text for one in ids)] == []


def test_an_address_within_a_name_or_a_level_is_masked_when_it_is_read(exports):
    exports.spoil("accounts", 2, f"A000,Roy {MAIL},tel. {PHONE}")
    crm = exports.read()
    read = crm["accounts"].set_index("account_id").loc["A000"]
    assert (read["name"], read["sector"]) == ("Roy (e-mail)", "tel. (phone)")
    said = [warning for warning in crm.report.warnings if "masked" in warning]
    assert len(said) == 2 and "accounts: 1 cell of sector" in said[1] and "`personal: true`" in said[1]
