"""``callhelm-threecx demo``: the product at work, on a machine with nothing prepared."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: `callhelm-threecx demo --exit && echo it works`")(demo)


def demo(
    *,
    exit_: Annotated[
        bool,
        typer.Option("--exit", help="End after the story; status 1 when a step went wrong."),
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Keep everything in this new or empty folder, not in a temporary one.",
            file_okay=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="TCP port of the server; 0 means a free one.")
    ] = 0,
) -> None:
    """Start a server with invented contacts, play a PBX against it, and show what agents see.

    The PBX downloads its template, looks callers up in many number forms, searches, creates a
    contact, and journals calls and a chat. Then the server goes on until Ctrl-C. No setting of the
    environment counts, and nothing outside the folder is touched.
    """
    from callhelm_threecx.demo.show import run

    raise typer.Exit(run(folder, port, leave=exit_))
