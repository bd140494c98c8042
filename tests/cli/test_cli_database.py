"""``db``: the schema, from nothing and again."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from callhelm_threecx import schema_version
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url as parsed_url
from tests import servers
from tests.cli.conftest import Cli
from tests.client import SECRET_KEY


@pytest.fixture
def empty(
    clean_environment: None,
    database_source: servers.DatabaseSource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """A database without any table, set as the product's."""
    with database_source.empty(tmp_path) as url:
        monkeypatch.setenv("THREECX_DATABASE_URL", url)
        monkeypatch.setenv("THREECX_SECRET_KEYS", SECRET_KEY)
        yield url


def test_upgrade_makes_the_tables_once(empty: str, tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    assert cli("db", "upgrade").stdout == f"The schema is now at {schema_version.HEAD}.\n"
    assert cli("db", "upgrade").stdout == f"The schema is already at {schema_version.HEAD}.\n"


def test_current_says_where_the_schema_is(empty: str, tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    assert "run callhelm-threecx db upgrade" in cli("db", "current", status=1).stdout
    cli("db", "upgrade")
    assert cli("db", "current").stdout == f"{schema_version.HEAD} (up to date)\n"
    head = schema_version.HEAD
    assert cli.json("db", "current") == {"current": head, "head": head, "upToDate": True}


def test_current_changes_nothing(empty: str, tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    assert cli.json("db", "current", status=1)["current"] is None
    database = Database(parsed_url(empty))
    assert schema_version.current(database) is None
    database.dispose()


def test_other_commands_want_the_tables_on_postgresql(
    postgres_server: str,
    clean_environment: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with servers.PostgresSource(postgres_server).empty(tmp_path) as url:
        monkeypatch.setenv("THREECX_DATABASE_URL", url)
        monkeypatch.setenv("THREECX_SECRET_KEYS", SECRET_KEY)
        result = Cli(tmp_path)("org", "list", status=1)
    head = schema_version.HEAD
    expected = f"The database schema is empty, not at {head}; run callhelm-threecx db upgrade.\n"
    assert result.stderr == expected


def test_sqlite_needs_no_upgrade_of_its_own(bare_cli: Cli) -> None:
    bare_cli("org", "create", "acme")
    assert bare_cli("db", "current").stdout.endswith("(up to date)\n")
    assert (bare_cli.folder / "callhelm-threecx.db").exists()


def test_events_are_brought_into_months_and_back(
    postgres_server: str,
    clean_environment: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    partition = ("db", "partition-events")
    cli = Cli(tmp_path)
    with servers.PostgresSource(postgres_server).empty(tmp_path) as url:
        monkeypatch.setenv("THREECX_DATABASE_URL", url)
        monkeypatch.setenv("THREECX_SECRET_KEYS", SECRET_KEY)
        cli("db", "upgrade")
        cli("org", "create", "acme")
        would = cli(*partition, "--dry-run").stdout
        assert would.startswith("The event log would be copied into months: about 1 events.\n")
        told = cli.json(*partition)
        assert (told["changed"], told["events"], len(told["months"])) == (True, 1, 4)
        assert cli(*partition).stdout == "The event log is in months already.\n"
        assert cli("events", "tail").stdout.count("\n") == 1
        assert cli("db", "current").stdout.endswith("(up to date)\n")
        assert "copied into one table" in cli(*partition, "--undo").stdout
        assert not cli.json(*partition, "--undo", "--dry-run")["changed"]
        _make_a_view(url)
        result = cli(*partition, status=1)
    assert result.stderr == "The view v hangs on it: drop that first, and make it again.\n"


def _make_a_view(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE VIEW v AS SELECT * FROM three_cx_call_events")


def test_months_are_for_postgresql(bare_cli: Cli) -> None:
    result = bare_cli("db", "partition-events", status=1)
    assert result.stderr == "Partitions are for PostgreSQL; this database is SQLite.\n"
