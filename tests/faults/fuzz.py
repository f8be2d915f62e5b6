"""Every kind of input, damaged at random: what the reader of each makes of it. Run as a program it tells of many, as JSON.

`python fuzz.py KIND SEED N` prints how each case ended: "read", the name of an error of ours, or what else came of it. A case
over 30 seconds ends the process by a signal. The kinds that LightGBM has a part in are tried in a process each.
"""

import gzip
import io
import json
import os
import random
import resource
import signal
import sys
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

SIGNS = [
    b'"',
    b"\n",
    b"\r",
    b"\0",
    b";",
    b",",
    b"\xff",
    b"\xef\xbb\xbf",
    b": ",
    b"- ",
    b"{",
    b"[",
    b"!!",
    b"&a ",
    b"*a",
    b"<<: ",
]
SIGNS += [b"'", b"1e999", b"-1", b"nan", b"9" * 20, b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"%", b"=", b"\t"]
SECONDS = 30
DAY = "2026-06-30"
CRM = """
company: Fuzzed
folder: .
locale: fr
currency: EUR
tables:
  deals:
    file: deals.csv
    separator: ";"
    key: true
    max_quarantine_share: 0.5
    columns: {deal_id: {source: Id}, account_id: {source: Compte}, opened_on: {source: Le, known: at_creation},
              status: {source: Statut, values: {Gagnée: won, NO: lost}}, amount: {source: Montant, missing_values: ["?"]}}
  accounts: {file: "acc*.csv", encoding: utf-8, columns: {account_id: {source: Id, aliases: {A1: A2}}}}
"""
CRITERIA = """
criteria:
  size: {family: firmographic, label: {en: Size, fr: Taille}, features: {headcount: {value: accounts.headcount, direction: up}}}
  calls: {family: behavioural, label: {en: Calls}, features: {calls: {count: activities, where: {kind: call}, within_days: 90}}}
"""
SIGNED = "overrides:\n  - {criterion: size, weight: 20, who: Ada, why: pilot, agreed_on: 2026-01-01, until: 2026-06-01}\n"
DECIDED = "decisions:\n  - {decided_on: 2026-04-02, what: call them first, who: Ada, accounts: [A1, A2], tier: A}\n"
WAIVED = "waivers:\n  - {column: accounts.sector, who: Ada, why: it never changes, until: 2030-01-01}\n"
TRAINED = "win: {horizon_days: 180, observe_at_days: [0, 30]}\nseed: 7\nweights: {n_boot: 10, n_shadows: 2}\nregimes: []\n"
SCORED = "most_segments: 4\n"
SETTINGS = {"crm": CRM, "criteria": CRITERIA, "overrides": SIGNED, "decisions": DECIDED, "leak_waivers": WAIVED}
SETTINGS |= {"training": TRAINED, "scoring": SCORED}
FILES = ("csv", "cp1252", "utf16", "gz", "zip", "parquet")
KINDS = (*FILES, *SETTINGS, "sheet", "version", "resigned")
Damage = Callable[[random.Random], str]


def damaged(content: bytes, dice: random.Random) -> bytes:
    """Flip a bit or a byte, cut the end off, insert, repeat or remove a block, or put in a sign that means something."""
    at, kind = dice.randrange(len(content)), dice.randrange(7)
    behind = content[at + dice.choice([1, 4, 30, 300]) :]
    if kind < 2:
        changed = content[at] ^ (1 << dice.randrange(8)) if kind else dice.randrange(256)
        return content[:at] + bytes([changed]) + content[at + 1 :]
    if kind == 2:
        return content[:at]
    block = content[at : len(content) - len(behind)]
    if kind == 3:
        to = dice.randrange(len(content))
        return content[:to] + block + content[to:]
    if kind == 4:
        return content[:at] + behind
    return content[:at] + (dice.randbytes(dice.choice([1, 2, 9])) if kind == 5 else dice.choice(SIGNS)) + content[at:]


def of_files(kind: str, folder: Path) -> Damage:
    """An export of deals, plain, packed or as Parquet, read with its accounts."""
    import pandas as pd

    from winworth.crm.mapping import ColumnMap, CrmMap, TableMap
    from winworth.crm.read import read_crm

    rows = [f"D{at},A{at % 10},{('gagné', 'lost', 'open')[at % 3]},{1000 + at}.5,2024-01-{at % 28 + 1:02d}" for at in range(60)]
    text = "\n".join(["deal_id,account_id,status,amount,opened_on", *rows, ""])
    (folder / "accounts.csv").write_text("account_id\n" + "\n".join(f"A{at}" for at in range(10)) + "\n")
    packed, parquet = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deals.csv", text)
    pd.read_csv(io.StringIO(text), parse_dates=["opened_on"]).to_parquet(parquet, index=False)
    whole = {"csv": text.encode(), "cp1252": text.encode("cp1252"), "utf16": text.encode("utf-16")}
    whole |= {"gz": gzip.compress(text.encode(), mtime=0), "zip": packed.getvalue(), "parquet": parquet.getvalue()}
    name = {"gz": "deals.csv.gz", "zip": "deals.zip", "parquet": "deals.parquet"}.get(kind, "deals.csv")
    columns = {header: ColumnMap(header) for header in text.splitlines()[0].split(",")}
    columns["status"] = ColumnMap("status", values={"gagné": "won", "lost": "lost", "open": "open"})
    tables = {"deals": TableMap(name, columns), "accounts": TableMap("accounts.csv", {"account_id": ColumnMap("account_id")})}

    def one(dice: random.Random) -> str:
        (folder / name).write_bytes(damaged(whole[kind], dice))
        for count in read_crm(CrmMap("Fuzzed", tables), root=folder, threads=1).report.files:
            told = count.n_used + count.n_quarantined + count.n_duplicate + count.n_out_of_scope
            assert count.n_read == told, "rows are lost"
        return "read"

    return one


