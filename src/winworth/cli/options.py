"""The options that verbs share, how they are read, and how what a verb says is printed."""

import codecs
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from winworth.errors import ConfigError


class Lang(StrEnum):
    """The language of what people in sales read."""

    en = "en"
    fr = "fr"


class Cadence(StrEnum):
    """How often a review is held."""

    monthly = "monthly"
    quarterly = "quarterly"


Conf = Annotated[Path, typer.Option("--conf", help="Folder of crm.yaml, criteria.yaml, training.yaml and scoring.yaml.")]
AsOf = Annotated[str, typer.Option("--as-of", help="The day at whose end we stand, as 2026-06-30; nothing later is known.")]
Home = Annotated[Path, typer.Option("--home", help="Folder of models, scores, reviews and the MLflow store.")]
Set = Annotated[list[str], typer.Option("--set", help="block.key=value over training.yaml or scoring.yaml.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Language = Annotated[Lang, typer.Option("--lang", help="Language of reasons and pages.")]


def settings_of(conf: Path, overrides: list[str]) -> Any:
    """Read the configuration, `--set` over it."""
    from winworth.config import load_settings

    return load_settings(conf, overrides=tuple(overrides))


def day_of(text: str, option: str = "--as-of") -> date:
    """Read a day; what is none raises ConfigError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text} is not a date. Write it as 2026-06-30.") from error


def track_of(quiet: bool) -> Any:
    """Return what shows the progress of long steps on a terminal's standard error."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    quiet = quiet or not console.is_terminal  # in a file each step would leave a blank line

    def shown(steps: Iterable[Any], label: str) -> Iterator[Any]:
        yield from track(list(steps), description=label, console=console, transient=True, disable=quiet)

    return shown


def prints_all_letters() -> bool:
    """Whether standard output takes every letter there is; a terminal of an old locale takes a few hundred."""
    return codecs.lookup(sys.stdout.encoding or "ascii").name.startswith("utf")


def show(report: Any, as_json: bool) -> None:
    """Print what a verb has to say: lines and tables for people, or one JSON document."""
    if as_json:
        import json

        print(json.dumps(report.document, ensure_ascii=not prints_all_letters(), indent=1, default=str))
        return
    from winworth.printed.report import printed

    printed(report)
