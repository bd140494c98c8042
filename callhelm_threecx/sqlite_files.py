"""SQLite's files: how a connection is set up, and what a commit must have brought to the disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, event

BUSY_TIMEOUT_MS: Final = 10_000

_FULL: Final = 2


def set_pragmas(connection: Any, _record: Any) -> None:
    """Set a new connection up."""
    connection.isolation_level = None  # the driver must not begin transactions of its own
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "foreign_keys = ON",
        "synchronous = FULL",  # a journaled call survives a power cut
        "temp_store = MEMORY",
        # Pages that change again and again, as those of the event log's indexes do, go from the
        # log (16 MB at most, by that) into the file once.
        "wal_autocheckpoint = 4000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def begin_immediately(engine: Engine) -> None:
    """A transaction that reads first and writes later would fail at once when another one writes
    in between: take the write lock at the start, and wait for it there."""

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def unflushed(connection: Connection) -> Iterator[None]:
    """Transactions that begin and end in the block are whole, and survive the process, but not a
    power cut that comes at once: no commit waits for the disk, until one behind the block does."""
    driver: Any = connection.connection.driver_connection
    is_flushing = driver.execute("PRAGMA synchronous").fetchone()[0] == _FULL
    if not is_flushing:
        yield
        return
    driver.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        try:
            driver.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.invalidate()  # nobody's call may be kept by it
            raise
