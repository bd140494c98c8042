"""The wall between organizations.

Every statement of an organization runs in an `OrganizationSession`, or as a `PreparedRead`. Either
way ``organization_id = …`` is added here to every table of `OrganizationRow` and `HostRow` in it;
what cannot be filtered is refused, and so is a row of another organization. `callhelm_threecx.db`
opens the doors, this module is why nobody gets through the wrong one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NoReturn, cast
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Alias,
    BigInteger,
    BindParameter,
    Column,
    Dialect,
    Executable,
    Join,
    Result,
    Select,
    Table,
    TableClause,
    TableSample,
    TextClause,
    bindparam,
    column,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy import (
    cast as cast_in_sql,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.base import ExecutableOption
from typing_extensions import Unpack

from callhelm_threecx.bulk import BulkInsert
from callhelm_threecx.columns import Identifier
from callhelm_threecx.driver import CompiledRead, told_as_by_sqlalchemy
from callhelm_threecx.models import OrganizationRow, organization_tables

_CHECKED: Final = "organization_checked"
_ORGANIZATION: Final = "confining_organization_id"
_CONFINED: Final[WeakKeyDictionary[Executable, Executable]] = WeakKeyDictionary()


class CrossOrganizationError(RuntimeError):
    """A bug: code tried to leave the organization that its session was opened for."""


class HostRow:
    """Base of the classes that tables of a host's database are mapped to: rows that belong to one
    organization, to be read and inserted beside our own.

    Such a class is mapped to one table, or to a join whose one side says whose the row is.
    """

    organization_id: Any = column("organization_id", Identifier())


class OrganizationSession(Session):
    """A session that is confined to the organization in ``info["organization_id"]``.

    The ways around its filter and its unit of work raise `CrossOrganizationError`.
    """

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise CrossOrganizationError("This cannot be confined to an organization.")

    connection = bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _refuse


@event.listens_for(OrganizationSession, "do_orm_execute")
def _filter(state: ORMExecuteState) -> Result[Any] | None:
    if state.execution_options.get(_CHECKED):
        return None
    if state.is_insert or state.is_from_statement or not state.is_orm_statement:
        raise CrossOrganizationError("This statement cannot be confined to an organization.")
    if isinstance(state.parameters, Sequence):
        raise CrossOrganizationError("A statement with many parameters finds its rows by id alone.")
    organization_id = state.session.info["organization_id"]
    state.statement = _confined(state.statement, is_update=state.is_update)
    state.parameters = state.parameters or {}  # SQLAlchemy 2.0 adds to what is there only
    return state.invoke_statement(params={_ORGANIZATION: organization_id})


def _confined(statement: Executable, *, is_update: bool) -> Executable:
    """The statement behind the filter, once for as long as it lives: what is checked here, and what
    SQLAlchemy works out to find it compiled, costs more than many a query."""
    confined = _CONFINED.get(statement)
    if confined is None:
        _check_structure(statement, is_update=is_update)
        confined = _CONFINED[statement] = statement.options(*_confinement())
    return confined


def _check_structure(statement: Executable, *, is_update: bool) -> None:
    """Refuse what the filter, which knows mapped classes only, would leave unfiltered: bare tables
    and SQL text; and an UPDATE that could give a row to another organization."""
    tables: set[str] = set()
    filtered: set[str] = set()
    bare: set[object] = set()
    conditions: set[object] = set()  # on which the joins that classes are mapped to rest
    for element in visitors.iterate(cast(visitors.ExternallyTraversible, statement)):
        entity = getattr(element, "_annotations", {}).get("parententity")
        if entity is not None:
            mapped = entity.mapper.local_table
            filtered.update(table.fullname for table in entity.mapper.tables)
            if isinstance(mapped, Join) and mapped.onclause is not None:
                conditions.update(filter(_is_bare, visitors.iterate(mapped.onclause)))
        if isinstance(element, TableClause):
            tables.add(element.fullname)
        if isinstance(element, TextClause):
            raise CrossOrganizationError("SQL text cannot be confined.")
        if entity is None and _is_bare(element):
            bare.add(element)
        if is_update and getattr(element, "key", None) == "organization_id":
            raise CrossOrganizationError("An UPDATE leaves the organization of a row alone.")
    if not (tables <= filtered and bare <= conditions):
        raise CrossOrganizationError("Bare tables cannot be confined.")


def _is_bare(element: object) -> bool:
    """Whether this is a column of a table itself, not of a mapped class or a subquery (primary keys
    are: `Session.get` writes them so)."""
    if not isinstance(element, Column):
        return False
    is_key = element.primary_key and isinstance(element.table, Table)
    return not is_key and isinstance(element.table, (TableClause, Alias, TableSample))


@cache
def _confinement() -> tuple[ExecutableOption, ...]:
    """The filter on every table of `OrganizationRow` and of `HostRow`, also of those that will be
    mapped later, for one parameter of all statements."""
    wanted: BindParameter[str] = bindparam(_ORGANIZATION)
    return tuple(
        with_loader_criteria(
            table,
            lambda cls: cls.organization_id == wanted,  # called anew for each alias of the table
            include_aliases=True,
            track_closure_variables=False,
        )
        for table in (*organization_tables(), HostRow)
    )


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


def insert_host_rows(
    session: Session, table: type[HostRow], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows of the session's organization into a table of the host, in one statement. Each
    row gives the same columns."""
    if not issubclass(table, HostRow):
        raise CrossOrganizationError("This is no table of a host.")
    for row in rows:
        if row.get("organization_id") != session.info["organization_id"]:
            raise CrossOrganizationError("A row of another organization.")
    statement = postgresql.insert(table).values([dict(row) for row in rows])
    session.execute(statement, execution_options={_CHECKED: True})


