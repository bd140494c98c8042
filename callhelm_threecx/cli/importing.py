"""What imports have in common: the file, progress, refused rows."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import typer

from callhelm_threecx.cli.files import FileError, writing
from callhelm_threecx.services.csv_source import Opener
from callhelm_threecx.services.csv_tables import (
    REFUSED_COLUMNS,
    Row,
    RowWriter,
    Table,
    read_stream,
    refused_row,
)

if TYPE_CHECKING:
    from rich.progress import Progress

BATCH = 500
LARGEST_BATCH = 2000
MOST_SHOWN = 20
"""Refused rows that are told one by one; all of them are in the file of ``--rejects``."""


def batch_size(rows: int) -> int:
    """Rows that go in together: few of a small table, so that on SQLite a call that is journaled
    meanwhile waits for few; more of a large one, each commit of which costs a flush of the disk."""
    return min(max(BATCH, rows // 100), LARGEST_BATCH)


class Refused:
    """Counts the rows that were not taken, tells of the first ones, and hands all of them on."""

    def __init__(self, header: Sequence[str], rejects: RowWriter | None, *, keep: bool) -> None:
        self.count = 0
        self.lines: list[dict[str, object]] = []
        self._header = header
        self._rejects = rejects
        self._is_kept = keep

    def add(self, row: Row, reason: str) -> None:
        """One more row, and why."""
        self.count += 1
        if self._is_kept:
            self.lines.append({"line": row.line, "reason": reason})
        if self._rejects is not None:
            self._rejects.add(refused_row(row.line, reason, row.cells, self._header))
        if self.count <= MOST_SHOWN:
            typer.echo(f"Line {row.line}: {reason}", err=True)
        elif self.count == MOST_SHOWN + 1:
            typer.echo("More lines are refused; --rejects FILE takes them all.", err=True)


@contextmanager
def refusing(table: Table, rejects: Path | None, *, as_json: bool) -> Iterator[Refused]:
    """What takes the refused rows of a table.

    With ``rejects`` they are written there when the block ends well, as they stand in the table,
    behind their line and reason: corrected, the file can be imported as it is, since the two
    columns are unknown to an import. ``as_json`` keeps lines and reasons.
    """
    if rejects is None:
        yield Refused(table.header, None, keep=as_json)
        return
    with writing(rejects, "utf-8") as file:
        writer = RowWriter(file, [*REFUSED_COLUMNS, *table.header])
        yield Refused(table.header, writer, keep=as_json)


@contextmanager
def reading(path: Path, columns: Sequence[str], *, encoding: str = "") -> Iterator[Table]:
    """The table in a file, ``-`` being standard input, while the block lasts; see `read_table`.

    A file is read a piece at a time, twice, whatever its size; what can be read only once, such as
    standard input, goes through a temporary file. Raises `FileError` for one that cannot be read.
    """
    with ExitStack() as stack:
        try:
            opener = _opener(path, stack)
            table = read_stream(str(path), opener, columns, encoding=encoding)
        except OSError as ex:
            raise FileError(f"{path}: {ex.strerror or ex}.") from ex
        yield table


def _opener(path: Path, stack: ExitStack) -> Opener:
    if str(path) == "-":
        return _copied(sys.stdin.buffer, stack)
    if path.exists() and not path.is_file() and not path.is_dir():
        return _copied(stack.enter_context(path.open("rb")), stack)
    return lambda: path.open("rb")


def _copied(file: BinaryIO, stack: ExitStack) -> Opener:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))  # which is its owner's alone
    copy = folder / "table.csv"
    with copy.open("wb") as target:
        shutil.copyfileobj(file, target)
    return lambda: copy.open("rb")


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
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


def warn_of_unknown(table: Table) -> None:
    """Name the columns that nothing is done with."""
    if table.unknown:
        typer.echo(f"Columns that are left out: {', '.join(table.unknown)}.", err=True)
