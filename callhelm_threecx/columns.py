"""Column types: instants, ids and texts that mean the same on SQLite and on PostgreSQL."""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import orjson
from sqlalchemy import JSON, DateTime, Dialect, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import UserDefinedType


class UtcInstant(TypeDecorator[datetime]):
    """An instant: ``timestamptz`` on PostgreSQL, UTC text of fixed width on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """SQLite's text is what its dialect would write, made in a tenth of the time: every event
        has an instant."""
        return _sqlite_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=timezone.utc)
        return value.astimezone(timezone.utc)


def _sqlite_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return _in_utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return value.astimezone(timezone.utc)


class Identifier(UserDefinedType[str]):
    """An id as text. Our own columns are TEXT; a column of a host, or of an earlier integration,
    may be ``uuid``: the server is left to read the text as what the column is, and text comes back.

    ``collation`` is PostgreSQL's, for our own columns.
    """

    cache_ok = True

    def __init__(self, collation: str | None = None) -> None:
        self.collation = collation

    def get_col_spec(self, **_kwargs: Any) -> str:
        """The type of a new column; SQLite compares bytes anyway."""
        return "TEXT"

    def result_processor(
        self, _dialect: Dialect, _coltype: object
    ) -> Callable[[Any], str | None] | None:
        """``uuid`` columns come as `uuid.UUID`."""
        return _text_of


def _text_of(value: Any) -> str | None:
    return None if value is None else str(value)


@compiles(Identifier, "postgresql")
def _identifier_on_postgresql(kind: Identifier, _compiler: Any, **_kwargs: Any) -> str:
    return f'TEXT COLLATE "{kind.collation}"' if kind.collation else "TEXT"


def json_text(value: Any) -> str:
    """A JSON value in the words of a database."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a number of more than 64 bits, a name that is no text
        return json.dumps(value)


Json = JSON().with_variant(JSONB(), "postgresql")
# Plain byte order, whatever the database's collation: prefixes are looked up as ranges.
ByteText = Text().with_variant(Text(collation="C"), "postgresql")


ORGANIZATION_ID: Any = Identifier("C")
