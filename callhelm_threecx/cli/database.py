"""``callhelm-threecx db``: the schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from callhelm_threecx.cli.common import AsJson, print_json

if TYPE_CHECKING:
    from callhelm_threecx.db import Database

app = typer.Typer(
    help="Look at the database schema, and bring it up to date.", no_args_is_help=True
)


@app.command()
def upgrade() -> None:
    """Bring the schema up to date; run it again, and nothing happens.

    Tables and their version (`three_cx_alembic_version`) live beside a host's own. Several
    processes that upgrade at once take turns.
    """
    from callhelm_threecx import migrate

    with _database() as database:
        changed = migrate.upgrade(database)
    typer.echo(f"The schema is {'now' if changed else 'already'} at {migrate.head()}.")


@app.command()
def current(*, as_json: AsJson = False) -> None:
    """Say which revision the database is at; exit status 1 when it is not this version's."""
    from callhelm_threecx import migrate

    with _database() as database:
        found, wanted = migrate.current(database), migrate.head()
    if as_json:
        print_json({"current": found, "head": wanted, "upToDate": found == wanted})
    elif found == wanted:
        typer.echo(f"{found} (up to date)")
    else:
        typer.echo(f"{found or 'empty'}, not {wanted}: run callhelm-threecx db upgrade")
    raise typer.Exit(0 if found == wanted else 1)


@contextmanager
def _database() -> Iterator["Database"]:
    from callhelm_threecx.app import open_database
    from callhelm_threecx.settings import Settings

    database = open_database(Settings.load())
    try:
        yield database
    finally:
        database.dispose()
