"""Verbs that make a model version, judge it, and let it in."""

from pathlib import Path
from typing import Annotated

import typer

from winworth.cli.options import AsOf, Conf, Home, Json, Set, day_of, settings_of, show, track_of

verbs = typer.Typer()


@verbs.command()
def train(as_of: AsOf, conf: Conf = Path("conf"), home: Home = Path(), set_: Set = [], json: Json = False) -> None:  # noqa: B006
    """Learn, weigh and judge: writes a challenger."""
    from winworth.flows.train import train as run
    from winworth.printed import training

    done = run(settings_of(conf, set_), as_of=day_of(as_of), home=home, track=track_of(json))
    show(training.trained(done), json)


@verbs.command()
def tune(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    trials: Annotated[int, typer.Option("--trials", min=1, help="Settings to try in all; a stopped tuning goes on.")] = 40,
    set_: Set = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Seek better settings in earlier quarters; the defaults stay unless they are beaten beyond noise."""
    from winworth.flows.tune import tune as run
    from winworth.printed import training

    done = run(settings_of(conf, set_), as_of=day_of(as_of), home=home, n_trials=trials, track=track_of(json))
    show(training.tuned(done), json)


@verbs.command()
def promote(
    home: Home = Path(),
    to: Annotated[str | None, typer.Option("--to", help="Roll back to this version instead of the challenger.")] = None,
    anyway: Annotated[bool, typer.Option("--promote-anyway", help="Overrule the gate; needs --who and --why.")] = False,
    who: Annotated[str, typer.Option("--who", help="Who signs.")] = "",
    why: Annotated[str, typer.Option("--why", help="For what reason.")] = "",
    json: Json = False,
) -> None:
    """Let the challenger through the gate, or say with numbers why not (exit code 4)."""
    from winworth.flows.promote import Signature
    from winworth.flows.promote import promote as run
    from winworth.printed import training

    show(training.promoted(run(home, to=to, signature=Signature(who, why) if anyway else None)), json)


@verbs.command()
def agree(as_of: AsOf, conf: Conf = Path("conf"), home: Home = Path(), json: Json = False) -> None:
    """Price the weights that leadership set in overrides.yaml, and record them: from then on they hold."""
    from winworth.flows.agree import agree as run
    from winworth.printed import agreements

    show(agreements.agreed(run(settings_of(conf, []), as_of=day_of(as_of), home=home)), json)
