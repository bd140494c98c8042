"""Deletes events that have lived their time, so that nobody who answers a phone waits for it.

The log is walked branch by branch (a type with a status, of an organization or of all) at the old
end of the index over just that, in windows. What goes of a window goes in one short transaction;
then the purge rests for longer than it worked. Several processes may purge at once: each passes
over the rows that another one is deleting.
"""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, func, literal, select, tuple_, union_all
from sqlmodel import col

from callhelm_threecx.columns import UtcInstant
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.models import EventRow, utc_now
from callhelm_threecx.retention import Retention
from callhelm_threecx.services.daily_totals import DailyTotals
from callhelm_threecx.services.event_months import Month
from callhelm_threecx.services.purge_months import MonthPurge
from callhelm_threecx.services.purge_orders import Purged, PurgeOrder, PurgeReport
from callhelm_threecx.services.scopes import reading, writing

AIM_S: Final = 0.02
"""How long a transaction of a purge is meant to take."""

RESTS: Final = 2.0
"""So many times as long as a transaction took the purge leaves the database to others after it."""

_EVER: Final = datetime(1, 1, 1, tzinfo=timezone.utc)
_FIRST, _FEWEST, _MOST = 200, 20, 2000  # events of a window

Kinds = tuple[tuple[str, str], ...]
_Row = Any  # (id, created_at, organization_id)


@dataclass(slots=True)
class _Pace:
    """How many events the next transaction may delete to take as long as it should."""

    size: int = _FIRST

    def took(self, seconds: float) -> None:
        factor = min(max(AIM_S / max(seconds, 1e-6), 0.25), 1.5)
        self.size = int(min(max(self.size * factor, _FEWEST), _MOST))


@dataclass(frozen=True, slots=True)
class _Branch:
    """Events of a kind from before an instant: of an organization, or of all but the others'."""

    organization_id: str | None
    event_type: str
    status: str
    before: datetime
    others: frozenset[str]


@dataclass(slots=True)
class _Run:
    """One purge under way."""

    order: PurgeOrder
    now: datetime
    stop: threading.Event
    pace: _Pace = field(default_factory=_Pace)
    kept_days: set[date] = field(default_factory=set)
    in_months: bool = False
    since: datetime = _EVER
    """What is older is told, or deleted, by months."""

    def before(self, retention: Retention, event_type: str) -> datetime:
        """Events of the type from before this instant go.

        In a log by months, those that are kept longest wait until their month goes as a whole.
        """
        before = retention.before(event_type, self.now)
        waits = self.in_months and not self.order.is_exact
        if waits and retention.age(event_type) == self.order.longest:
            return min(before, Month.of(before).first)
        return before


