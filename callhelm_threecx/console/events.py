"""The event log: what each PBX asked and what it got, with its raw report."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import falcon

from callhelm_threecx.console import event_words as words
from callhelm_threecx.console.contact_guide import ContactGuide, Signpost
from callhelm_threecx.console.desk import Desk, Visit
from callhelm_threecx.console.downloads import Exports, send_table, send_text
from callhelm_threecx.console.inert import excerpt, pretty_json
from callhelm_threecx.console.page import Page
from callhelm_threecx.console.queries import CURSOR, Query
from callhelm_threecx.errors import BadInputError, ForbiddenError
from callhelm_threecx.models import EventRow, utc_now
from callhelm_threecx.services.events import (
    EventFilter,
    EventLog,
    EventPage,
    EventStatus,
    EventType,
)

PAGE: Final = 40
MAX_REPORT: Final = 56 * 1024
"""So much of a raw report is shown, in bytes of the page; the rest is in the file."""

MAX_ERROR: Final = 4 * 1024
OVERLAP: Final = timedelta(seconds=5)
"""How far a look for new events reaches back: a server may write one later than a younger one."""

FLUSH_S: Final = 1.0
FILTERS: Final = ("type", "status", "number", "agent", "since", "until")
COLUMNS: Final = (
    "Time",
    "Organization",
    "Type",
    "Status",
    "Number",
    "ContactId",
    "CallId",
    "Agent",
    "Direction",
    "CallType",
    "DurationSeconds",
    "CallStart",
    "CallEnd",
    "LatencyMs",
    "Error",
    "Report",
)
"""Of the export. Instants are UTC in ISO 8601; the report is JSON."""


@dataclass(frozen=True, slots=True)
class EventSources:
    """What the pages of the log ask. ``flush`` writes the events that wait, for so many seconds."""

    log: EventLog
    contacts: ContactGuide
    flush: Callable[[float], object]


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event as a line of the list."""

    event: EventRow
    what: str
    detail: str
    badge: tuple[str, str]
    agent_name: str
    contact: Signpost | None


class EventsPageBase(Page):
    """What the pages of the log have in common. Without an organization they are about all of
    them, and the requests that belong to none: for whoever sees every organization."""

    section = "/events"

    def __init__(self, desk: Desk, sources: EventSources) -> None:
        super().__init__(desk)
        self.log = sources.log
        self.contacts = sources.contacts
        self.flush = sources.flush

    def scope(self, visit: Visit) -> str | None:
        """The organization, None for all. Raises `ForbiddenError`."""
        if not visit.organization_id and not visit.identity.is_system_admin:
            message = "Only whoever may see every organization may see the events of all."
            raise ForbiddenError(message, code="not_your_organization")
        return visit.organization_id or None

    def wanted(self, visit: Visit, query: Query) -> EventFilter:
        """The events that a query asks for."""
        since, until = query.span()
        return EventFilter(
            organization_id=self.scope(visit),
            type=query.choice("type", EventType),
            status=query.choice("status", EventStatus),
            number=query.text("number", 128),
            agent=query.text("agent", 64),
            since=since,
            until=until,
        )

    def lines(self, visit: Visit, events: Sequence[EventRow]) -> list[EventLine]:
        """Events with the names of their contacts, which cost one statement."""
        names = self.contacts.names(visit, (event.contact_id for event in events))
        return [
            EventLine(
                event=event,
                what=words.type_of(event),
                detail=words.detail_of(event),
                badge=words.status_of(event),
                agent_name=words.agent_name(event),
                contact=self.contact(visit, event, names.get(event.contact_id or "", "")),
            )
            for event in events
        ]

    def contact(self, visit: Visit, event: EventRow, name: str) -> Signpost | None:
        """The way to the contact of an event."""
        return self.contacts.to(visit, event.organization_id, event.contact_id, name)

    def address(self, visit: Visit, path: str) -> str:
        """The address of a page of the log."""
        return self.desk.url(visit.req, visit.path("/events" + path))


class EventsPage(EventsPageBase):
    """The log, newest first, filtered; its first page grows by itself where there is script."""

    def show(self, visit: Visit, **_: str) -> None:
        """One page."""
        query = Query(visit.req, FILTERS)
        wanted = self.wanted(visit, query)
        page = EventPage((), None, "")
        if query.is_sound:
            self.flush(FLUSH_S)
            page = self.log.page(wanted, limit=PAGE, cursor=query.cursor)
        else:
            visit.resp.status = 400
        here = self.address(visit, "")
        lives = query.is_sound and query.cursor is None and wanted.until is None
        self.render(
            visit,
            "events.html",
            form=query.form,
            lines=self.lines(visit, page.events),
            newest_cursor=page.newest_cursor,
            filtered=query.is_filtered,
            first=query.address(here),
            paged=query.cursor is not None,
            older=query.address(here, **{CURSOR: page.next_cursor}) if page.next_cursor else "",
            live=query.address(self.address(visit, "/new")) if lives else "",
            export=query.address(self.address(visit, ".csv")) if query.is_sound else "",
            types=[("", "All"), *((kind.value, text) for kind, text in words.TYPES.items())],
            statuses=[("", "All"), *((s.value, text) for s, (_, text) in words.STATUSES.items())],
        )


