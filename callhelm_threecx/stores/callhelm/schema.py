"""The tables of a Call-Helm host, mapped as they are there.

Hosts differ: a deployment lacks the columns of later migrations, or has more than ours ever saw.
Columns are therefore read from the catalog; those that are known and there are mapped, to classes
made for this database. The classes derive from `HostRow`, so every statement on them is confined to
an organization, like one on the integration's own tables.

``profiles`` belong to nobody's organization: people are members of several. They are mapped as a
part of their membership only, and no statement can reach a profile without one.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Boolean, Column, ColumnElement, Integer, MetaData, Table, Text, null
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeEngine

from callhelm_threecx.columns import Identifier, UtcInstant
from callhelm_threecx.confinement import HostRow
from callhelm_threecx.db import Database
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.stores.callhelm import catalog
from callhelm_threecx.stores.callhelm.catalog import Columns, HostColumn

_TEXTS: Final = ("varchar", "text", "bpchar", "citext")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a column holds: how it is read and written, and which types of the server do."""

    word: str
    type: TypeEngine[Any]
    server_types: tuple[str, ...]
    required: bool = False


# Ids and words of an enum travel untyped: the server reads them as what the column is.
_ID: Final = partial(_Kind, "an id", Identifier(), ("uuid",))
_WORD: Final = partial(_Kind, "a word", Identifier(), ("enum", *_TEXTS))
_TEXT: Final = partial(_Kind, "text", Text(), _TEXTS)
_INSTANT: Final = partial(_Kind, "timestamptz", UtcInstant(), ("timestamptz",))
_NUMBER: Final = partial(_Kind, "a number", Integer(), ("int2", "int4", "int8"))
_TRUTH: Final = partial(_Kind, "boolean", Boolean(), ("bool",))
_JSON: Final = partial(_Kind, "jsonb", JSONB(), ("jsonb",))

_KNOWN: Final[Mapping[str, Mapping[str, _Kind]]] = {
    "organizations": {"id": _ID(required=True), "name": _TEXT()},
    "profiles": {"id": _ID(required=True), "email": _TEXT(required=True), "full_name": _TEXT()},
    "organization_members": {
        "id": _ID(required=True),
        "organization_id": _ID(required=True),
        "user_id": _ID(required=True),
        "role": _WORD(),
        "extension": _TEXT(),
        "three_cx_extension": _TEXT(),
        "is_active": _TRUTH(),
    },
    "contacts": {
        "id": _ID(required=True),
        "organization_id": _ID(required=True),
        "phone_number": _TEXT(required=True),
        "first_name": _TEXT(),
        "last_name": _TEXT(),
        "full_name": _TEXT(),
        "email": _TEXT(),
        "company": _TEXT(),
        "status": _WORD(),
        "metadata": _JSON(),
        "created_at": _INSTANT(),
        "updated_at": _INSTANT(),
    },
    "calls": {
        "id": _ID(required=True),
        "organization_id": _ID(required=True),
        "direction": _WORD(required=True),
        "caller_number": _TEXT(required=True),
        "called_number": _TEXT(required=True),
        "start_time": _INSTANT(required=True),
        "status": _WORD(required=True),
        "member_id": _ID(),
        "contact_id": _ID(),
        "end_time": _INSTANT(),
        "duration": _NUMBER(),
        "recording_url": _TEXT(),
        "transcription": _TEXT(),
        "ai_summary": _TEXT(),
        "ai_sentiment": _TEXT(),
        "notes": _TEXT(),
        "metadata": _JSON(),
        "created_at": _INSTANT(),
        "updated_at": _INSTANT(),
    },
}
TABLES: Final = tuple(_KNOWN)

# Into these tables rows are inserted, and these columns are filled, whatever a row is about.
_ALWAYS_FILLED: Final[Mapping[str, frozenset[str]]] = {
    "contacts": frozenset(_KNOWN["contacts"]) - {"status", "full_name"},
    "calls": frozenset(_KNOWN["calls"]) - {"member_id", "contact_id", "end_time", "duration"},
}


