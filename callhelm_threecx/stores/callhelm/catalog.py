"""What PostgreSQL's catalog says about a host's tables, asked in two queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ARRAY, Text, bindparam, text

from callhelm_threecx.db import Database


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


def _rows(
    database: Database, query: Any, tables: Sequence[str], schema: str | None
) -> Sequence[Any]:
    with database.read_all_organizations() as session:
        return session.execute(query, {"schema": schema, "tables": list(tables)}).all()
