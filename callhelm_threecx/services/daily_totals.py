"""How many events of each kind there were on each day (UTC), without counting the log again.

A day that is over is counted once, by whoever asks for it first, and kept in a table; what has
happened since is counted on an index that holds all that is counted. Events are written behind the
answers, so a day counts as over only `CLOSING` after its end. What is written even later, because
the database was away for so long, is in the log but not in these numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from itertools import chain, pairwise
from typing import Any, Final

from sqlalchemy import (
    Date,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from callhelm_threecx.columns import UtcInstant
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.models import DailyTotalRow, EventRow
from callhelm_threecx.services.event_kinds import EventStatus, EventType
from callhelm_threecx.services.reports import CallType
from callhelm_threecx.services.scopes import reading, writing

CLOSING: Final = timedelta(hours=1)
"""How long after midnight a day is still counted live."""

EVERYBODY: Final = ""
"""In place of an organization's id: all of them, with the refusals that belong to nobody."""

_DAY: Final = timedelta(days=1)
_AT_ONCE: Final = 100  # organizations whose day is kept in one transaction, which stays short
# What is counted live: each type in all, and calls of each type.
_KINDS: Final = (
    *((kind.value, "") for kind in EventType),
    *((EventType.JOURNAL.value, kind.value) for kind in CallType),
)

_KEPT: Final = select(
    col(DailyTotalRow.day),
    col(DailyTotalRow.event_type),
    col(DailyTotalRow.status),
    col(DailyTotalRow.call_type),
    col(DailyTotalRow.count),
).where(
    col(DailyTotalRow.organization_id) == bindparam("owner"),
    col(DailyTotalRow.day) >= bindparam("first"),
    col(DailyTotalRow.day) < bindparam("end"),
)


@dataclass(frozen=True, slots=True)
class DayCount:
    """So many events of a kind on a day. ``call_type`` is empty for events that have none."""

    day: date
    event_type: str
    status: str
    call_type: str
    count: int

    @classmethod
    def of(
        cls, day: date | str, event_type: str, status: str, call_type: str | None, count: int
    ) -> "DayCount":
        """From a row of a count; SQLite tells days as text."""
        if not isinstance(day, date):
            day = date.fromisoformat(day)
        return cls(day, event_type, status, call_type or "", count)


def first_open_day(now: datetime) -> date:
    """The first day that is not over: all from here on are counted live."""
    return (now - CLOSING).date()


def midnight(day: date) -> datetime:
    """The first instant of a day."""
    return datetime.combine(day, time(), timezone.utc)


def midnights(first: date, now: datetime) -> list[datetime]:
    """The beginnings of the days from one on, and the end of today."""
    return [midnight(first + number * _DAY) for number in range((now.date() - first).days + 2)]


