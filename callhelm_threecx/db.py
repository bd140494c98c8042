"""The database: an engine, short reads, short transactions, and the wall between organizations.

Every statement of an organization runs in a session that `Database.read` or `Database.write` opened
*for that organization*. Such a session adds ``organization_id = …`` to every SELECT, UPDATE and
DELETE on an `OrganizationRow`, refuses statements that it cannot filter, and refuses to store a row
of another organization. This is the one place where tenants are kept apart.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, Final, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, bindparam, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeoutError,
)
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption

from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.models import OrganizationRow

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_TIMEOUT_S: Final = 3
POOL_TIMEOUT_S: Final = 5
SQLITE_BUSY_TIMEOUT_MS: Final = 5000
_CHECKED: Final = "organization_checked"
_ORGANIZATION: Final = "confining_organization_id"


class CrossOrganizationError(RuntimeError):
    """A bug: code tried to leave the organization that its session was opened for."""


def retry_when_disconnected(function: Callable[P, T]) -> Callable[P, T]:
    """Try a read a second time when its pooled connection turned out to be dead.

    A restarted server leaves dead connections in every pool; without this, the first call after
    each restart would ring without a name.
    """

    @wraps(function)
    def tried_twice(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except StorageUnavailableError as ex:
            if not ex.disconnected:
                raise
        return function(*args, **kwargs)

    return tried_twice


class Database:
    """An engine and the sessions on it.

    It may be built, and even used, before a process forks: the child drops the connections that it
    inherited, without closing its parent's.
    """

    def __init__(self, url: URL, *, pool_size: int = 10) -> None:
        self.engine = _create_engine(url, pool_size)
        # Reads run in autocommit: no BEGIN and no ROLLBACK travel to the server around them.
        self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._owner = os.getpid()

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def read(self, organization_id: str) -> Iterator[Session]:
        """A session that sees one organization; nothing that it changes is kept.

        Raises `StorageUnavailableError` when the database does not answer.
        """
        info = {"organization_id": organization_id}
        self._leave_parent()
        with (
            translated_errors(),
            OrganizationSession(self._reader, autoflush=False, info=info) as session,
        ):
            yield session

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
        self._leave_parent()
        with translated_errors(), Session(self._reader, autoflush=False) as session:
            yield session

    @contextmanager
    def write_all_organizations(self) -> Iterator[Session]:
        """A transaction that no organization confines: for set-up and the event writer."""
        self._leave_parent()
        with translated_errors(), Session(self.engine) as session, session.begin():
            yield session

    @retry_when_disconnected
    def ping(self) -> None:
        """Return when the database answers; raise `StorageUnavailableError` when not."""
        with self.read_all_organizations() as session:
            session.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    def _leave_parent(self) -> None:
        if self._owner != os.getpid():
            self.engine.dispose(close=False)
            self._owner = os.getpid()


class OrganizationSession(Session):
    """A session that is confined to the organization in ``info["organization_id"]``."""


@event.listens_for(OrganizationSession, "do_orm_execute")
def _filter(state: ORMExecuteState) -> None:
    if state.is_insert and state.execution_options.get(_CHECKED):
        return
    if state.is_insert or not state.is_orm_statement:
        raise CrossOrganizationError("This statement cannot be confined to an organization.")
    organization_id = state.session.info["organization_id"]
    state.statement = state.statement.options(*_confinement())
    state.parameters = _with_organization(state.parameters, organization_id)


@cache
def _confinement() -> tuple[ExecutableOption, ...]:
    """The filter on every table of `OrganizationRow`, for one parameter of all statements."""
    wanted = bindparam(_ORGANIZATION)
    return tuple(
        with_loader_criteria(
            table,
            lambda cls: cls.organization_id == wanted,  # called anew for each alias of the table
            include_aliases=True,
            track_closure_variables=False,
        )
        for table in OrganizationRow.__subclasses__()
    )


def _with_organization(parameters: Any, organization_id: str) -> Any:
    if isinstance(parameters, Sequence):
        return [{**one, _ORGANIZATION: organization_id} for one in parameters]
    return {**(parameters or {}), _ORGANIZATION: organization_id}


@event.listens_for(OrganizationSession, "before_flush")
def _refuse_strangers(session: Session, _context: UOWTransaction, _objects: Any) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        _check_organization(session, row)


def _check_organization(session: Session, row: object) -> None:
    owner = getattr(row, "organization_id", None)
    if not isinstance(row, OrganizationRow) or owner != session.info["organization_id"]:
        raise CrossOrganizationError("A row of another organization.")


def insert_unless_present(session: Session, row: OrganizationRow) -> bool:
    """Insert a row at once; False, and nothing changed, when a unique constraint says that it is
    there already (also when another transaction is inserting it at this moment: that one's end is
    waited for)."""
    _check_organization(session, row)
    values = row.model_dump()
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    key = inspect(type(row)).primary_key[0]
    statement = insert(type(row)).values(values).on_conflict_do_nothing().returning(key)
    result = session.execute(statement, execution_options={_CHECKED: True})
    return result.first() is not None


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn "the database does not answer" into `StorageUnavailableError`."""
    try:
        yield
    except PoolTimeoutError as ex:
        raise StorageUnavailableError("The database is too busy to answer.") from ex
    except (OperationalError, InterfaceError) as ex:
        raise StorageUnavailableError(
            "The database does not answer.", disconnected=ex.connection_invalidated
        ) from ex
    except DBAPIError as ex:
        if ex.connection_invalidated:
            raise StorageUnavailableError(
                "The database does not answer.", disconnected=True
            ) from ex
        raise


def _create_engine(url: URL, pool_size: int) -> Engine:
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_timeout": POOL_TIMEOUT_S,
        "hide_parameters": True,  # names and numbers of people stay out of error texts
    }
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_MS / 1000}, **options
        )
        _prepare_sqlite(engine)
        return engine
    return create_engine(
        url,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "callhelm-threecx"},
        **options,
    )


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _set_pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "foreign_keys = ON",
            "synchronous = FULL",  # a journaled call survives a power cut
            "temp_store = MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later would fail at once when another one
        # writes in between: take the write lock at the start, and wait for it there.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
