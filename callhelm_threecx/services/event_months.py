"""The event log by months: PostgreSQL's native partitions, when an operator asked for them.

Each month is a table of its own, named ``three_cx_call_events_2026_11``; what belongs to no month
that is there goes to ``three_cx_call_events_default``, so that no event is ever refused. A month
that has lived its time goes as a whole, whatever it holds.
"""

# ruff: noqa: S608 - names of tables and columns come from the catalog, quoted by it

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.models import EventRow
from callhelm_threecx.services.scopes import reading, writing

EVENTS: Final = str(EventRow.__tablename__)
DEFAULT: Final = f"{EVENTS}_default"
AHEAD: Final = 3
"""So many months are made in advance, beside the present one."""

T = TypeVar("T")
_NAME: Final = re.compile(rf"{EVENTS}_(\d{{4}})_(\d\d)")
_LOCK_TIMEOUT_MS: Final = 250
_TRIES: Final = 40
_PAUSE_S: Final = 0.5
_LOCKED: Final = frozenset({"55P03", "40P01"})  # lock_not_available, deadlock_detected

_RELATION: Final = text("""
    SELECT c.oid, quote_ident(n.nspname) AS schema, c.relkind::text AS kind,
           c.relrowsecurity AS row_security, c.relforcerowsecurity AS forced,
           pg_get_userbyid(c.relowner) AS owner, c.relowner = current_user::regrole AS is_owned,
           c.reltuples::bigint AS estimate
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass(:name)
""")
_PARTITIONS: Final = text("""
    SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = :oid ORDER BY c.relname
""")
_COLUMNS: Final = text("""
    SELECT quote_ident(attname) FROM pg_attribute
    WHERE attrelid = :oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum
""")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month (UTC)."""

    year: int
    number: int

    @classmethod
    def of(cls, at: datetime) -> "Month":
        """The month of an instant."""
        at = at.astimezone(timezone.utc)
        return cls(at.year, at.month)

    @property
    def first(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.number, 1, tzinfo=timezone.utc)

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def table(self) -> str:
        """The name of its partition."""
        return f"{EVENTS}_{self.year:04}_{self.number:02}"

    @property
    def bounds(self) -> str:
        """Its span as SQL says it."""
        since, until = (f"'{each.first:%Y-%m-%d} 00:00:00+00'" for each in (self, self.next))
        return f"FROM ({since}) TO ({until})"

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


def months(first: Month, last: Month) -> list[Month]:
    """From one to another, both included."""
    found = []
    while first <= last:
        found.append(first)
        first = first.next
    return found


def months_ahead(now: datetime) -> list[Month]:
    """The present month, and those that are made in advance."""
    last = Month.of(now)
    for _ in range(AHEAD):
        last = last.next
    return months(Month.of(now), last)


@dataclass(frozen=True, slots=True)
class Layout:
    """The table of events as it is. ``months`` are those that have a partition."""

    oid: int
    schema: str
    is_partitioned: bool
    row_security: bool
    forced: bool
    owner: str
    is_owned: bool
    estimate: int
    months: Sequence[Month]
    columns: str

    def named(self, table: str) -> str:
        """A table beside it, as SQL names it."""
        return f"{self.schema}.{table}"

    @property
    def table(self) -> str:
        """The table itself, as SQL names it."""
        return self.named(EVENTS)


def layout_of(session: Session) -> Layout:
    """What PostgreSQL's catalog says. Raises `StorageUnavailableError` without the table."""
    row = session.execute(_RELATION, {"name": EVENTS}).mappings().one_or_none()
    if row is None:
        raise StorageUnavailableError(f"There is no table {EVENTS}; run db upgrade.")
    oid = {"oid": row["oid"]}
    names = session.execute(_PARTITIONS, oid).scalars()
    found = [_NAME.fullmatch(name) for name in names]
    return Layout(
        oid=row["oid"],
        schema=row["schema"],
        is_partitioned=row["kind"] == "p",
        row_security=row["row_security"],
        forced=row["forced"],
        owner=row["owner"],
        is_owned=row["is_owned"],
        estimate=max(row["estimate"], 0),
        months=[Month(int(each[1]), int(each[2])) for each in found if each],
        columns=", ".join(session.execute(_COLUMNS, oid).scalars()),
    )


def run(session: Session, statement: str) -> Any:
    """Run SQL as it stands."""
    return session.connection().exec_driver_sql(statement.replace("%", "%%"))


