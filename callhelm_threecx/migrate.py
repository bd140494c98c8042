"""The schema's migrations, shipped in the package and run without an ini file.

Alembic keeps its version in a table of our own, so that the tables live in a host's database beside
the host's migrations.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Index, text

from callhelm_threecx.adoption import (
    Adoption,
    Report,
    guard,
    survey,
    translated_refusals,
    true_differences,
)
from callhelm_threecx.db import Database, translated_errors
from callhelm_threecx.errors import ThreeCXError
from callhelm_threecx.keys import KeyRing
from callhelm_threecx.migrations import search_index
from callhelm_threecx.models import metadata
from callhelm_threecx.schema_version import HEAD, VERSION_TABLE, current, revision

_LOCK_KEY: Final = 3230781146  # any number that no host's own advisory locks use


class NewerSchemaError(ThreeCXError):
    """The tables were made by a newer version of this package."""

    code = "newer_schema"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an upgrade did, or would do: the revision before (None: no tables of ours) and after,
    and what becomes of an earlier integration's tables when they are there."""

    before: str | None
    after: str
    adoption: Report | None = None

    @property
    def is_change(self) -> bool:
        """Whether there was anything to do."""
        return self.before != self.after


def upgrade(database: Database, ring: KeyRing | None = None) -> bool:
    """Bring the schema up to date; False when it was. See `upgrade_telling`."""
    return upgrade_telling(database, ring).is_change


def upgrade_telling(database: Database, ring: KeyRing | None = None) -> Outcome:
    """Bring the schema up to date, in one transaction. Processes that start at once take turns.

    ``ring`` encrypts the keys of an earlier integration; without its tables it is not needed.
    Raises `AdoptionError` when these tables cannot be adopted, and `NewerSchemaError` when a newer
    version of this package has been here.
    """
    if current(database) == HEAD:
        _complete_search_index(database)
        return Outcome(HEAD, HEAD)
    with exclusively(database) as connection:
        before = revision(connection)
        _require_known(before)
        if before == HEAD:  # another process was first
            return Outcome(before, before)
        config = _config()
        config.attributes["connection"] = connection
        adoption = Adoption.begin(connection, ring) if before is None else None
        config.attributes["adoption"] = adoption
        command.upgrade(config, "head")
        if database.dialect == "postgresql":
            guard(connection, [*metadata.tables, VERSION_TABLE])
    return Outcome(before, HEAD, adoption.report if adoption else None)


def _complete_search_index(database: Database) -> None:
    """Build SQLite's search index where it is missing: another SQLite, without FTS5, made these
    tables."""
    if database.dialect != "sqlite":
        return
    with exclusively(database) as connection:
        if not search_index.is_complete(connection) and search_index.is_supported(connection):
            search_index.drop(connection)
            search_index.create(connection)


def plan(database: Database, ring: KeyRing | None = None) -> Outcome:
    """What `upgrade_telling` would do; nothing is changed, and nobody has to wait.

    What it would refuse is in ``adoption.contradictions``. Raises `NewerSchemaError`.
    """
    with translated_errors(), database.engine.connect() as connection, translated_refusals():
        before = revision(connection)
        _require_known(before)
        found = survey(connection, ring) if before is None else None
        return Outcome(before, HEAD, found.forecast(connection, ring) if found else None)


def _require_known(revision: str | None) -> None:
    known = {None, *(script.revision for script in _scripts(_config()).walk_revisions())}
    if revision not in known:
        raise NewerSchemaError(
            f"The database schema is at {revision}, which this version does not know;"
            " a newer version of callhelm-threecx has been here."
        )


def downgrade(database: Database, revision: str) -> None:
    """Go back to an earlier revision (``base``: none of our tables; those that were adopted stay,
    with their rows, and their keys stay encrypted)."""
    with exclusively(database) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def differences(database: Database) -> list[str]:
    """Where the tables differ from the models, one line each.

    What adopted tables have besides, and their ``uuid`` ids, are no differences.
    """
    from alembic.autogenerate import compare_metadata

    with translated_errors(), database.engine.connect() as connection:
        ours = set(metadata.tables)
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": VERSION_TABLE,
                "include_name": lambda name, kind, _: kind != "table" or name in ours,
                "include_object": partial(_belongs_here, database.dialect),
                "compare_type": True,
            },
        )
        found = compare_metadata(context, metadata)
        if database.dialect == "postgresql":
            found = true_differences(connection, found)
        return [str(difference) for difference in found]


def _belongs_here(dialect: str, schema_object: object, *_: object) -> bool:
    """Whether a database of this dialect has it: some indexes are made for one alone."""
    if not isinstance(schema_object, Index):
        return True
    made_for = {name.partition("_")[0] for name in schema_object.dialect_kwargs}
    return not made_for or dialect in made_for


@contextmanager
def exclusively(database: Database) -> Iterator[Connection]:
    """One transaction that no other migration runs beside: on SQLite every write transaction takes
    the write lock at its start; on PostgreSQL an advisory lock is held to its end."""
    with translated_errors(), database.engine.begin() as connection, translated_refusals():
        if database.dialect == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})"))
        yield connection


def _scripts(config: Config) -> ScriptDirectory:
    return ScriptDirectory.from_config(config)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "callhelm_threecx:migrations")
    config.set_main_option("path_separator", "os")
    return config