def of_settings(kind: str, folder: Path) -> Damage:
    """One file of a configuration folder, all others whole."""
    from winworth.config import load_settings

    for name, text in SETTINGS.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    def one(dice: random.Random) -> str:
        (folder / f"{kind}.yaml").write_bytes(damaged(SETTINGS[kind].encode(), dice))
        load_settings(folder)
        return "read"

    return one


def of_sheets(_: str, folder: Path) -> Damage:
    """A filled-in sheet of sellers: the packed file, or one of the files in it."""
    import openpyxl
    import pandas as pd

    from winworth.scoring.field import FieldKey
    from winworth.scoring.field_sheet import answers_of, read_sheet, write_sheet

    told = {"stratum": "A", "tier": "A", "win_probability": 0.3, "reason_1": "r"}
    key = FieldKey(DAY, "v", 180, (), 1, {"A": 8}, pd.DataFrame([{"account_id": f"A{at}"} | told for at in range(8)]))
    names = pd.DataFrame({"name": [f"N{at}" for at in range(8)], "deal_id": [f"D{at}" for at in range(8)]})
    book = openpyxl.load_workbook(io.BytesIO(write_sheet(key, names, lang="en")))
    for row in range(5, 13):
        book.active.cell(row, 5).value, book.active.cell(row, 6).value = "AB"[row % 2], 10 * row - 40
    book.save(folder / "sheet.xlsx")
    whole = (folder / "sheet.xlsx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}

    def one(dice: random.Random) -> str:
        content, hit = whole, dice.choice(["", *sorted(parts)])
        if hit:
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as again:
                for name, part in parts.items():
                    again.writestr(name, damaged(part, dice) if name == hit and part else part)
            content = out.getvalue()
        answers_of(read_sheet(content if hit else damaged(content, dice), "sheet.xlsx"), key, "sheet.xlsx")
        return "read"

    return one


def of_versions(kind: str, folder: Path) -> Damage:
    """One file of the model version that FUZZ_VERSION names; `resigned`: under a manifest that fits what it has become."""
    from datetime import date

    from winworth.bundle import open_version, save_version

    source = Path(os.environ["FUZZ_VERSION"])
    whole = open_version(source)
    scored = sorted(name for name in whole.names if name.endswith((".json", "trees.txt")))

    def one(dice: random.Random) -> str:
        if kind == "version":
            names = [path.name for path in source.iterdir() if path.is_file()]
            name = dice.choice(sorted(names))
            target = folder / source.name
            target.mkdir(exist_ok=True)
            for other in source.iterdir():
                if other.is_file():
                    (target / other.name).write_bytes(other.read_bytes())
            (target / "figures").mkdir(exist_ok=True)
            for other in (source / "figures").glob("*"):
                (target / "figures" / other.name).write_bytes(other.read_bytes())
            before = (target / name).read_bytes()
            (target / name).write_bytes(damaged(before, dice))
            open_version(target)
            return "read" if (target / name).read_bytes() == before else "a changed version was opened"
        name = dice.choice(scored)
        content = damaged(whole.contents[name], dice)
        version = save_version(folder, {**whole.contents, name: content}, as_of=date.fromisoformat(DAY))
        return in_a_child(lambda: scores(folder / version))

    return one


def scores(version: Path) -> str:
    """Open a version, rebuild what scores, and score a row."""
    from winworth.bundle import open_version
    from winworth.scoring.scorer import Scorer

    Scorer.from_files(open_version(version).contents)
    return "read"


def in_a_child(work: Callable[[], str]) -> str:
    """Do `work` in a process of its own and say how it ended; this one has started no threads."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        os.write(writes, outcome(work).encode(errors="replace")[:2000])
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return said if code == 0 else f"ended with {code}"


def outcome(work: Callable[[], str]) -> str:
    """Say what came of `work`: its word, the name of an error of ours, or the end of a traceback."""
    from winworth.errors import WinworthError

    try:
        return work()
    except WinworthError as error:
        return type(error).__name__ if str(error) and error.exit_code > 1 else f"an error without a way out: {error!r}"
    except Exception:
        return " | ".join(traceback.format_exc().strip().splitlines()[-3:])


def tried(kind: str, seed: int, n: int) -> Counter:
    """Damage an input `n` times, and count how the cases ended."""
    makes = of_files if kind in FILES else of_settings if kind in SETTINGS else of_sheets if kind == "sheet" else of_versions
    dice, found = random.Random(f"{kind} {seed}"), Counter()
    with TemporaryDirectory() as folder:
        one = makes(kind, Path(folder))
        for _ in range(n):
            signal.alarm(SECONDS if __name__ == "__main__" else 0)
            found[outcome(lambda: one(dice))] += 1
    return found


if __name__ == "__main__":
    kind, seed, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    told = tried(kind, seed, n)
    signal.alarm(0)
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"ended": told, "most_bytes": most * 1024}))
