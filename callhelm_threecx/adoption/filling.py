"""Gives the rows of adopted tables what ours need, and takes every clear key out of them."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONB

from callhelm_threecx import keys
from callhelm_threecx.adoption.key_search import KeySearch, hint_of
from callhelm_threecx.adoption.planning import IDENTIFIERS, TablePlan
from callhelm_threecx.adoption.rows import KeyRow, has_names
from callhelm_threecx.migrations.first_tables import EVENTS, INTEGRATIONS, JSON, MAPPINGS

BATCH: Final = 2000

DEFAULTS_OF_NEW_COLUMNS: Final[Mapping[tuple[str, str], str]] = {
    (INTEGRATIONS, "enabled"): "true",
    (INTEGRATIONS, "settings"): "'{}'",
    (EVENTS, "status"): "'ok'",
    (EVENTS, "raw_data"): "'{}'",
}
"""What the rows that are there get in a column that was not; in SQL."""

# What takes the place of a null where ours has none. The earlier integration took an ``enabled``
# that was null for off.
_FILLINGS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    INTEGRATIONS: (
        ("organization_name", "''"),
        ("enabled", "false"),
        ("settings", "'{}'"),
        ("created_at", "now()"),
        ("updated_at", "created_at"),
        ("key_created_at", "created_at"),
    ),
    MAPPINGS: (("created_at", "now()"), ("updated_at", "created_at")),
    EVENTS: (
        ("event_type", "'unknown'"),
        ("status", "'ok'"),
        ("raw_data", "'{}'"),
        ("created_at", "coalesce(call_end_time, call_start_time, now())"),
    ),
}
_TEXTS: Final = frozenset({"text", "character varying", "character", "citext"})
_DOCUMENTS: Final = frozenset({"json", "jsonb"})
# Columns by which a row is known, and those that hold a key anyway, are not searched.
_NOT_SEARCHED: Final = IDENTIFIERS | {
    "id",
    "api_key",
    "event_type",
    "three_cx_extension",
    "key_encrypted",
    "key_fingerprint",
    "key_hint",
    "previous_key_fingerprint",
}
_SETTINGS_OF_TEXT: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0", ""), False),
}


def fill(connection: Connection, table: str) -> None:
    """Put something where ours may not be null."""
    if table == INTEGRATIONS:
        _name_organizations(connection)
        _mend_settings(connection)
    if table == EVENTS:
        raw_data: sa.ColumnClause[Any] = sa.column("raw_data", JSONB())
        is_null = sa.func.jsonb_typeof(raw_data) == "null"
        events = sa.table(EVENTS, raw_data)
        connection.execute(sa.update(events).where(is_null).values(raw_data=sa.text("'{}'")))
    for name, value in _FILLINGS[table]:
        column: sa.ColumnClause[Any] = sa.column(name)
        bare = sa.table(table, column)
        connection.execute(sa.update(bare).where(column.is_(None)).values({column: sa.text(value)}))


def _name_organizations(connection: Connection) -> None:
    if not has_names(connection):
        return
    ours = sa.table(INTEGRATIONS, sa.column("organization_id"), sa.column("organization_name"))
    theirs = sa.table("organizations", sa.column("id"), sa.column("name"))
    same = sa.cast(ours.c.organization_id, sa.Text) == sa.cast(theirs.c.id, sa.Text)
    connection.execute(
        sa.update(ours)
        .where(same, ours.c.organization_name.is_(None))
        .values(organization_name=theirs.c.name)
    )


def _mend_settings(connection: Connection) -> None:
    """Settings are an object, and what is on or off in them is a boolean."""
    table = sa.table(INTEGRATIONS, sa.column("id", sa.Uuid()), sa.column("settings", JSON))
    rows = connection.execute(sa.select(table.c.id, table.c.settings)).all()
    mended = [
        {"row_id": row.id, "mended": settings}
        for row in rows
        if (settings := mended_settings(row.settings)) != row.settings
        or json.dumps(settings) != json.dumps(row.settings)  # 1 == True
    ]
    if mended:
        statement = sa.update(table).where(table.c.id == sa.bindparam("row_id"))
        connection.execute(statement.values(settings=sa.bindparam("mended")), mended)


def mended_settings(settings: Any) -> dict[str, Any]:
    """Settings as we keep them. An object that was stored as text is read; a switch that says
    nothing (null) is left to its default."""
    if isinstance(settings, str):
        try:
            settings = json.loads(settings)
        except ValueError:
            settings = None
    if not isinstance(settings, dict):
        return {}
    return {
        name: _switch(value) if name in _SWITCHES else value
        for name, value in settings.items()
        if not (name in _SWITCHES and _switch(value) is None)
    }


_SWITCHES: Final = frozenset(
    {
        "call_journaling_enabled",
        "chat_journaling_enabled",
        "contact_creation_enabled",
        "auto_create_contacts",
    }
)


def _switch(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value != 0
    return _SETTINGS_OF_TEXT.get(value.strip().lower()) if isinstance(value, str) else None


def encrypt_keys(connection: Connection, rows: Sequence[KeyRow], ring: keys.KeyRing) -> None:
    """Write each clear key encrypted; whoever has none gets one that nobody knows."""
    table = sa.table(
        INTEGRATIONS,
        *map(sa.column, ("id", "api_key", "key_fingerprint", "key_encrypted", "key_hint")),
        *map(sa.column, ("key_created_at", "created_at")),
        *map(sa.column, ("previous_key_fingerprint", "previous_key_expires_at")),
    )
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("row_id", type_=sa.Uuid()))
        .values(
            key_fingerprint=sa.bindparam("fingerprint"),
            key_encrypted=sa.bindparam("encrypted"),
            key_hint=sa.bindparam("hint"),
            key_created_at=sa.case(
                (sa.bindparam("is_first", type_=sa.Boolean()), table.c.created_at),
                else_=sa.func.now(),
            ),
            previous_key_fingerprint=None,
            previous_key_expires_at=None,
        )
    )
    values = [_sealed(row, ring) for row in rows if not row.is_kept]
    if values:
        connection.execute(statement, values)
    connection.execute(sa.update(table).values(api_key=None))


def _sealed(row: KeyRow, ring: keys.KeyRing) -> dict[str, Any]:
    api_key = row.api_key or keys.generate_api_key()
    return {
        "row_id": row.id,
        "fingerprint": ring.fingerprint(api_key),
        "encrypted": ring.encrypt(api_key, str(row.organization_id)),
        "hint": hint_of(api_key),
        "is_first": row.api_key is not None and row.encrypted is None,
    }


def count_copies(connection: Connection, plan: TablePlan, search: KeySearch) -> int:
    """In how many rows of a table a key stands besides."""
    return sum(len(ids) for ids in _rows_with_keys(connection, plan, search))


def remove_copies(connection: Connection, plan: TablePlan, search: KeySearch) -> int:
    """Replace every key in every text of a table by its hint; in how many rows there was one."""
    columns = _searched(plan)
    table = sa.table(plan.name, sa.column("id", sa.Uuid()), *map(sa.column, columns))
    texts = [sa.cast(table.c[name], sa.Text).label(name) for name in columns]
    by_id = sa.update(table).where(table.c.id == sa.bindparam("row_id", type_=sa.Uuid()))
    changed = 0
    for ids in _rows_with_keys(connection, plan, search):
        changed += len(ids)
        found = connection.execute(sa.select(table.c.id, *texts).where(table.c.id.in_(ids)))
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        for row in found.mappings().all():
            values = dict(_without_keys(row, columns, search))
            bound = {f"new_{name}": value for name, value in values.items()}
            alike[tuple(values)].append({"row_id": row["id"], **bound})
        for names, rows in alike.items():
            clean = {name: _of_text(name, columns[name]) for name in names}
            connection.execute(by_id.values(clean), rows)
    return changed


def _of_text(name: str, kind: "sa.types.TypeEngine[Any]") -> "sa.Cast[Any]":
    return sa.cast(sa.cast(sa.bindparam(f"new_{name}", type_=sa.Text()), sa.Text()), kind)


def _without_keys(
    row: Mapping[Any, Any], columns: "Mapping[str, sa.types.TypeEngine[Any]]", search: KeySearch
) -> Iterator[tuple[str, str]]:
    for name, kind in columns.items():
        text = row[name]
        if text is None:
            continue
        clean = search.in_text(text) if isinstance(kind, sa.Text) else search.in_json(text)
        if clean != text:
            yield name, clean


def _rows_with_keys(
    connection: Connection, plan: TablePlan, search: KeySearch
) -> Iterator[list[UUID]]:
    """The ids of rows in which a key stands, some at a time; the table is read in a stream."""
    columns = _searched(plan)
    if not columns:
        return
    table = sa.table(plan.name, sa.column("id", sa.Uuid()), *map(sa.column, columns))
    # A line for each column: a text of its own, as no key has a line break in it.
    joined = sa.func.concat_ws("\n", *(sa.cast(table.c[name], sa.Text) for name in columns))
    rows = connection.execute(
        sa.select(table.c.id, joined), execution_options={"stream_results": True}
    )
    for batch in rows.partitions(BATCH):
        ids = [row_id for row_id, text in batch if search.finds(text)]
        if ids:
            yield ids


def _searched(plan: TablePlan) -> dict[str, "sa.types.TypeEngine[Any]"]:
    """The columns of a table in which a copy of a key can stand, and the type of each."""
    ours = {each.column for each in plan.retyped}
    found: dict[str, sa.types.TypeEngine[Any]] = {}
    for column in plan.found.columns.values():
        if column.generated or column.name in _NOT_SEARCHED:
            continue
        if column.type in _TEXTS:
            found[column.name] = sa.Text()
        elif column.type in _DOCUMENTS:
            is_binary = column.type == "jsonb" or column.name in ours
            found[column.name] = JSONB() if is_binary else sa.JSON()
    return found
