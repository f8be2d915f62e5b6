"""The gate decides; a challenger that passed becomes the champion by one atomic pointer."""

from dataclasses import dataclass
from pathlib import Path

from winworth.bundle import Bundle, challenger, open_version, set_champion
from winworth.errors import GateRefused
from winworth.lock import run_lock
from winworth.tracking import set_alias


@dataclass(frozen=True)
class Promoted:
    """The version now in use, and what the checks of its gate said."""

    version: str
    checks: tuple[dict, ...]


def promote(home: Path) -> Promoted:
    """Make the challenger the champion, or raise GateRefused with the numbers of every check it failed."""
    with run_lock(home, "promote"):
        bundle = open_challenger(home)
        gate = bundle.json("metrics.json")["gate"]
        if not gate["passed"]:
            reasons = "\n".join(f"- {reason}" for reason in gate["reasons"])
            raise GateRefused(f"{bundle.version} is not promoted, and the champion stays as it is:\n{reasons}")
        set_champion(home / "models", bundle.version)
        set_alias(home, bundle.version, "champion")
        return Promoted(bundle.version, tuple(gate["checks"]))


def open_challenger(home: Path) -> Bundle:
    """Open the newest trained version, verified."""
    return open_version(home / "models" / challenger(home / "models"))
