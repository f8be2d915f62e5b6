"""The verb that a newcomer starts with: exports in, a configuration to answer questions in out."""

from pathlib import Path
from typing import Annotated

import typer

from winworth.cli.options import Json, show

verbs = typer.Typer()


@verbs.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder that your exports are in.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the configuration here; conf-FOLDER unless said.")] = None,
    preset: Annotated[str | None, typer.Option("--preset", help="Exports of salesforce, hubspot or dynamics.")] = None,
    json: Json = False,
) -> None:
    """Look at a folder of exports and draft crm.yaml and criteria.yaml, with a question wherever in doubt."""
    from winworth.flows.init import init as run
    from winworth.printed import drafted

    show(drafted.initiated(run(folder, out=out or Path(f"conf-{folder.resolve().name}"), preset=preset)), json)
