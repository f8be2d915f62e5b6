"""conf/*.yaml become frozen settings; what is not understood is an error that names the nearest known word."""

import dataclasses
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from winworth.crm.mapping import CrmMap
from winworth.errors import ConfigError, did_you_mean
from winworth.features.catalog import Catalog
from winworth.kpi.quarters import Regime
from winworth.models.trees import TreeSize
from winworth.review.decided import Decision, Decisions
from winworth.scoring.playbooks import Playbooks, check_quotas
from winworth.scoring.settings import Scoring
from winworth.shaped import shaped
from winworth.weights.effort import Effort
from winworth.weights.overrides import Override, Overrides
from winworth.yaml_files import read_yaml, yaml_value

STRICT = {"extra": "forbid"}
MOST_SEED, MOST_THREADS = 2**31 - 2**20, 256  # steps that draw apart count on from the seed
TUNED = Path("tuning") / "tuned.yaml"


@dataclass(frozen=True)
class WinSettings:
    """What the win model is asked, and how it is tested."""

    __pydantic_config__ = STRICT

    horizon_days: int = 180
    observe_at_days: tuple[int, ...] = (0, 30, 90, 180)
    exclude_kinds: tuple[str, ...] = ("renewal",)
    embargo_days: int = 30
    least_wins: int = 50
    least_losses: int = 50


@dataclass(frozen=True)
class TunedSettings:
    """A rung that tuning found: ridge strength, tree settings, or both averaged; `as_of` is the day it was tuned on."""

    __pydantic_config__ = STRICT

    C: float | None = None
    size: TreeSize | None = None
    as_of: date | None = None

    def __post_init__(self):
        if self.C is None and self.size is None:
            raise ValueError("tuned needs C (a ridge strength), size (of trees), or both")


@dataclass(frozen=True)
class Training:
    """The whole of training.yaml."""

    __pydantic_config__ = STRICT

    win: WinSettings = WinSettings()
    seed: int = 1
    threads: int = 2
    n_boot: int = 200
    reference_rows: int = 3000
    leak_tax: bool = True
    tuned: TunedSettings | None = None
    weights: Effort = Effort()
    regimes: tuple[Regime, ...] = ()

    def __post_init__(self):
        for name in ("threads", "n_boot", "reference_rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not 0 <= self.seed <= MOST_SEED or self.threads > MOST_THREADS:
            raise ValueError(f"seed must lie between 0 and {MOST_SEED:,}, threads between 1 and {MOST_THREADS}")
        if self.win.horizon_days < 1 or min(self.win.observe_at_days, default=-1) < 0 or self.win.embargo_days < 0:
            raise ValueError(
                "win.horizon_days must be at least 1, win.embargo_days at least 0, and win.observe_at_days at least one age, "
                "none below 0"
            )


@dataclass(frozen=True)
class Waiver:
    """Someone's signature: for a column overwritten in place (table.column), or for a feature that the soft leak tests
    point at (feature:name); who, why, until when.
    """

    __pydantic_config__ = STRICT

    column: str
    who: str
    why: str
    until: date


@dataclass(frozen=True)
class Waivers:
    """The whole of leak_waivers.yaml."""

    __pydantic_config__ = STRICT

    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True)
class Settings:
    """All of a configuration folder."""

    folder: Path
    crm: CrmMap
    catalog: Catalog
    training: Training
    scoring: Scoring
    waivers: tuple[Waiver, ...] = ()
    overrides: tuple[Override, ...] = ()
    playbooks: Playbooks | None = None
    decisions: tuple[Decision, ...] = ()

    def waived(self, as_of: date) -> frozenset[tuple[str, str]]:
        """Return the (table, column) pairs that someone has signed for; an expired signature is an error."""
        expired = [w for w in self.waivers if w.until < as_of]
        if expired:
            first = expired[0]
            raise ConfigError(
                f"leak_waivers.yaml: {len(expired)} signatures have expired, the first for {first.column} on {first.until}. "
                "Renew it, or take the feature out of criteria.yaml."
            )
        columns = [w.column for w in self.waivers if not w.column.startswith("feature:")]
        return frozenset(tuple(column.split(".", 1)) for column in columns)