class Purge:
    """Deletes, or only counts, what an order says. Calls, chats and contacts are not touched."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._totals = DailyTotals(database)
        self._months = MonthPurge(database)

    def run(
        self,
        order: PurgeOrder,
        stop: threading.Event | None = None,
        *,
        now: datetime | None = None,
    ) -> PurgeReport:
        """Delete what is too old ``now``, until it is done or ``stop`` is set.

        The days that are over are counted first, so statistics keep them; what is deleted of a day
        that is not over (see `DailyTotals`) no longer counts.
        """
        run = _Run(order, now or utc_now(), stop or threading.Event())
        run.in_months = self._months.make_ahead(run.now)
        keep = partial(self._keep_days, run)
        gone = self._months.drop(order, run.now, keep, run.stop) if run.in_months else {}
        report = self._each(run, lambda branch, _: self._empty(branch, run), counted=False)
        report.months = gone
        return report

    def forecast(self, order: PurgeOrder, *, now: datetime | None = None) -> PurgeReport:
        """What `run` would delete."""
        run = _Run(order, now or utc_now(), threading.Event())
        due, run.in_months = self._months.due(order, run.now)
        run.since = due[-1][0].next.first if due else _EVER
        report = self._each(run, lambda _, count: count, counted=True)
        report.months = {str(month): count for month, count in due}
        return report

    def _each(
        self, run: _Run, done: Callable[[_Branch, int], int], *, counted: bool
    ) -> PurgeReport:
        report = PurgeReport()
        kinds = self._kinds()
        if not kinds:
            return report
        others = frozenset(run.order.own)
        for organization_id, retention in run.order.own.items():
            branches = self._branches(run, organization_id, retention, kinds, counted=counted)
            _add(report, [(one, done(one, count)) for one, count in branches])
        everyone = run.order.everyone
        if everyone is not None:
            branches = self._branches(run, None, everyone, kinds, others=others, counted=counted)
            if counted:
                branches = self._without_others(run, everyone, branches, kinds)
            _add(report, [(one, done(one, count)) for one, count in branches])
        return report

    def _without_others(
        self,
        run: _Run,
        retention: Retention,
        branches: Sequence[tuple[_Branch, int]],
        kinds: Kinds,
    ) -> Sequence[tuple[_Branch, int]]:
        """Counts of everybody's events less those of organizations with a retention of their own:
        the index over kinds does not tell whose an event is."""
        theirs: dict[tuple[str, str], int] = {}
        for organization_id in run.order.own:
            for one, count in self._branches(run, organization_id, retention, kinds, counted=True):
                kind = one.event_type, one.status
                theirs[kind] = theirs.get(kind, 0) + count
        return [(b, count - theirs.get((b.event_type, b.status), 0)) for b, count in branches]

    @retry_when_passing
    def _kinds(self) -> Kinds:
        """The types and statuses that the log has, also those that no version of ours writes."""
        types, statuses = col(EventRow.event_type), col(EventRow.status)
        with reading(self._database, None) as session:

            def each(column: Any, *conditions: Any) -> Iterator[str]:
                last: str | None = ""
                while last is not None:
                    statement = select(func.min(column)).where(column > last, *conditions)
                    last = session.execute(statement).scalar()
                    if last is not None:
                        yield last

            return tuple((t, s) for t in each(types) for s in each(statuses, types == t))

    @retry_when_passing
    def _branches(
        self,
        run: _Run,
        organization_id: str | None,
        retention: Retention,
        kinds: Kinds,
        *,
        counted: bool,
        others: frozenset[str] = frozenset(),
    ) -> Sequence[tuple[_Branch, int]]:
        """The branches that have something to be deleted, and how much when it is ``counted``."""
        before = {kind: run.before(retention, kind) for kind, _ in kinds}
        bounds = {f"before_{n}": before[kind] for n, (kind, _) in enumerate(kinds)}
        bounds["since"] = run.since
        statement = _survey(kinds, counted=counted)
        with reading(self._database, organization_id) as session:
            found = session.execute(statement, bounds).all()
        return [
            (_Branch(organization_id, kind, status, before[kind], others), count)
            for (kind, status), count in ((kinds[n], count) for n, count in found)
            if count
        ]

    def _empty(self, branch: _Branch, run: _Run) -> int:
        """Delete what a branch has; how many."""
        deleted, position = 0, None
        while not run.stop.is_set():
            size = run.pace.size
            window = self._window(branch, position, size)
            doomed = [row for row in window if row.organization_id not in branch.others]
            if doomed:
                self._keep_days(run, {row.created_at.date() for row in doomed})
                started = perf_counter()
                deleted += self._delete(branch.organization_id, doomed)
                seconds = perf_counter() - started
                run.pace.took(seconds)
                run.stop.wait(seconds * RESTS)
            if len(window) < size:
                break
            position = (window[-1].created_at, window[-1].id)
        return deleted

    def _keep_days(self, run: _Run, days: set[date]) -> None:
        for day in sorted(days - run.kept_days):
            self._totals.keep(day, run.order.organization_id, run.now)
            run.kept_days.add(day)

    @retry_when_passing
    def _window(
        self, branch: _Branch, position: tuple[datetime, uuid.UUID] | None, size: int
    ) -> Sequence[_Row]:
        """The oldest events of a branch behind a position."""
        with reading(self._database, branch.organization_id) as session:
            return session.execute(_window_statement(branch, position, size)).all()

    def _delete(self, organization_id: str | None, rows: Sequence[_Row]) -> int:
        """Delete events that nobody else is deleting, in one transaction; how many there were.

        The span of time tells PostgreSQL in which partition they are.
        """
        key, moment = col(EventRow.id), col(EventRow.created_at)
        ids = [row.id for row in rows]
        span = (moment >= rows[0].created_at, moment <= rows[-1].created_at)
        with writing(self._database, organization_id) as session:
            if self._database.dialect == "postgresql":
                free = select(key).where(key.in_(ids), *span).with_for_update(skip_locked=True)
                ids = list(session.execute(free).scalars())
            if not ids:
                return 0
            statement = delete(EventRow).where(key.in_(ids), *span)
            options = {"synchronize_session": False}
            result: Any = session.execute(statement, execution_options=options)
            return int(result.rowcount)


@lru_cache(maxsize=8)
def _survey(kinds: Kinds, *, counted: bool) -> Select[Any]:
    """(Number of a kind, and how many events of it are too old: 1 for some, unless counted)."""
    key = col(EventRow.id)
    parts = []
    for number, (event_type, status) in enumerate(kinds):
        too_old = (
            col(EventRow.event_type) == event_type,
            col(EventRow.status) == status,
            col(EventRow.created_at) >= bindparam("since", type_=UtcInstant()),
            col(EventRow.created_at) < bindparam(f"before_{number}", type_=UtcInstant()),
        )
        oldest = (col(EventRow.created_at), key)  # in this order PostgreSQL takes the index
        first = select(key).where(*too_old).order_by(*oldest).limit(1).subquery()
        rows = select(func.count()).select_from(first)
        if counted:
            rows = select(func.count()).select_from(EventRow).where(*too_old)
        parts.append(select(literal(number).label("kind"), rows.scalar_subquery().label("found")))
    each = union_all(*parts).subquery()
    return select(each.c.kind, each.c.found)


def _window_statement(
    branch: _Branch, position: tuple[datetime, uuid.UUID] | None, size: int
) -> Select[Any]:
    key: Any = col(EventRow.id)
    moment: Any = col(EventRow.created_at)
    statement: Select[Any] = select(key, moment, col(EventRow.organization_id)).where(
        col(EventRow.event_type) == branch.event_type,
        col(EventRow.status) == branch.status,
        moment < branch.before,
    )
    if position is not None:
        here = (literal(position[0], moment.type), literal(position[1], key.type))
        statement = statement.where(tuple_(moment, key) > tuple_(*here))
    return statement.order_by(moment, key).limit(size)


def _add(report: PurgeReport, counts: Sequence[tuple[_Branch, int]]) -> None:
    """Statuses of a type are told as one."""
    told: dict[tuple[str | None, str, datetime], int] = {}
    for branch, count in counts:
        kind = branch.organization_id, branch.event_type, branch.before
        told[kind] = told.get(kind, 0) + count
    report.purged += [Purged(*kind, count) for kind, count in told.items() if count]
