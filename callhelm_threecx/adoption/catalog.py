"""What PostgreSQL's catalog says of a table that is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

_RELATION: Final = text("""
    SELECT c.oid, c.relkind::text AS kind, c.relrowsecurity AS row_security,
           pg_has_role(c.relowner, 'USAGE') AS is_owned, row_security_active(c.oid) AS is_hidden,
           pg_get_userbyid(c.relowner) AS owner,
           has_table_privilege(c.oid, 'SELECT') AS may_select
    FROM pg_class c WHERE c.oid = to_regclass(quote_ident(:name))
""")
_COLUMNS: Final = text("""
    SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type,
           format_type(a.atttypid, a.atttypmod) AS shown, a.attnotnull AS required,
           a.atthasdef OR a.attidentity <> '' AS supplied, a.attgenerated <> '' AS generated
    FROM pg_attribute a
    WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
""")
# Unique over exactly these columns, for every row, at once: what an upsert can rely on.
_UNIQUES: Final = text("""
    SELECT i.indisprimary AS is_primary, array_agg(a.attname::text) AS columns
    FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = :oid AND i.indisunique AND i.indisvalid AND i.indimmediate
      AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnatts = i.indnkeyatts
    GROUP BY i.indexrelid, i.indisprimary
""")
_CONSTRAINTS: Final = text("""
    SELECT c.conname::text AS name, c.contype::text AS kind, (
        SELECT coalesce(array_agg(a.attname::text), '{}') FROM pg_attribute a
        WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
    ) AS columns
    FROM pg_constraint c WHERE c.conrelid = :oid AND c.contype IN ('c', 'f') ORDER BY c.conname
""")
_INDEXES: Final = text("""
    SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = :oid
""")
_TRIGGERS: Final = text("""
    SELECT tgname::text AS name, tgenabled::text AS state FROM pg_trigger
    WHERE tgrelid = :oid AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY tgname
""")
# Whatever makes ALTER COLUMN … TYPE fail: views, policies, triggers, functions, generated columns.
_DEPENDENTS: Final = text("""
    SELECT DISTINCT a.attname::text AS column, pg_describe_object(d.classid, d.objid, 0) AS object
    FROM pg_depend d
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = :oid
      AND (d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass,
                         'pg_proc'::regclass, 'pg_publication_rel'::regclass)
           OR (d.classid = 'pg_class'::regclass AND d.objsubid > 0))
""")


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column: its type without (``type``) and with its length (``shown``), whether it must have
    a value, and whether the database supplies one."""

    name: str
    type: str
    shown: str
    required: bool
    supplied: bool
    generated: bool


@dataclass(frozen=True, slots=True)
class FoundConstraint:
    """A CHECK or a foreign key (``is_check`` tells) and the columns that it is about."""

    name: str
    is_check: bool
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table as it is. ``is_hidden``: row-level security applies to the role that looks."""

    name: str
    kind: str
    owner: str
    is_owned: bool
    is_hidden: bool
    may_select: bool
    row_security: bool
    columns: Mapping[str, FoundColumn]
    uniques: frozenset[frozenset[str]]
    has_primary_key: bool
    constraints: Sequence[FoundConstraint]
    indexes: frozenset[str]
    triggers: Sequence[tuple[str, str]]
    dependents: Mapping[str, Sequence[str]]

    @property
    def can_be_read(self) -> bool:
        """Whether every row of it can be read."""
        return self.kind == "r" and self.may_select and not self.is_hidden


def find(connection: Connection, name: str) -> FoundTable | None:
    """The table (or view, or whatever bears the name) that the search path leads to."""
    row = connection.execute(_RELATION, {"name": name}).mappings().one_or_none()
    if row is None:
        return None
    relation: dict[str, Any] = dict(row)
    about: dict[str, Any] = {"oid": relation.pop("oid")}
    uniques = connection.execute(_UNIQUES, about).all()
    dependents: dict[str, list[str]] = {}
    for column, described in connection.execute(_DEPENDENTS, about):
        dependents.setdefault(column, []).append(described)
    return FoundTable(
        name=name,
        columns={
            row["name"]: FoundColumn(**row)
            for row in connection.execute(_COLUMNS, about).mappings()
        },
        uniques=frozenset(frozenset(row.columns) for row in uniques),
        has_primary_key=any(row.is_primary for row in uniques),
        constraints=[
            FoundConstraint(row.name, row.kind == "c", frozenset(row.columns))
            for row in connection.execute(_CONSTRAINTS, about)
        ],
        indexes=frozenset(connection.execute(_INDEXES, about).scalars()),
        triggers=[(row.name, row.state) for row in connection.execute(_TRIGGERS, about)],
        dependents=dependents,
        **relation,
    )
