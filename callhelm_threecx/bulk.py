"""Many rows of one of our tables at once, the way that each database takes them fastest.

That is COPY on PostgreSQL and one prepared INSERT on SQLite. Values pass the column types as they
do everywhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table, insert

Row = Mapping[str, Any]

MOST_PARAMETERS: Final = 900
"""Values in one statement, which every SQLite takes."""


class BulkInsert:
    """Inserts rows into a table, each of which gives the columns ``names``."""

    def __init__(self, table: Table, names: Sequence[str], dialect: Dialect) -> None:
        self._table = table
        self._columns = [(name, _processor(table, name, dialect)) for name in names]
        self._is_sqlite = dialect.name == "sqlite"
        columns, places = ", ".join(names), ", ".join("?" * len(names))
        self._insert = f"INSERT INTO {table.fullname} ({columns}) VALUES ({places})"  # noqa: S608
        self._at_once = MOST_PARAMETERS // len(names)
        self._insert_many = self._insert + f", ({places})" * (self._at_once - 1)
        self._copy = f"COPY {table.fullname} ({columns}) FROM STDIN"
        self.copies = not self._is_sqlite
        """Whether COPY is used: PostgreSQL refuses it to a role that row-level security binds."""

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert in the transaction of a connection. Raises the driver's own errors."""
        driver: Any = connection.connection.driver_connection
        if self._is_sqlite:
            self._insert_into_sqlite(driver, rows)
        elif self.copies:
            with driver.cursor() as cursor, cursor.copy(self._copy) as copy:
                for row in rows:
                    copy.write_row(self._values(row))
        else:
            connection.execute(insert(self._table), list(rows))

    def _insert_into_sqlite(self, driver: Any, rows: Sequence[Row]) -> None:
        """Many rows in a statement: between two statements Python's driver takes the interpreter's
        lock, and would take it from a thread that answers a phone."""
        values = [self._values(row) for row in rows]
        whole = len(values) - len(values) % self._at_once
        for start in range(0, whole, self._at_once):
            many = chain.from_iterable(values[start : start + self._at_once])
            driver.execute(self._insert_many, tuple(many))
        driver.executemany(self._insert, values[whole:])

    def _values(self, row: Row) -> list[Any]:
        values = []
        for name, process in self._columns:
            value = row[name]
            values.append(value if process is None or value is None else process(value))
        return values


def _processor(table: Table, name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    return table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
