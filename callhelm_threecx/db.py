"""The database: engines, short reads and short transactions.

Whatever concerns one organization goes through `Database.read`, `Database.write` or
`Database.fetch`, each opened *for that organization* and confined to it (see ``confinement``).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from sqlalchemy import (
    URL,
    Engine,
    Pool,
    PoolProxiedConnection,
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import DBAPIError, InterfaceError, NotSupportedError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from callhelm_threecx import patience, sqlite_files
from callhelm_threecx.bulk import BulkInsert, Row
from callhelm_threecx.columns import json_text
from callhelm_threecx.confinement import OrganizationSession, PreparedRead
from callhelm_threecx.driver import told_as_by_sqlalchemy
from callhelm_threecx.errors import BadInputError, DeadlockError, StorageUnavailableError
from callhelm_threecx.fast_reads import FastReads, NotTakenError

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_TIMEOUT_S: Final = 3
MISSING_TABLES: Final = "The database has not the tables of this version; run db upgrade."
READ_ONLY: Final = "The database takes no changes at the moment."
POOL_TIMEOUT_S: Final = 10

# In a host's database ids are UUIDs and refer to its own tables (PostgreSQL's error codes).
_BAD_REFERENCES: Final = {
    "22P02": ("An id is not one of this database's.", "malformed_id"),
    "23503": ("What an id refers to is not there.", "unknown_reference"),
}


def retry_when_passing(function: Callable[P, T]) -> Callable[P, T]:
    """Try a second time what failed for a reason that has passed, and changes nothing twice.

    A restarted server leaves dead connections in every pool; without this, the first call after
    each restart would ring without a name. And of transactions that wait for each other PostgreSQL
    ends one, which is as good as any: no call may be lost for it.
    """

    @wraps(function)
    def tried_twice(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except StorageUnavailableError as ex:
            if not ex.passing:
                raise
        return function(*args, **kwargs)

    return tried_twice


class Database:
    """An engine and the sessions on it.

    It may be built, and even used, before a process forks: the child drops the connections that it
    inherited, without closing its parent's.
    """

    def __init__(self, url: URL, *, pool_size: int = 10) -> None:
        is_sqlite = url.get_backend_name() == "sqlite"
        # SQLite has one writer at a time, and lets those that wait for it starve: within a process
        # they queue for the one connection instead, first come, first served.
        self.engine = _create_engine(url, 1 if is_sqlite else pool_size)
        # Reads run in autocommit: no BEGIN and no ROLLBACK travel to the server around them.
        self.reader = _create_engine(
            url, pool_size, isolation_level="AUTOCOMMIT", pool_reset_on_return=None
        )
        if is_sqlite:
            sqlite_files.begin_immediately(self.engine)
        self._fast_reads = FastReads(self.reader)
        self._owner = os.getpid()
        self._left: list[Pool] = []

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def read(self, organization_id: str) -> Iterator[Session]:
        """A session that sees one organization; nothing that it changes is kept.

        Raises `StorageUnavailableError` when the database does not answer.
        """
        _require_patience()
        info = {"organization_id": organization_id}
        self._leave_parent()
        with (
            translated_errors(),
            OrganizationSession(self.reader, autoflush=False, info=info) as session,
        ):
            yield session

    @retry_when_passing
    def fetch(
        self, organization_id: str, read: PreparedRead, parameters: dict[str, Any]
    ) -> list[tuple[Any, ...]]:
        """The rows of a prepared read, for one organization.

        Raises `StorageUnavailableError` when the database does not answer.
        """
        self._leave_parent()
        statement = read.compiled(self.reader.dialect)
        if not read.planned_anew:
            with suppress(NotTakenError):
                return statement.read(self._fast_reads.rows(statement, organization_id, parameters))
        _require_patience()
        # psycopg prepares what it sees often, and PostgreSQL then plans it once for all parameters.
        is_anew = read.planned_anew and self.dialect == "postgresql"
        options = {"prepare": False} if is_anew else {}
        bound = statement.bind(organization_id, parameters)
        with translated_errors():
            connection = self._raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(statement.sql, bound, **options)
                rows = cursor.fetchall()
                cursor.close()
            except Exception as ex:
                raise self._translated(ex, connection) from ex
            finally:
                connection.close()
        return statement.read(rows)

    def fetch_together(
        self, runs: Sequence[tuple[str, PreparedRead, dict[str, Any]]]
    ) -> list[list[tuple[Any, ...]]] | None:
        """The rows of several prepared statements, each for its organization, in one transaction.
        None when they did not run so; `fetch` tells of each alone what stood against it."""
        if not runs:
            return []
        self._leave_parent()
        dialect = self.reader.dialect
        reads = [read.compiled(dialect) for _, read, _ in runs]
        asked = [
            (whose, read, values) for read, (whose, _, values) in zip(reads, runs, strict=True)
        ]
        with suppress(NotTakenError):
            answers = self._fast_reads.rows_together(asked)
            return [read.read(rows) for read, rows in zip(reads, answers, strict=True)]
        return None

    def _raw_connection(self) -> PoolProxiedConnection:
        """One from the pool; when a new one cannot be made, the driver speaks for itself here."""
        try:
            return self.reader.raw_connection()
        except self.reader.dialect.loaded_dbapi.Error as ex:
            raise StorageUnavailableError("The database does not answer.") from ex

    def _translated(self, ex: Exception, connection: PoolProxiedConnection) -> Exception:
        """What the driver raised, in our words where the database does not answer."""
        dialect = self.reader.dialect
        driver = dialect.loaded_dbapi
        if (reason := _unusable(ex)) is not None:
            return StorageUnavailableError(reason)
        bad_reference = _bad_reference(ex)
        if bad_reference is not None:
            return bad_reference
        if not isinstance(ex, (driver.OperationalError, driver.InterfaceError)):
            return ex
        disconnected = dialect.is_disconnect(ex, connection, None)
        if disconnected:
            connection.invalidate(ex)
            self.reader.dispose()  # what else lies in the pool is as dead
        return _unavailable(ex, disconnected=disconnected)

    @contextmanager
    def write(self, organization_id: str) -> Iterator[Session]:
        """One transaction in one organization: committed at the end, undone on any exception.

        Raises `StorageUnavailableError` when the database does not answer.
        """
        info = {"organization_id": organization_id}
        self._leave_parent()
        with (
            translated_errors(),
            OrganizationSession(self.engine, info=info) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def read_all_organizations(self) -> Iterator[Session]:
        """A read that no organization confines: for keys, set-up and the admin key's views."""
        _require_patience()
        self._leave_parent()
        with translated_errors(), Session(self.reader, autoflush=False) as session:
            yield session

    @contextmanager
    def write_all_organizations(self) -> Iterator[Session]:
        """A transaction that no organization confines: for set-up and the event writer."""
        self._leave_parent()
        with translated_errors(), Session(self.engine) as session, session.begin():
            yield session

    def insert_all_organizations(self, bulk: BulkInsert, rows: Sequence[Row]) -> None:
        """Insert rows, of any organizations, in one transaction: for the event writer, whose events
        wait in memory before, so that no disk need be waited for.

        Raises `StorageUnavailableError` when the database does not answer.
        """
        self._leave_parent()
        try:
            self._insert(bulk, rows)
        except NotSupportedError:  # COPY, to a role that row-level security binds
            bulk.copies = False
            self._insert(bulk, rows)

    def _insert(self, bulk: BulkInsert, rows: Sequence[Row]) -> None:
        with translated_errors(), self.engine.connect() as connection:
            flushing = (
                sqlite_files.unflushed(connection) if self.dialect == "sqlite" else nullcontext()
            )
            with flushing, connection.begin(), told_as_by_sqlalchemy(connection):
                bulk.run(connection, rows)

    @retry_when_passing
    def ping(self) -> None:
        """Return when the database answers; raise `StorageUnavailableError` when not."""
        with self.read_all_organizations() as session:
            session.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close every pooled connection. One that is in use just now is closed by the next call: it
        goes back to the pool that it came from, of which nobody else knows any more."""
        self._fast_reads.close()
        for pool in self._left:
            pool.dispose()
        self._left = [engine.pool for engine in (self.engine, self.reader)]
        self.engine.dispose()
        self.reader.dispose()

    def _leave_parent(self) -> None:
        if self._owner != os.getpid():
            self._fast_reads.forget()
            self._left = []
            self.engine.dispose(close=False)
            self.reader.dispose(close=False)
            self._owner = os.getpid()


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn "the database does not answer" into `StorageUnavailableError`, and an id that the
    columns of a host's database do not take into `BadInputError`."""
    try:
        yield
    except PoolTimeoutError as ex:
        raise StorageUnavailableError("The database is too busy to answer.") from ex
    except (OperationalError, InterfaceError) as ex:
        raise _unavailable(ex.orig, disconnected=ex.connection_invalidated) from ex
    except DBAPIError as ex:
        if ex.connection_invalidated:
            raise _unavailable(ex.orig, disconnected=True) from ex
        if (reason := _unusable(ex.orig)) is not None:
            raise StorageUnavailableError(reason) from ex
        bad_reference = _bad_reference(ex.orig)
        if bad_reference is not None:
            raise bad_reference from ex
        raise


