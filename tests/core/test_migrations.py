"""The schema is built and kept by migrations, beside whatever else lives in the database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from callhelm_threecx import migrate, schema_version
from callhelm_threecx.adoption import AdoptionError
from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError, ThreeCXError
from callhelm_threecx.models import ContactRow, metadata
from callhelm_threecx.settings import database_url as parse_url
from tests.client import SECRET_KEY
from tests.servers import DatabaseSource

PROCESSES = 4
UPGRADE = """
import sys
from callhelm_threecx import migrate
from callhelm_threecx.adoption import AdoptionError
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url
database = Database(database_url(sys.argv[1]))
sys.stdin.readline()
print(migrate.upgrade(database))
"""


@pytest.fixture
def empty_url(database_source: DatabaseSource, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table, on SQLite and on PostgreSQL."""
    with database_source.empty(tmp_path) as url:
        yield url


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    database = Database(parse_url(empty_url))
    yield database
    database.dispose()


def tables(database: Database) -> set[str]:
    """All but those of the search index, which differ from one SQLite to another."""
    with database.engine.connect() as connection:
        names = inspect(connection).get_table_names()
    return {name for name in names if not name.startswith("three_cx_search_")}


OURS = {*metadata.tables, schema_version.VERSION_TABLE}


def test_an_empty_database_is_upgraded_once(empty: Database) -> None:
    assert schema_version.current(empty) is None
    assert migrate.upgrade(empty) is True
    assert schema_version.current(empty) == schema_version.HEAD
    assert tables(empty) == OURS
    assert migrate.upgrade(empty) is False


def test_every_table_of_ours_is_named_so(empty: Database) -> None:
    migrate.upgrade(empty)
    assert schema_version.VERSION_TABLE == "three_cx_alembic_version"
    assert all(name.startswith("three_cx_") for name in tables(empty))


def test_the_migrated_schema_is_that_of_the_models(empty: Database) -> None:
    migrate.upgrade(empty)
    assert migrate.differences(empty) == []


def test_a_difference_between_schema_and_models_is_told(empty: Database) -> None:
    migrate.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_three_cx_contact_phones_organization_id_tail"))
        connection.execute(text("ALTER TABLE three_cx_calls ADD COLUMN colour TEXT"))
    told = " ".join(migrate.differences(empty))
    assert "ix_three_cx_contact_phones_organization_id_tail" in told
    assert "colour" in told


def test_a_database_goes_down_to_nothing_and_up_again(empty: Database) -> None:
    migrate.upgrade(empty)
    migrate.downgrade(empty, "base")
    assert tables(empty) == {schema_version.VERSION_TABLE}
    assert schema_version.current(empty) is None
    assert migrate.upgrade(empty) is True
    assert migrate.differences(empty) == []


def test_rows_survive_an_upgrade_that_has_nothing_to_do(empty: Database) -> None:
    migrate.upgrade(empty)
    with empty.write("acme") as session:
        session.add(ContactRow(organization_id="acme", first_name="Anna"))
    migrate.upgrade(empty)
    with empty.read("acme") as session:
        assert session.query(ContactRow).count() == 1


def test_a_hosts_tables_and_its_own_alembic_version_are_left_alone(empty: Database) -> None:
    with empty.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('host42')"))
        connection.execute(text("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)"))
        connection.execute(text("INSERT INTO customers VALUES (1, 'Anna')"))
    migrate.upgrade(empty)
    assert migrate.differences(empty) == []
    assert tables(empty) == OURS | {"alembic_version", "customers"}
    migrate.downgrade(empty, "base")
    with empty.engine.connect() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        name = connection.execute(text("SELECT name FROM customers")).scalar()
    assert (version, name) == ("host42", "Anna")


def test_processes_that_upgrade_at_once_take_turns(empty: Database, empty_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    ended = [process.communicate("go\n", timeout=120) for process in processes]
    assert [error for _, error in ended] == [""] * PROCESSES
    assert sorted(output.strip() for output, _ in ended) == ["False"] * (PROCESSES - 1) + ["True"]
    assert migrate.differences(empty) == []


def test_a_schema_of_a_newer_version_is_not_touched(empty: Database) -> None:
    migrate.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(text(f"UPDATE {schema_version.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ThreeCXError, match=r"9999.*newer version"):
        migrate.upgrade(empty)
    assert tables(empty) == OURS


def test_a_failed_migration_leaves_nothing(empty: Database) -> None:
    """Here because one of its tables is there already; even with keys for an adoption."""
    with empty.engine.begin() as connection:
        connection.execute(text("CREATE TABLE three_cx_integrations (id INTEGER)"))
    with pytest.raises(AdoptionError, match="There is a three_cx_integrations already"):
        migrate.upgrade(empty)
    assert tables(empty) == {"three_cx_integrations"}


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/x", "sqlite:////nowhere/x.db"])
def test_a_database_that_does_not_answer_is_unavailable(url: str) -> None:
    database = Database(parse_url(url))
    with pytest.raises(StorageUnavailableError):
        schema_version.current(database)
    database.dispose()


def test_the_revision_that_is_needed_is_the_latest_script(empty: Database) -> None:
    migrate.upgrade(empty)
    with empty.engine.connect() as connection:
        applied = MigrationContext.configure(
            connection, opts={"version_table": schema_version.VERSION_TABLE}
        ).get_current_revision()
    versions = Path(migrate.__file__).parent / "migrations/versions"
    latest = max(script.name for script in versions.glob("0*.py"))
    assert schema_version.HEAD == applied == latest.partition("_")[0]


def test_a_complete_schema_needs_no_upgrade(empty: Database) -> None:
    assert not schema_version.is_complete(empty)
    migrate.upgrade(empty)
    assert schema_version.is_complete(empty)


def test_a_server_with_a_complete_schema_starts_without_alembic(empty_url: str) -> None:
    database = Database(parse_url(empty_url))
    migrate.upgrade(database)
    database.dispose()
    program = (
        "import sys\n"
        "from callhelm_threecx import create_app\n"
        "app = create_app()\n"
        "app.services.close()\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'alembic', 'mako'}))\n"
    )
    environment = {
        **os.environ,
        "THREECX_DATABASE_URL": empty_url,
        "THREECX_SECRET_KEYS": SECRET_KEY,
    }
    told = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\n"
