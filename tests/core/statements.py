"""Counts what really travels to a database, below SQLAlchemy: lookups use the driver's cursor."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import event

from callhelm_threecx.db import Database


@contextmanager
def recorded(database: Database) -> Iterator[list[str]]:
    """The statements that run in the block, on new connections of both engines."""
    seen: list[str] = []

    class RecordingCursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> "RecordingCursor":
            seen.append(str(query))
            return super().execute(query, *args, **kwargs)

        def executemany(self, query: Any, *args: Any, **kwargs: Any) -> None:
            seen.append(str(query))
            super().executemany(query, *args, **kwargs)

        def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(str(statement))
            return super().copy(statement, *args, **kwargs)

    def record_ours(statement: str) -> None:
        if "'main'." not in statement:  # so does FTS5 speak to its own tables
            seen.append(statement)

    def record(connection: Any, _record: Any) -> None:
        if isinstance(connection, psycopg.Connection):
            connection.cursor_factory = RecordingCursor
        else:
            connection.set_trace_callback(record_ours)

    with on_new_connections(database, record):
        seen.clear()
        yield seen


@contextmanager
def on_new_connections(
    database: Database, prepare: Callable[[Any, object], None]
) -> Iterator[None]:
    """While every connection of both engines is a new one, which was prepared when it was opened.

    What a connection says once, when it is opened, is said before the block.
    """
    database.dispose()
    for engine in (database.engine, database.reader):
        event.listen(engine, "connect", prepare)
    try:
        database.ping()
        yield
    finally:
        for engine in (database.engine, database.reader):
            event.remove(engine, "connect", prepare)
        database.dispose()


def explained(database: Database, ask: Callable[[], object]) -> str:
    """The plans of the very statements that a call runs, as the database gives them.

    SQLite's trace holds the values; PostgreSQL is asked through the cursor that would run each, and
    counts the rows as it runs it.
    """
    if database.dialect == "postgresql":
        return _explained_by_postgres(database, ask)
    with recorded(database) as statements:
        ask()
    with database.reader.connect() as connection:
        return "\n".join(
            str(row[-1])
            for statement in statements
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
        )


def _explained_by_postgres(database: Database, ask: Callable[[], object]) -> str:
    plans: list[str] = []

    class ExplainingCursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> "ExplainingCursor":
            super().execute(f"EXPLAIN ANALYZE {query}", *args, **kwargs)
            plans.extend(row[0] for row in super().fetchall())
            return super().execute(query, *args, **kwargs)

    database.dispose()  # a connection that is at hand already would not be watched
    connection: Any = database.reader.raw_connection()
    usual = connection.driver_connection.cursor_factory
    connection.driver_connection.cursor_factory = ExplainingCursor
    connection.close()  # back to the pool, from which the call takes it
    ask()
    connection = database.reader.raw_connection()
    connection.driver_connection.cursor_factory = usual
    connection.close()
    return "\n".join(plans)
