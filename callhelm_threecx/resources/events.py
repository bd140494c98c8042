"""``/events`` and ``/stats``: what the PBXs did."""

from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import Any, ClassVar, Final, TypeVar

import falcon

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.middleware.auth import KeyKind
from callhelm_threecx.models import EventRow
from callhelm_threecx.resources.reading import (
    instant,
    integer,
    raw_param,
    readable_organization,
    text_param,
)
from callhelm_threecx.services.events import EventFilter, EventLog, EventStatus, EventType
from callhelm_threecx.services.statistics import statistics

MAX_DAYS: Final = 366
DEFAULT_DAYS: Final = 30
MAX_PAGE: Final = 200
DEFAULT_PAGE: Final = 50
_FLUSH_S: Final = 1.0
_READERS: Final = (KeyKind.ADMIN, KeyKind.ORGANIZATION)
E = TypeVar("E", bound=Enum)


class EventsResource:
    """``GET /events``."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"GET": _READERS}

    def __init__(self, log: EventLog, flush: Callable[[float], object]) -> None:
        self._log = log
        self._flush = flush

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """A page of events, newest first."""
        wanted = EventFilter(
            organization_id=readable_organization(req),
            type=_choice(req, "type", EventType),
            status=_choice(req, "status", EventStatus),
            number=raw_param(req, "number")[:256] or None,
            agent=text_param(req, "agent")[:64] or None,
            since=instant(req, "since"),
            until=instant(req, "until"),
        )
        limit = integer(req, "limit", default=DEFAULT_PAGE, most=MAX_PAGE)
        cursor = text_param(req, "cursor") or None
        self._flush(_FLUSH_S)  # what this process answered before is in what it answers now
        page = self._log.page(wanted, limit=limit, cursor=cursor)
        resp.media = {
            "success": True,
            "events": [event_view(row) for row in page.events],
            "nextCursor": page.next_cursor,
        }


class StatsResource:
    """``GET /stats``."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"GET": _READERS}

    def __init__(self, log: EventLog, flush: Callable[[float], object]) -> None:
        self._log = log
        self._flush = flush

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Totals and a series by day."""
        days = integer(req, "days", default=DEFAULT_DAYS, most=MAX_DAYS)
        organization_id = readable_organization(req)
        self._flush(_FLUSH_S)
        resp.media = {"success": True, **statistics(self._log, organization_id, days)}


def event_view(row: EventRow) -> dict[str, Any]:
    """An event in an answer."""
    instants = {
        "createdAt": row.created_at,
        "callStartTime": row.call_start_time,
        "callEndTime": row.call_end_time,
    }
    return {
        "id": str(row.id),
        "organizationId": row.organization_id,
        "type": row.event_type,
        "status": row.status,
        "phoneNumber": row.phone_number,
        "contactId": row.contact_id,
        "callId": row.call_id,
        "agentExtension": row.agent_extension,
        "callDirection": row.call_direction,
        "callType": row.call_type,
        "durationSeconds": row.duration_seconds,
        **{name: at.isoformat() if at else None for name, at in instants.items()},
        "latencyMs": row.latency_ms,
        "error": row.error,
        "rawData": row.raw_data,
    }


def _choice(req: falcon.Request, name: str, kind: type[E]) -> E | None:
    text = text_param(req, name)
    if not text:
        return None
    for member in kind:
        if member.value == text:
            return member
    known = ", ".join(str(member.value) for member in kind)
    raise BadInputError.of_field(name, f"must be one of {known}")
