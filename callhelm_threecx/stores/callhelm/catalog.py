"""What PostgreSQL's catalog says about a host's tables and the indexes on them, and the one place
where such indexes are made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from callhelm_threecx.db import Database
from callhelm_threecx.errors import ForbiddenError

_INSUFFICIENT_PRIVILEGE: Final = "42501"


@dataclass(frozen=True, slots=True)
class HostColumn:
    """A column as it is there.

    ``kind`` is the name of its type in the catalog (``varchar``, ``uuid``, ``timestamptz``), that
    below a domain, or ``enum``; ``labels`` are an enum's. ``max_length`` counts characters.
    """

    name: str
    kind: str
    max_length: int | None = None
    nullable: bool = True
    has_default: bool = False
    generated: bool = False
    labels: Sequence[str] = ()

    @property
    def must_be_given(self) -> bool:
        """Whether a row cannot be inserted without a value for it."""
        return not (self.nullable or self.has_default or self.generated)


Columns = Mapping[str, HostColumn]

_COLUMNS: Final = text(
    """
WITH wanted AS (
    SELECT name, to_regclass(
        CASE WHEN CAST(:schema AS text) IS NULL THEN quote_ident(name)
        ELSE quote_ident(:schema) || '.' || quote_ident(name) END
    ) AS table_oid
    FROM unnest(CAST(:tables AS text[])) AS name
)

SELECT
    wanted.name, a.attname,
    CASE WHEN t.typtype = 'e' THEN 'enum' ELSE coalesce(base.typname, t.typname) END,
    CASE
        WHEN a.atttypmod > 4 AND t.typname IN ('varchar', 'bpchar') THEN a.atttypmod - 4
        WHEN t.typtypmod > 4 AND base.typname IN ('varchar', 'bpchar') THEN t.typtypmod - 4
    END,
    NOT (a.attnotnull OR t.typnotnull),
    (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
    a.attgenerated <> '' OR a.attidentity = 'a',
    ARRAY(
        SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder
    )::text[]
FROM wanted
JOIN pg_attribute a ON a.attrelid = wanted.table_oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type base ON base.oid = t.typbasetype AND t.typtype = 'd'
ORDER BY wanted.name, a.attnum
"""
).bindparams(bindparam("schema", type_=Text), bindparam("tables", type_=ARRAY(Text)))

_CLOSED: Final = text(
    """
WITH wanted AS (
    SELECT name, to_regclass(
        CASE WHEN CAST(:schema AS text) IS NULL THEN quote_ident(name)
        ELSE quote_ident(:schema) || '.' || quote_ident(name) END
    ) AS table_oid
    FROM unnest(CAST(:tables AS text[])) AS name
)

SELECT name FROM wanted
WHERE table_oid IS NOT NULL AND row_security_active(table_oid)
ORDER BY name
"""
).bindparams(bindparam("schema", type_=Text), bindparam("tables", type_=ARRAY(Text)))


def read_columns(
    database: Database, tables: Sequence[str], schema: str | None
) -> dict[str, dict[str, HostColumn]]:
    """The columns of the tables that are there, by table; found along the search path when no
    schema is named. Raises `StorageUnavailableError`."""
    found: dict[str, dict[str, HostColumn]] = {}
    for table, *facts in _rows(database, _COLUMNS, tables, schema):
        found.setdefault(table, {})[facts[0]] = HostColumn(*facts)
    return found


def read_row_security(database: Database, tables: Sequence[str], schema: str | None) -> list[str]:
    """The tables of which row-level security hides rows from our role: all of them, as a rule,
    since its policies ask who is signed in to the host."""
    return [name for (name,) in _rows(database, _CLOSED, tables, schema)]


_INDEXES: Final = text(
    """
SELECT i.relname, x.indisvalid
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = to_regclass(:table) AND starts_with(i.relname, :prefix)
"""
)
_TRIGRAMS: Final = text(
    """
SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_trgm'
"""
)
_ESTIMATE: Final = text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:table)")
_OURS_ALONE: Final = text("SELECT pg_try_advisory_lock(hashtext('callhelm-threecx prepare'))")
_NOBODYS: Final = text("SELECT pg_advisory_unlock(hashtext('callhelm-threecx prepare'))")


def read_indexes(
    database: Database, table: str, schema: str | None, prefix: str
) -> dict[str, bool]:
    """The indexes on a table whose names begin so, and whether each is valid."""
    parameters = {"table": _qualified(table, schema), "prefix": prefix}
    with database.read_all_organizations() as session:
        return dict(tuple(row) for row in session.execute(_INDEXES, parameters))


def read_trigram_schema(database: Database) -> str | None:
    """The schema in which the extension pg_trgm is installed; None when it is not."""
    with database.read_all_organizations() as session:
        return session.execute(_TRIGRAMS).scalar()


def read_estimate(database: Database, table: str, schema: str | None) -> int | None:
    """How many rows the planner takes a table to have; None while nobody has counted."""
    with database.read_all_organizations() as session:
        rows = session.execute(_ESTIMATE, {"table": _qualified(table, schema)}).scalar()
    return None if rows is None or rows < 0 else int(rows)


def run(database: Database, statements: Sequence[str]) -> Iterator[str]:
    """Run statements one by one, each in a transaction of its own; gives each when it is done.

    Raises `ForbiddenError` when our role may not, or when somebody else is at it.
    """
    with database.read_all_organizations() as session:  # in autocommit: nothing is read here
        # Whoever waited for this lock would have a snapshot, and a build waits for snapshots.
        if not session.execute(_OURS_ALONE).scalar():
            raise ForbiddenError("Another prepare is at work on this database.")
        try:
            for statement in statements:
                _run(session, statement)
                yield statement
        finally:
            session.execute(_NOBODYS)


def _run(session: Session, statement: str) -> None:
    try:
        session.connection().exec_driver_sql(statement)
    except ProgrammingError as ex:
        if getattr(ex.orig, "sqlstate", None) != _INSUFFICIENT_PRIVILEGE:
            raise
        raise ForbiddenError(
            f"Our role may not do this ({str(ex.orig).splitlines()[0]}): run what is printed "
            "without --apply as the owner of the host's tables."
        ) from ex


def _qualified(table: str, schema: str | None) -> str:
    return f'"{schema}".{table}' if schema else table


def _rows(
    database: Database, query: Any, tables: Sequence[str], schema: str | None
) -> Sequence[Any]:
    with database.read_all_organizations() as session:
        return session.execute(query, {"schema": schema, "tables": list(tables)}).all()