def _require_patience() -> None:
    """Whoever cannot wait does not begin what may take long."""
    if patience.deadline() is not None:
        raise StorageUnavailableError("The database did not answer in time.")


def _bad_reference(ex: BaseException | None) -> BadInputError | None:
    known = _BAD_REFERENCES.get(getattr(ex, "sqlstate", None) or "")
    return BadInputError(known[0], code=known[1]) if known else None


def _unavailable(ex: BaseException | None, *, disconnected: bool) -> StorageUnavailableError:
    if getattr(ex, "sqlstate", None) == "40P01":
        return DeadlockError()
    return StorageUnavailableError("The database does not answer.", passing=disconnected)


def _unusable(ex: BaseException | None) -> str | None:
    """Why a database that answers is of no use: PostgreSQL's undefined_table and undefined_column,
    and read_only_sql_transaction of a standby. (SQLite calls all that an OperationalError.)"""
    state = getattr(ex, "sqlstate", None)
    if state in {"42P01", "42703"}:
        return MISSING_TABLES
    return READ_ONLY if state == "25006" else None


def _create_engine(url: URL, pool_size: int, **options: Any) -> Engine:
    options |= {
        "pool_size": pool_size,
        "max_overflow": pool_size - 1,
        "pool_timeout": POOL_TIMEOUT_S,
        "json_serializer": json_text,
        "hide_parameters": True,  # names and numbers of people stay out of error texts
    }
    if url.get_backend_name() == "sqlite":
        connect: dict[str, Any] = {
            "timeout": sqlite_files.BUSY_TIMEOUT_MS / 1000,
            "check_same_thread": False,  # a pool hands each connection to one thread at a time
        }
        engine = create_engine(url, connect_args=connect, **options)
        event.listen(engine, "connect", sqlite_files.set_pragmas)
        return engine
    connect = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "callhelm-threecx"}
    return create_engine(url, connect_args=connect, **options)
