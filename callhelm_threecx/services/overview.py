"""The overview of an organization, or of all: is it connected, how is it going, what is to do."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from itertools import chain
from typing import Any, Final

from sqlalchemy import Select, bindparam, literal, select, union_all
from sqlmodel import col

from callhelm_threecx.columns import UtcInstant
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.models import AgentMappingRow, EventRow, IntegrationRow, utc_now
from callhelm_threecx.services.daily_totals import DayCount, first_open_day, midnights
from callhelm_threecx.services.events import EventFilter, EventLog, EventStatus, EventType
from callhelm_threecx.services.pages import aside
from callhelm_threecx.services.reports import CallType
from callhelm_threecx.services.scopes import reading

LAST_DAY: Final = timedelta(hours=24)
NEWEST_ERRORS: Final = 5
SLOWEST_LOOKUPS: Final = 5
_DAY: Final = timedelta(days=1)
_KEY, _MAPPING = "key", "mapping"

# The events of which the newest one is asked for.
_SEEN: Final = (
    *((EventType.LOOKUP, s) for s in (EventStatus.OK, EventStatus.NO_MATCH, EventStatus.ERROR)),
    *((EventType.JOURNAL, s) for s in (EventStatus.OK, EventStatus.DUPLICATE)),
    (EventType.TEMPLATE, EventStatus.OK),
)


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One day (UTC). Calls are by `reports.CallType`; a report that came again counts once."""

    day: date
    calls: Mapping[str, int]
    chats: int
    lookups_matched: int
    lookups_unknown: int
    errors: int

    @property
    def answered_share(self) -> float | None:
        """The answered part of the incoming calls, from 0 to 1; None on a day without one."""
        answered, missed = (self.calls[t.value] for t in (CallType.INBOUND, CallType.MISSED))
        return answered / (answered + missed) if answered + missed else None


@dataclass(frozen=True, slots=True)
class Checklist:
    """What has been done to set an integration up."""

    key_generated: bool
    template_downloaded: bool
    first_lookup_seen: bool
    first_call_journaled: bool
    extensions_mapped: bool


@dataclass(frozen=True, slots=True)
class OverviewFacts:
    """Everything that the overview shows. ``days`` are oldest first, the last one is today;
    ``errors`` and ``refused`` count the last 24 hours, as do the events."""

    last_lookup_at: datetime | None
    last_journal_at: datetime | None
    checklist: Checklist
    days: Sequence[DaySummary]
    errors: int
    refused: int
    newest_errors: Sequence[EventRow] = field(repr=False)
    slowest_lookups: Sequence[EventRow] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LastDay:
    """The last 24 hours in numbers. Calls and lookups are counted as in `DaySummary`."""

    calls: int
    lookups_matched: int
    lookups_unknown: int
    errors: int
    refused: int

    @property
    def lookups(self) -> int:
        """Lookups that were answered."""
        return self.lookups_matched + self.lookups_unknown


class Overview:
    """Gathers the facts in five statements at most, each on an index. None means all
    organizations."""

    def __init__(self, database: Database, log: EventLog) -> None:
        self._database = database
        self._log = log

    def of(self, organization_id: str | None, days: int = 14) -> OverviewFacts:
        """The facts of an organization, with a series of so many days."""
        now = utc_now()
        since = now - LAST_DAY
        first = now.date() - (days - 1) * _DAY
        seen = self._newest(organization_id)
        closed = self._log.totals.closed(organization_id, first, now)
        open_from = first_open_day(now)
        following = midnights(min(open_from, since.date() + _DAY), now)
        instants = sorted({since, *following})
        live = self._log.totals.live(organization_id, instants)
        counts = list(closed)
        recent = Counter[str]()
        for at, happened in zip(instants[:-1], live, strict=True):
            counts += happened if at.date() >= open_from else ()
            if at >= since:
                recent.update(_by_status(happened))
        errors = recent[EventStatus.ERROR.value]
        wanted = EventFilter(organization_id, status=EventStatus.ERROR, since=since)
        return OverviewFacts(
            last_lookup_at=_latest(seen, EventType.LOOKUP.value),
            last_journal_at=_latest(seen, EventType.JOURNAL.value),
            checklist=_checklist(seen),
            days=_series(counts, first, days),
            errors=errors,
            refused=recent[EventStatus.REFUSED.value],
            newest_errors=self._log.page(wanted, limit=NEWEST_ERRORS).events if errors else (),
            slowest_lookups=self._slowest(organization_id, since),
        )

    def last_day(self, organization_id: str | None) -> LastDay:
        """The last 24 hours alone, in one statement."""
        now = utc_now()
        since = now - LAST_DAY
        instants = sorted({since, *midnights(since.date() + _DAY, now)})
        numbers = Counter[tuple[str, ...]]()
        for one in chain.from_iterable(self._log.totals.live(organization_id, instants)):
            numbers[one.event_type, one.status] += one.count
            numbers[one.status,] += one.count
        return LastDay(
            calls=numbers[EventType.JOURNAL.value, EventStatus.OK.value],
            lookups_matched=numbers[EventType.LOOKUP.value, EventStatus.OK.value],
            lookups_unknown=numbers[EventType.LOOKUP.value, EventStatus.NO_MATCH.value],
            errors=numbers[EventStatus.ERROR.value,],
            refused=numbers[EventStatus.REFUSED.value,],
        )

    @retry_when_passing
    def _newest(self, organization_id: str | None) -> dict[tuple[str, str], datetime]:
        """When each of `_SEEN` happened last, a key was made and an extension mapped."""
        statement = _newest_statement()
        with reading(self._database, organization_id) as session:
            return {(kind, status): at for kind, status, at in session.execute(statement)}

    @retry_when_passing
    def _slowest(self, organization_id: str | None, since: datetime) -> Sequence[EventRow]:
        statement = _slowest_statement(self._database.dialect)
        with reading(self._database, organization_id) as session:
            return session.execute(statement, {"since": since}).scalars().all()


