"""Rebuilds the table of events, in months or in one piece, while it is being written.

The new table is filled beside the old one, in short transactions, while a trigger repeats in it
whatever happens to the old one. Then they change places in one transaction that takes milliseconds.
Until then nothing has happened: whoever is interrupted simply begins again.
"""

# ruff: noqa: S608 - names of tables and columns come from the catalog, quoted by it

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.errors import ThreeCXError
from callhelm_threecx.models import utc_now
from callhelm_threecx.services.event_months import (
    DEFAULT,
    EVENTS,
    Layout,
    Month,
    create_month,
    layout_of,
    months,
    months_ahead,
    patiently,
    run,
    strays,
)
from callhelm_threecx.services.event_shape import Shape, hindrances, shape_of
from callhelm_threecx.services.scopes import reading, writing

NEXT: Final = f"{EVENTS}_next"
MIRROR: Final = f"{EVENTS}_mirror"
MOST_MONTHS: Final = 120
"""Months before the last one that get a partition; what is older lies apart."""

_FIRST, _MOST = 500, 5000  # events that are copied at once
_AIM_S: Final = 0.1


class PartitionError(ThreeCXError):
    """The table of events cannot be rebuilt as it is asked for."""

    code = "partitions_refused"


@dataclass(frozen=True, slots=True)
class RebuildPlan:
    """What a rebuild would do. ``events`` is PostgreSQL's estimate; ``hindrances`` stand against
    it, a sentence each. ``months`` are those that would be made."""

    is_partitioned: bool
    is_change: bool
    events: int
    months: Sequence[Month]
    hindrances: Sequence[str]


