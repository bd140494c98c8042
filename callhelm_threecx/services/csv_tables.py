"""CSV tables, as people's programs write them.

UTF-8 with or without a byte order mark, UTF-16 with one; comma, semicolon or tab between cells;
quoted line breaks; columns in any order and case. A table is read twice: once to know that it is
sound to its end and how long it is, once to work on it. So a broken file changes nothing. The
command line reads files with it, the console what was uploaded.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TextIO

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.services.csv_source import Opener, Source, TableError
from callhelm_threecx.services.values import clean

__all__ = [
    "REFUSED_COLUMNS",
    "Row",
    "RowWriter",
    "Table",
    "TableError",
    "guarded",
    "known_columns",
    "read_stream",
    "read_table",
    "refused_row",
    "row_of",
    "texts_of",
    "unguarded",
    "unknown_columns",
    "write_rows",
    "written_rows",
]

DELIMITERS: Final = (",", ";", "\t")
_PIECE: Final = 16 * 1024  # characters of a table that are handed on at once
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r]")
_PLAIN_NUMBER: Final = re.compile(r"\+?\d+(?: x\d+)?", re.ASCII)
REFUSED_COLUMNS: Final = ("Line", "Reason")
"""What stands before the columns of a table of refused rows; an import leaves them out again."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line of the file on which it begins (the header is on line 1), its cells as
    they stand there, and those of known columns by name, without guards and stripped."""

    line: int
    cells: Sequence[str]
    values: dict[str, str]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was read once and is sound. ``unknown`` are columns that nothing is known of."""

    header: Sequence[str]
    unknown: Sequence[str]
    length: int
    _source: Source = field(repr=False)
    _names: Sequence[str | None] = field(repr=False)

    def rows(self) -> Iterator[Row]:
        """The rows with anything in them, from the top."""
        for line, cells in self._source.records():
            yield row_of(line, cells, self._names)


def read_table(name: str, data: bytes, columns: Sequence[str], *, encoding: str = "") -> Table:
    """Read a table through. ``name`` is what errors call it.

    ``columns`` are the names that are known; case, spaces and underscores do not count. Without an
    ``encoding`` the data are UTF-8, or say what they are by a byte order mark. Raises `TableError`
    for data that cannot be decoded, an unclosed quote, a header without a known column or with one
    twice.
    """
    return read_stream(name, partial(io.BytesIO, data), columns, encoding=encoding)


def read_stream(name: str, opener: Opener, columns: Sequence[str], *, encoding: str = "") -> Table:
    """As `read_table`, of a file that may be larger than memory: it is opened anew for each
    reading."""
    source = Source(name, opener, encoding)
    source.delimiter = _delimiter(source, columns)
    header = source.header()
    names = known_columns(header, columns)
    _check_header(name, names, columns)
    length = sum(1 for _ in source.records())
    unknown = unknown_columns(header, columns)
    return Table(header, unknown, length, source, names)


def known_columns(header: Sequence[str], columns: Sequence[str]) -> list[str | None]:
    """The known name of each column of a header, None for one that nothing is known of."""
    by_folded = {_folded(name): name for name in columns}
    return [by_folded.get(_folded(cell)) for cell in header]


def unknown_columns(header: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The cells of a header that nothing is known of, but for those of refused rows."""
    return [
        cell
        for cell, known in zip(header, known_columns(header, columns), strict=True)
        if known is None and cell and cell.title() not in REFUSED_COLUMNS
    ]


def row_of(line: int, cells: Sequence[str], names: Sequence[str | None]) -> Row:
    """A row from its cells under the `known_columns` of a header."""
    values = {
        name: unguarded(cell).strip()
        for name, cell in zip(names, cells, strict=False)
        if name is not None
    }
    surplus = len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :])
    fault = f"has {len(cells)} cells, the header {len(names)}" if surplus else ""
    return Row(line, cells, values, fault)


def texts_of(row: Row, lengths: Mapping[str, int]) -> dict[str, str]:
    """The named cells of a row, clean, empty where there is none.

    ``lengths`` are the most characters that each may have. Raises `BadInputError` for a row that
    has more cells than the header, and for a cell that is longer than it may be.
    """
    if row.fault:
        raise BadInputError(row.fault)
    values = row.values
    texts = {name: clean(values[name]) if values.get(name) else "" for name in lengths}
    for name, text in texts.items():
        if len(text) > lengths[name]:
            raise BadInputError(f"{name} is longer than {lengths[name]} characters")
    return texts


def _delimiter(source: Source, columns: Sequence[str]) -> str:
    """The delimiter under which the header has most known columns: no guess at the data."""
    if source.named_delimiter is not None:
        return source.named_delimiter
    known = {_folded(name) for name in columns}
    best, most = DELIMITERS[0], -1
    for delimiter in DELIMITERS:
        source.delimiter = delimiter
        try:
            found = sum(_folded(cell) in known for cell in source.header())
        except TableError:
            continue
        if found > most:
            best, most = delimiter, found
    return best


def _check_header(name: str, names: Sequence[str | None], columns: Sequence[str]) -> None:
    found = [known for known in names if known is not None]
    if not found:
        raise TableError(f"{name}: the first line names none of {', '.join(columns)}.")
    twice = next((known for known in found if found.count(known) > 1), None)
    if twice:
        raise TableError(f"{name}: the column {twice} is there twice.")


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


def guarded(cell: str) -> str:
    """A cell that no spreadsheet runs as a formula: an apostrophe goes in front of ``= + - @``.

    A phone number stays as it is, ``+49…`` included: a sum of digits is no danger, and other
    programs must be able to read it.
    """
    if _PLAIN_NUMBER.fullmatch(cell):
        return cell
    return "'" + cell if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell) else cell


class RowWriter:
    """Writes a header, and rows below it as they come, every cell guarded."""

    def __init__(self, file: TextIO, columns: Sequence[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\r\n")  # RFC 4180
        self._writer.writerow(columns)

    def add(self, row: Sequence[str]) -> None:
        """Write one more row."""
        self._writer.writerow([guarded(cell) for cell in row])


def write_rows(file: TextIO, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write a header and rows, every cell guarded; how many rows there were."""
    writer = RowWriter(file, columns)
    count = 0
    for row in rows:
        writer.add(row)
        count += 1
    return count


def written_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """What `write_rows` writes, a piece at a time: for an answer that is not kept whole."""
    buffer = io.StringIO(newline="")
    writer = RowWriter(buffer, columns)
    for row in rows:
        writer.add(row)
        if buffer.tell() >= _PIECE:
            yield _emptied(buffer)
    yield _emptied(buffer)


def _emptied(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def refused_row(
    line: int, reason: str, cells: Sequence[str], header: Sequence[str]
) -> Sequence[str]:
    """A row of a table of refused rows: behind its line and reason it is as it stood, as wide as
    the header. Corrected, such a table can be imported as it is."""
    width = len(header)
    padded = (cells[index] if index < len(cells) else "" for index in range(width))
    return [str(line), reason, *padded]
