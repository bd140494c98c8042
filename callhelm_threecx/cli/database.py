"""``callhelm-threecx db``: the schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from callhelm_threecx.cli import partitioning
from callhelm_threecx.cli.common import AsJson, DryRun, print_json

if TYPE_CHECKING:
    from callhelm_threecx.db import Database
    from callhelm_threecx.keys import KeyRing
    from callhelm_threecx.migrate import Outcome

app = typer.Typer(
    help="Look at the database schema, and bring it up to date.", no_args_is_help=True
)
partitioning.register(app)


@app.command(
    epilog="Example: `callhelm-threecx db upgrade --dry-run`, then without it. On the database of "
    "an earlier integration, stop that one first."
)
def upgrade(
    *,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Bring the schema up to date; run it again, and nothing happens.

    Tables and their version (`three_cx_alembic_version`) live beside a host's own. Several
    processes that upgrade at once take turns. Tables that an earlier integration left are adopted:
    its clear keys are encrypted with `THREECX_SECRET_KEYS`, every row stays. Everything is done in
    one transaction, or nothing is.
    """
    from callhelm_threecx import migrate
    from callhelm_threecx.adoption import AdoptionError

    with _opened() as (database, ring):
        outcome = (migrate.plan if dry_run else migrate.upgrade_telling)(database, ring)
    contradictions = outcome.adoption.contradictions if outcome.adoption else ()
    if as_json:
        adoption = outcome.adoption.as_json() if outcome.adoption else None
        known = {"before": outcome.before, "after": outcome.after, "changed": outcome.is_change}
        print_json({"dryRun": dry_run, **known, "adoption": adoption})
    elif contradictions:
        raise AdoptionError(contradictions)
    else:
        for line in _told(outcome, dry_run=dry_run):
            typer.echo(line)
    raise typer.Exit(1 if contradictions else 0)


def _told(outcome: "Outcome", *, dry_run: bool) -> Iterator[str]:
    if outcome.adoption is not None:
        would = "would be" if dry_run else "are"
        yield f"The tables of the earlier integration {would} adopted:"
        for line in outcome.adoption.lines():
            yield f"  {line}"
    if not outcome.is_change:
        yield f"The schema is already at {outcome.after}."
    elif not dry_run:
        yield f"The schema is now at {outcome.after}."
    elif outcome.before is None:
        how = "" if outcome.adoption is None else " other"
        yield f"An upgrade would create the{how} tables; the schema would be at {outcome.after}."
    else:
        yield f"An upgrade would bring the schema from {outcome.before} to {outcome.after}."


@app.command()
def current(*, as_json: AsJson = False) -> None:
    """Say which revision the database is at; exit status 1 when it is not this version's."""
    from callhelm_threecx import schema_version

    with _database() as database:
        found, wanted = schema_version.current(database), schema_version.HEAD
    if as_json:
        print_json({"current": found, "head": wanted, "upToDate": found == wanted})
    elif found == wanted:
        typer.echo(f"{found} (up to date)")
    else:
        typer.echo(f"{found or 'empty'}, not {wanted}: run callhelm-threecx db upgrade")
    raise typer.Exit(0 if found == wanted else 1)


@contextmanager
def _database() -> Iterator["Database"]:
    with _opened() as (database, _):
        yield database


@contextmanager
def _opened() -> Iterator["tuple[Database, KeyRing | None]"]:
    """The database of the settings, and their encryption keys if there are any."""
    from callhelm_threecx.app import open_database, open_key_ring
    from callhelm_threecx.settings import Settings

    settings = Settings.load()
    ring = open_key_ring(settings) if settings.secret_keys else None
    database = open_database(settings)
    try:
        yield database, ring
    finally:
        database.dispose()