def load_settings(folder: Path, *, overrides: tuple[str, ...] = ()) -> Settings:
    """Read crm, criteria, training and scoring (and leak_waivers, overrides and decisions where they are there) from a folder.

    `overrides` are "block.key=value" for training.yaml and scoring.yaml, as in "win.horizon_days=120".
    """
    if not folder.is_dir():
        raise ConfigError(f"There is no configuration folder {folder}. Name one with --conf.")
    documents = {name: read_yaml(folder / f"{name}.yaml", required=name in ("crm", "criteria")) for name in _SHAPES}
    for override in overrides:
        _apply(documents, override)
    documents["crm"] = _with_environment(documents["crm"])
    built = {name: shaped(_SHAPES[name], document, f"{name}.yaml") for name, document in documents.items()}
    whole = [built[name] for name in ("crm", "criteria", "training", "scoring")]
    playbooks = _playbooks(folder / "playbooks.yaml", built["scoring"])
    signed = (built["leak_waivers"].waivers, built["overrides"].overrides)
    return Settings(folder, *whole, *signed, playbooks, built["decisions"].decisions)


def built_in_playbooks() -> Playbooks:
    """Return the plays that apply where a company has written none."""
    return shaped(Playbooks, read_yaml(Path(__file__).parent / "scoring" / "playbooks.yaml"), "playbooks.yaml")


def _playbooks(path: Path, rules: Scoring) -> Playbooks | None:
    written = shaped(Playbooks, read_yaml(path), path.name) if path.exists() else None
    if written:
        check_quotas(written, rules)
    return written


def with_tuned(settings: Settings, home: Path, *, as_of: date) -> Settings:
    """Return the settings with what `tune` wrote below `home`, unless training.yaml has a `tuned` block of its own."""
    path = home / TUNED
    if settings.training.tuned is not None or not path.exists():
        return settings
    tuned = shaped(_TunedFile, read_yaml(path), path.name).tuned
    if tuned and tuned.as_of and tuned.as_of > as_of:
        raise ConfigError(
            f"{path} was tuned on {tuned.as_of}, and {as_of} cannot know that. Tune again as of {as_of}, or move the file away."
        )
    return dataclasses.replace(settings, training=dataclasses.replace(settings.training, tuned=tuned))


@dataclass(frozen=True)
class _TunedFile:
    __pydantic_config__ = STRICT

    tuned: TunedSettings | None


_SHAPES: dict[str, type] = {
    "crm": CrmMap,
    "criteria": Catalog,
    "training": Training,
    "scoring": Scoring,
    "leak_waivers": Waivers,
    "overrides": Overrides,
    "decisions": Decisions,
}


def _with_environment(crm: dict) -> dict:
    """Put environment variables into `folder` and `database`, as in ${CRM_EXPORTS}/2026."""
    told = {name: crm[name] for name in ("folder", "database") if isinstance(crm.get(name), str)}
    expanded = {name: os.path.expandvars(text) for name, text in told.items()}
    for name, text in expanded.items():
        if "$" in text:
            raise ConfigError(f"crm.yaml: {name} is {told[name]}, and the environment does not set all of it (left: {text}).")
    return crm | expanded


def _apply(documents: dict[str, dict], override: str) -> None:
    path, equals, value = override.partition("=")
    *blocks, key = path.split(".")
    for name in ("training", "scoring"):
        hints = {f.name for f in dataclasses.fields(_SHAPES[name])}
        if equals and (blocks[0] if blocks else key) in hints:
            node = documents[name]
            for block in blocks:
                node = node.setdefault(block, {})
            try:
                node[key] = yaml_value(value)
            except ValueError as error:
                raise ConfigError(f"--set {override}: {error}") from error
            return
    known = [f.name for name in ("training", "scoring") for f in dataclasses.fields(_SHAPES[name])]
    raise ConfigError(f"--set {override} is not block.key=value of training.yaml or scoring.yaml. {did_you_mean(path, known)}")
