"""Verbs that look after the champion between trainings."""

from pathlib import Path

import typer

from winworth.cli.options import AsOf, Conf, Home, Json, Lang, Language, Set, day_of, settings_of, show

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
