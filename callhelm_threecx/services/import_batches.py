"""The batches of an import: how their rows are kept, and the contacts in them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.services.contact_tables import COLUMNS, contact_of
from callhelm_threecx.services.csv_tables import Table, known_columns, row_of
from callhelm_threecx.stores.base import NewContact

BATCH: Final = 100
"""Rows that are kept together: few, since on SQLite a call waits for a batch to be written."""


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A row of an import: the line of the file on which it begins, its cells as they stand there,
    and the contact in it, or why there is none."""

    line: int
    cells: Sequence[str]
    contact: NewContact | None
    reason: str = ""


def written_batches(table: Table) -> Iterator[str]:
    """The rows of a table in batches, each as it is kept."""
    rows = ([row.line, list(row.cells)] for row in table.rows())
    while batch := list(islice(rows, BATCH)):
        yield json.dumps(batch, ensure_ascii=False, separators=(",", ":"))


def batch_of(kept: str, header: Sequence[str]) -> list[ImportedRow]:
    """The rows of a batch that was kept, read under the header of their table."""
    names = known_columns(header, COLUMNS)
    return [_read(line, cells, names) for line, cells in json.loads(kept)]


def _read(line: int, cells: Sequence[str], names: Sequence[str | None]) -> ImportedRow:
    try:
        return ImportedRow(line, cells, contact_of(row_of(line, cells, names)))
    except BadInputError as ex:
        return ImportedRow(line, cells, None, ex.message)


def contacts_in(rows: Iterable[ImportedRow]) -> tuple[list[int], list[NewContact]]:
    """The contacts of a batch, and the index of the row of each."""
    found = [(index, row.contact) for index, row in enumerate(rows) if row.contact is not None]
    return [index for index, _ in found], [contact for _, contact in found]
