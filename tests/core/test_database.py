"""The database under bad luck: restarted servers, forks, full pools, locks."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from callhelm_threecx import db
from callhelm_threecx.confinement import insert_unless_present
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.models import CallRow, ContactRow
from callhelm_threecx.services.integrations import Integration, Integrations, KeyState
from callhelm_threecx.services.journal import Journal
from callhelm_threecx.settings import database_url as parse_url
from callhelm_threecx.stores.base import NewContact, Organization, Phone
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core import forked

ACME = Organization("acme", "DE")
ANNA = NewContact("Anna", email="anna@example.com", phones=(Phone("030 123456"),))
REPORT = {"CallType": "Inbound", "Number": "+4930123456", "CallStartTimeUTC": "2026-11-22 08:00"}


def kill_connections(url: str) -> int:
    """Do to our connections what a restart of the server does."""
    with psycopg.connect(url, autocommit=True) as connection:
        killed = connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'callhelm-threecx' AND datname = current_database()"
        ).fetchall()
    return len(killed)


ASKED: dict[str, Callable[[SqlContactStore], bool]] = {
    "by number": lambda store: len(store.find_by_number(ACME, "030123456")) == 1,
    "by the end of a number": lambda store: len(store.find_by_number(ACME, "123456")) == 1,
    "by address": lambda store: len(store.find_by_email(ACME, "anna@example.com")) == 1,
    "by words": lambda store: len(store.search(ACME, "anna")) == 1,
}


@pytest.mark.only("postgres")
@pytest.mark.parametrize("way", ASKED)
def test_a_lookup_works_at_once_after_a_restart_of_the_server(
    database: Database, database_url: str, store: SqlContactStore, way: str
) -> None:
    store.create(ACME, ANNA)
    with ThreadPoolExecutor(4) as pool:  # several connections lie in the pool
        barrier = Barrier(4)

        def ask() -> bool:
            barrier.wait(30)
            return ASKED[way](store)

        assert all(future.result() for future in [pool.submit(ask) for _ in range(4)])
    for _ in range(3):
        assert kill_connections(database_url) > 0
        assert ASKED[way](store)
        assert ASKED[way](store)


@pytest.mark.only("postgres")
def test_a_key_is_known_at_once_after_a_restart_of_the_server(
    integrations: Integrations, database_url: str
) -> None:
    keys = [integrations.set_up(name)[1] for name in ("one", "two")]
    assert integrations.authenticate(keys[0])[0] is KeyState.VALID
    assert kill_connections(database_url) > 0
    assert integrations.authenticate(keys[1])[0] is KeyState.VALID


@pytest.mark.only("postgres")
def test_a_call_is_logged_once_although_the_server_was_restarted(
    database: Database, database_url: str, journal: Journal, acme: Integration
) -> None:
    """A PBX does not report it a second time."""
    journal.record_call(acme, {**REPORT, "Agent": "100"})
    assert kill_connections(database_url) > 0
    assert journal.record_call(acme, REPORT).duplicate is False
    with database.read("acme") as session:
        assert session.query(CallRow).count() == 2


@pytest.mark.only("postgres")
def test_health_is_asked_again_after_a_restart_of_the_server(
    store: SqlContactStore, database_url: str
) -> None:
    store.health()
    assert kill_connections(database_url) > 0
    store.health()


def test_a_read_is_tried_twice_and_no_more() -> None:
    tries: list[int] = []

    @retry_when_passing
    def read(failures: int) -> int:
        tries.append(1)
        if len(tries) <= failures:
            raise StorageUnavailableError(passing=True)
        return len(tries)

    assert read(1) == 2
    tries.clear()
    with pytest.raises(StorageUnavailableError):
        read(9)
    assert len(tries) == 2


def test_a_database_that_is_away_is_not_asked_twice() -> None:
    tries: list[int] = []

    @retry_when_passing
    def read() -> None:
        tries.append(1)
        raise StorageUnavailableError

    with pytest.raises(StorageUnavailableError):
        read()
    assert len(tries) == 1


@pytest.mark.parametrize(
    "url", ["postgresql://user:hunter2@127.0.0.1:1/x", "sqlite:////nowhere/x.db"]
)
def test_an_unreachable_database_is_unavailable_everywhere(url: str) -> None:
    database = Database(parse_url(url))
    store = SqlContactStore(database)
    for ask in (
        database.ping,
        store.health,
        lambda: store.find_by_number(ACME, "030123456"),
        lambda: store.search(ACME, "anna"),
        lambda: store.create(ACME, ANNA),
    ):
        with pytest.raises(StorageUnavailableError) as caught:
            ask()
        assert "hunter2" not in str(caught.value)
    database.dispose()


def test_a_full_pool_is_unavailable(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "POOL_TIMEOUT_S", 0.05)
    database = Database(parse_url(database_url), pool_size=1)
    with (
        database.engine.connect(),
        pytest.raises(StorageUnavailableError, match="too busy"),
        database.write("a") as session,
    ):
        session.execute(select(ContactRow))
    database.dispose()


def test_a_broken_rule_is_not_taken_for_an_absent_database(database: Database) -> None:
    def add_twins() -> None:
        with database.write("acme") as session:
            session.add(ContactRow(organization_id="acme", external_id="1"))
            session.add(ContactRow(organization_id="acme", external_id="1"))

    with pytest.raises(IntegrityError):
        add_twins()


def test_writers_wait_for_each_other_and_lose_nothing(database: Database) -> None:
    """Transactions that read first and write later, from eight threads."""
    row = ContactRow(organization_id="acme", first_name="0")
    with database.write("acme") as session:
        session.add(row)
        key = row.id

    def count_up(_: int) -> None:
        with database.write("acme") as session:
            kept = session.get_one(ContactRow, key, with_for_update=True)
            kept.first_name = str(int(kept.first_name) + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(80)))
    with database.read("acme") as session:
        assert session.get_one(ContactRow, key).first_name == "80"


def test_a_unique_row_is_inserted_by_one_of_many(database: Database) -> None:
    barrier = Barrier(8)

    def insert(number: int) -> bool:
        row = ContactRow(organization_id="acme", first_name=str(number), identity="same")
        barrier.wait(30)
        with database.write("acme") as session:
            return insert_unless_present(session, row)

    with ThreadPoolExecutor(8) as pool:
        inserted = list(pool.map(insert, range(8)))
    assert sorted(inserted) == [False] * 7 + [True]


def test_a_reading_session_keeps_nothing(database: Database) -> None:
    with database.write("acme") as session:
        session.add(ContactRow(organization_id="acme", first_name="Anna"))
    with database.read("acme") as session:
        session.execute(select(ContactRow)).scalar_one().first_name = "Berta"
    with database.read("acme") as session:
        assert session.execute(select(ContactRow)).scalar_one().first_name == "Anna"


def test_a_process_may_fork_with_open_connections_and_waiting_events(database_url: str) -> None:
    """Every side writes its events once; the parent's connections survive its children."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-m", forked.__name__, database_url],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stderr == ""
    events = (forked.CHILDREN + 1) * forked.EVENTS + 1
    statuses = [0] * forked.CHILDREN
    assert ended.stdout.strip() == f"{statuses} {events} {events} 0"


@pytest.mark.only("postgres")
def test_a_connection_in_use_while_all_are_closed_is_closed_the_next_time(
    database: Database,
) -> None:
    with database.reader.connect() as connection:
        used: Any = connection.connection.driver_connection
        database.dispose()
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    assert not used.closed
    database.dispose()
    assert used.closed
    database.ping()
