"""Contacts in the memory of one process: for tests, and as the smallest example of a store."""

import threading
import uuid
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import ClassVar

from callhelm_threecx import phone
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.models import utc_now
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import (
    Contact,
    InvalidContactError,
    Match,
    NewContact,
    Organization,
    StoreOptions,
)
from callhelm_threecx.stores.cursors import cursor_of, read_cursor
from callhelm_threecx.stores.editing import ContactPage, DeletedContact
from callhelm_threecx.stores.memory_shelf import Shelf


class MemoryContactStore:
    """A contact store that forgets everything when its process ends; its contacts can be edited."""

    heeds_patience: ClassVar[bool] = True

    def __init__(self) -> None:
        self._shelves: dict[str, Shelf] = {}
        self._lock = threading.RLock()

    @classmethod
    def from_options(cls, options: StoreOptions) -> "MemoryContactStore":
        """The entry point's factory. It takes no options."""
        if options:
            raise SettingsError(
                f"THREECX_CONTACT_STORE_OPTIONS: the memory store takes none, not {min(options)!r}."
            )
        return cls()

    def find_by_number(
        self, organization: Organization, text: str, *, limit: int = 10
    ) -> Sequence[Match]:
        """See `ContactStore.find_by_number`."""
        wanted = phone.candidates(text, organization.region)
        if wanted is None:
            return []
        ranks: dict[str, int] = {}
        with self._lock:
            shelf = self._shelf(organization)
            for tail, contact_id in shelf.owners(wanted):
                rank = wanted.rank(tail[::-1])
                if rank is not None:
                    ranks[contact_id] = min(rank, ranks.get(contact_id, rank))
            found = [(rank, shelf.contacts[contact_id]) for contact_id, rank in ranks.items()]
        found.sort(key=lambda pair: _activity(pair[1]), reverse=True)
        found.sort(key=lambda pair: pair[0])
        return [Match(contact, exact=rank < len(wanted.exact)) for rank, contact in found[:limit]]

    def find_by_email(
        self, organization: Organization, email: str, *, limit: int = 10
    ) -> Sequence[Contact]:
        """See `ContactStore.find_by_email`."""
        folded = email.strip().casefold()
        with self._lock:
            contacts = self._shelf(organization).contacts.values()
            found = [c for c in contacts if folded and c.email.casefold() == folded]
        return sorted(found, key=_activity, reverse=True)[:limit]

    def search(
        self, organization: Organization, query: str, *, limit: int = 20
    ) -> Sequence[Contact]:
        """See `ContactStore.search`."""
        terms = folding.search_terms(query)
        with self._lock:
            shelf = self._shelf(organization)
            found = [
                shelf.contacts[contact_id]
                for contact_id, content in shelf.search_texts.items()
                if terms and all(term in content for term in terms)
            ]
        return sorted(found, key=_activity, reverse=True)[:limit]

    def get(self, organization: Organization, contact_id: str) -> Contact | None:
        """See `ContactStore.get`."""
        with self._lock:
            return self._shelf(organization).contacts.get(contact_id)

    def create(self, organization: Organization, contact: NewContact) -> tuple[Contact, bool]:
        """See `ContactStore.create`."""
        if not contact.is_named:
            raise InvalidContactError("A contact needs a first name, a last name or a company.")
        numbers = folding.parsed_phones(contact, organization.region)
        identities = folding.identities(contact, numbers)
        with self._lock:
            shelf = self._shelf(organization)
            for identity in identities:
                if identity in shelf.by_identity:
                    return shelf.contacts[shelf.by_identity[identity]], False
            kept = folding.kept(str(uuid.uuid4()), contact, numbers, utc_now())
            shelf.put(kept)
        return kept, True

    def browse(
        self, organization: Organization, *, limit: int = 50, cursor: str | None = None
    ) -> ContactPage:
        """See `EditableContacts.browse`."""
        before = read_cursor(cursor) if cursor else None
        with self._lock:
            contacts = sorted(self._shelf(organization).contacts.values(), key=_place, reverse=True)
        rest = [c for c in contacts if before is None or _place(c) < before]
        page, more = rest[:limit], len(rest) > limit
        return ContactPage(page, cursor_of(*_place(page[-1])) if more else None)

    def update(
        self,
        organization: Organization,
        contact_id: str,
        contact: NewContact,
        *,
        edition: str | None = None,
    ) -> Contact:
        """See `EditableContacts.update`."""
        if not contact.is_named:
            raise InvalidContactError("A contact needs a first name, a last name or a company.")
        numbers = folding.parsed_phones(contact, organization.region)
        with self._lock:
            shelf = self._shelf(organization)
            before = shelf.held(contact_id, edition)
            after = folding.kept(contact_id, contact, numbers, before.last_active_at)
            shelf.refuse_double(after, folding.places(contact, organization.region))
            shelf.take(contact_id)
            shelf.put(after)
        return after

    def delete(
        self, organization: Organization, contact_id: str, *, edition: str | None = None
    ) -> DeletedContact:
        """See `EditableContacts.delete`."""
        with self._lock:
            shelf = self._shelf(organization)
            contact = shelf.held(contact_id, edition)
            shelf.take(contact_id)
        return DeletedContact(contact)

    def restore(self, organization: Organization, deleted: DeletedContact) -> Contact:
        """See `EditableContacts.restore`."""
        contact = deleted.contact
        numbers = folding.numbers_of(contact)
        places = {number.digits: place for place, (_, number) in enumerate(numbers)}
        with self._lock:
            shelf = self._shelf(organization)
            if contact.id not in shelf.contacts:
                shelf.refuse_double(contact, places)
                shelf.put(contact)
            return shelf.contacts[contact.id]

    def health(self) -> None:
        """Memory always answers."""

    def _shelf(self, organization: Organization) -> Shelf:
        return self._shelves.setdefault(organization.id, Shelf())


def _activity(contact: Contact) -> datetime:
    return contact.last_active_at or datetime.min.replace(tzinfo=timezone.utc)


def _place(contact: Contact) -> tuple[datetime, uuid.UUID]:
    return _activity(contact), uuid.UUID(contact.id)
