"""A log of 200,000 events and 50,000 calls and 50,000 chats, nearly all of one organization."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import chain
from typing import Any

from sqlalchemy import Connection, text

from callhelm_threecx.db import Database
from callhelm_threecx.models import CallRow, ChatRow, EventRow

EVENTS, CALLS = 200_000, 50_000
DAYS = 30
NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
RARE_NUMBER, COMMON_NUMBER = "+4930999999", "+4930111111"
RARE_AGENT = "999"
AGENTS = [str(100 + n) for n in range(40)]
NUMBERS = [f"+4930{1_000_000 + n}" for n in range(5000)]
KINDS: dict[tuple[str, str], float] = {
    ("lookup", "ok"): 60,
    ("lookup", "no_match"): 15,
    ("lookup", "error"): 0.2,
    ("search", "ok"): 4,
    ("journal", "ok"): 18,
    ("journal", "duplicate"): 2,
    ("create_contact", "ok"): 0.5,
    ("refused", "refused"): 0.3,
}
CALL_TYPES = ["Inbound", "Missed", "Outbound", "Notanswered"]


def fill(
    database: Database, *, events: int = EVENTS, calls: int = CALLS, now: datetime = NOW
) -> None:
    """Write it all, and let the planner know."""
    chance = random.Random(1)
    parts = (
        (EventRow, _events(chance, events, now)),
        (CallRow, _calls(chance, calls, now)),
        (ChatRow, _chats(chance, calls, now)),
    )
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA synchronous = OFF")
            driver.execute("PRAGMA cache_size = -300000")
        with connection.begin():
            for table, rows in parts:
                _write(connection, str(table.__tablename__), rows)
    database.dispose()
    if database.dialect == "postgresql":
        with database.reader.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))  # only then it may read an index alone


def _write(connection: Connection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    """By the driver's own means, which take a fraction of the time."""
    first = next(rows)
    columns, everything = ", ".join(first), (row.values() for row in chain([first], rows))
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(first))
        kept = ([_kept(value) for value in row] for row in everything)
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", kept)
        return
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in everything:
            copy.write_row(tuple(row))


def _kept(value: Any) -> Any:
    """A value as SQLite holds it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.hex if isinstance(value, uuid.UUID) else value


def _id(chance: random.Random, at: datetime) -> uuid.UUID:
    """Like `models.new_id`, at that instant."""
    return uuid.UUID(int=(int(at.timestamp() * 1000) << 80) | chance.getrandbits(74))


def _events(chance: random.Random, number: int, now: datetime) -> Iterator[dict[str, Any]]:
    kinds = chance.choices(list(KINDS), list(KINDS.values()), k=number)
    apart = timedelta(days=DAYS) / number
    for n, (kind, status) in enumerate(kinds):
        is_journal = kind == "journal"
        at = now - (number - n) * apart
        yield {
            "id": _id(chance, at),
            "organization_id": "acme" if n % 100 else "other",
            "event_type": kind,
            "status": status,
            "phone_number": _number(chance, n),
            "agent_extension": chance.choice(AGENTS) if is_journal else None,
            "call_type": chance.choice(CALL_TYPES) if is_journal else None,
            "latency_ms": chance.random() * 20,
            "raw_data": "{}",
            "created_at": at,
        }


def _number(chance: random.Random, n: int) -> str:
    if n == 7:
        return RARE_NUMBER
    return COMMON_NUMBER if n % 5 == 0 else chance.choice(NUMBERS)


def _calls(chance: random.Random, number: int, now: datetime) -> Iterator[dict[str, Any]]:
    texts = ("recording_url", "transcription", "summary", "sentiment")
    for row in _conversations(chance, number, now):
        kind = chance.choice(CALL_TYPES)
        direction = "Inbound" if kind in CALL_TYPES[:2] else "Outbound"
        yield {**row, "call_type": kind, "direction": direction, **dict.fromkeys(texts, "")}


def _chats(chance: random.Random, number: int, now: datetime) -> Iterator[dict[str, Any]]:
    for row in _conversations(chance, number, now):
        yield {**row, "messages": "Hello", "email": ""}


def _conversations(chance: random.Random, number: int, now: datetime) -> Iterator[dict[str, Any]]:
    apart = timedelta(days=DAYS) / number
    contacts = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(1000)]
    for n in range(number):
        at = now - (number - n) * apart
        yield {
            "id": _id(chance, at),
            "organization_id": "acme" if n % 100 else "other",
            "fingerprint": f"{n:064x}",
            "number": RARE_NUMBER if n == 7 else chance.choice(NUMBERS),
            "name": "",
            "contact_id": chance.choice(contacts),
            "agent_extension": RARE_AGENT if n == 9 else chance.choice(AGENTS),
            "agent_name": f"Agent {n % 7}",
            **dict.fromkeys(("agent_email", "queue_extension", "subject"), ""),
            "started_at": at,
            "happened_at": at,
            "created_at": at,
        }
