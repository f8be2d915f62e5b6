"""All verbs together, and what a failure ends with."""

import io
import os
import sys

import typer

from winworth.cli import judging, learning, scoring, starting, watching
from winworth.cli.options import prints_all_letters
from winworth.errors import WinworthError

app = typer.Typer(
    help="Which accounts a B2B sales team should spend its time on, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (starting, scoring, learning, watching, judging):
    app.add_typer(part.verbs)


def main() -> None:
    """Run the command line; a fault a person can mend ends with its sentence and exit code, never a traceback."""
    # Idle threads spin briefly, then sleep: spinning on made training 19 times slower beside another busy process.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    for stream in (sys.stdout, sys.stderr):  # a letter that the terminal lacks must not end a run that has done its work
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except WinworthError as error:
        kind = type(error).__name__
        if "--json" in sys.argv:
            import json

            document = {"error": kind, "message": str(error), "exit_code": error.exit_code}
            print(json.dumps(document, ensure_ascii=not prints_all_letters()))
        print(f"{kind}: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from error
    except MemoryError as error:
        print("ResourceError: memory ran out. Use a machine with more, or fewer threads.", file=sys.stderr)
        raise SystemExit(7) from error