class DailyTotals:
    """Counts and keeps the days of every organization; None is all of them together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self, organization_id: str | None, first: date, now: datetime) -> list[DayCount]:
        """What happened from a day on."""
        live = self.live(organization_id, midnights(max(first, first_open_day(now)), now))
        return [*self.closed(organization_id, first, now), *chain.from_iterable(live)]

    def closed(self, organization_id: str | None, first: date, now: datetime) -> list[DayCount]:
        """What happened from a day on until the first open day; counts what nobody has counted.

        Several workers may do so at once: they find the same numbers, and the first ones stay.
        """
        end = first_open_day(now)
        if first >= end:
            return []
        kept, missing = self._kept(organization_id, first, end)
        if missing:
            self._fill(organization_id, missing)
            kept, _ = self._kept(organization_id, first, end)
        return kept

    @retry_when_passing
    def live(
        self, organization_id: str | None, instants: Sequence[datetime]
    ) -> list[list[DayCount]]:
        """What happened between each two neighbours of some instants, none of which has a midnight
        between them; counted now, kind by kind, without sorting a day of events."""
        statement = _live_statement(len(instants))
        bounds = {f"instant_{number}": at for number, at in enumerate(instants)}
        with reading(self._database, organization_id) as session:
            rows = [
                ((row[0], row[1], row[2]), row[3:]) for row in session.execute(statement, bounds)
            ]
        return [
            _split(instant.date(), {kind: numbers[at] for kind, numbers in rows})
            for at, instant in enumerate(instants[:-1])
        ]

    def keep(self, day: date, organization_id: str | None, now: datetime) -> None:
        """Count a day of which events are about to be deleted: for the organization (or for each)
        and for all together. A day that is not over is left alone."""
        if day >= first_open_day(now):
            return
        asked = midnight(day + _DAY) + CLOSING  # of all days that are over then, the last one
        if organization_id is None:
            self._keep_everyones(day)
        else:
            self.closed(organization_id, day, asked)
        self.closed(None, day, asked)

    @retry_when_passing
    def _kept(
        self, organization_id: str | None, first: date, end: date
    ) -> tuple[list[DayCount], list[date]]:
        """What is kept of the days, and the days that have not been counted."""
        bounds = {"owner": organization_id or EVERYBODY, "first": first, "end": end}
        with reading(self._database, organization_id) as session:
            found = [DayCount(*values) for values in session.execute(_KEPT, bounds)]
        counted = {count.day for count in found if not count.event_type}
        days = (first + number * _DAY for number in range((end - first).days))
        missing = [day for day in days if day not in counted]
        return [count for count in found if count.event_type], missing

    def _fill(self, organization_id: str | None, days: Sequence[date]) -> None:
        """Count before the transaction, so that nobody who writes waits for the count."""
        counted = self._count(organization_id, midnight(days[0]), midnight(days[-1] + _DAY))
        wanted = set(days)
        kept = [count for count in counted if count.day in wanted]
        self._insert([*_rows(organization_id or EVERYBODY, kept, days)])

    @retry_when_passing
    def _count(
        self, organization_id: str | None, since: datetime, until: datetime
    ) -> list[DayCount]:
        created_at = col(EventRow.created_at)
        kinds = (col(EventRow.event_type), col(EventRow.status), col(EventRow.call_type))
        each = (
            select(self._day(created_at).label("day"), *kinds)
            .where(created_at >= since, created_at < until)
            .subquery()
        )
        statement: Select[Any] = select(*each.c, func.count()).group_by(*each.c)
        with reading(self._database, organization_id) as session:
            return [DayCount.of(d, t, s, c, n) for d, t, s, c, n in session.execute(statement)]

    def _keep_everyones(self, day: date) -> None:
        """One day of each organization that had an event on it."""
        created_at = col(EventRow.created_at)
        kinds = (col(EventRow.event_type), col(EventRow.status), col(EventRow.call_type))
        owner = cast(col(EventRow.organization_id), Text).label("owner")
        each = (
            select(owner, *kinds)
            .where(
                created_at >= midnight(day),
                created_at < midnight(day + _DAY),
                col(EventRow.organization_id).is_not(None),
            )
            .subquery()
        )
        statement: Select[Any] = select(*each.c, func.count()).group_by(*each.c)
        counts: dict[str, list[DayCount]] = {}
        with reading(self._database, None) as session:
            for organization_id, *values in session.execute(statement):
                counts.setdefault(organization_id, []).append(DayCount.of(day, *values))
        organizations = sorted(counts)
        for first in range(0, len(organizations), _AT_ONCE):
            some = organizations[first : first + _AT_ONCE]
            self._insert([row for one in some for row in _rows(one, counts[one], [day])])

    def _insert(self, rows: Sequence[dict[str, Any]]) -> None:
        """Sorted, so that transactions which insert the same rows never wait in a ring."""
        if not rows:
            return
        dialect = sqlite if self._database.dialect == "sqlite" else postgresql
        statement = dialect.insert(DailyTotalRow.__table__).on_conflict_do_nothing()  # type: ignore[attr-defined]
        key = ("organization_id", "day", "event_type", "status", "call_type")
        with writing(self._database, None) as session:
            session.execute(statement, sorted(rows, key=lambda row: [row[name] for name in key]))

    def _day(self, created_at: Any) -> Any:
        """The UTC day of a column of instants, as an expression."""
        if self._database.dialect == "sqlite":
            return func.substr(created_at, literal_column("1"), literal_column("10"), type_=Text())
        return cast(func.timezone(literal_column("'UTC'"), created_at), Date)


@cache
def _live_statement(instants: int) -> Select[Any]:
    """(type, status, call type, and a count between each two of so many instants)."""
    kinds = _constants("kinds", _KINDS, "event_type", "call_type")
    statuses = _constants("statuses", [(each.value,) for each in EventStatus], "status")
    event_type, call_type, status = kinds.c.event_type, kinds.c.call_type, statuses.c.status
    bounds = [bindparam(f"instant_{number}", type_=UtcInstant()) for number in range(instants)]
    counts = [
        select(func.count())
        .select_from(EventRow)
        .where(
            col(EventRow.event_type) == event_type,
            col(EventRow.status) == status,
            or_(call_type == "", col(EventRow.call_type) == call_type),
            col(EventRow.created_at) >= since,
            col(EventRow.created_at) < until,
        )
        .correlate(kinds, statuses)
        .scalar_subquery()
        for since, until in pairwise(bounds)
    ]
    statement: Select[Any] = select(event_type, status, call_type, *counts)
    return statement.join_from(kinds, statuses, true())


def _constants(name: str, rows: Iterable[tuple[str, ...]], *columns: str) -> Any:
    """A table of constant texts."""
    each = (
        select(
            *(
                literal_column(f"'{value}'", Text()).label(column)
                for column, value in zip(columns, row, strict=True)
            )
        )
        for row in rows
    )
    return union_all(*each).subquery(name)


def _split(day: date, numbers: dict[tuple[str, str, str], int]) -> list[DayCount]:
    """What was counted, each event once: calls of a type are not among those in all."""
    rest = dict(numbers)
    for (event_type, status, call_type), number in numbers.items():
        if call_type:
            rest[event_type, status, ""] -= number
    return [DayCount(day, t, s, c, number) for (t, s, c), number in rest.items() if number]


def _rows(
    organization_id: str, counts: Iterable[DayCount], days: Iterable[date]
) -> Iterable[dict[str, Any]]:
    """The rows to be kept; call types that differ in being absent or empty are one."""
    kept = {(day, "", "", ""): 0 for day in days}
    for one in counts:
        kind = one.day, one.event_type, one.status, one.call_type
        kept[kind] = kept.get(kind, 0) + one.count
    for (day, event_type, status, call_type), count in kept.items():
        yield {
            "organization_id": organization_id,
            "day": day,
            "event_type": event_type,
            "status": status,
            "call_type": call_type,
            "count": count,
        }
