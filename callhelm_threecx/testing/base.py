"""What the contract tests share: the store under test, and the people in it."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

import pytest

from callhelm_threecx.stores.base import (
    Contact,
    ContactStore,
    Match,
    NewContact,
    Organization,
    Phone,
    PhoneType,
)

ANNA: Final = NewContact(
    first_name="Anna",
    last_name="M\u00fcller",
    company="Kr\u00f6ger & S\u00f6hne 100%_GmbH",
    email="Anna.Mueller@Example.com",
    phones=(Phone("030 123456", PhoneType.BUSINESS), Phone("+49 171 2345678", PhoneType.MOBILE)),
)


class StoreTests:
    """What the contract tests need: a store, an organization, and ways to put contacts in."""

    @pytest.fixture
    def store(self) -> Any:
        """The store under test: the one thing that a subclass must define."""
        raise NotImplementedError(f"{type(self).__name__} defines no fixture named store.")

    def add(self, store: ContactStore, organization: Organization, contact: NewContact) -> Contact:
        """Put a contact into the backend; override it if that is not done with ``create``."""
        return store.create(organization, contact)[0]

    def touch(self, store: ContactStore, organization: Organization, contact: Contact) -> None:
        """Make a contact the most recently active one of its organization.

        It is called for the contact that was added last, and does nothing: override it if adding a
        contact does not count as activity, or if the backend's clock is too coarse to tell.
        """

    def new_organization(self, region: str) -> Organization:
        """An organization that the store does not know yet; override it for a backend in which
        organizations must be there before their contacts, or have ids of another form."""
        return new_organization(region)

    @pytest.fixture
    def organization(self) -> Organization:
        """The organization of a test: new to the store, in Germany."""
        return self.new_organization("DE")

    def add_in_turn(
        self, store: ContactStore, organization: Organization, names: Sequence[str]
    ) -> list[str]:
        """Add contacts with one number, address and company between them, the last most active."""
        ids = []
        for name in names:
            shared = (Phone("030 123456"),)
            sharer = NewContact(name, company="Office", email="office@example.com", phones=shared)
            contact = self.add(store, organization, sharer)
            self.touch(store, organization, contact)
            ids.append(contact.id)
        return ids


def new_organization(region: str) -> Organization:
    """An organization that no store knows yet."""
    return Organization(f"contract-{uuid.uuid4().hex[:16]}", region)


def person(name: str, *numbers: str) -> NewContact:
    """A contact with a last name and numbers."""
    return NewContact(last_name=name, phones=tuple(Phone(number) for number in numbers))


def found(matches: Sequence[Match]) -> list[tuple[str, bool]]:
    """What was found, best first: (id, whether it is an exact match)."""
    return [(match.contact.id, match.exact) for match in matches]


def texts(contact: Contact | NewContact) -> tuple[str, str, str, str]:
    """The texts of a contact."""
    return contact.first_name, contact.last_name, contact.company, contact.email