class NewEvents(EventsPageBase):
    """The rows that are newer than those of a page, for its script."""

    def show(self, visit: Visit, **_: str) -> None:
        """Rows, the newest first. When there may be more than were asked for, they are the whole
        first page, to take the place of what is shown."""
        query = Query(visit.req, FILTERS)
        wanted = self.wanted(visit, query)
        if not query.is_sound:
            raise BadInputError("The filters cannot be read.", errors=query.form.errors)
        self.flush(FLUSH_S)
        after = visit.req.get_param("after") or ""
        try:
            page = self.log.newer(wanted, after, limit=PAGE, overlap=OVERLAP)
        except OverflowError:  # a cursor at the beginning of all time
            raise BadInputError.of_field("after", "is not a cursor of this list") from None
        is_whole = len(page.events) == PAGE
        if is_whole:
            page = self.log.page(wanted, limit=PAGE)
        here = self.address(visit, "")
        older = query.address(here, **{CURSOR: page.next_cursor}) if page.next_cursor else ""
        self.desk.render_piece(
            visit,
            "event-news.html",
            lines=self.lines(visit, page.events),
            newest_cursor=page.newest_cursor,
            is_whole=is_whole,
            older=older,
        )


class EventsTable(EventsPageBase):
    """The filtered log as a table."""

    def __init__(self, desk: Desk, sources: EventSources, exports: Exports) -> None:
        super().__init__(desk, sources)
        self.exports = exports

    def show(self, visit: Visit, **_: str) -> None:
        """CSV, read and written in pages however long it is."""
        query = Query(visit.req, FILTERS)
        wanted = self.wanted(visit, query)
        if not query.is_sound:
            raise BadInputError("The filters cannot be read.", errors=query.form.errors)
        self.flush(FLUSH_S)
        whose = visit.organization_id.replace(":", "_") or "all"
        name = f"events-{whose}-{utc_now():%Y-%m-%d}.csv"
        send_table(visit.resp, name, COLUMNS, _cells(self.log.export(wanted)))
        self.exports.note(visit, "export_events")


class EventDetailPage(EventsPageBase):
    """One event: what happened, how contact and agent were found, and the raw report."""

    def show(self, visit: Visit, event_id: str = "", **_: str) -> None:
        """The event. Raises `NotFoundError`."""
        event = self.log.one(event_id, self.scope(visit))
        line = self.lines(visit, [event])[0]
        self.render(
            visit,
            "event.html",
            line=line,
            event=event,
            error=excerpt(event.error or "", MAX_ERROR),
            call_badge=words.call_type_of(event.call_type),
            direction=words.direction_of(event.call_direction),
            contact_finding=words.contact_finding(event),
            agent_finding=words.agent_finding(event),
            unmapped=words.unmapped_extension(event),
            report=excerpt(pretty_json(words.raw_of(event)), MAX_REPORT),
            entry=_entry_path(event) if self.contacts.are_ours else "",
        )


class EventReport(EventsPageBase):
    """The raw report of an event as a file."""

    def show(self, visit: Visit, event_id: str = "", **_: str) -> None:
        """JSON. Raises `NotFoundError`."""
        event = self.log.one(event_id, self.scope(visit))
        report = pretty_json(words.raw_of(event)) + "\n"
        send_text(visit.resp, f"event-{event.id}.json", report, falcon.MEDIA_JSON)


def _entry_path(event: EventRow) -> str:
    """The page of the call or chat that an event logged, below its organization."""
    folder = {EventType.JOURNAL.value: "/calls/", EventType.CHAT.value: "/chats/"}
    found = folder.get(event.event_type)
    return f"{found}{event.call_id}" if found and event.call_id else ""


def _cells(events: Iterable[EventRow]) -> Iterator[Sequence[str]]:
    for event in events:
        cells: Sequence[Any] = (
            _iso(event.created_at),
            event.organization_id,
            event.event_type,
            event.status,
            event.phone_number,
            event.contact_id,
            event.call_id,
            event.agent_extension,
            event.call_direction,
            event.call_type,
            event.duration_seconds,
            _iso(event.call_start_time),
            _iso(event.call_end_time),
            event.latency_ms,
            event.error,
            pretty_json(words.raw_of(event), indent=None),
        )
        yield ["" if cell is None else str(cell) for cell in cells]


def _iso(instant: datetime | None) -> str:
    if instant is None:
        return ""
    text = instant.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
