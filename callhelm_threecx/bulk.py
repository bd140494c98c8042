"""Many rows of one of our tables at once, the way that each database takes them fastest.

That is COPY on PostgreSQL and one prepared INSERT on SQLite. Values pass the column types as they
do everywhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert

Row = Mapping[str, Any]


class BulkInsert:
    """Inserts rows into a table, each of which gives the columns ``names``."""

    def __init__(self, table: Table, names: Sequence[str], dialect: Dialect) -> None:
        self._table = table
        self._columns = [(name, _processor(table, name, dialect)) for name in names]
        self._is_sqlite = dialect.name == "sqlite"
        columns, places = ", ".join(names), ", ".join("?" * len(names))
        self._insert = f"INSERT INTO {table.fullname} ({columns}) VALUES ({places})"  # noqa: S608
        self._copy = f"COPY {table.fullname} ({columns}) FROM STDIN"
        self.copies = not self._is_sqlite
        """Whether COPY is used: PostgreSQL refuses it to a role that row-level security binds."""

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert in the transaction of a connection. Raises the driver's own errors."""
        driver: Any = connection.connection.driver_connection
        if self._is_sqlite:
            driver.executemany(self._insert, map(self._values, rows))
        elif self.copies:
            with driver.cursor() as cursor, cursor.copy(self._copy) as copy:
                for row in rows:
                    copy.write_row(self._values(row))
        else:
            connection.execute(insert(self._table), list(rows))

    def _values(self, row: Row) -> list[Any]:
        return [
            row[name] if process is None else process(row[name]) for name, process in self._columns
        ]


def _processor(table: Table, name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    return table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
