"""What a store may do for people who look after its contacts: see all of them, change them, delete
them and bring them back.

`EditableContacts` is a capability beside `ContactStore`, asked for with ``isinstance``;
`callhelm_threecx.testing.EditableContactsContract` holds the tests of it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable

from callhelm_threecx.errors import FieldError, ThreeCXError
from callhelm_threecx.stores.base import Contact, InvalidContactError, NewContact, Organization


@dataclass(frozen=True, slots=True)
class ContactPage:
    """Contacts, the most recently active first, and the cursor of the next page (None on the
    last)."""

    contacts: Sequence[Contact]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DeletedContact:
    """A contact that was deleted, with all that brings it back.

    ``typed`` are its numbers as people typed them, in the order of its phones, where the store
    keeps that.
    """

    contact: Contact
    typed: tuple[str, ...] = ()
    source: str = ""
    created_at: datetime | None = None


class ContactChangedError(ThreeCXError):
    """Somebody else changed the contact since it was read; ``current`` is what it is now."""

    status: ClassVar[int] = 409
    code = "contact_changed"

    def __init__(self, current: Contact) -> None:
        super().__init__("Somebody else has changed this contact meanwhile.")
        self.current = current


class DuplicateContactError(InvalidContactError):
    """The contact would be the same as another one, whose id is ``other_id`` (empty where it is not
    known); ``errors`` name the field in which they meet."""

    code = "duplicate_contact"

    def __init__(self, field: str, message: str, other_id: str = "") -> None:
        super().__init__(f"{field}: {message}", errors=[FieldError(field, message)])
        self.other_id = other_id


@runtime_checkable
class EditableContacts(Protocol):
    """A store whose contacts people may browse and edit.

    An ``edition`` is that of the contact that the editor saw (`edition_of`): when it is another one
    by now, nothing is written. Fields of errors are those of an answer (``firstName``, ``company``,
    ``externalId``), and ``phones.0`` for the first of the phones.
    """

    def browse(
        self, organization: Organization, *, limit: int = 50, cursor: str | None = None
    ) -> ContactPage:
        """One page of all contacts. Raises `BadInputError` for a cursor that is none."""
        ...

    def update(
        self,
        organization: Organization,
        contact_id: str,
        contact: NewContact,
        *,
        edition: str | None = None,
    ) -> Contact:
        """Give a contact these texts and phones in place of its own; its activity stays.

        Raises `NotFoundError`, `ContactChangedError`, `InvalidContactError` for a contact without a
        name and a company, and `DuplicateContactError` when the change would make it the same as
        another contact: by the external id, else by a number (or, without any, the address) and the
        name.
        """
        ...

    def delete(
        self, organization: Organization, contact_id: str, *, edition: str | None = None
    ) -> DeletedContact:
        """Delete a contact. Raises `NotFoundError` and `ContactChangedError`."""
        ...

    def restore(self, organization: Organization, deleted: DeletedContact) -> Contact:
        """Bring a deleted contact back, under its id; one that is there already stays as it is.

        Raises `DuplicateContactError` when another contact has taken its place.
        """
        ...


def edition_of(contact: Contact) -> str:
    """A digest of what can be edited of a contact: two editions are the same when nothing of it was
    changed in between, whoever wrote it and however often."""
    phones = [(phone.number, phone.type.value, phone.extension) for phone in contact.phones]
    texts = (contact.first_name, contact.last_name, contact.company, contact.email)
    content = json.dumps([contact.id, *texts, contact.external_id, phones])
    return hashlib.sha256(content.encode()).hexdigest()[:32]