@cache
def _newest_statement() -> Select[Any]:
    ends = [
        select(literal(kind.value), literal(status.value), col(EventRow.created_at))
        .where(
            col(EventRow.event_type) == kind.value,
            col(EventRow.status) == status.value,
        )
        .order_by(col(EventRow.created_at).desc(), col(EventRow.id).desc())
        for kind, status in _SEEN
    ]
    ends.append(select(literal(_KEY), literal(""), col(IntegrationRow.key_created_at)))
    ends.append(select(literal(_MAPPING), literal(""), col(AgentMappingRow.created_at)))
    each = [select(*end.limit(1).subquery().c) for end in ends]
    return select(*union_all(*each).subquery().c)


@cache
def _slowest_statement(dialect: str) -> Select[EventRow]:
    latency = col(EventRow.latency_ms)
    kind = aside(col(EventRow.event_type), dialect)
    slowest = (
        select(col(EventRow.id).label("key"), latency.label("latency"))
        .where(
            col(EventRow.created_at) >= bindparam("since", type_=UtcInstant()),
            kind == EventType.LOOKUP.value,
            latency.is_not(None),
        )
        .order_by(latency.desc())
        .limit(SLOWEST_LOOKUPS)
        .subquery()
    )
    return (
        select(EventRow)
        .join(slowest, col(EventRow.id) == slowest.c.key)
        .order_by(slowest.c.latency.desc())
    )


def _latest(seen: Mapping[tuple[str, str], datetime], kind: str) -> datetime | None:
    return max((at for (one, _), at in seen.items() if one == kind), default=None)


def _checklist(seen: Mapping[tuple[str, str], datetime]) -> Checklist:
    done = {kind for kind, _ in seen}
    return Checklist(
        key_generated=_KEY in done,
        template_downloaded=EventType.TEMPLATE.value in done,
        first_lookup_seen=EventType.LOOKUP.value in done,
        first_call_journaled=EventType.JOURNAL.value in done,
        extensions_mapped=_MAPPING in done,
    )


def _by_status(counts: Iterable[DayCount]) -> Counter[str]:
    numbers = Counter[str]()
    for one in counts:
        numbers[one.status] += one.count
    return numbers


def _series(counts: Iterable[DayCount], first: date, days: int) -> list[DaySummary]:
    numbers: dict[date, Counter[tuple[str, ...]]] = {
        first + number * _DAY: Counter() for number in range(days)
    }
    for one in counts:
        if one.day in numbers:
            of_day = numbers[one.day]
            of_day[one.event_type, one.status] += one.count
            of_day[one.event_type, one.status, one.call_type] += one.count
            of_day[one.status,] += one.count
    return [_summary(day, of_day) for day, of_day in numbers.items()]


def _summary(day: date, numbers: Counter[tuple[str, ...]]) -> DaySummary:
    ok = EventStatus.OK.value
    journal, lookup = EventType.JOURNAL.value, EventType.LOOKUP.value
    return DaySummary(
        day=day,
        calls={kind.value: numbers[journal, ok, kind.value] for kind in CallType},
        chats=numbers[EventType.CHAT.value, ok],
        lookups_matched=numbers[lookup, ok],
        lookups_unknown=numbers[lookup, EventStatus.NO_MATCH.value],
        errors=numbers[EventStatus.ERROR.value,],
    )
