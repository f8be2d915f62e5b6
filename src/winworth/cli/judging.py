"""Verbs that judge by its effect, and put it before leadership."""

from pathlib import Path
from typing import Annotated

import typer

from winworth.cli.options import AsOf, Cadence, Conf, Home, Json, Lang, Language, Set, day_of, settings_of, show

verbs = typer.Typer()


@verbs.command()
def kpi(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    by: Annotated[str | None, typer.Option("--by", help="Also by this feature of criteria.yaml, or criterion of one.")] = None,
    lang: Language = Lang.en,
    set_: Set = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Count the ten KPIs by tier, segment, size class and quarter, each with its interval."""
    from winworth.flows.kpi import kpi as run
    from winworth.printed import kpi as printed

    show(printed.counted(run(settings_of(conf, set_), as_of=day_of(as_of), home=home, by=by, lang=lang)), json)


@verbs.command()
def compare(
    as_of: AsOf,
    split: Annotated[str, typer.Option("--split", help="The day from which something was changed.")],
    treated: Annotated[list[str], typer.Option("--treated", help="A segment in which it was changed; once for each.")],
    by: Annotated[str, typer.Option("--by", help="What segments are: a column of accounts that does not change.")] = "segment",
    outcome: Annotated[list[str], typer.Option("--outcome", help="What the change was to move; all that can be told.")] = [],  # noqa: B006
    conf: Conf = Path("conf"),
    home: Home = Path(),
    lang: Language = Lang.en,
    set_: Set = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Compare before and after a change, in treated and in untouched segments; names a cause only where it may."""
    from winworth.flows.compare import Question
    from winworth.flows.compare import compare as run
    from winworth.printed import comparison

    question = Question(day_of(split, "--split"), tuple(treated), by, tuple(outcome))
    show(comparison.compared(run(settings_of(conf, set_), question, as_of=day_of(as_of), home=home), lang), json)


@verbs.command()
def backtest(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    lang: Language = Lang.en,
    set_: Set = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Ask of quarters that have passed whether working the highest scores first would have paid."""
    from winworth.flows.backtest import backtest as run
    from winworth.printed import backtested as printed

    show(printed.backtested(run(settings_of(conf, set_), as_of=day_of(as_of), home=home), lang), json)


@verbs.command()
def advise(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    by: Annotated[str | None, typer.Option("--by", help="Groups are levels of this column of accounts.")] = None,
    lang: Language = Lang.en,
    set_: Set = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Say where hours should go and what the gaps that stand call for; nothing where none does."""
    from winworth.flows.advise import advise as run
    from winworth.printed import advice

    show(advice.advised(run(settings_of(conf, set_), as_of=day_of(as_of), home=home, by=by), lang), json)


@verbs.command()
def review(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    lang: Language = Lang.en,
    cadence: Annotated[Cadence, typer.Option("--cadence", help="A month's tactics, or a quarter with all they rest on.")] = (
        Cadence.quarterly
    ),
    json: Json = False,
) -> None:
    """Write the page that sales leadership reads."""
    from winworth.flows.review import review as run
    from winworth.printed import scores

    done = run(settings_of(conf, []), as_of=day_of(as_of), home=home, lang=lang, cadence=cadence)
    show(scores.reviewed(done), json)
