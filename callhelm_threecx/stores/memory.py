"""Contacts in the memory of one process: for tests, and as the smallest example of a store."""

import threading
import uuid
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from itertools import takewhile

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
    Phone,
    StoreOptions,
)


@dataclass(slots=True)
class _Shelf:
    """The contacts of one organization and the indexes on them."""

    contacts: dict[str, Contact] = field(default_factory=dict)
    search_texts: dict[str, str] = field(default_factory=dict)
    by_identity: dict[str, str] = field(default_factory=dict)
    tails: list[tuple[str, str]] = field(default_factory=list)  # (tail, contact id), sorted


class MemoryContactStore:
    """A contact store that forgets everything when its process ends."""

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}
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
            for tail, contact_id in _owners(shelf, wanted):
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
            kept = _kept(contact, numbers)
            shelf.by_identity.update(dict.fromkeys(identities, kept.id))
            shelf.contacts[kept.id] = kept
            shelf.search_texts[kept.id] = folding.search_text(contact, numbers)
            for _, number in numbers:
                insort(shelf.tails, (number.tail, kept.id))
        return kept, True

    def health(self) -> None:
        """Memory always answers."""

    def _shelf(self, organization: Organization) -> _Shelf:
        return self._shelves.setdefault(organization.id, _Shelf())


def _kept(contact: NewContact, numbers: Sequence[folding.ParsedPhone]) -> Contact:
    return Contact(
        id=str(uuid.uuid4()),
        first_name=contact.first_name,
        last_name=contact.last_name,
        company=contact.company,
        email=contact.email,
        phones=tuple(Phone(number.canonical, kind, number.extension) for kind, number in numbers),
        external_id=contact.external_id,
        last_active_at=utc_now(),
    )


def _owners(shelf: _Shelf, wanted: phone.Candidates) -> Iterator[tuple[str, str]]:
    """The (tail, contact id) entries that the candidates may match."""
    ranges = [(tail, tail + " ") for tail in wanted.exact_tails]  # " " sorts before every digit
    if wanted.tail_range is not None:
        ranges.append(wanted.tail_range)
    for low, high in ranges:
        start = bisect_left(shelf.tails, (low, ""))
        entries = (shelf.tails[index] for index in range(start, len(shelf.tails)))
        yield from takewhile(partial(_is_before, high), entries)


def _is_before(high: str, entry: tuple[str, str]) -> bool:
    return entry[0] < high


def _activity(contact: Contact) -> datetime:
    return contact.last_active_at or datetime.min.replace(tzinfo=timezone.utc)
