"""Of two transactions that wait for each other PostgreSQL ends one. Ours then tries once more."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.stores.base import ImportReport, NewContact, Organization
from callhelm_threecx.stores.sql import SqlContactStore

pytestmark = pytest.mark.only("postgres")

ACME = Organization("acme", "DE")
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
def other(database_url: str) -> Iterator["psycopg.Connection[tuple[int]]"]:
    """Somebody else's transaction, which is not the one that PostgreSQL ends."""
    with psycopg.connect(database_url) as connection:
        connection.execute("SET deadlock_timeout = '30s'")
        connection.commit()
        yield connection


def touch(connection: "psycopg.Connection[tuple[int]]", first_name: str) -> None:
    connection.execute(
        "UPDATE three_cx_contacts SET last_active_at = now() WHERE first_name = %s", (first_name,)
    )


def test_an_import_that_met_calls_of_its_contacts_is_repeated(
    database: Database,
    store: SqlContactStore,
    other: "psycopg.Connection[tuple[int]]",
    database_url: str,
) -> None:
    names = ("Anna", "Ben")  # in the order in which an import updates them
    store.import_batch(ACME, [NewContact(name, external_id=name) for name in names])
    told: list[ImportReport] = []
    batch = [NewContact(name, "Li", external_id=name) for name in names]
    importing = threading.Thread(target=lambda: told.append(store.import_batch(ACME, batch)))
    touch(other, "Ben")
    importing.start()
    with psycopg.connect(database_url, autocommit=True) as watching:
        while not (watching.execute(WAITING).fetchone() or (0,))[0]:
            assert importing.is_alive()
    touch(other, "Anna")
    other.commit()
    importing.join(30)
    assert [report.updated for report in told] == [2]
    assert {contact.last_name for contact in store.search(ACME, "li")} == {"Li"}
