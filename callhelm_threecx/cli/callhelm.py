"""``callhelm-threecx callhelm``: what the store in a Call-Helm host's own tables needs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from callhelm_threecx.cli.common import AsJson, note, print_json

if TYPE_CHECKING:
    from callhelm_threecx.db import Database
    from callhelm_threecx.stores.callhelm.prepare import Preparation
    from callhelm_threecx.stores.callhelm.schema import HostSchema

app = typer.Typer(help="Work on a Call-Helm host's own tables.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Work on a Call-Helm host's own tables."""


@app.command()
def prepare(
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Run the statements instead of printing them.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Undo it: drop the indexes that it has built.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the SQL of the indexes by which callers are found in the host's contacts.

    They are additions: no column and no row is touched, and the host goes on working while they
    are built (`CONCURRENTLY`). Run it again and only what is missing, or was left half-built by an
    interruption, is built. Without these indexes everything works, but each lookup reads every
    contact of the organization.
    """
    from callhelm_threecx.stores.callhelm.prepare import survey

    with _host() as (database, schema):
        preparation = survey(database, schema)
        statements = preparation.dropping if drop else preparation.building
        if apply:
            _run(database, statements)
            preparation = survey(database, schema)
        if as_json:
            _print_json(preparation, statements, applied=apply)
        elif not apply:
            _print_sql(preparation, statements, drop=drop)
    if not preparation.has_trigrams and not drop:
        note("pg_trgm is not installed, so there is no index for searches by words.")


def _run(database: "Database", statements: Sequence[str]) -> None:
    from time import perf_counter

    from callhelm_threecx.stores.callhelm.prepare import run

    if not statements:
        note("Nothing to do.")
    started = perf_counter()
    for statement in run(database, statements):
        now = perf_counter()
        note(f"{now - started:8.1f} s  {_headline(statement)}")
        started = now


def _headline(statement: str) -> str:
    """What a statement does, without the expression that it does it on."""
    return statement.split(" ON ", 1)[0]


def _print_sql(preparation: "Preparation", statements: Sequence[str], *, drop: bool) -> None:
    purposes = {} if drop else {index.create: index.purpose for index in preparation.indexes}
    if not statements:
        typer.echo("-- Nothing to do.")
    for statement in statements:
        if statement in purposes:
            typer.echo(f"-- {purposes[statement]}")
        typer.echo(f"{statement};")


def _print_json(preparation: "Preparation", statements: Sequence[str], *, applied: bool) -> None:
    indexes = [
        {"name": index.name, "purpose": index.purpose, "state": index.state.value}
        for index in preparation.indexes
    ]
    print_json({"applied": applied, "statements": list(statements), "indexes": indexes})


@contextmanager
def _host() -> Iterator[tuple["Database", "HostSchema"]]:
    from callhelm_threecx.app import open_database
    from callhelm_threecx.settings import Settings
    from callhelm_threecx.stores.base import StoreOptions
    from callhelm_threecx.stores.callhelm import CallHelmStore

    settings = Settings.load()
    database = open_database(settings)
    try:
        options = settings.contact_store_options if settings.contact_store == "callhelm" else {}
        store = CallHelmStore.from_options(StoreOptions(options, database=database))
        yield database, store.schema
    finally:
        database.dispose()