class HostTable:
    """A table of the host: ``row`` is the class it is mapped to, with those attributes only that
    it has columns for."""

    def __init__(self, name: str, row: Any, columns: Columns) -> None:
        self.name = name
        self.row = row
        self.columns = columns

    def has(self, column: str) -> bool:
        """Whether the host has this column, and we know it."""
        return column in self.columns

    def column(self, name: str) -> ColumnElement[Any]:
        """The column as an expression; NULL where the host has none."""
        expression: ColumnElement[Any] = getattr(self.row, name) if self.has(name) else null()
        return expression

    def values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What of the values the table can take: texts cut to their column's length, blank ones
        null where they may be; nothing for a column that is missing or computed."""
        kept: dict[str, Any] = {}
        for name, value in values.items():
            column = self.columns.get(name)
            if column is None or column.generated:
                continue
            fitting = _fitting(column, value)
            if fitting is not None or column.nullable:
                kept[name] = fitting
        return kept


@dataclass(frozen=True, slots=True)
class HostTables:
    """The host's tables that the store works with.

    ``organizations`` has one row within an organization's confines, whose id is
    ``organization_id``. ``members`` are joined with their profiles, whose ``email`` and
    ``full_name`` (if there) are the attributes ``profile_email`` and ``profile_full_name``.
    """

    organizations: HostTable
    members: HostTable
    contacts: HostTable
    calls: HostTable
    schema: str | None


class HostSchema:
    """The tables of the host's database, read when they are first needed and then kept."""

    def __init__(self, database: Database, schema: str | None = None) -> None:
        self._database = database
        self._schema = schema
        self._tables: HostTables | None = None
        self._lock = threading.Lock()

    def tables(self) -> HostTables:
        """The tables. Raises `SettingsError` that names what is missing, and
        `StorageUnavailableError`."""
        tables = self._tables
        if tables is None:
            with self._lock:
                tables = self._tables
                if tables is None:
                    tables = self._tables = self._read()
        return tables

    def row_security(self) -> list[str]:
        """The tables of which row-level security hides rows from our role."""
        return catalog.read_row_security(self._database, TABLES, self._schema)

    def _read(self) -> HostTables:
        found = catalog.read_columns(self._database, TABLES, self._schema)
        for name in TABLES:
            _require(name, found.get(name))
        return _mapped(found, self._schema)


def _require(table: str, columns: Columns | None) -> None:
    if columns is None:
        raise _lacking(f"needs the table {table}, which is not there")
    for name, kind in _KNOWN[table].items():
        column = columns.get(name)
        if kind.required and column is None:
            raise _lacking(f"needs {table}.{name}, which is not there")
        if kind.required and column is not None and column.kind not in kind.server_types:
            raise _lacking(f"needs {table}.{name} to be {kind.word}, and it is {column.kind}")
    filled = _ALWAYS_FILLED.get(table)
    for column in columns.values():
        if filled is not None and column.must_be_given and column.name not in filled:
            raise _lacking(
                f"cannot fill {table}.{column.name}, which must not be null and has no default"
            )


def _lacking(what: str) -> SettingsError:
    return SettingsError(f"THREECX_CONTACT_STORE: the callhelm store {what}.")


def _mapped(found: Mapping[str, Columns], schema: str | None) -> HostTables:
    """Classes for the tables, on a registry and metadata of their own."""
    metadata = MetaData(schema=schema)
    mappings = registry(metadata=metadata)
    usable = {name: _usable(name, found[name]) for name in TABLES}
    tables = {
        name: Table(
            name,
            metadata,
            *(
                Column(column, _KNOWN[name][column].type, primary_key=column == "id")
                for column in usable[name]
            ),
        )
        for name in TABLES
    }
    members, profiles = tables["organization_members"], tables["profiles"]
    profile_columns = {f"profile_{c.name}": c for c in profiles.columns if c.name != "id"}
    classes = {name: type(f"Host_{name}", (HostRow,), {}) for name in TABLES}
    mappings.map_imperatively(
        classes["organizations"],
        tables["organizations"],
        properties={"organization_id": tables["organizations"].c.id},
    )
    mappings.map_imperatively(
        classes["organization_members"],
        members.join(profiles, members.c.user_id == profiles.c.id),
        primary_key=[members.c.id],
        properties={**{c.name: c for c in members.columns}, **profile_columns},
        exclude_properties=[profiles.c.id],
    )
    for name in ("contacts", "calls"):
        mappings.map_imperatively(classes[name], tables[name])
    member_columns = {
        **usable["organization_members"],
        **{name: usable["profiles"][column.name] for name, column in profile_columns.items()},
    }
    return HostTables(
        HostTable("organizations", classes["organizations"], usable["organizations"]),
        HostTable("organization_members", classes["organization_members"], member_columns),
        HostTable("contacts", classes["contacts"], usable["contacts"]),
        HostTable("calls", classes["calls"], usable["calls"]),
        schema,
    )


def _usable(table: str, columns: Columns) -> dict[str, HostColumn]:
    """The columns that we know and whose type is one that we can read and write."""
    return {
        name: columns[name]
        for name, kind in _KNOWN[table].items()
        if name in columns and columns[name].kind in kind.server_types
    }


def _fitting(column: HostColumn, value: Any) -> Any:
    if column.kind not in _TEXTS:
        return value
    text = (value or "")[: column.max_length]
    return text or (None if column.nullable else "")
