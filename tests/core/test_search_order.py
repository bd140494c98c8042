"""SQLite's search index is in the order of activity, to the microsecond, whatever comes."""

from datetime import datetime, timezone

import pytest
from sqlalchemy import text

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.migrations import search_index
from callhelm_threecx.stores.base import NewContact
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.search_index import ACME, assert_in_step, names, set_activity, three_and_one

pytestmark = pytest.mark.only("sqlite")


@pytest.fixture
def people(store: SqlContactStore) -> list[str]:
    return three_and_one(store)


def test_who_was_active_last_comes_first(
    database: Database, store: SqlContactStore, people: list[str]
) -> None:
    assert names(store, ACME, "anna") == ["Anna 3", "Anna 2", "Anna 1"]
    with database.write(ACME.id) as session:
        store.touch_within(session, people[0], datetime.now(timezone.utc))
    assert names(store, ACME, "anna") == ["Anna 1", "Anna 3", "Anna 2"]
    assert_in_step(database)


def test_activity_that_is_reported_late_counts_from_when_it_was(
    database: Database, store: SqlContactStore, people: list[str]
) -> None:
    for name, minute in (("Anna 1", 30), ("Anna 3", 10), ("Anna 2", 20)):
        set_activity(database, name, f"2026-05-01 12:{minute}:00.000000")
    assert names(store, ACME, "anna") == ["Anna 1", "Anna 2", "Anna 3"]
    assert_in_step(database)


@pytest.mark.parametrize("fraction", ["000000", "000499", "000500", "999499", "999500", "999999"])
def test_no_instant_is_rounded_into_another_second(
    database: Database, store: SqlContactStore, people: list[str], fraction: str
) -> None:
    set_activity(database, "Anna 1", f"2026-05-01 12:00:00.{fraction}")
    set_activity(database, "Anna 2", "2026-05-01 12:00:01.000000")
    set_activity(database, "Anna 3", "2026-05-01 11:59:59.999999")
    assert names(store, ACME, "anna") == ["Anna 2", "Anna 1", "Anna 3"]
    assert_in_step(database)


def test_an_index_that_rounded_is_built_anew_by_an_upgrade(
    database: Database, store: SqlContactStore, people: list[str]
) -> None:
    """Up to revision 0007 the triggers asked SQLite for the seconds of a text with a fraction."""
    migrate.downgrade(database, "0007")
    with database.engine.begin() as connection:
        for name in search_index.TRIGGERS[:2]:
            (sql,) = connection.exec_driver_sql(
                "SELECT sql FROM sqlite_master WHERE name = ?", (name,)
            ).one()
            rounding = sql.replace("substr(NEW.last_active_at, 1, 19)", "NEW.last_active_at")
            assert rounding != sql
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.exec_driver_sql(rounding)
    set_activity(database, "Anna 1", "2099-05-01 12:00:00.999900")
    set_activity(database, "Anna 2", "2099-05-01 12:00:01.500000")
    assert names(store, ACME, "anna") == ["Anna 1", "Anna 2", "Anna 3"]
    migrate.upgrade(database)
    assert names(store, ACME, "anna") == ["Anna 2", "Anna 1", "Anna 3"]
    set_activity(database, "Anna 3", "2099-05-01 12:00:00.999950")
    assert names(store, ACME, "anna") == ["Anna 2", "Anna 3", "Anna 1"]
    assert_in_step(database)


def test_the_order_outlives_a_vacuum(
    database: Database, store: SqlContactStore, people: list[str]
) -> None:
    """Which numbers the rows of a table without an integer key anew."""
    store.delete(ACME, people[0])
    with database.reader.connect() as connection:
        connection.exec_driver_sql("VACUUM")
    assert names(store, ACME, "anna") == ["Anna 3", "Anna 2"]
    assert_in_step(database)


@pytest.mark.parametrize("at", ["2026-05-01 12:00:00.000000", "0001-01-01 00:00:00.000000", "?"])
def test_any_number_of_contacts_may_be_active_at_the_same_instant(
    database: Database, store: SqlContactStore, at: str
) -> None:
    """And none at all that a clock could show; each is found."""
    store.import_batch(ACME, [NewContact(f"Anna {n}") for n in range(50)])
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE three_cx_contacts SET last_active_at = :at"), {"at": at})
        labels = connection.execute(text("SELECT count(*) FROM three_cx_search_rows")).scalar()
        everyone = "SELECT count(*) FROM three_cx_search_words WHERE three_cx_search_words MATCH :x"
        found = connection.execute(text(everyone), {"x": "anna"}).scalar()
    assert (labels, found) == (50, 50)
