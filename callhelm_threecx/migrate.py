"""The schema's migrations, shipped in the package and run without an ini file.

Alembic keeps its version in a table of our own, so that the tables live in a host's database beside
the host's migrations.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from callhelm_threecx.db import Database, translated_errors
from callhelm_threecx.models import metadata

VERSION_TABLE: Final = "three_cx_alembic_version"
_LOCK_KEY: Final = 3230781146  # any number that no host's own advisory locks use


@cache
def head() -> str:
    """The revision of this version of the package."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def current(database: Database) -> str | None:
    """The revision of a database, or None for one without our tables.

    Raises `StorageUnavailableError` when the database does not answer.
    """
    with translated_errors(), database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision()


def upgrade(database: Database) -> bool:
    """Bring the schema up to date; False when it was. Processes that start at once take turns."""
    if current(database) == head():
        return False
    with _locked(database) as connection:
        config = _config()
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
                "compare_type": True,
            },
        )
        return [str(difference) for difference in compare_metadata(context, metadata)]


@contextmanager
def _locked(database: Database) -> Iterator[Connection]:
    """One transaction that no other migration runs beside: on SQLite every write transaction takes
    the write lock at its start; on PostgreSQL an advisory lock is held to its end."""
    with translated_errors(), database.engine.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})"))
        yield connection


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "callhelm_threecx:migrations")
    config.set_main_option("path_separator", "os")
    return config
