"""The event log: what each PBX asked and what it got; pages and statistics of it."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from time import perf_counter
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import NotFoundError
from callhelm_threecx.models import EventRow, IntegrationRow, new_id, utc_now
from callhelm_threecx.services.daily_totals import DailyTotals
from callhelm_threecx.services.event_kinds import EventStatus, EventType
from callhelm_threecx.services.pages import (
    Position,
    Wanted,
    aside,
    equal,
    page_of,
    spellings,
)
from callhelm_threecx.services.scopes import reading
from callhelm_threecx.services.values import clean
from callhelm_threecx.stores.cursors import cursor_of, read_cursor

__all__ = [
    "Event",
    "EventFilter",
    "EventLog",
    "EventPage",
    "EventStatus",
    "EventType",
    "keepable",
    "milliseconds_since",
    "region_of",
]

EXPORT_PAGE: Final = 500
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
    kept = {}
    for name, value in data.items():
        if not _is_secret(name):
            kept[clean(name)] = clean(value) if type(value) is str else _keepable_value(value)
    return kept


@lru_cache(maxsize=512)
def _is_secret(name: str) -> bool:
    return any(word in name.casefold() for word in _SECRET_WORDS)


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

    def wanted(self, region: str, dialect: str) -> Wanted:
        """The filter as branches of the log's indexes, without the organization.

        A number or an agent has few enough events that the rest of the filter may be asked of
        them; else types and statuses are taken one by one from the index over both.
        """
        kind = self.type.value if self.type else None
        status = self.status.value if self.status else None
        if self.number is None and self.agent is None:
            return Wanted(_kinds(kind, status), (), self.since, self.until)
        rest: list[tuple[Any, Any]] = [(EventRow.event_type, kind), (EventRow.status, status)]
        number, agent = col(EventRow.phone_number), col(EventRow.agent_extension)
        if self.number is None:
            branches = [[agent == self.agent]]
        else:
            branches = [[number == text] for text in spellings(self.number, region)]
            rest.append((agent, self.agent))
        conditions = equal((aside(column, dialect), value) for column, value in rest)
        return Wanted(branches, conditions, self.since, self.until)


def _kinds(kind: str | None, status: str | None) -> list[list[Any]]:
    if kind is None and status is None:
        return [[]]
    kinds = [kind] if kind else [member.value for member in EventType]
    statuses = [status] if status else [member.value for member in EventStatus]
    columns = col(EventRow.event_type), col(EventRow.status)
    return [[columns[0] == one, columns[1] == other] for one in kinds for other in statuses]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first; the cursor of the next page (None on the last); and the cursor behind
    which newer events than these are found."""

    events: Sequence[EventRow]
    next_cursor: str | None
    newest_cursor: str


class EventLog:
    """Reads the log. Without an organization it covers all of them (the admin key)."""

    def __init__(self, database: Database, default_region: str) -> None:
        self._database = database
        self._region = default_region
        self.totals = DailyTotals(database)

    def page(self, wanted: EventFilter, *, limit: int = 50, cursor: str | None = None) -> EventPage:
        """One page. Raises `BadInputError` for a cursor that this log did not give.

        National forms of a number are read in the region of the filter's organization, else in the
        server's. A page costs the same for any filter and any number of events; only without an
        organization does a filter by number or agent sort all events of that number or agent.
        """
        now = utc_now()
        position = read_cursor(cursor) if cursor else None
        rows = self._rows(wanted, limit + 1, position)
        shown, more = rows[:limit], len(rows) > limit
        newest = _cursor(shown[0]) if shown else cursor_of(now, _FIRST_ID)
        return EventPage(shown, _cursor(shown[-1]) if more else None, newest)

    def newer(
        self,
        wanted: EventFilter,
        cursor: str,
        *,
        limit: int = 50,
        overlap: timedelta = timedelta(0),
    ) -> EventPage:
        """The first events after a cursor, newest first; ``newest_cursor`` goes on from there.

        Events are written behind the answers, so a server may write one later than a younger one.
        Whoever must not miss it looks back by an ``overlap`` and tells by the ids what is new.
        Raises `BadInputError` for a cursor that this log did not give.
        """
        at, key = read_cursor(cursor)
        position = (at - overlap, key if not overlap else _FIRST_ID)
        rows = self._rows(wanted, limit, position, newer=True)[::-1]
        return EventPage(rows, None, _cursor(rows[0]) if rows else cursor)

    def export(self, wanted: EventFilter) -> Iterator[EventRow]:
        """Every event of a filter, newest first, read in pages as they are taken.

        What happens after the start is not in it; what a purge deletes meanwhile is missing.
        """
        now = utc_now()
        until = min(wanted.until, now) if wanted.until else now
        position: Position | None = None
        while True:
            rows = self._rows(replace(wanted, until=until), EXPORT_PAGE, position)
            yield from rows
            if len(rows) < EXPORT_PAGE:
                return
            position = rows[-1].created_at, rows[-1].id

    @retry_when_passing
    def one(self, event_id: str, organization_id: str | None = None) -> EventRow:
        """An event by its id. Raises `NotFoundError`, also for another organization's."""
        with reading(self._database, organization_id) as session:
            try:
                row = session.get(EventRow, uuid.UUID(event_id))
            except ValueError:
                row = None
        if row is None:
            raise NotFoundError("There is no such event.")
        return row

    @retry_when_passing
    def _rows(
        self,
        wanted: EventFilter,
        limit: int,
        position: Position | None,
        *,
        newer: bool = False,
    ) -> Sequence[EventRow]:
        with reading(self._database, wanted.organization_id) as session:
            region = self._region
            if wanted.number is not None and wanted.organization_id is not None:
                region = region_of(session) or region
            rows = wanted.wanted(region, self._database.dialect)
            moment = col(EventRow.created_at)
            statement = page_of(EventRow, moment, rows, limit, position, newer=newer)
            return session.execute(statement).scalars().all()


_FIRST_ID: Final = uuid.UUID(int=0)


def region_of(session: Session) -> str | None:
    """The region that an organization's own session finds it to have, if it has one of its own."""
    return session.execute(select(col(IntegrationRow.default_region))).scalars().first()


def _cursor(row: EventRow) -> str:
    return cursor_of(row.created_at, row.id)
