"""What a database does for the statements of a block: its plan for each, and how much it touches.

The work is counted, not timed: steps of SQLite's virtual machine, or blocks that PostgreSQL reads.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import event

from callhelm_threecx.db import Database

STEP = 100  # so many steps of SQLite are counted as one


@dataclass
class Statement:
    """A statement that ran, the database's plan for it, and its work."""

    sql: str
    plan: str = ""
    work: int = 0


@contextmanager
def watched(database: Database) -> Iterator[list[Statement]]:
    """The statements that run in the block; their plans are there when it is over."""
    seen: list[Statement] = []
    listener = _watch_sqlite if database.dialect == "sqlite" else _watch_postgres

    def watch(connection: Any, _record: Any) -> None:
        listener(connection, seen)

    database.dispose()
    event.listen(database.reader, "connect", watch)
    try:
        database.ping()
        seen.clear()
        yield seen
    finally:
        event.remove(database.reader, "connect", watch)
        database.dispose()
    if database.dialect == "sqlite":
        for statement in seen:
            statement.plan = _sqlite_plan(database, statement.sql)


def _watch_sqlite(connection: Any, seen: list[Statement]) -> None:
    def step() -> int:
        if seen:
            seen[-1].work += 1
        return 0

    def note(sql: str) -> None:
        if "'main'." not in sql:  # so does FTS5 speak to its own tables
            seen.append(Statement(sql))

    connection.set_trace_callback(note)
    connection.set_progress_handler(step, STEP)


def _sqlite_plan(database: Database, sql: str) -> str:
    with database.reader.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}".replace(":", "\\:"))
        return "\n".join(str(row[-1]) for row in rows)


def _watch_postgres(connection: Any, seen: list[Statement]) -> None:
    class Explaining(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            if str(query).lstrip().startswith(("SELECT", "WITH")):
                super().execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", *args, **kwargs)
                found = super().fetchone()
                assert found
                plan = found[0][0]["Plan"]
                work = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
                seen.append(Statement(str(query), json.dumps(_told(plan), indent=1), work))
            return super().execute(query, *args, **kwargs)

    connection.cursor_factory = Explaining


def _told(plan: dict[str, Any]) -> Any:
    """What counts of a node: how, on what, by which index, and the nodes below it."""
    words = [str(plan.get(name, "")) for name in ("Node Type", "Relation Name", "Index Name")]
    below = [_told(node) for node in plan.get("Plans", ())]
    return [" ".join(filter(None, words)), *below]
