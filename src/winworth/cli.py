"""One command a verb: arguments in, a short table or one JSON document out, and the exit code of what went wrong."""

import os
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from winworth.errors import ConfigError, WinworthError

app = typer.Typer(
    help="Which accounts a B2B sales team should spend its time on, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Lang(StrEnum):
    """The language of what people in sales read."""

    en = "en"
    fr = "fr"


Conf = Annotated[Path, typer.Option("--conf", help="Folder of crm.yaml, criteria.yaml, training.yaml and scoring.yaml.")]
AsOf = Annotated[str, typer.Option("--as-of", help="The day at whose end we stand, as 2026-06-30; nothing later is known.")]
Home = Annotated[Path, typer.Option("--home", help="Folder of models, scores, reviews and the MLflow store.")]
Set = Annotated[list[str], typer.Option("--set", help="block.key=value over training.yaml or scoring.yaml.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Language = Annotated[Lang, typer.Option("--lang", help="Language of reasons and pages.")]


@app.command()
def demo(as_of: AsOf, conf: Conf = Path("conf"), home: Home = Path("demo"), set_: Set = [], json: Json = False) -> None:  # noqa: B006 (typer copies it)
    """Take a synthetic company the whole way: exports, training, promotion, scores, review."""
    from winworth.flows.demo import demo as run
    from winworth.printed import scores

    done = run(_settings(conf, set_), as_of=_day(as_of), home=home, track=_track(json))
    _print(scores.demonstrated(done), json)


@app.command()
def check(as_of: AsOf, conf: Conf = Path("conf"), set_: Set = [], json: Json = False) -> None:  # noqa: B006
    """Read everything, report data quality and what may not be used; train nothing."""
    from winworth.flows.check import check as run
    from winworth.printed import scores

    _print(scores.checked(run(_settings(conf, set_), as_of=_day(as_of))), json)


@app.command()
def train(as_of: AsOf, conf: Conf = Path("conf"), home: Home = Path(), set_: Set = [], json: Json = False) -> None:  # noqa: B006
    """Learn, weigh and judge: writes a challenger."""
    from winworth.flows.train import train as run
    from winworth.printed import training

    done = run(_settings(conf, set_), as_of=_day(as_of), home=home, track=_track(json))
    _print(training.trained(done), json)


@app.command()
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

    done = run(_settings(conf, set_), as_of=_day(as_of), home=home, n_trials=trials, track=_track(json))
    _print(training.tuned(done), json)


@app.command()
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

    _print(training.promoted(run(home, to=to, signature=Signature(who, why) if anyway else None)), json)


@app.command()
def agree(as_of: AsOf, conf: Conf = Path("conf"), home: Home = Path(), json: Json = False) -> None:
    """Price the weights that leadership set in overrides.yaml, and record them: from then on they hold."""
    from winworth.flows.agree import agree as run
    from winworth.printed import agreements

    _print(agreements.agreed(run(_settings(conf, []), as_of=_day(as_of), home=home)), json)


@app.command()
def predict(
    as_of: AsOf,
    conf: Conf = Path("conf"),
    home: Home = Path(),
    lang: Language = Lang.en,
    excel_fr: Annotated[bool, typer.Option("--excel-fr", help="CSV with ; and decimal comma, for a French Excel.")] = False,
    doubt: Annotated[bool, typer.Option("--doubt", help="Add each open deal's interval of its win probability.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Add each open deal's chance to be won by this day.")] = None,
    set_: Set = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Score every account and open deal with the champion."""
    from winworth.flows.predict import predict as run
    from winworth.flows.scored import Wanted
    from winworth.printed import scores

    wanted = Wanted(excel_fr, doubt, None if by is None else _day(by, "--by"))
    done = run(_settings(conf, set_), as_of=_day(as_of), home=home, lang=lang, wanted=wanted)
    _print(scores.predicted(done), json)


@app.command()
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

    _print(scores.explained(run(_settings(conf, []), account, as_of=_day(as_of), home=home, lang=lang)), json)


@app.command()
def review(as_of: AsOf, conf: Conf = Path("conf"), home: Home = Path(), lang: Language = Lang.en, json: Json = False) -> None:
    """Write the page that sales leadership reads."""
    from winworth.flows.review import review as run
    from winworth.printed import scores

    _print(scores.reviewed(run(_settings(conf, []), as_of=_day(as_of), home=home, lang=lang)), json)


@app.command()
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

    _print(printed.counted(run(_settings(conf, set_), as_of=_day(as_of), home=home, by=by, lang=lang)), json)


@app.command()
def compare(
    as_of: AsOf,
    split: Annotated[str, typer.Option("--split", help="The day from which something was changed.")],
    treated: Annotated[list[str], typer.Option("--treated", help="A segment in which it was changed; once for each.")],
    by: Annotated[str, typer.Option("--by", help="What segments are: a column of accounts that does not change.")] = "segment",
    conf: Conf = Path("conf"),
    home: Home = Path(),
    set_: Set = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Compare before and after a change, in treated and in untouched segments; names a cause only where it may."""
    from winworth.flows.compare import Question
    from winworth.flows.compare import compare as run
    from winworth.printed import comparison

    question = Question(_day(split, "--split"), tuple(treated), by)
    _print(comparison.compared(run(_settings(conf, set_), question, as_of=_day(as_of), home=home)), json)


@app.command()
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
    settings, day = _settings(conf, []), _day(as_of)
    if out is not None:
        _print(field.sent_out(send_out(settings, as_of=day, home=home, out=out, lang=lang, n=accounts)), json)
    else:
        _print(field.came_back(bring_back(settings, as_of=day, home=home, filled=filled)), json)


def main() -> None:
    """Run the command line; a fault a person can mend ends with its sentence and exit code, never a traceback."""
    # Idle threads spin briefly, then sleep: spinning on made training 19 times slower beside another busy process.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    try:
        app()
    except WinworthError as error:
        kind = type(error).__name__
        if "--json" in sys.argv:
            import json

            print(json.dumps({"error": kind, "message": str(error), "exit_code": error.exit_code}, ensure_ascii=False))
        print(f"{kind}: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from error
    except MemoryError as error:
        print("ResourceError: memory ran out. Use a machine with more, or fewer threads.", file=sys.stderr)
        raise SystemExit(7) from error


def _settings(conf: Path, overrides: list[str]) -> Any:
    from winworth.config import load_settings

    return load_settings(conf, overrides=tuple(overrides))


def _day(text: str, option: str = "--as-of") -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text} is not a date. Write it as 2026-06-30.") from error


def _track(quiet: bool) -> Any:
    """Return what shows the progress of long steps on a terminal's standard error."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)

    def shown(steps: Iterable[Any], label: str) -> Iterator[Any]:
        yield from track(list(steps), description=label, console=console, transient=True, disable=quiet)

    return shown


def _print(report: Any, as_json: bool) -> None:
    """Print what a verb has to say: lines and tables for people, or one JSON document."""
    if as_json:
        import json

        print(json.dumps(report.document, ensure_ascii=False, indent=1, default=str))
        return
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    for part in report.parts:
        console.print(part, markup=False) if isinstance(part, str) else console.print(part)
