"""The event log: what each PBX asked and what it got; pages, statistics and purges of it."""

import base64
import binascii
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from time import perf_counter
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, literal, literal_column, select, tuple_
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx import phone
from callhelm_threecx.db import Database, retry_when_disconnected
from callhelm_threecx.errors import BadInputError
from callhelm_threecx.models import EventRow, new_id, utc_now
from callhelm_threecx.services.values import clean

PURGE_BATCH: Final = 1000
MAX_NUMBER: Final = 128
_SECRET_WORDS: Final = (
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "password",
    "secret",
    "token",
)


class EventType(str, Enum):
    """What happened."""

    LOOKUP = "lookup"
    SEARCH = "search"
    CREATE_CONTACT = "create_contact"
    JOURNAL = "journal"
    CHAT = "chat"
    TEMPLATE = "template"
    SETUP = "setup"
    REFUSED = "refused"


class EventStatus(str, Enum):
    """How it ended."""

    OK = "ok"
    NO_MATCH = "no_match"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    ERROR = "error"


@dataclass(slots=True)
class Event:
    """One line of the log, before it is written. ``organization_id`` is None when a key belongs to
    nobody."""

    organization_id: str | None
    type: EventType
    status: EventStatus = EventStatus.OK
    phone_number: str | None = None
    contact_id: str | None = None
    call_id: str | None = None
    agent_extension: str | None = None
    call_direction: str | None = None
    call_type: str | None = None
    duration_seconds: int | None = None
    call_start_time: datetime | None = None
    call_end_time: datetime | None = None
    latency_ms: float | None = None
    error: str | None = None
    raw_data: dict[str, Any] = field(default_factory=dict)
    created_at: datetime = field(default_factory=utc_now)
    id: uuid.UUID = field(default_factory=new_id)

    def values(self) -> dict[str, Any]:
        """The columns of its row."""
        return {
            "id": self.id,
            "organization_id": self.organization_id,
            "event_type": self.type.value,
            "status": self.status.value,
            "phone_number": clean(self.phone_number or "")[:MAX_NUMBER] or None,
            "contact_id": self.contact_id,
            "call_id": self.call_id,
            "agent_extension": self.agent_extension or None,
            "call_direction": self.call_direction,
            "call_type": self.call_type,
            "duration_seconds": self.duration_seconds,
            "call_start_time": self.call_start_time,
            "call_end_time": self.call_end_time,
            "latency_ms": self.latency_ms,
            "error": self.error,
            "raw_data": keepable(self.raw_data),
            "created_at": self.created_at,
        }

    def row(self) -> EventRow:
        """The row, for a transaction that the event is part of."""
        return EventRow(**self.values())


def milliseconds_since(started: float) -> float:
    """Milliseconds since a reading of `time.perf_counter`."""
    return round((perf_counter() - started) * 1000, 3)


def keepable(data: Mapping[str, Any]) -> dict[str, Any]:
    """Raw data as it may be kept: without what is named like a secret, and every text without the
    characters that no database keeps."""
    return {
        clean(name): _keepable_value(value)
        for name, value in data.items()
        if not any(word in name.casefold() for word in _SECRET_WORDS)
    }


