"""What a store may do for imports beyond `BulkContacts`: say what one would change, and keep a
batch in the caller's transaction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from sqlalchemy.orm import Session

from callhelm_threecx.stores.base import Contact, ImportReport, NewContact, Organization


class Outcome(str, Enum):
    """What becomes of a row of an import."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What becomes of one row, and why when it is refused.

    ``before`` is the contact that an update finds (None when an earlier row of the same import is
    what it would find), ``after`` what it will be; a contact that is yet to be created has no id.
    """

    outcome: Outcome
    reason: str = ""
    before: Contact | None = None
    after: Contact | None = None


@runtime_checkable
class PlannedImports(Protocol):
    """A store that tells what an import would do."""

    def plan_import(
        self, organization: Organization, batches: Iterable[Sequence[NewContact]]
    ) -> Iterator[Sequence[RowOutcome]]:
        """What `BulkContacts.import_batch` would do with these batches, one after the other, row by
        row; nothing is written."""
        ...


@runtime_checkable
class TransactionalImports(Protocol):
    """A store whose contacts live in the product's own database: a batch is kept together with how
    far its import has come."""

    def import_batch_within(
        self, session: Session, organization: Organization, batch: Sequence[NewContact]
    ) -> ImportReport:
        """As `BulkContacts.import_batch`, in the caller's transaction."""
        ...