def lock_until_commit(session: Session, name: str, *, shared: bool = False) -> None:
    """Wait for whoever holds the lock of this name within the organization, and hold it until the
    transaction ends (PostgreSQL). Several may hold it shared."""
    key = hashlib.sha256(f"{session.info['organization_id']}\n{name}".encode()).digest()
    number = int.from_bytes(key[:8], "big", signed=True)
    lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    statement = select(lock(cast_in_sql(number, BigInteger)))
    session.execute(statement, execution_options={_CHECKED: True})


class PreparedRead:
    """A SELECT on the path of a ringing phone, or of each batch of an import: confined and compiled
    once, then run on the driver's own cursor, without what an ORM does for each statement.

    ``parameters`` of a run name the statement's own; the organization is added here. One whose best
    plan depends on them (how common is a word?) is ``planned_anew`` for each run.
    """

    def __init__(
        self, statement: "Select[Unpack[tuple[Any, ...]]]", *, planned_anew: bool = False
    ) -> None:
        _check_structure(statement, is_update=False)
        self.planned_anew = planned_anew
        self._statement = statement
        self._compiled: dict[str, CompiledRead] = {}

    def compiled(self, dialect: Dialect) -> CompiledRead:
        """The statement in the words of a dialect."""
        known = self._compiled.get(dialect.name)
        if known is None:
            confined = self._statement.options(*_confinement())
            known = self._compiled[dialect.name] = CompiledRead(confined, dialect, _ORGANIZATION)
        return known


def fetch_within(
    session: Session, read: PreparedRead, parameters: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """The rows of a prepared read, in the session's transaction."""
    session.flush()
    connection = Session.connection(session)
    statement = read.compiled(connection.dialect)
    bound = statement.bind(session.info["organization_id"], parameters)
    is_anew = read.planned_anew and connection.dialect.name == "postgresql"
    options = {"prepare": False} if is_anew else {}
    with told_as_by_sqlalchemy(connection):
        cursor = connection.connection.cursor()
        cursor.execute(statement.sql, bound, **options)
        rows = cursor.fetchall()
        cursor.close()
    return statement.read(rows)


def insert_many(
    session: Session,
    table: type[OrganizationRow],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Insert rows into the session's organization, past the unit of work: on PostgreSQL by COPY.

    ``columns`` are all but ``organization_id``, which is given here. Raises `IntegrityError` as an
    INSERT does.
    """
    if "organization_id" in columns:
        raise CrossOrganizationError("Whose rows they are is said by the session.")
    session.flush()
    connection = Session.connection(session)
    organization_id = session.info["organization_id"]
    names = ["organization_id", *columns]
    bulk = BulkInsert(inspect(table).local_table, names, connection.dialect)
    with told_as_by_sqlalchemy(connection):
        bulk.run(
            connection, [dict(zip(names, (organization_id, *row), strict=True)) for row in rows]
        )
