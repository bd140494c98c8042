"""Which revision of the schema this version of the package needs, and which one a database has.

Apart from `callhelm_threecx.migrate`, so that a server whose schema is as it should be starts
without Alembic: loading it takes a fifth of a start.
"""

from typing import Final

from sqlalchemy import Connection, column, inspect, select, table

from callhelm_threecx.db import Database, translated_errors
from callhelm_threecx.migrations import search_index

HEAD: Final = "0008"
"""The latest of the revisions in ``migrations/versions``."""

VERSION_TABLE: Final = "three_cx_alembic_version"


def current(database: Database) -> str | None:
    """The revision of a database, or None for one without our tables.

    Raises `StorageUnavailableError` when the database does not answer.
    """
    with translated_errors(), database.engine.connect() as connection:
        return revision(connection)


def is_complete(database: Database) -> bool:
    """Whether an upgrade would find nothing to do: the revision is this version's and, on a SQLite
    that can have one, the search index is there.

    Raises `StorageUnavailableError` when the database does not answer.
    """
    with translated_errors(), database.engine.connect() as connection:
        if revision(connection) != HEAD:
            return False
        return (
            database.dialect != "sqlite"
            or search_index.is_complete(connection)
            or not search_index.is_supported(connection)
        )


def revision(connection: Connection) -> str | None:
    """The revision of the database behind a connection, or None for one without our tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(
        select(column("version_num")).select_from(table(VERSION_TABLE))
    )
    return found
