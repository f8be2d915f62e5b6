"""The gate decides; a challenger that passed becomes the champion by one atomic pointer."""

import json
from dataclasses import dataclass
from pathlib import Path

from winworth.atomic import write_file
from winworth.bundle import Bundle, challenger, champion, open_version, save_version, set_challenger, set_champion
from winworth.errors import ConfigError, GateRefused
from winworth.flows.card import model_card
from winworth.flows.record import labelled_weights
from winworth.lock import run_lock
from winworth.scoring.scorer import Scorer, as_json
from winworth.tracking import set_alias


@dataclass(frozen=True)
class Signature:
    """Who overrules the gate, and why."""

    who: str
    why: str

    def __post_init__(self):
        if not self.who.strip() or not self.why.strip():
            raise ConfigError("--promote-anyway needs a signature: --who NAME --why REASON.")
        try:
            f"{self.who}{self.why}".encode()
        except UnicodeEncodeError:  # the terminal's locale could not read them
            raise ConfigError(
                "--who or --why has letters that this terminal's locale does not know. Set LC_ALL=C.UTF-8."
            ) from None


@dataclass(frozen=True)
class Promoted:
    """The version now in use, the one it replaces (or none), and what the checks of its gate said."""

    version: str
    replaced: str | None
    checks: tuple[dict, ...]


def promote(home: Path, *, to: str | None = None, signature: Signature | None = None) -> Promoted:
    """Make the challenger (or the version `to`, to roll back) the champion.

    Raises GateRefused with the numbers of every check it failed, unless someone signs; the version then says so in its
    model card. Each promotion leaves a line in models/promotions.jsonl.
    """
    with run_lock(home, "promote"):
        models = home / "models"
        bundle = open_version(models / to) if to else open_challenger(home)
        gate = bundle.json("metrics.json")["gate"]
        if not gate["passed"] and not gate.get("overruled"):
            if signature is None:
                reasons = "\n".join(f"- {reason}" for reason in gate["reasons"])
                raise GateRefused(f"{bundle.version} is not promoted, and the champion stays as it is:\n{reasons}")
            bundle = _signed(models, bundle, signature)
        replaced = champion(models) if (models / "champion").exists() else None
        _remember(models, bundle.version, replaced, signature)
        set_champion(models, bundle.version)
        set_alias(home, bundle.version, "champion")
        return Promoted(bundle.version, replaced, tuple(gate["checks"]))


def open_challenger(home: Path) -> Bundle:
    """Open the newest trained version, verified."""
    return open_version(home / "models" / challenger(home / "models"))


def _signed(models: Path, bundle: Bundle, signature: Signature) -> Bundle:
    """Write the version anew with the signature in its record and model card; the refused one stays as it was."""
    metrics = bundle.json("metrics.json")
    metrics["gate"]["overruled"] = {"who": signature.who, "why": signature.why}
    scorer = Scorer.from_files(bundle.contents)
    card = model_card(metrics, labelled_weights(scorer.weights, scorer, "en"))
    files = {**bundle.contents, "metrics.json": as_json(metrics).encode(), "model_card.md": card.encode()}
    version = save_version(models, files, as_of=bundle.as_of)
    set_challenger(models, version)
    return open_version(models / version)


def _remember(models: Path, version: str, replaced: str | None, signature: Signature | None) -> None:
    """Write the line before the pointer moves, so that a run killed in between, and started again, leaves it once."""
    path = models / "promotions.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    last = json.loads(lines[-1]) if lines else {"version": None}
    if last["version"] == version == replaced:
        return
    if (last["version"], last.get("replaced")) == (version, replaced):
        lines.pop()  # its pointer was never moved
    line = {"version": version, "replaced": replaced, "signature": signature.__dict__ if signature else None}
    written = [*lines, json.dumps(line, sort_keys=True, ensure_ascii=False)]
    write_file(path, "".join(f"{line}\n" for line in written))
