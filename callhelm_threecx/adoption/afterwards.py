"""What is different for as long as a database has adopted tables."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from callhelm_threecx.adoption.catalog import FoundTable, find
from callhelm_threecx.adoption.planning import IDENTIFIERS, NEEDED
from callhelm_threecx.migrations.first_tables import INTEGRATIONS, first_tables

_STAYS_REQUIRED: Final = frozenset({"id", "organization_id", "three_cx_extension", "event_type"})


def guard(connection: Connection, names: Iterable[str]) -> None:
    """Where row-level security guards the adopted keys, let it guard tables of ours as well: others
    than our own role get at this schema."""
    if not tables_that_stay(connection):
        return
    integrations = find(connection, INTEGRATIONS)
    if integrations is None or not integrations.row_security:
        return
    for name in names:
        table = find(connection, name)
        if table is not None and not table.row_security:
            connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")


def tables_that_stay(connection: Connection) -> frozenset[str]:
    """The tables that a downgrade leaves: those of the earlier integration, if there was one."""
    if connection.dialect.name != "postgresql":
        return frozenset()
    integrations = find(connection, INTEGRATIONS)
    is_adopted = integrations is not None and "api_key" in integrations.columns
    return frozenset(NEEDED) if is_adopted else frozenset()


def loosen(connection: Connection) -> None:
    """Let whoever used the adopted tables before write them again: nothing has to be in a column
    that only we know. Every value stays, the encrypted keys included."""
    for name in tables_that_stay(connection):
        found = find(connection, name)
        for column in _ours(found, first_tables().tables[name]):
            statement = f"ALTER TABLE {name} ALTER COLUMN {column} DROP NOT NULL"
            connection.exec_driver_sql(statement)


def _ours(found: FoundTable | None, wanted: sa.Table) -> Iterator[str]:
    there: Any = found.columns if found else {}
    for column in wanted.columns:
        known = there.get(column.name)
        is_free = known is None or known.supplied or not known.required
        if not is_free and column.name not in _STAYS_REQUIRED:
            yield column.name


def true_differences(connection: Connection, found: Sequence[Any]) -> list[Any]:
    """Alembic's differences without those that an adoption makes on purpose: what the tables have
    besides ours, ids that stay ``uuid``, and constraints of other names that do the same."""
    staying = tables_that_stay(connection)
    tables = {name: table for name in staying if (table := find(connection, name))}
    true = []
    for difference in found:
        # Changes of one column come as a list.
        changes = difference if isinstance(difference, list) else [difference]
        if not all(_is_on_purpose(change, tables) for change in changes):
            true.append(difference)
    return true


def _is_on_purpose(change: Any, tables: dict[str, FoundTable]) -> bool:
    kind, subject = change[0], change[1]
    if kind == "modify_type":
        _, _, table, column, *_ = change
        return table in tables and column in IDENTIFIERS
    if kind == "remove_column":
        return change[2] in tables
    table = getattr(getattr(subject, "table", None), "name", None)
    if table not in tables:
        return False
    if kind == "add_constraint" and isinstance(subject, sa.UniqueConstraint):
        return frozenset(subject.columns.keys()) in tables[table].uniques
    return bool(kind in {"remove_index", "remove_constraint", "remove_fk"})