def patiently(
    database: Database,
    work: Callable[[Session], T],
    stop: threading.Event | None = None,
    *,
    tries: int = _TRIES,
) -> T:
    """Run a transaction that needs a lock which others hold for long: it waits for a moment only,
    since whoever comes after it waits behind it, and tries again later.

    Raises `StorageUnavailableError` when it did not get it.
    """
    pause = stop or threading.Event()
    for _ in range(tries):
        done = _tried(database, work)
        if done is not None:
            return done[0]
        if pause.wait(_PAUSE_S):
            break
    raise StorageUnavailableError(
        f"Others have used {EVENTS} all the time, so that it could not be changed; try again when"
        " no long export or backup reads it."
    )


def _tried(database: Database, work: Callable[[Session], T]) -> tuple[T] | None:
    """What the work gave; None when others had the lock."""
    try:
        with writing(database, None) as session:
            run(session, f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
            return (work(session),)
    except StorageUnavailableError as ex:
        if getattr(getattr(ex.__cause__, "orig", None), "sqlstate", None) not in _LOCKED:
            raise
        return None


def create_month(session: Session, layout: Layout, month: Month) -> None:
    """Make a month in advance, without a lock that a writer of events would wait for.

    It gets the indexes and constraints of the whole when it is attached to it. What row-level
    security hides in the whole, nobody sees in a part of it.
    """
    part = layout.named(month.table)
    kinds = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE"
    run(session, f"CREATE TABLE {part} (LIKE {layout.table} {kinds})")
    if layout.row_security:
        run(session, f"ALTER TABLE {part} ENABLE ROW LEVEL SECURITY")
    run(session, f"ALTER TABLE {layout.table} ATTACH PARTITION {part} FOR VALUES {month.bounds}")


class EventMonths:
    """The months of a log that is partitioned; nothing of a log that is not."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retry_when_passing
    def layout(self) -> Layout | None:
        """How the log lies; None when it is not in months."""
        if self._database.dialect != "postgresql":
            return None
        with reading(self._database, None) as session:
            layout = layout_of(session)
        return layout if layout.is_partitioned else None

    def make_ahead(self, now: datetime) -> list[Month]:
        """Make the months that will be needed; those that were made.

        A month whose events have begun to come in elsewhere is left there: moving them would take
        long, under a lock. ``db partition-events`` does it, when it is run again.
        """
        layout = self.layout()
        if layout is None:
            return []
        missing = [month for month in months_ahead(now) if month not in layout.months]
        return [month for month in missing if self._make(layout, month)]

    def _make(self, layout: Layout, month: Month) -> bool:
        def make(session: Session) -> bool:
            known = session.execute(
                text("SELECT to_regclass(:n)"), {"n": layout.named(month.table)}
            )
            if known.scalar() is not None or strays(session, layout, month):
                return False
            create_month(session, layout, month)
            return True

        return patiently(self._database, make)

    def count(self, layout: Layout, month: Month) -> int:
        """How many events a month has."""
        with reading(self._database, None) as session:
            statement = f"SELECT count(*) FROM {layout.named(month.table)}"
            return int(run(session, statement).scalar() or 0)

    def staying(self, layout: Layout, month: Month, kept: str, most: int) -> int:
        """How many events of a month a condition keeps; ``most`` and one more when there are so
        many."""
        if not kept:
            return 0
        with reading(self._database, None) as session:
            some = f"SELECT 1 FROM {layout.named(month.table)} WHERE {kept} LIMIT {most + 1}"
            return int(run(session, f"SELECT count(*) FROM ({some}) AS found").scalar() or 0)

    def drop(self, layout: Layout, month: Month, kept: str) -> None:
        """Let a month go as a whole, but for what a condition keeps: that lies apart from then on.

        Raises `StorageUnavailableError` when others keep the table busy.
        """
        part = layout.named(month.table)

        def drop(session: Session) -> None:
            run(session, f"LOCK TABLE {layout.table} IN ACCESS EXCLUSIVE MODE")
            run(session, f"ALTER TABLE {layout.table} DETACH PARTITION {part}")
            if kept:
                run(
                    session,
                    f"INSERT INTO {layout.table} ({layout.columns}) OVERRIDING SYSTEM VALUE"
                    f" SELECT {layout.columns} FROM {part} WHERE {kept}",
                )
            run(session, f"DROP TABLE {part}")

        patiently(self._database, drop, tries=4)


def strays(session: Session, layout: Layout, month: Month) -> bool:
    """Whether events of a month lie apart, because it was not there when they came."""
    found = session.execute(
        text(
            f"SELECT EXISTS (SELECT 1 FROM {layout.named(DEFAULT)}"
            " WHERE created_at >= :since AND created_at < :until)"
        ),
        {"since": month.first, "until": month.next.first},
    )
    return bool(found.scalar())
