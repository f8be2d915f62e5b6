"""A small company in files, and the command line on it as a process of its own: what tests of whole runs share."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from conftest import AS_OF, ROOT
from winworth.crm.synthetic import software_company, write_exports

QUICK = (
    "n_boot=5",
    "leak_tax=false",
    "reference_rows=300",
    "threads=1",
    "weights.n_boot=0",
    "weights.n_shadows=1",
    "weights.n_repeats=1",
)
COMMAND = (sys.executable, "-c", "from winworth.cli import main; main()")


@dataclass(frozen=True)
class Company:
    """Its configuration folder, which names its exports, and the way to run a verb on it below a home."""

    conf: Path

    def arguments(self, verb: str, home: Path, *more: str) -> list[str]:
        asked = ["--home", str(home), "--json", *more]
        if verb == "promote":
            return [*COMMAND, verb, *asked, "--promote-anyway", "--who", "a test", "--why", "it looks on"]
        settings = [word for setting in QUICK if verb == "train" for word in ("--set", setting)]
        return [*COMMAND, verb, "--conf", str(self.conf), "--as-of", AS_OF.isoformat(), *settings, *asked]

    def start(self, verb: str, home: Path, *more: str, env: dict | None = None) -> subprocess.Popen:
        """Start a verb as a process of its own."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(self.arguments(verb, home, *more), env=os.environ | (env or {}), **pipes)

    def run(self, verb: str, home: Path, *more: str, env: dict | None = None) -> None:
        """Run a verb to its end, which must be a good one."""
        started = self.start(verb, home, *more, env=env)
        said = started.communicate(timeout=600)[1].decode(errors="replace")
        assert started.returncode == 0, f"{verb}: {said[-2000:]}"

    def said(self, arguments: list[str], codes: tuple[int, ...] = (0,)) -> bytes:
        """Run a command and return all that it prints."""
        done = subprocess.run(arguments, capture_output=True, timeout=600)
        assert done.returncode in codes, done.stderr.decode(errors="replace")[-2000:]
        return done.stdout + done.stderr


def small_company(folder: Path, n_deals: int = 300) -> Company:
    """Write a company's exports and a configuration that reads them."""
    (folder / "exports").mkdir(parents=True)
    write_exports(software_company(n_deals=n_deals, as_of=AS_OF, seed=4), folder / "exports")
    shutil.copytree(ROOT / "conf", folder / "conf")
    path = folder / "conf" / "crm.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("../demo/exports", "../exports"), encoding="utf-8")
    return Company(folder / "conf")


def new_home(home: Path, migrated: Path) -> Path:
    """Return an empty home whose MLflow store has its tables."""
    (home / "mlflow").mkdir(parents=True)
    shutil.copy(migrated, home / "mlflow" / "mlflow.db")
    return home


def held(home: Path, *folders: str) -> dict[str, bytes]:
    """Return the bytes of every file below some folders of a home."""
    found = (path for folder in folders for path in (home / folder).rglob("*") if path.is_file())
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in found}
