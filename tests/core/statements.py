"""Counts what really travels to a database, below SQLAlchemy: lookups use the driver's cursor."""

from collections.abc import Iterator
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

    def record_ours(statement: str) -> None:
        if "'main'." not in statement:  # so does FTS5 speak to its own tables
            seen.append(statement)

    def record(connection: Any, _record: Any) -> None:
        if isinstance(connection, psycopg.Connection):
            connection.cursor_factory = RecordingCursor
        else:
            connection.set_trace_callback(record_ours)

    database.dispose()
    for engine in (database.engine, database.reader):
        event.listen(engine, "connect", record)
    try:
        database.ping()  # what a connection says once, when it is opened, is no part of the block
        seen.clear()
        yield seen
    finally:
        for engine in (database.engine, database.reader):
            event.remove(engine, "connect", record)
        database.dispose()
