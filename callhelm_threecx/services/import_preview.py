"""What an import would change, before anything is."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from callhelm_threecx.services.import_batches import ImportedRow, contacts_in
from callhelm_threecx.stores.base import Contact, NewContact, Organization
from callhelm_threecx.stores.importing import Outcome, PlannedImports, RowOutcome


@dataclass(frozen=True, slots=True)
class PreviewedRow:
    """What happens to one row. ``before`` is the contact that an update finds in the store,
    ``after`` what is kept."""

    line: int
    cells: Sequence[str]
    outcome: Outcome
    reason: str = ""
    before: Contact | None = None
    after: Contact | None = None


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """Counts for a file, what happens to its first rows, and the first refused ones among all that
    were looked at. ``looked_at`` is how many rows were counted: fewer than all when the time was
    up."""

    looked_at: int
    created: int
    updated: int
    unchanged: int
    refused: int
    first_rows: Sequence[PreviewedRow]
    first_refused: Sequence[PreviewedRow]


def preview_of(
    store: PlannedImports,
    organization: Organization,
    batches: Iterable[Sequence[ImportedRow]],
    first: int,
    seconds: float | None = None,
) -> ImportPreview:
    """Go through the batches as an import would, for so long at most (the first batch is always
    looked at). One batch is in memory at a time."""
    end = math.inf if seconds is None else time.monotonic() + seconds
    counts = dict.fromkeys(Outcome, 0)
    shown: list[PreviewedRow] = []
    refused: list[PreviewedRow] = []
    passed: list[Sequence[ImportedRow]] = []  # one: the batch that the store is planning

    def contacts() -> Iterable[list[NewContact]]:
        for rows in batches:
            if passed and time.monotonic() > end:
                return
            passed[:] = [rows]
            yield contacts_in(rows)[1]

    for planned in store.plan_import(organization, contacts()):
        rows = passed[0]
        told = dict(zip(contacts_in(rows)[0], planned, strict=True))
        for index, row in enumerate(rows):
            made = told.get(index)
            outcome = made.outcome if made else Outcome.REFUSED
            counts[outcome] += 1
            if len(shown) < first:
                shown.append(_previewed(row, made))
            if outcome is Outcome.REFUSED and len(refused) < first:
                refused.append(_previewed(row, made))
    return ImportPreview(
        looked_at=sum(counts.values()),
        created=counts[Outcome.CREATED],
        updated=counts[Outcome.UPDATED],
        unchanged=counts[Outcome.UNCHANGED],
        refused=counts[Outcome.REFUSED],
        first_rows=shown,
        first_refused=refused,
    )


def _previewed(row: ImportedRow, made: RowOutcome | None) -> PreviewedRow:
    """A row with what the store makes of it; None for one that it is not asked about."""
    if made is None:
        return PreviewedRow(row.line, row.cells, Outcome.REFUSED, row.reason)
    return PreviewedRow(row.line, row.cells, made.outcome, made.reason, made.before, made.after)
