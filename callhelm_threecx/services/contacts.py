"""Lookup, search and creation of contacts, and the shape in which a PBX gets them."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, Final

from callhelm_threecx import contact_links, phone
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import BadInputError, FieldError
from callhelm_threecx.services.events import Event, EventStatus, EventType, milliseconds_since
from callhelm_threecx.services.integrations import Integration
from callhelm_threecx.services.reports import MAX_SHORT, text_fields
from callhelm_threecx.services.values import clean
from callhelm_threecx.stores.base import (
    Contact,
    ContactStore,
    NewContact,
    Phone,
    TransactionalContacts,
    slots,
)

MAX_FOUND: Final = 10
MAX_NUMBER: Final = 128
MIN_QUERY: Final = 2
MAX_QUERY: Final = 256
DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100

_CREATE_FIELDS: Final[Mapping[str, int]] = {
    "FirstName": MAX_SHORT,
    "LastName": MAX_SHORT,
    "Company": MAX_SHORT,
    "Email": MAX_SHORT,
    "Number": MAX_NUMBER,
}

ContactView = dict[str, str]
"""A contact in an answer: every field of the contract, text, never null."""


class Contacts:
    """Answers a PBX's questions about contacts from the configured store."""

    def __init__(
        self,
        store: ContactStore,
        database: Database,
        emit: Callable[[Event], None],
        contact_url: str | None,
    ) -> None:
        self._store = store
        self._database = database
        self._emit = emit
        self._contact_url = contact_url or contact_links.DEFAULT_PATTERN

    def lookup(self, integration: Integration, text: str, base_url: str) -> list[ContactView]:
        """Contacts that own a number, best first, at most ten; text without a digit has none.

        Each answers with the searched text in one of its phone fields (the echo rule): a PBX drops
        a result in which it does not find the number that it asked for.
        """
        started = perf_counter()
        searched = phone.searched_text(text)
        matches = self._store.find_by_number(integration.organization, text, limit=MAX_FOUND)
        views = [
            self._view(integration, match.contact, base_url, fallback=searched) for match in matches
        ]
        for view in views:
            if not any(searched in view[name] for name in _PHONE_FIELDS):
                view["phoneOther"] = searched
        self._log_found(EventType.LOOKUP, integration, views, started, {"number": searched})
        return views

    def lookup_email(
        self, integration: Integration, email: str, base_url: str
    ) -> list[ContactView]:
        """Contacts with this e-mail address, the most recently active first, at most ten."""
        started = perf_counter()
        address = clean(email)
        found = self._store.find_by_email(integration.organization, address, limit=MAX_FOUND)
        views = [self._view(integration, contact, base_url, fallback=address) for contact in found]
        self._log_found(EventType.LOOKUP, integration, views, started, {"email": address})
        return views

    def lookup_id(
        self, integration: Integration, contact_id: str, base_url: str
    ) -> list[ContactView]:
        """The contact with this id, if it is the organization's."""
        started = perf_counter()
        contact = self._store.get(integration.organization, contact_id)
        views = [self._view(integration, contact, base_url, fallback=contact_id)] if contact else []
        self._log_found(EventType.LOOKUP, integration, views, started, {"id": contact_id})
        return views

    def search(
        self, integration: Integration, query: str, base_url: str, *, limit: int = DEFAULT_LIMIT
    ) -> list[ContactView]:
        """Contacts in which every word of the query occurs.

        Raises `BadInputError` for a query of fewer than 2 or more than 256 characters, or a limit
        outside 1 to 100.
        """
        started = perf_counter()
        text = clean(query)
        if len(text) < MIN_QUERY:
            raise BadInputError.of_field("query", f"needs at least {MIN_QUERY} characters")
        if len(text) > MAX_QUERY:
            raise BadInputError.of_field("query", f"is longer than {MAX_QUERY} characters")
        if not 1 <= limit <= MAX_LIMIT:
            raise BadInputError.of_field("limit", f"must be between 1 and {MAX_LIMIT}")
        found = self._store.search(integration.organization, text, limit=limit)
        views = [self._view(integration, contact, base_url, fallback="") for contact in found]
        self._log_found(EventType.SEARCH, integration, views, started, {"query": text})
        return views

    @retry_when_passing
    def create(
        self, integration: Integration, body: Mapping[str, Any], base_url: str
    ) -> tuple[ContactView, bool]:
        """Create a contact from 3CX's fields: (contact, whether it is new).

        Raises `BadInputError` that names the fields at fault.
        """
        started = perf_counter()
        contact = read_new_contact(body)
        organization = integration.organization
        with self._database.write(organization.id) as session:
            if isinstance(self._store, TransactionalContacts):
                kept, is_new = self._store.create_within(session, organization, contact)
            else:
                kept, is_new = self._store.create(organization, contact)
            event = Event(
                organization.id,
                EventType.CREATE_CONTACT,
                EventStatus.OK if is_new else EventStatus.DUPLICATE,
                phone_number=next((item.number for item in kept.phones), None),
                contact_id=kept.id,
                latency_ms=milliseconds_since(started),
                raw_data=text_fields(body, _CREATE_FIELDS),
            )
            session.add(event.row())
        return self._view(integration, kept, base_url, fallback=""), is_new

    def _view(
        self, integration: Integration, contact: Contact, base_url: str, *, fallback: str
    ) -> ContactView:
        pattern = integration.contact_url or self._contact_url
        named = contact.first_name or contact.last_name or contact.company
        return {
            "id": contact.id,
            "firstName": contact.first_name,
            # A PBX drops a contact without any name.
            "lastName": contact.last_name if named else contact.email or fallback,
            "company": contact.company,
            "email": contact.email,
            **slots(contact.phones),
            "contactUrl": contact_links.link(pattern, contact.id, base_url),
            "entityType": contact.entity_type,
        }

    def _log_found(
        self,
        kind: EventType,
        integration: Integration,
        views: Sequence[ContactView],
        started: float,
        raw: dict[str, Any],
    ) -> None:
        number = raw.get("number")
        parsed = phone.parse(number, integration.region) if number else None
        self._emit(
            Event(
                integration.organization_id,
                kind,
                EventStatus.OK if views else EventStatus.NO_MATCH,
                phone_number=parsed.canonical if parsed else number,
                contact_id=views[0]["id"] if views else None,
                latency_ms=milliseconds_since(started),
                raw_data={**raw, "found": len(views)},
            )
        )


_PHONE_FIELDS: Final = tuple(slots(()))


def read_new_contact(body: Mapping[str, Any]) -> NewContact:
    """A contact from 3CX's fields ``FirstName LastName Number Email Company``.

    Raises `BadInputError` that names the fields at fault.
    """
    texts = text_fields(body, _CREATE_FIELDS)
    number = texts["Number"]
    if number and phone.parse(number, "ZZ") is None:
        raise BadInputError.of_field("Number", "has no digit")
    contact = NewContact(
        first_name=texts["FirstName"],
        last_name=texts["LastName"],
        company=texts["Company"],
        email=texts["Email"],
        phones=(Phone(number),) if number else (),
        source="3cx",
    )
    if not contact.is_named:
        message = "is required, or LastName, or Company"
        raise BadInputError(
            f"The contact has no name. FirstName: {message}",
            errors=[FieldError("FirstName", message)],
        )
    return contact
