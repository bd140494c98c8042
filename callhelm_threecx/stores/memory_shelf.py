"""The contacts of one organization in memory, and the indexes on them."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile

from callhelm_threecx import phone
from callhelm_threecx.errors import NotFoundError
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact
from callhelm_threecx.stores.editing import (
    ContactChangedError,
    DuplicateContactError,
    edition_of,
)


@dataclass(slots=True)
class Shelf:
    """Contacts by id, by identity and by the reversed digits of their numbers.

    It knows nothing of threads: its owner lets one at a time near it.
    """

    contacts: dict[str, Contact] = field(default_factory=dict)
    search_texts: dict[str, str] = field(default_factory=dict)
    by_identity: dict[str, str] = field(default_factory=dict)
    tails: list[tuple[str, str]] = field(default_factory=list)  # (tail, contact id), sorted

    def put(self, contact: Contact) -> None:
        """Keep a contact and index it."""
        fields, numbers = folding.fields_of(contact), folding.numbers_of(contact)
        self.contacts[contact.id] = contact
        self.search_texts[contact.id] = folding.search_text(fields, numbers)
        self.by_identity.update(dict.fromkeys(folding.identities(fields, numbers), contact.id))
        for _, number in numbers:
            insort(self.tails, (number.tail, contact.id))

    def take(self, contact_id: str) -> Contact:
        """Take a contact out, and out of every index."""
        contact = self.contacts.pop(contact_id)
        del self.search_texts[contact_id]
        self.by_identity = {
            k: owner for k, owner in self.by_identity.items() if owner != contact_id
        }
        self.tails = [entry for entry in self.tails if entry[1] != contact_id]
        return contact

    def held(self, contact_id: str, edition: str | None) -> Contact:
        """The contact that is to be edited. Raises `NotFoundError` and `ContactChangedError`."""
        contact = self.contacts.get(contact_id)
        if contact is None:
            raise NotFoundError("There is no such contact.")
        if edition is not None and edition_of(contact) != edition:
            raise ContactChangedError(contact)
        return contact

    def refuse_double(self, contact: Contact, places: Mapping[str, int]) -> None:
        """Raise `DuplicateContactError` when a contact would be the same as another one.

        ``places`` are those of its numbers among the phones that were given, by their digits.
        """
        fields, numbers = folding.fields_of(contact), folding.numbers_of(contact)
        for other in self.contacts.values():
            same = other.external_id == contact.external_id != ""
            if same and other.id != contact.id:
                raise DuplicateContactError("externalId", "another contact has it", other.id)
        if contact.external_id:
            return
        names = [f"phones.{places[number.digits]}" for _, number in numbers]
        identities = folding.identities(fields, numbers)
        for identity, name in zip(identities, names or [_numberless(contact)], strict=True):
            owner = self.by_identity.get(identity, contact.id)
            if owner != contact.id:
                message = "another contact has it, and the same name"
                raise DuplicateContactError(name, message, owner)

    def owners(self, wanted: phone.Candidates) -> Iterator[tuple[str, str]]:
        """The (tail, contact id) entries that the candidates may match."""
        ranges = [(tail, tail + " ") for tail in wanted.exact_tails]  # " " sorts before every digit
        if wanted.tail_range is not None:
            ranges.append(wanted.tail_range)
        for low, high in ranges:
            start = bisect_left(self.tails, (low, ""))
            entries = (self.tails[index] for index in range(start, len(self.tails)))
            yield from takewhile(partial(_is_before, high), entries)


def _numberless(contact: Contact) -> str:
    """The field in which two contacts without a number meet."""
    return "email" if contact.email else folding.name_field(folding.fields_of(contact))


def _is_before(high: str, entry: tuple[str, str]) -> bool:
    return entry[0] < high
