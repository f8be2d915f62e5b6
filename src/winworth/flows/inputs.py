"""What a run stands on, as hashes: the configuration, the code, and files below a home folder."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from winworth import __version__
from winworth.config import Settings

CODE = (".py", ".yaml", ".json", ".j2", ".css", ".js")


def configuration_hash(settings: Settings) -> str:
    """Return one hash of all that the configuration says, `--set` included, wherever its folder stands."""
    told = {name: value for name, value in asdict(settings).items() if name != "folder"}
    return sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def code_version() -> dict[str, str]:
    """Return this winworth's version, and a hash of its code: between two releases the version alone tells nothing."""
    root = Path(str(files("winworth")))
    return {"version": __version__, "sha256": files_hash(root, (p for p in root.rglob("*") if p.suffix in CODE))}


def files_hash(root: Path, paths: Iterable[Path]) -> str:
    """Return one hash of files and of folders with all that is in them: names below `root` and contents; "" of none."""
    every = {file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()}
    lines = [f"{file.relative_to(root).as_posix()} {sha256(file.read_bytes()).hexdigest()}" for file in sorted(every)]
    return sha256("\n".join(lines).encode()).hexdigest() if lines else ""
