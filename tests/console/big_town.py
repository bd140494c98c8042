"""A database of the size that the console must bear: a busy organization after a month.

1,000,000 events, 200,000 calls and as many chats, 100,000 contacts. ``THREECX_TEST_EVENTS`` makes
it smaller or larger; all else keeps its proportion to the events.
"""

import os
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from callhelm_threecx.db import Database
from callhelm_threecx.models import ContactPhoneRow, ContactRow, utc_now
from callhelm_threecx.stores.base import PhoneType
from tests.core import big_log

EVENTS = int(os.environ.get("THREECX_TEST_EVENTS", "1000000"))
CALLS, CONTACTS = EVENTS // 5, EVENTS // 10
FIRST = ("Anna", "Jürgen", "Katrin", "Lukas", "Sabine", "Holger", "Mia", "Olga", "Piotr", "Zoë")
LAST = ("Müller", "Weiß", "Köhler", "Brandt", "Vogel", "Lindner", "Jäger", "Sommer", "Busch")
TABLES = ("call_events", "calls", "chats", "contacts", "contact_phones")


def fill(database: Database) -> None:
    """Write it all. Indexes are built when the rows are there, which takes a fraction."""
    with _without_indexes(database), database.engine.begin() as connection:
        _quickly(connection)
        big_log._write(connection, str(ContactRow.__tablename__), _contacts())
        big_log._write(connection, str(ContactPhoneRow.__tablename__), _phones())
    with _without_indexes(database):
        big_log.fill(database, events=EVENTS, calls=CALLS, now=utc_now())
    if database.dialect == "postgresql":
        with database.reader.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _quickly(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA cache_size = -300000")


@contextmanager
def _without_indexes(database: Database) -> Iterator[None]:
    names = ", ".join(f"'three_cx_{table}'" for table in TABLES)
    if database.dialect == "sqlite":
        asked = (
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ({names})"
        )
        asked += " AND sql IS NOT NULL"
    else:
        asked = f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({names})"
        asked += " AND indexdef NOT LIKE 'CREATE UNIQUE%'"
    with database.engine.begin() as connection:
        found = connection.exec_driver_sql(asked.replace("%", "%%")).all()
        advice = _advice(connection)
        for name, _ in found:
            connection.exec_driver_sql(f'DROP INDEX "{name}"')
    yield
    with database.engine.begin() as connection:
        _quickly(connection)
        for _, statement in found:
            connection.exec_driver_sql(statement)
        _advise(connection, advice)


def _advice(connection: Connection) -> list[Any]:
    """What the migrations told SQLite's planner of indexes; it goes when an index goes."""
    if connection.dialect.name != "sqlite":
        return []
    return list(connection.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1").all())


def _advise(connection: Connection, advice: list[Any]) -> None:
    if connection.dialect.name != "sqlite":
        return
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    for row in advice:
        connection.exec_driver_sql("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", tuple(row))


def _contact_id(number: int) -> uuid.UUID:
    return uuid.UUID(int=number + 1)


def number_of(number: int) -> str:
    """The number of a contact."""
    return f"+4940{1_000_000 + number}"


def _contacts() -> Iterator[dict[str, Any]]:
    chance, now = random.Random(2), utc_now()
    for number in range(CONTACTS):
        first, last = chance.choice(FIRST), chance.choice(LAST)
        company, email = f"Werk {number % 997}", f"{number}@werk.example"
        at = now - timedelta(seconds=30 * number)
        digits = number_of(number)[1:]
        yield {
            "id": _contact_id(number),
            "organization_id": "acme",
            "first_name": first,
            "last_name": f"{last} {number}",
            "company": company,
            "email": email,
            "email_folded": email,
            "search_text": f"{first} {last} {number} {company} {email} {digits}".casefold(),
            "source": "test",
            "last_active_at": at,
            "created_at": at,
            "updated_at": at,
        }


def _phones() -> Iterator[dict[str, Any]]:
    for number in range(CONTACTS):
        digits = number_of(number)[1:]
        yield {
            "id": uuid.UUID(int=(1 << 64) + number),
            "organization_id": "acme",
            "contact_id": _contact_id(number),
            "number": f"+{digits}",
            "tail": digits[::-1],
            "raw": f"+{digits}",
            "type": PhoneType.BUSINESS.value,
            "position": 0,
            "extension": "",
        }