class EventTable:
    """The table of events as a whole: in months, or in one piece."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self, *, partitioned: bool, now: datetime | None = None) -> RebuildPlan:
        """What `rebuild` would do; nothing is changed.

        Raises `PartitionError` on another database than PostgreSQL.
        """
        if self._database.dialect != "postgresql":
            raise PartitionError("Partitions are for PostgreSQL; this database is SQLite.")
        now = now or utc_now()
        with reading(self._database, None) as session:
            layout = layout_of(session)
            is_change = layout.is_partitioned != partitioned
            wanted = self._months(session, layout, now) if partitioned else []
            return RebuildPlan(
                is_partitioned=layout.is_partitioned,
                is_change=is_change,
                events=_estimate(session, layout),
                months=[month for month in wanted if month not in layout.months],
                hindrances=list(hindrances(session, layout)) if is_change else [],
            )

    def rebuild(
        self,
        *,
        partitioned: bool,
        stop: threading.Event | None = None,
        progress: Callable[[int], object] = lambda _: None,
        now: datetime | None = None,
    ) -> RebuildPlan:
        """Bring the table into months, or back into one piece; what was done. ``progress`` is told
        how many events have been copied.

        A table that is in months already gets those that are missing, with the events of theirs
        that lie apart. Raises `PartitionError` when something stands against it or ``stop`` was
        set; then everything is as before.
        """
        now, stop = now or utc_now(), stop or threading.Event()
        self.plan(partitioned=partitioned)
        with migrate.exclusively(self._database):  # no migration meanwhile, and no other rebuild
            plan = self.plan(partitioned=partitioned, now=now)
            if plan.hindrances:
                raise PartitionError(" ".join(plan.hindrances))
            if plan.is_change:
                try:
                    self._replace(plan, partitioned=partitioned, stop=stop, progress=progress)
                finally:
                    patiently(self._database, _clear)
            elif partitioned:
                for month in plan.months:
                    patiently(self._database, partial(_gather, month=month))
        return plan

    def _months(self, session: Session, layout: Layout, now: datetime) -> list[Month]:
        """From the oldest event to the months ahead; of a table in months, from now on, and those
        whose events lie apart."""
        ahead = months_ahead(now)
        if layout.is_partitioned:
            newest = max(layout.months, default=ahead[0])
            return months(min(newest.next, ahead[0]), ahead[-1])
        oldest = run(session, f"SELECT min(created_at) FROM {layout.table}").scalar()
        first = Month.of(oldest) if oldest else ahead[0]
        return months(min(first, ahead[0]), ahead[-1])[-MOST_MONTHS:]

    def _replace(
        self,
        plan: RebuildPlan,
        *,
        partitioned: bool,
        stop: threading.Event,
        progress: Callable[[int], object],
    ) -> None:
        patiently(self._database, _clear, stop)

        def prepare(session: Session) -> tuple[Layout, Shape]:
            layout = layout_of(session)
            shape = shape_of(session, layout)
            _create_next(session, layout, shape, plan.months, partitioned=partitioned)
            _create_mirror(session, layout)
            return layout, shape

        layout, shape = patiently(self._database, prepare, stop)
        self._fill(layout, stop, progress)
        with writing(self._database, None) as session:
            run(session, f"ANALYZE {layout.named(NEXT)}")
            self._compare(session, layout)
        patiently(self._database, lambda session: _change_places(session, layout, shape), stop)

    def _fill(
        self, layout: Layout, stop: threading.Event, progress: Callable[[int], object]
    ) -> None:
        position: Any = None
        size, copied = _FIRST, 0
        while True:
            if stop.is_set():
                raise PartitionError("It was stopped; the event log is as it was.")
            started = perf_counter()
            with writing(self._database, None) as session:
                position, count = _copy(session, layout, position, size)
            seconds = perf_counter() - started
            copied += count
            progress(copied)
            if position is None:
                return
            size = int(min(max(size * min(max(_AIM_S / seconds, 0.5), 1.5), 50), _MOST))
            stop.wait(seconds / 2)  # others come first

    def _compare(self, session: Session, layout: Layout) -> None:
        """Both tables have the same number of events at one and the same instant."""
        old, new = run(
            session,
            f"SELECT (SELECT count(*) FROM {layout.table}),"
            f" (SELECT count(*) FROM {layout.named(NEXT)})",
        ).one()
        if old != new:
            raise PartitionError(f"{old} events became {new}; the event log is as it was.")


def _estimate(session: Session, layout: Layout) -> int:
    if layout.estimate and not layout.is_partitioned:
        return layout.estimate
    return int(run(session, f"SELECT count(*) FROM {layout.table}").scalar() or 0)


def _clear(session: Session) -> None:
    """Nothing of a rebuild is left that did not come to its end."""
    layout = layout_of(session)
    run(session, f"DROP TRIGGER IF EXISTS {MIRROR} ON {layout.table}")
    run(session, f"DROP FUNCTION IF EXISTS {layout.named(MIRROR)}()")
    run(session, f"DROP TABLE IF EXISTS {layout.named(NEXT)}")


def _create_next(
    session: Session, layout: Layout, shape: Shape, wanted: Sequence[Month], *, partitioned: bool
) -> None:
    """The new table, empty, with everything that the old one has but its name."""
    table = layout.named(NEXT)
    by_month = " PARTITION BY RANGE (created_at)" if partitioned else ""
    like = f"LIKE {layout.table} INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS"
    run(session, f"CREATE TABLE {table} ({like}){by_month}")
    key = "id, created_at" if partitioned else "id"  # a partition's key holds what it is split by
    run(session, f"ALTER TABLE {table} ADD CONSTRAINT {NEXT}_pk PRIMARY KEY ({key})")
    for name, definition in shape.foreign_keys:
        run(session, f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for number, (_, definition) in enumerate(shape.indexes):
        run(session, f"CREATE INDEX {_temporary(number)} ON {table} {definition}")
    if partitioned:
        parts = [(DEFAULT, "DEFAULT"), *((m.table, f"FOR VALUES {m.bounds}") for m in wanted)]
        for name, bounds in parts:
            part = layout.named(name)
            run(session, f"CREATE TABLE {part} PARTITION OF {table} {bounds}")
            if layout.row_security:
                run(session, f"ALTER TABLE {part} ENABLE ROW LEVEL SECURITY")
    if layout.row_security:
        run(session, f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def _temporary(number: int) -> str:
    return f"{NEXT}_ix_{number}"


def _create_mirror(session: Session, layout: Layout) -> None:
    """Making a trigger waits for the writers that are under way, so what they wrote is seen when
    the old table is copied, and what comes after them is repeated. It acts as its owner: who writes
    events need not have a right to the new table yet."""
    table, function = layout.named(NEXT), layout.named(MIRROR)
    values = ", ".join(f"NEW.{column}" for column in layout.columns.split(", "))
    run(
        session,
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        " SET search_path = pg_catalog, pg_temp AS $mirror$ BEGIN"
        f" IF TG_OP <> 'INSERT' THEN DELETE FROM {table}"
        " WHERE id = OLD.id AND created_at = OLD.created_at; END IF;"
        f" IF TG_OP <> 'DELETE' THEN INSERT INTO {table} ({layout.columns})"
        f" OVERRIDING SYSTEM VALUE VALUES ({values}) ON CONFLICT DO NOTHING; END IF;"
        " RETURN NULL; END $mirror$",
    )
    run(
        session,
        f"CREATE TRIGGER {MIRROR} AFTER INSERT OR UPDATE OR DELETE ON {layout.table}"
        f" FOR EACH ROW EXECUTE FUNCTION {function}()",
    )


def _copy(session: Session, layout: Layout, position: Any, size: int) -> tuple[Any, int]:
    """Copy the events behind a position; where to go on (None: that was all), and how many.

    They are locked against deletion: one that is deleted afterwards is deleted in both tables.
    """
    bounds: dict[str, Any] = {}
    behind = "true"
    if position is not None:
        bounds = {"at": position[0], "id": position[1]}
        behind = "created_at >= :at AND (created_at, id) > (:at, :id)"
    order = "ORDER BY created_at, id"
    last = session.execute(
        text(
            f"SELECT created_at, id FROM {layout.table} WHERE {behind} {order} OFFSET :size LIMIT 1"
        ),
        {**bounds, "size": size - 1},
    ).one_or_none()
    if last is not None:
        behind += " AND (created_at, id) <= (:last_at, :last_id)"
        bounds |= {"last_at": last[0], "last_id": last[1]}
    result: Any = session.execute(
        text(
            f"INSERT INTO {layout.named(NEXT)} ({layout.columns})"
            f" OVERRIDING SYSTEM VALUE SELECT {layout.columns} FROM {layout.table}"
            f" WHERE {behind} FOR SHARE ON CONFLICT DO NOTHING"
        ),
        bounds,
    )
    return (last, result.rowcount)


def _change_places(session: Session, layout: Layout, shape: Shape) -> None:
    """The new table takes the old one's place and name, and all that hangs on a name."""
    table = layout.table
    run(session, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    run(session, f"DROP TABLE {table}")
    run(session, f"ALTER TABLE {layout.named(NEXT)} RENAME TO {EVENTS}")
    run(session, f"ALTER TABLE {table} RENAME CONSTRAINT {NEXT}_pk TO {shape.primary_key}")
    for number, (name, _) in enumerate(shape.indexes):
        run(session, f"ALTER INDEX {layout.named(_temporary(number))} RENAME TO {name}")
    if layout.forced:
        run(session, f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for statement in shape.afterwards:
        run(session, statement)


def _gather(session: Session, month: Month) -> None:
    """Make a month, with its events that lie apart."""
    layout = layout_of(session)
    if month in layout.months:
        return
    if not strays(session, layout, month):
        create_month(session, layout, month)
        return
    columns, apart, waiting = layout.columns, layout.named(DEFAULT), layout.named(NEXT)
    first, end = (f"'{each.first:%Y-%m-%d} 00:00:00+00'" for each in (month, month.next))
    run(session, f"LOCK TABLE {layout.table}, {apart} IN ACCESS EXCLUSIVE MODE")
    run(session, f"CREATE TABLE {waiting} (LIKE {apart} INCLUDING DEFAULTS)")
    run(
        session,
        f"WITH gone AS (DELETE FROM {apart} WHERE created_at >= {first} AND created_at < {end}"
        f" RETURNING {columns}) INSERT INTO {waiting} ({columns}) SELECT {columns} FROM gone",
    )
    create_month(session, layout, month)
    run(
        session,
        f"INSERT INTO {layout.named(month.table)} ({columns}) OVERRIDING SYSTEM VALUE"
        f" SELECT {columns} FROM {waiting}",
    )
    run(session, f"DROP TABLE {waiting}")
