"""Statements in the words of a database, and the errors of drivers that are spoken to directly."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError
from typing_extensions import Unpack

_NAMED: Final = re.compile(r"%\((\w+)\)s|%%")


class CompiledRead:
    """A `PreparedRead` in the words of a dialect. ``sql`` is written as the driver's cursor takes
    it; ``numbered`` with ``$1`` and so on, as PostgreSQL's own protocol does, and ``names`` says
    which parameter each number is."""

    def __init__(
        self,
        statement: "Select[Unpack[tuple[Any, ...]]]",
        dialect: Dialect,
        organization_parameter: str,
    ) -> None:
        compiled = statement.compile(dialect=dialect)
        self._organization = organization_parameter
        self.sql = str(compiled)
        self.numbered, self.names = _numbered(self.sql)
        self._defaults = dict(compiled.params)
        positions = getattr(compiled, "positiontup", None)
        self._order: Sequence[str] | None = positions if compiled.positional else None
        processors = (
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in statement.selected_columns
        )
        self._processed = [(place, process) for place, process in enumerate(processors) if process]

    def bind(self, organization_id: str, parameters: Mapping[str, Any]) -> Any:
        """The parameters of a run, as the driver takes them."""
        bound = {**self._defaults, **parameters, self._organization: organization_id}
        return bound if self._order is None else [bound[name] for name in self._order]

    def read(self, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """The driver's rows as Python values."""
        read = []
        for row in rows:
            values = list(row)
            for place, process in self._processed:
                values[place] = process(values[place])
            read.append(tuple(values))
        return read


def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """A statement with psycopg's named parameters as one with PostgreSQL's numbered ones."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1]
        return f"${numbers.setdefault(name, len(numbers) + 1)}" if name else "%"

    return _NAMED.sub(number, sql), tuple(numbers)


@contextmanager
def told_as_by_sqlalchemy(connection: Connection) -> Iterator[None]:
    """What the driver raises, as SQLAlchemy would have raised it: who catches its errors need not
    know how a statement ran."""
    driver = connection.dialect.loaded_dbapi
    held = connection.connection.driver_connection
    try:
        yield
    except driver.Error as ex:
        is_dead = held is not None and connection.dialect.is_disconnect(ex, held, None)
        if is_dead:
            connection.invalidate(ex)
        raise DBAPIError.instance(
            "",
            None,
            ex,
            driver.Error,
            hide_parameters=True,
            connection_invalidated=is_dead,
            dialect=connection.dialect,
        ) from ex
