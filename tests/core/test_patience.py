"""Whoever cannot wait does not: a read is given up in time, and what cannot be is not begun."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import select

from callhelm_threecx import patience
from callhelm_threecx.confinement import PreparedRead
from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.models import ContactRow
from callhelm_threecx.stores.base import NewContact, Organization, Phone
from callhelm_threecx.stores.sql import SqlContactStore

ACME = Organization("acme", "DE")
ANNA = "+4930123456"
PATIENCE_S = 0.3


@pytest.fixture
def store(store: SqlContactStore) -> SqlContactStore:
    store.create(ACME, NewContact("Anna", phones=(Phone(ANNA),)))
    return store


def found(store: SqlContactStore) -> list[str]:
    return [match.contact.first_name for match in store.find_by_number(ACME, ANNA)]


def found_in_time(store: SqlContactStore) -> list[str]:
    with patience.limited(PATIENCE_S):
        return found(store)


@contextmanager
def contacts_hang(url: str) -> Iterator[None]:
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE three_cx_contacts IN ACCESS EXCLUSIVE MODE")
        yield


def await_connections_at_hand(database: Database, count: int) -> None:
    deadline = time.monotonic() + 10
    while database._fast_reads._at_hand != count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_quick_read_is_none_the_wiser(store: SqlContactStore) -> None:
    assert found(store) == ["Anna"]
    assert found_in_time(store) == ["Anna"]
    assert patience.deadline() is None


def test_patience_is_of_one_thread(store: SqlContactStore) -> None:
    told: list[float | None] = []
    with patience.limited(PATIENCE_S):
        other = threading.Thread(target=lambda: told.append(patience.deadline()))
        other.start()
        other.join()
        assert patience.deadline() is not None
    assert told == [None]


def test_no_connection_is_opened_without_time_for_it(
    database: Database, store: SqlContactStore
) -> None:
    database.dispose()
    with pytest.raises(StorageUnavailableError):
        found_in_time(store)
    assert database.reader.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert found(store) == ["Anna"]
    assert found_in_time(store) == ["Anna"]


def test_what_has_no_clock_is_not_begun(database: Database) -> None:
    with patience.limited(PATIENCE_S):
        with pytest.raises(StorageUnavailableError), database.read("acme"):
            pass
        with pytest.raises(StorageUnavailableError), database.read_all_organizations():
            pass


@pytest.mark.only("postgres")
@pytest.mark.parametrize("is_prepared", [True, False])
def test_a_read_that_hangs_is_given_up_and_its_connection_closed_when_it_ends(
    database: Database, store: SqlContactStore, database_url: str, is_prepared: bool
) -> None:
    if is_prepared:
        assert found(store) == ["Anna"]
    else:  # a connection is at hand, but the statement is new to it
        database.fetch("acme", PreparedRead(select(ContactRow.id).limit(1)), {})
    with contacts_hang(database_url):
        began = time.monotonic()
        with pytest.raises(StorageUnavailableError):
            found_in_time(store)
        assert PATIENCE_S <= time.monotonic() - began < PATIENCE_S + 1
        await_connections_at_hand(database, 1)  # nobody waits for it, but it counts
    await_connections_at_hand(database, 0)
    assert found(store) == ["Anna"]
    assert found_in_time(store) == ["Anna"]
    await_connections_at_hand(database, 1)


@pytest.mark.only("postgres")
def test_of_a_database_that_hangs_for_long_only_so_many_connections_are_left_waiting(
    database: Database, store: SqlContactStore, database_url: str
) -> None:
    assert found(store) == ["Anna"]
    with contacts_hang(database_url):
        for _ in range(3):
            with pytest.raises(StorageUnavailableError):
                found_in_time(store)
        await_connections_at_hand(database, 1)
    await_connections_at_hand(database, 0)
