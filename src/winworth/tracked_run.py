"""What one training run leaves on record, in words that MLflow takes."""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

VERSION_TAG = "model_version"
LONGEST_PARAM, LONGEST_TAG, _LONGEST_NAME = 500, 5000, 240


@dataclass(frozen=True)
class TrackedRun:
    """What one training run leaves on record; `bundle` is the folder of its model version."""

    experiment: str
    name: str
    bundle: Path
    model_version: str
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def plain(run: TrackedRun) -> dict[str, Any]:
    """Return the run as JSON can hold it; a metric that is no finite number becomes None."""
    metrics = {name: finite(value) for name, value in run.metrics.items()}
    params = {name: cut(value, LONGEST_PARAM) for name, value in run.params.items()}
    tags = {name: str(value) for name, value in run.tags.items()}
    return asdict(replace(run, metrics=metrics, params=params, tags=tags, bundle=str(Path(run.bundle).resolve())))


def tags_of(run: TrackedRun) -> dict[str, str]:
    """Return the tags, with what could not be measured and the names that MLflow would not take."""
    named = {f"label.{short}": name for name, short in slugs(run.metrics).items() if short != name}
    missing = sorted(name for name, value in run.metrics.items() if value is None)
    tags = {**run.tags, **named, VERSION_TAG: run.model_version} | ({"not_measured": ", ".join(missing)} if missing else {})
    return {short: cut(tags[name], LONGEST_TAG) for name, short in slugs(tags).items()}


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Give each name one that MLflow takes, no two the same.

    >>> slugs(["AUC", "taux de gain (é)", "taux de gain (è)"])
    {'AUC': 'AUC', 'taux de gain (é)': 'taux_de_gain_e', 'taux de gain (è)': 'taux_de_gain_e_2'}
    """
    given: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        short, n = slug(name), 1
        while short in taken:
            n += 1
            short = f"{slug(name)}_{n}"
        taken.add(short)
        given[name] = short
    return given


def slug(name: str) -> str:
    """Return the name in MLflow's alphabet: letters without accents, digits and _ - . between slashes."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().replace("%", "pct")
    parts = (re.sub(r"[^\w.-]+", "_", part).strip("_") for part in ascii_only.split("/"))
    return "/".join(part for part in parts if part.strip("."))[:_LONGEST_NAME] or "unnamed"


def cut(value: Any, longest: int) -> str:
    """Write a value as text, cut where MLflow would refuse its length."""
    text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def finite(value: float | None) -> float | None:
    """Return the number, or None where it is none."""
    return float(value) if value is not None and math.isfinite(value) else None


@contextmanager
def failing_openly(client: Any, run_id: str) -> Iterator[None]:
    """Mark a run as failed where its recording fails; the first failure is the one to report."""
    try:
        yield
    except Exception:
        with suppress(Exception):
            client.set_terminated(run_id, "FAILED")
        raise
