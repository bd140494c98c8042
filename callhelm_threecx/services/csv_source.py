"""The records of a CSV file, read from its beginning as often as needed, a piece at a time."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import BinaryIO, Final

from callhelm_threecx.errors import BadInputError

Opener = Callable[[], BinaryIO]
"""Opens the file at its beginning. Of several streams that it gives one is read at a time."""

_PIECE: Final = 1 << 16
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMED_DELIMITER: Final = re.compile(r"(?i)sep=(.)\r?\n")


class TableError(BadInputError):
    """The file is no table that can be read; the message names it, and the line where it can."""

    code = "bad_table"


class Source:
    """A file as records. A first line ``sep=;`` names the delimiter (Excel's way).

    Without an ``encoding`` it is UTF-8, or says what it is by a byte order mark. Every reading
    raises `TableError` for what cannot be decoded, and for an unclosed quote.
    """

    def __init__(self, name: str, opener: Opener, encoding: str = "") -> None:
        self.name = name
        self.delimiter = ","
        self._opener = opener
        self._encoding = encoding or self._marked_encoding()
        self._lines_before = 0
        with closing(self._lines()) as lines:
            named = _NAMED_DELIMITER.fullmatch(next(lines, ""))
        self.named_delimiter = named[1] if named else None
        self._lines_before = 1 if named else 0

    def header(self) -> list[str]:
        """The first record, stripped. Raises `TableError` for an empty file."""
        with closing(self._records()) as records:
            for _, cells in records:
                return [cell.strip() for cell in cells]
        raise TableError(f"{self.name} is empty.")

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of every record after the header in which anything is written."""
        with closing(self._records()) as records:
            next(records, None)
            for line, cells in records:
                if any(cell.strip() for cell in cells):
                    yield line, cells

    def _records(self) -> Generator[tuple[int, list[str]], None, None]:
        with closing(self._lines()) as lines:
            for _ in range(self._lines_before):
                next(lines)
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            line = self._lines_before
            try:
                for cells in reader:
                    if cells:
                        yield line + 1, cells
                    line = self._lines_before + reader.line_num
            except csv.Error as ex:
                reason = "a quote is not closed" if "unexpected end" in str(ex) else str(ex)
                raise TableError(f"{self.name}, line {line + 1}: {reason}.") from None

    def _lines(self) -> Generator[str, None, None]:
        try:
            with (
                self._opener() as file,
                io.TextIOWrapper(file, encoding=self._encoding, newline="") as text,
            ):
                for line in text:
                    yield line.replace("\0", "")  # which no csv of Python 3.10 reads
        except LookupError:
            raise TableError(f"{self.name}: there is no encoding {self._encoding!r}.") from None
        except UnicodeError:
            raise TableError(
                f"{self.name}, line {self._undecodable_line()}: not {self._encoding.upper()}; "
                "if Excel wrote it, save it as CSV UTF-8 or name its encoding, such as cp1252."
            ) from None

    def _marked_encoding(self) -> str:
        with self._opener() as file:
            start = file.read(3)
        return next((name for mark, name in _BYTE_ORDER_MARKS if start.startswith(mark)), "utf-8")

    def _undecodable_line(self) -> int:
        decoder = codecs.getincrementaldecoder(self._encoding)()
        line = 1
        with self._opener() as file:
            while True:
                piece = file.read(_PIECE)
                try:
                    decoder.decode(piece, final=not piece)
                except UnicodeDecodeError as ex:
                    return line + ex.object.count(b"\n", 0, ex.start)
                except UnicodeError:  # such as UTF-16 without a mark
                    return line
                if not piece:
                    return line
                line += piece.count(b"\n")