def _keepable_value(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    return keepable(value) if isinstance(value, Mapping) else value


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; None means all."""

    organization_id: str | None = None
    type: EventType | None = None
    status: EventStatus | None = None
    number: str | None = None
    agent: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self, region: str) -> list[ColumnElement[bool]]:
        """The filter as conditions on `EventRow`, without the organization."""
        equal = {
            "event_type": self.type.value if self.type else None,
            "status": self.status.value if self.status else None,
            "agent_extension": self.agent,
        }
        found = [col(getattr(EventRow, n)) == v for n, v in equal.items() if v is not None]
        if self.since is not None:
            found.append(col(EventRow.created_at) >= self.since)
        if self.until is not None:
            found.append(col(EventRow.created_at) < self.until)
        if self.number is not None:
            parsed = phone.parse(self.number, region)
            forms = {clean(self.number)} | ({parsed.canonical} if parsed else set())
            found.append(col(EventRow.phone_number).in_(sorted(forms)))
        return found


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first, and the cursor of the next page (None on the last)."""

    events: Sequence[EventRow]
    next_cursor: str | None


class EventLog:
    """Reads and purges the log. Without an organization it covers all of them (the admin key)."""

    def __init__(self, database: Database, default_region: str) -> None:
        self._database = database
        self._region = default_region

    @retry_when_disconnected
    def page(self, wanted: EventFilter, *, limit: int = 50, cursor: str | None = None) -> EventPage:
        """One page. Raises `BadInputError` for a cursor that this log did not give."""
        statement = select(EventRow).where(*wanted.conditions(self._region))
        if cursor:
            after = tuple_(col(EventRow.created_at), col(EventRow.id))
            created_at, key = _read_cursor(cursor)
            position = tuple_(_bound(EventRow.created_at, created_at), _bound(EventRow.id, key))
            statement = statement.where(after < position)
        newest_first = col(EventRow.created_at).desc(), col(EventRow.id).desc()
        statement = statement.order_by(*newest_first).limit(limit + 1)
        with self._read(wanted.organization_id) as session:
            rows = session.execute(statement).scalars().all()
        more = len(rows) > limit
        return EventPage(rows[:limit], _cursor_of(rows[limit - 1]) if more else None)

    @retry_when_disconnected
    def counts_by_day(
        self, organization_id: str | None, days: int
    ) -> list[tuple[str, str, str, int]]:
        """(UTC date, type, status, number of events) of the last days, today included."""
        first_day = utc_now().date() - timedelta(days=days - 1)
        since = datetime(first_day.year, first_day.month, first_day.day, tzinfo=timezone.utc)
        day = self._day().label("day")
        columns = (day, col(EventRow.event_type), col(EventRow.status))
        statement = (
            select(*columns, func.count())
            .where(col(EventRow.created_at) >= since)
            .group_by(*columns)
            .order_by(day)
        )
        with self._read(organization_id) as session:
            return [(str(d), t, s, n) for d, t, s, n in session.execute(statement)]

    def purge(self, before: datetime, *, organization_id: str | None = None) -> int:
        """Delete events older than an instant, in short transactions; how many there were."""
        purged = 0
        while True:
            oldest = (
                select(col(EventRow.id))
                .where(col(EventRow.created_at) < before)
                .order_by(col(EventRow.created_at))
                .limit(PURGE_BATCH)
            )
            with self._write(organization_id) as session:
                ids = session.execute(oldest).scalars().all()
                statement = delete(EventRow).where(col(EventRow.id).in_(ids))
                session.execute(statement, execution_options={"synchronize_session": False})
            purged += len(ids)
            if len(ids) < PURGE_BATCH:
                return purged

    def _read(self, organization_id: str | None) -> AbstractContextManager[Session]:
        if organization_id is None:
            return self._database.read_all_organizations()
        return self._database.read(organization_id)

    def _write(self, organization_id: str | None) -> AbstractContextManager[Session]:
        if organization_id is None:
            return self._database.write_all_organizations()
        return self._database.write(organization_id)

    def _day(self) -> ColumnElement[str]:
        created_at = col(EventRow.created_at)
        if self._database.dialect == "sqlite":
            return func.strftime(literal_column("'%Y-%m-%d'"), created_at)
        utc = func.timezone(literal_column("'UTC'"), created_at)
        return func.to_char(utc, literal_column("'YYYY-MM-DD'"))


def _bound(column: Any, value: Any) -> Any:
    """A value bound with a column's type, for comparisons of tuples."""
    return literal(value, column.type)


def _cursor_of(row: EventRow) -> str:
    text = f"{row.created_at.isoformat()} {row.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        created_at, key = text.decode("ascii").split(" ")
        moment = datetime.fromisoformat(created_at).astimezone(timezone.utc)
        return moment, uuid.UUID(key)
    except (ValueError, binascii.Error, OverflowError):
        raise BadInputError.of_field("cursor", "is not a cursor of this log") from None
