"""Rows in bulk mean what single rows mean, also to a role that may not use COPY."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from sqlalchemy.engine import make_url

from callhelm_threecx.bulk import BulkInsert
from callhelm_threecx.db import Database
from callhelm_threecx.models import EventRow, metadata
from callhelm_threecx.services.events import Event, EventFilter, EventLog, EventType

TABLE = metadata.tables["three_cx_call_events"]
HOSTILE = "tab\there, \\N, \\., line\nbreak, \r, \"quotes\", 'single', \U0001f4de, %s, \x7f"


def event(**others: object) -> Event:
    at = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    return Event(
        "acme",
        EventType.JOURNAL,
        phone_number=HOSTILE,
        call_start_time=at,
        duration_seconds=61,
        latency_ms=1.25,
        error=None,
        raw_data={"text": HOSTILE, "nested": {"number": 1, "none": None}, "list": [True]},
        created_at=at,
    )


def insert(database: Database, *events: Event) -> BulkInsert:
    bulk = BulkInsert(TABLE, TABLE.c.keys(), database.engine.dialect)
    database.insert_all_organizations(bulk, [one.values() for one in events])
    return bulk


def rows(database: Database) -> list[EventRow]:
    return list(EventLog(database, "DE").page(EventFilter("acme")).events)


def test_a_row_in_bulk_is_the_row_that_a_session_writes(database: Database) -> None:
    in_bulk, single = event(), event()
    insert(database, in_bulk)
    with database.write("acme") as session:
        session.add(single.row())
    found = [row.model_dump(exclude={"id"}) for row in rows(database)]
    assert len(found) == 2
    assert found[0] == found[1]
    assert found[0]["phone_number"] == HOSTILE
    assert found[0]["call_start_time"].utcoffset() == timedelta(0)


def test_no_rows_are_no_work(database: Database) -> None:
    insert(database)
    assert rows(database) == []


@pytest.fixture
def bound(database: Database, database_url: str) -> Iterator[Database]:
    """The database as a role that row-level security binds, whose policy lets everything pass."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS threecx_bound")
        connection.execute("CREATE ROLE threecx_bound LOGIN")
        connection.execute("GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO threecx_bound")
        connection.execute("ALTER TABLE three_cx_call_events ENABLE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY everything ON three_cx_call_events USING (true)")
        url = make_url(database_url).set(drivername="postgresql+psycopg", username="threecx_bound")
        bound = Database(url)
        yield bound
        bound.dispose()
        connection.execute("DROP OWNED BY threecx_bound")
        connection.execute("DROP ROLE threecx_bound")


@pytest.mark.only("postgres")
def test_where_copy_is_refused_the_rows_are_inserted(bound: Database) -> None:
    bulk = insert(bound, event(), event())
    assert not bulk.copies
    assert [row.phone_number for row in rows(bound)] == [HOSTILE, HOSTILE]
