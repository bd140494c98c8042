"""Everything that hangs on the table of events: what a new table in its place needs, and what
stands against one. It may be a host's, with policies, rights and triggers of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from callhelm_threecx.services.event_months import Layout

_PRIMARY_KEY: Final = text("""
    SELECT quote_ident(conname) FROM pg_constraint WHERE conrelid = :oid AND contype = 'p'
""")
_FOREIGN_KEYS: Final = text("""
    SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = :oid AND contype = 'f' ORDER BY conname
""")
# "CREATE INDEX name ON [ONLY] table USING btree (…) …": from USING on.
_INDEXES: Final = text("""
    SELECT quote_ident(c.relname),
           substring(pg_get_indexdef(i.indexrelid) FROM position(' USING ' IN
               pg_get_indexdef(i.indexrelid)) + 1)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = :oid AND NOT i.indisprimary ORDER BY c.relname
""")
_POLICIES: Final = text("""
    SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s',
               p.polname, p.polrelid::regclass,
               CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
               CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                   WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
               CASE WHEN p.polroles = '{0}' THEN 'PUBLIC' ELSE (
                   SELECT string_agg(quote_ident(rolname), ', ') FROM pg_roles
                   WHERE oid = ANY (p.polroles)) END)
           || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
           || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
    FROM pg_policy p WHERE p.polrelid = :oid ORDER BY p.polname
""")
_TRIGGERS: Final = text("""
    SELECT pg_get_triggerdef(oid), quote_ident(tgname), tgenabled::text FROM pg_trigger
    WHERE tgrelid = :oid AND NOT tgisinternal ORDER BY tgname
""")
_RIGHTS: Final = text("""
    SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
           a.privilege_type, a.is_grantable
    FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = :oid AND a.grantee <> c.relowner
    ORDER BY 1, 2
""")
_COLUMN_RIGHTS: Final = text("""
    SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
           a.privilege_type, a.is_grantable, quote_ident(t.attname)
    FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) a
    WHERE t.attrelid = :oid AND a.grantee <> c.relowner ORDER BY 1, 2, 4
""")
_ENABLED: Final = {"D": "DISABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}

# What a new table would not have, or what could not let the old one go.
_DEPENDENTS: Final = text("""
    SELECT DISTINCT 'the view ' || r.ev_class::regclass::text
    FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = :oid AND r.ev_class <> :oid
    UNION ALL SELECT 'a foreign key of ' || conrelid::regclass::text FROM pg_constraint
    WHERE confrelid = :oid AND contype = 'f' AND conrelid <> :oid
    UNION ALL SELECT 'the publication ' || p.pubname FROM pg_publication_rel r
    JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = :oid
    UNION ALL SELECT 'the sequence ' || d.objid::regclass::text
    FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE d.classid = 'pg_class'::regclass AND d.refobjid = :oid AND d.deptype IN ('a', 'i')
    UNION ALL SELECT 'the rule ' || rulename FROM pg_rules r
    WHERE (quote_ident(r.schemaname) || '.' || quote_ident(r.tablename))::regclass = :oid
    UNION ALL SELECT 'the unique index ' || i.indexrelid::regclass::text FROM pg_index i
    WHERE i.indrelid = :oid AND i.indisunique AND NOT i.indisprimary
    ORDER BY 1
""")


@dataclass(frozen=True, slots=True)
class Shape:
    """What the table has besides its columns. ``indexes`` and ``foreign_keys`` are (name,
    definition); ``afterwards`` are statements for when the new table has the name: rights,
    policies and triggers."""

    primary_key: str
    foreign_keys: Sequence[tuple[str, str]]
    indexes: Sequence[tuple[str, str]]
    afterwards: Sequence[str]


def shape_of(session: Session, layout: Layout) -> Shape:
    """Read it from the catalog."""
    oid = {"oid": layout.oid}
    return Shape(
        primary_key=session.execute(_PRIMARY_KEY, oid).scalar_one(),
        foreign_keys=[(name, kept) for name, kept in session.execute(_FOREIGN_KEYS, oid)],
        indexes=[(name, kept) for name, kept in session.execute(_INDEXES, oid)],
        afterwards=[
            *_rights(session, layout),
            *session.execute(_POLICIES, oid).scalars(),
            *_triggers(session, layout),
        ],
    )


def _rights(session: Session, layout: Layout) -> Iterator[str]:
    """Exactly those that the old table gave, whatever a schema gives by default."""
    oid = {"oid": layout.oid}
    rights = [(*row, "") for row in session.execute(_RIGHTS, oid)]
    rights += [(*row[:3], f" ({row[3]})") for row in session.execute(_COLUMN_RIGHTS, oid)]
    for grantee in sorted({row[0] for row in rights} | {"PUBLIC"}):
        yield f"REVOKE ALL ON {layout.table} FROM {grantee}"
    for grantee, right, is_grantable, columns in rights:
        option = " WITH GRANT OPTION" if is_grantable else ""
        yield f"GRANT {right}{columns} ON {layout.table} TO {grantee}{option}"


def _triggers(session: Session, layout: Layout) -> Iterator[str]:
    for definition, name, enabled in session.execute(_TRIGGERS, {"oid": layout.oid}):
        yield definition
        if enabled in _ENABLED:
            yield f"ALTER TABLE {layout.table} {_ENABLED[enabled]} TRIGGER {name}"


def hindrances(session: Session, layout: Layout) -> Iterator[str]:
    """Why the table cannot be replaced, a sentence each."""
    if not layout.is_owned:
        yield f"{layout.table} belongs to {layout.owner}: run this as that role."
    for dependent in session.execute(_DEPENDENTS, {"oid": layout.oid}).scalars():
        named = f"{dependent[0].upper()}{dependent[1:]}"
        yield f"{named} hangs on it: drop that first, and make it again."
