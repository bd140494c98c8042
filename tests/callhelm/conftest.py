"""A Call-Helm host's database, in real PostgreSQL, with the integration's tables beside it."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url as parse_url
from tests.servers import PostgresSource

SCHEMA = Path(__file__).parents[2] / "contrib" / "callhelm_host" / "schema.sql"


@pytest.fixture(scope="session")
def host_databases(postgres_server: str) -> PostgresSource:
    return PostgresSource(postgres_server)


@pytest.fixture
def host_url(host_databases: PostgresSource, tmp_path: Path) -> Iterator[str]:
    """The URL of a host's database without any row, and without the integration's tables."""
    with host_databases.empty(tmp_path) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SCHEMA.read_text(encoding="utf-8").encode())
        yield url


@pytest.fixture
def host_database(host_url: str) -> Iterator[Database]:
    """The host's database with the integration's tables, as the product opens it."""
    database = Database(parse_url(host_url))
    migrate.upgrade(database)
    yield database
    database.dispose()


@pytest.fixture
def host(host_url: str, host_database: Database) -> Iterator["psycopg.Connection[Any]"]:
    """The host's own way into its database; `host_database` is another one."""
    with psycopg.connect(host_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def make_organization(host: "psycopg.Connection[Any]") -> Callable[..., str]:
    """Inserts an organization of the host and gives its id."""

    def make(name: str = "Acme") -> str:
        slug = f"{name.lower()}-{uuid.uuid4().hex[:8]}"
        row = host.execute(
            "INSERT INTO organizations (name, slug) VALUES (%s, %s) RETURNING id", (name, slug)
        ).fetchone()
        assert row is not None
        return str(row[0])

    return make
