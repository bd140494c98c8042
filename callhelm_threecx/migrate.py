"""The schema's migrations, shipped in the package and run without an ini file.

Alembic keeps its version in a table of our own, so that the tables live in a host's database beside
the host's migrations.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Index, text

from callhelm_threecx.db import Database, translated_errors
from callhelm_threecx.errors import ThreeCXError
from callhelm_threecx.models import metadata

VERSION_TABLE: Final = "three_cx_alembic_version"
_LOCK_KEY: Final = 3230781146  # any number that no host's own advisory locks use


class NewerSchemaError(ThreeCXError):
    """The tables were made by a newer version of this package."""

    code = "newer_schema"


@cache
def head() -> str:
    """The revision of this version of the package."""
    return str(_scripts(_config()).get_current_head())


def current(database: Database) -> str | None:
    """The revision of a database, or None for one without our tables.

    Raises `StorageUnavailableError` when the database does not answer.
    """
    with translated_errors(), database.engine.connect() as connection:
        return _revision(connection)


def upgrade(database: Database) -> bool:
    """Bring the schema up to date; False when it was. Processes that start at once take turns.

    Raises `NewerSchemaError` when a newer version of this package has been here.
    """
    if current(database) == head():
        return False
    with _locked(database) as connection:
        before = _revision(connection)
        if before == head():  # another process was first
            return False
        config = _config()
        if before not in {None, *(s.revision for s in _scripts(config).walk_revisions())}:
            raise NewerSchemaError(
                f"The database schema is at {before}, which this version does not know;"
                " a newer version of callhelm-threecx has been here."
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True


def downgrade(database: Database, revision: str) -> None:
    """Go back to an earlier revision (``base``: none of our tables)."""
    with _locked(database) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def differences(database: Database) -> list[str]:
    """Where the tables differ from the models, one line each."""
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
        return [str(difference) for difference in compare_metadata(context, metadata)]


def _belongs_here(dialect: str, schema_object: object, *_: object) -> bool:
    """Whether a database of this dialect has it: some indexes are made for one alone."""
    if not isinstance(schema_object, Index):
        return True
    made_for = {name.partition("_")[0] for name in schema_object.dialect_kwargs}
    return not made_for or dialect in made_for


@contextmanager
def _locked(database: Database) -> Iterator[Connection]:
    """One transaction that no other migration runs beside: on SQLite every write transaction takes
    the write lock at its start; on PostgreSQL an advisory lock is held to its end."""
    with translated_errors(), database.engine.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})"))
        yield connection


def _revision(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def _scripts(config: Config) -> ScriptDirectory:
    return ScriptDirectory.from_config(config)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "callhelm_threecx:migrations")
    config.set_main_option("path_separator", "os")
    return config
