"""Verbs that take a company's data the whole way, or score it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from winworth.cli.options import AsOf, Conf, Home, Json, Lang, Language, Set, day_of, settings_of, show, track_of
from winworth.errors import ConfigError

verbs = typer.Typer()


class WorldName(StrEnum):
    """A company whose truth is known."""

    software = "software"
    services = "services"
    industry = "industry"
    null = "null"


class EngineName(StrEnum):
    """Who scores the parts of an extract."""

    embedded = "embedded"
    spark = "spark"


@verbs.command()
def demo(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path("demo"),
    world: Annotated[
        WorldName | None,
        typer.Option("--world", help="A company that changed its plays, by --conf/NAME to --home/NAME; null: nothing matters."),
    ] = None,
    dirty: Annotated[bool, typer.Option("--dirty", help="Soil the exports first; no good row is lost.")] = False,
    set_: Set = [],  # noqa: B006 (typer copies it)
    json: Json = False,
) -> None:
    """Take a synthetic company the whole way: exports, training, promotion, scores, review."""
    from winworth.flows.demo import demo as run
    from winworth.flows.demo import demo_world
    from winworth.printed import scores, worlds

    day, track = day_of(as_of), track_of(json)
    if world is None and not dirty:
        show(scores.demonstrated(run(settings_of(conf, set_), as_of=day, home=home, track=track)), json)
        return
    name = world.value if world else ""
    of = conf / name if (conf / name).is_dir() else conf
    done = demo_world(settings_of(of, set_), name, as_of=day, home=home / name, is_dirty=dirty, track=track)
    show(worlds.world_shown(done), json)
    if done.refused is not None:
        raise typer.Exit(done.refused.exit_code)


@verbs.command()
def check(as_of: AsOf, conf: Conf = Path("conf"), set_: Set = [], json: Json = False) -> None:  # noqa: B006
    """Read everything, report data quality and what may not be used; train nothing."""
    from winworth.flows.check import check as run
    from winworth.printed import scores

    show(scores.checked(run(settings_of(conf, set_), as_of=day_of(as_of))), json)


@verbs.command()
def predict(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    lang: Language = Lang.en,
    excel_fr: Annotated[bool, typer.Option("--excel-fr", help="CSV with ; and decimal comma, for a French Excel.")] = False,
    doubt: Annotated[bool, typer.Option("--doubt", help="Add each open deal's interval of its win probability.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Add each open deal's chance to be won by this day.")] = None,
    at_once: Annotated[
        int | None, typer.Option("--accounts-at-once", min=0, help="Read Parquet in parts of so many accounts; 0: all at once.")
    ] = None,
    engine: Annotated[
        EngineName, typer.Option("--engine", help="Who scores the parts; spark: winworth[spark], --home on a disk all share.")
    ] = EngineName.embedded,
    set_: Set = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Score every account and open deal with the champion."""
    from winworth.flows.predict import InParts
    from winworth.flows.predict import predict as run
    from winworth.flows.scored import Wanted
    from winworth.printed import scores

    wanted = Wanted(excel_fr, doubt, None if by is None else day_of(by, "--by"))
    cut = InParts(at_once, engine.value)
    done = run(settings_of(conf, set_), as_of=day_of(as_of), home=home, lang=lang, wanted=wanted, in_parts=cut)
    show(scores.predicted(done), json)


@verbs.command()
def explain(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    lang: Language = Lang.en,
    json: Json = False,
) -> None:
    """Show one account's scorecard, line by line."""
    from winworth.flows.explain import explain as run
    from winworth.printed import scores

    show(scores.explained(run(settings_of(conf, []), account, as_of=day_of(as_of), home=home, lang=lang)), json)


@verbs.command()
def validate(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    out: Annotated[Path | None, typer.Option("--out", help="Write the blind sheet of that day's scores here (.xlsx).")] = None,
    filled: Annotated[Path | None, typer.Option("--in", help="Read this filled sheet, by what is known on --as-of.")] = None,
    accounts: Annotated[int, typer.Option("--accounts", min=4, help="How many accounts the sheet has.")] = 60,
    lang: Language = Lang.en,
    json: Json = False,
) -> None:
    """Write a blind sheet for sellers to judge accounts by, or read it back beside the model."""
    from winworth.flows.validate import bring_back, send_out
    from winworth.printed import field

    if (out is None) == (filled is None):
        raise ConfigError("validate takes one of --out FILE.xlsx (write the sheet) and --in FILE.xlsx (read it back).")
    settings, day = settings_of(conf, []), day_of(as_of)
    if out is not None:
        show(field.sent_out(send_out(settings, as_of=day, home=home, out=out, lang=lang, n=accounts)), json)
    else:
        show(field.came_back(bring_back(settings, as_of=day, home=home, filled=filled)), json)


@verbs.command()
def forget(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The id of an account, a contact or a deal.")],
    home: Home = Path(),
    json: Json = False,
) -> None:
    """Remove an account or a person from what is stored, and list what had used it."""
    from winworth.flows.forget import forget as run
    from winworth.printed import forgetting

    show(forgetting.forgotten(run(identifier, home=home)), json)
