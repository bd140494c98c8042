"""The command line, ``callhelm-threecx``: one module for each group of commands.

Importing this costs little: a command imports what it works with when it runs, so that ``--help``
and completion answer at once.
"""

from typing import Annotated

import typer

from callhelm_threecx.cli import (
    agents,
    callhelm,
    contacts,
    database,
    demo,
    doctor,
    events,
    organizations,
    secret_keys,
    serve,
    template,
)
from callhelm_threecx.cli.root import EXAMPLES, Root

app = typer.Typer(
    name="callhelm-threecx",
    cls=Root,
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # a traceback of rich's shows the values of variables: keys
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"callhelm-threecx {version('callhelm-threecx')}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Make any CRM answer a 3CX phone system.

    Settings come from the environment (`THREECX_DATABASE_URL`, `THREECX_PUBLIC_URL`, …); without
    any, everything lives in a SQLite file in the working directory. `callhelm-threecx doctor`
    says what is missing. Exit status: 0 done, 1 not done, 2 the command is wrong.
    """
    del version


for module in (serve, demo, doctor, template):
    module.register(app)
secret_keys.register(app)
app.add_typer(database.app, name="db")
app.add_typer(organizations.app, name="org")
app.add_typer(contacts.app, name="contacts")
app.add_typer(agents.app, name="agents")
app.add_typer(events.app, name="events")
app.add_typer(secret_keys.app, name="keys")
app.add_typer(callhelm.app, name="callhelm")
app.add_typer(
    typer.Typer(help="Read, check and run 3CX CRM templates without a PBX.", no_args_is_help=True),
    name="pbx",
)


def main() -> None:
    """The console script."""
    app()
