"""Events are written behind the answers: in batches, bounded, and not lost."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select

from callhelm_threecx.db import Database
from callhelm_threecx.models import EventRow
from callhelm_threecx.services.event_writer import EventWriter
from callhelm_threecx.services.events import Event, EventType
from callhelm_threecx.settings import database_url as parse_url
from tests.core import emitter
from tests.core.statements import recorded
from tests.servers import psycopg_url_with_database


@pytest.fixture
def writer(database: Database) -> Iterator[EventWriter]:
    writer = EventWriter(database)
    yield writer
    writer.close()


def event(number: int = 0) -> Event:
    return Event("acme", EventType.LOOKUP, phone_number=str(number))


def written(database: Database) -> int:
    with database.read_all_organizations() as session:
        return int(session.execute(select(func.count()).select_from(EventRow)).scalar_one())


@contextmanager
def blocked(database: Database, url: str) -> Iterator[None]:
    """While nobody can write events."""
    if database.dialect == "sqlite":
        with database.engine.begin():  # holds the write lock
            yield
        return
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE three_cx_call_events IN EXCLUSIVE MODE")
        yield


@contextmanager
def shut(url: str) -> Iterator[None]:
    """While the server accepts no connection to the database."""
    name = parse_url(url).database
    server = psycopg_url_with_database(url, "postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                [name],
            )
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_a_flush_waits_for_everything_handed_over(database: Database, writer: EventWriter) -> None:
    for number in range(5):
        writer.emit(event(number))
    assert writer.flush()
    assert written(database) == 5
    assert writer.dropped == 0


def test_an_event_is_written_without_a_flush(database: Database, writer: EventWriter) -> None:
    writer.emit(event())
    deadline = time.monotonic() + 20
    while not written(database):
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_many_events_are_few_transactions(database: Database) -> None:
    writer = EventWriter(database)
    count = 10 * writer.batch_size
    with recorded(database) as statements:
        for number in range(count):
            writer.emit(event(number))
        assert writer.flush()
        # SQLite's trace names every row, psycopg's cursor no transaction
        sign = "BEGIN" if database.dialect == "sqlite" else "COPY"
        writes = [sql for sql in statements if sign in sql.upper()]
    writer.close()
    assert written(database) == count
    assert 1 <= len(writes) <= 3 * count / writer.batch_size


def test_events_of_many_threads_are_all_written(database: Database, writer: EventWriter) -> None:
    def emit(thread: int) -> None:
        for number in range(200):
            writer.emit(event(thread * 1000 + number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(emit, range(8)))
    assert writer.flush(30)
    assert written(database) == 1600


def test_what_does_not_fit_is_dropped_counted_and_logged_once(
    database: Database, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    writer = EventWriter(database, queue_size=10)
    with blocked(database, database_url), caplog.at_level(logging.WARNING):
        started = time.monotonic()
        for number in range(1000):
            writer.emit(event(number))
        assert time.monotonic() - started < 2
        assert 1000 - 2 * 10 <= writer.dropped <= 990
        warnings = [r for r in caplog.records if r.getMessage() == "Events are dropped."]
        assert len(warnings) == 1
    assert writer.flush(30)
    assert written(database) == 1000 - writer.dropped
    writer.close()


def test_a_flush_gives_up_after_its_time(database: Database, database_url: str) -> None:
    writer = EventWriter(database)
    with blocked(database, database_url):
        writer.emit(event())
        assert writer.flush(0.5) is False
    assert writer.flush(30)
    writer.close()
    assert written(database) == 1


def test_closing_writes_what_is_left_and_a_later_event_starts_anew(
    database: Database, writer: EventWriter
) -> None:
    for number in range(3 * writer.batch_size):
        writer.emit(event(number))
    writer.close()
    assert written(database) == 3 * writer.batch_size
    assert writer.flush() is True
    writer.close()
    writer.emit(event())
    writer.close()
    assert written(database) == 3 * writer.batch_size + 1


def test_one_bad_event_does_not_cost_the_others(database: Database, writer: EventWriter) -> None:
    twin = event(1)
    for one in (event(0), twin, event(2), twin, event(3)):
        writer.emit(one)
    assert writer.flush()
    assert written(database) == 4
    assert writer.dropped == 1


@pytest.mark.parametrize("count", [1, 950])
def test_a_process_that_just_ends_loses_nothing(
    database: Database, database_url: str, count: int
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", emitter.__name__, database_url, str(count)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert written(database) == count


@pytest.mark.only("postgres")
def test_events_outlast_a_database_that_is_away(database: Database, database_url: str) -> None:
    writer = EventWriter(database)
    writer.emit(event(0))
    assert writer.flush()
    with shut(database_url):
        for number in range(1, 1 + 2 * writer.batch_size):
            writer.emit(event(number))
        assert writer.flush(4) is False
    assert writer.flush(30)
    writer.close()
    assert written(database) == 1 + 2 * writer.batch_size
    assert writer.dropped == 0


@pytest.mark.only("postgres")
def test_closing_while_the_database_is_away_counts_what_is_lost(
    database: Database, database_url: str
) -> None:
    writer = EventWriter(database)
    writer.emit(event(0))
    assert writer.flush()
    with shut(database_url):
        for number in range(1, 6):
            writer.emit(event(number))
        writer.close()
    assert writer.dropped == 5
    assert written(database) == 1


def test_an_unreachable_database_does_not_hold_up_the_end() -> None:
    writer = EventWriter(Database(parse_url("sqlite:////nowhere/x.db")))
    writer.emit(event())
    started = time.monotonic()
    writer.close(timeout=10)
    assert time.monotonic() - started < 9
    assert writer.dropped == 1
