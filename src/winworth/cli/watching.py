"""Verbs that look after the champion between trainings, and those that take a month or a quarter as a whole."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from winworth.cli.options import AsOf, Cadence, Conf, Home, Json, Lang, Language, Set, day_of, settings_of, show, track_of
from winworth.errors import ConfigError

From = Annotated[str | None, typer.Option("--from", help="Begin at this step, whatever is recorded, and take all after it.")]
Again = Annotated[bool, typer.Option("--again", help="Take every step anew.")]

verbs = typer.Typer()


@verbs.command()
def monitor(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    lang: Language = Lang.en,
    set_: Set = [],  # noqa: B006 (typer copies it)
    json: Json = False,
) -> None:
    """Set the champion beside what came since: go on (exit code 0), recalibrate (10), retrain (11) or stop (12)."""
    from winworth.flows.monitor import monitor as run
    from winworth.printed import monitored

    done = run(settings_of(conf, set_), as_of=day_of(as_of), home=home)
    show(monitored.monitored(done, lang), json)
    raise typer.Exit(done.exit_code)


@verbs.command()
def recalibrate(as_of: AsOf, conf: Conf = Path("conf"), home: Home = Path(), set_: Set = [], json: Json = False) -> None:  # noqa: B006
    """Fit the champion's chances to recent deals, as a new version; or say with numbers why not (exit code 4)."""
    from winworth.flows.recalibrate import recalibrate as run
    from winworth.printed import monitored

    show(monitored.recalibrated(run(settings_of(conf, set_), as_of=day_of(as_of), home=home)), json)


@verbs.command()
def monthly(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    lang: Language = Lang.en,
    begin: From = None,
    again: Again = False,
    set_: Set = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Check, predict, monitor and review a month; goes on where it stopped, and ends with what monitor advises."""
    from winworth.flows.steps import Turn

    turn = Turn(settings_of(conf, set_), day_of(as_of), home, Cadence.monthly.value, lang.value)
    _go(turn, begin, again, json)


@verbs.command()
def quarterly(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    lang: Language = Lang.en,
    begin: From = None,
    again: Again = False,
    split: Annotated[str | None, typer.Option("--split", help="Compare before and after this day; needs --treated.")] = None,
    treated: Annotated[list[str], typer.Option("--treated", help="A segment in which something was changed.")] = [],  # noqa: B006
    by: Annotated[str, typer.Option("--by", help="What segments are: a column of accounts.")] = "segment",
    set_: Set = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Archive, check, train, compare, promote, predict and review a quarter; goes on where it stopped."""
    from winworth.flows.steps import Turn

    asked = _question(split, treated, by)
    turn = Turn(settings_of(conf, set_), day_of(as_of), home, Cadence.quarterly.value, lang.value, asked, track_of(json))
    _go(turn, begin, again, json)


def _question(split: str | None, treated: list[str], by: str) -> Any:
    """Return what to compare before and after; None where nothing is said."""
    from winworth.flows.compare import Question

    if (split is None) != (not treated):
        raise ConfigError("--split and --treated go together: the day of a change, and where it was made.")
    return None if split is None else Question(day_of(split, "--split"), tuple(treated), by)


def _go(turn: Any, begin: str | None, again: bool, json: bool) -> None:
    """Take the steps, print how they went, and end with the code of the one that refused, or that monitor advises."""
    from winworth.flows.cadence import go_through
    from winworth.printed import cadence as printed

    went = go_through(turn, begin=begin, again=again)
    show(printed.went(went), json)
    if went.refused:
        print(f"{went.refused['error']}: {went.refused['says']}", file=sys.stderr)
    raise typer.Exit(went.exit_code)
