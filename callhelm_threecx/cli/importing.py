"""What imports have in common: the file, progress, refused rows."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer

from callhelm_threecx.cli.files import FileError, writing
from callhelm_threecx.services.csv_tables import (
    REFUSED_COLUMNS,
    Row,
    Table,
    read_table,
    refused_row,
    write_rows,
)

if TYPE_CHECKING:
    from rich.progress import Progress

BATCH = 500
MOST_SHOWN = 20
"""Refused rows that are told one by one; all of them are in the file of ``--rejects``."""


@dataclass(slots=True)
class Refused:
    """Rows that were not taken, and why."""

    rows: list[tuple[Row, str]] = field(default_factory=list)

    def add(self, row: Row, reason: str) -> None:
        """Keep a row, and tell of it unless many were told of."""
        self.rows.append((row, reason))
        if len(self.rows) <= MOST_SHOWN:
            typer.echo(f"Line {row.line}: {reason}", err=True)
        elif len(self.rows) == MOST_SHOWN + 1:
            typer.echo("More lines are refused; --rejects FILE takes them all.", err=True)

    def write(self, path: Path, header: Sequence[str]) -> None:
        """Write the rows as they stand in the table, behind their line and reason.

        Corrected, the file can be imported as it is: the two columns are unknown to an import.
        """
        rows = (refused_row(row.line, reason, row.cells, header) for row, reason in self.rows)
        with writing(path, "utf-8") as file:
            write_rows(file, [*REFUSED_COLUMNS, *header], rows)


def read_file(path: Path, columns: Sequence[str], *, encoding: str = "") -> Table:
    """Read the table in a file, ``-`` being standard input; see `read_table`.

    Raises `FileError` for a file that cannot be opened.
    """
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as ex:
        raise FileError(f"{path}: {ex.strerror or ex}.") from ex
    return read_table(str(path), data, columns, encoding=encoding)


class Advance(Protocol):
    """Tells how many rows more are done."""

    def __call__(self, rows: int, /) -> None:
        """Go on by so many."""
        ...


@contextmanager
def progress(table: Table, what: str) -> Iterator[Advance]:
    """A bar on a terminal for tables of more than one batch; nothing elsewhere."""
    with ExitStack() as stack:
        bar = _bar() if sys.stderr.isatty() and table.length > BATCH else None
        if bar is None:
            yield _silently
            return
        stack.enter_context(bar)
        task = bar.add_task(what, total=table.length)

        def advance(rows: int) -> None:
            bar.advance(task, rows)

        yield advance


def _silently(_rows: int) -> None:
    pass


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import Progress

    return Progress(console=Console(stderr=True))


def warn_of_unknown(table: Table) -> None:
    """Name the columns that nothing is done with."""
    if table.unknown:
        typer.echo(f"Columns that are left out: {', '.join(table.unknown)}.", err=True)
