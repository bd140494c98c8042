"""Contacts in the hands of an administrator: found with reasons, added, changed, deleted, undone.

Every act is in the event log with who did it and from where; names and numbers are not: a contact
is told by its id.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from callhelm_threecx import phone
from callhelm_threecx.errors import BadInputError, FieldError, NotFoundError, collecting
from callhelm_threecx.services import contact_tables, match_reasons
from callhelm_threecx.services.audit import PROGRAM, Actor
from callhelm_threecx.services.contacts import (
    DEFAULT_LIMIT,
    MAX_FOUND,
    MAX_LIMIT,
    MAX_NUMBER,
    MAX_QUERY,
    MIN_QUERY,
)
from callhelm_threecx.services.events import Event, EventType
from callhelm_threecx.services.match_reasons import Reason
from callhelm_threecx.services.reports import MAX_SHORT
from callhelm_threecx.services.values import clean
from callhelm_threecx.stores.base import (
    BulkContacts,
    Contact,
    ContactStore,
    NewContact,
    Organization,
    Phone,
    PhoneType,
)
from callhelm_threecx.stores.editing import (
    ContactPage,
    DeletedContact,
    DuplicateContactError,
    EditableContacts,
)

MAX_PHONES: Final = 50
MAX_EXTENSION: Final = 20
_NOT_DELETED: Final = "This is nothing that can be brought back."
_TEXTS: Final[Mapping[str, str]] = {
    "firstName": "first_name",
    "lastName": "last_name",
    "company": "company",
    "email": "email",
    "externalId": "external_id",
}


@dataclass(frozen=True, slots=True)
class PhoneEntry:
    """A phone as it was typed into a form; ``type`` is a value of `PhoneType`."""

    number: str
    type: str = PhoneType.BUSINESS.value
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A contact, and why it was found."""

    contact: Contact
    reasons: Sequence[Reason]


class ContactBook:
    """What the contacts page does, on the configured store.

    ``emit`` takes the events of what was done, one for each act.
    """

    def __init__(self, store: ContactStore, emit: Callable[[Event], None]) -> None:
        self._store = store
        self._emit = emit

    @property
    def is_editable(self) -> bool:
        """Whether the store lets its contacts be browsed and edited here."""
        return isinstance(self._store, EditableContacts)

    def browse(
        self, organization: Organization, *, limit: int = 50, cursor: str | None = None
    ) -> ContactPage:
        """One page of all contacts, the most recently active first.

        Raises `BadInputError` for a cursor that is none, or a limit outside 1 to 100.
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise BadInputError.of_field("limit", f"must be between 1 and {MAX_LIMIT}")
        return self._editable().browse(organization, limit=limit, cursor=cursor)

    def search(
        self, organization: Organization, query: str, *, limit: int = DEFAULT_LIMIT
    ) -> list[Found]:
        """What a search by the PBX would find, each with the fields in which the words occur.

        Raises `BadInputError` for a query of fewer than 2 or more than 256 characters.
        """
        text = clean(query)
        if not MIN_QUERY <= len(text) <= MAX_QUERY:
            message = f"needs {MIN_QUERY} to {MAX_QUERY} characters"
            raise BadInputError.of_field("query", message)
        contacts = self._store.search(organization, text, limit=limit)
        return [Found(each, match_reasons.of_search(text, each)) for each in contacts]

    def lookup(self, organization: Organization, number: str) -> list[Found]:
        """Whom a call from this number would show, best first, each with the phone that matched."""
        matches = self._store.find_by_number(organization, number, limit=MAX_FOUND)
        region = organization.region
        contacts = [match.contact for match in matches]
        return [Found(c, match_reasons.of_number(number, c, region)) for c in contacts]

    def lookup_email(self, organization: Organization, email: str) -> list[Found]:
        """Whom a chat from this address would show."""
        address = clean(email)
        contacts = self._store.find_by_email(organization, address, limit=MAX_FOUND)
        return [Found(each, match_reasons.of_email(address, each)) for each in contacts]

    def table(self, organization: Organization) -> Iterator[Sequence[str]]:
        """Every contact as a row of `contact_tables.COLUMNS`, read a page at a time.

        Raises `BadInputError` when the store gives no contacts in bulk.
        """
        if not isinstance(self._store, BulkContacts):
            raise BadInputError("The contacts of this store are exported where they live.")
        return map(contact_tables.row_of, self._store.export(organization))

    def get(self, organization: Organization, contact_id: str) -> Contact:
        """One contact. Raises `NotFoundError`."""
        contact = self._store.get(organization, contact_id)
        if contact is None:
            raise NotFoundError("There is no such contact.")
        return contact

    def add(
        self, organization: Organization, contact: NewContact, *, by: Actor = PROGRAM
    ) -> Contact:
        """Keep a new contact. Raises `DuplicateContactError` for one that is there already."""
        kept, is_new = self._store.create(organization, contact)
        if not is_new:
            field = "externalId" if kept.external_id == contact.external_id != "" else "phones.0"
            raise DuplicateContactError(
                field if contact.phones or contact.external_id else "lastName",
                "this contact is there already",
                kept.id,
            )
        self._log(organization, "add_contact", kept.id, by)
        return kept

    def change(
        self,
        organization: Organization,
        contact_id: str,
        contact: NewContact,
        *,
        edition: str | None,
        by: Actor = PROGRAM,
    ) -> Contact:
        """Write a form back: ``edition`` is `edition_of` the contact that the form showed.

        Raises what `EditableContacts.update` raises.
        """
        store = self._editable()
        changed = store.update(organization, contact_id, contact, edition=edition)
        self._log(organization, "change_contact", contact_id, by)
        return changed

    def delete(
        self,
        organization: Organization,
        contact_id: str,
        *,
        edition: str | None = None,
        by: Actor = PROGRAM,
    ) -> str:
        """Delete a contact; the text that `undo` takes. The contact is in it: it is for the eyes of
        whoever deleted it. Raises what `EditableContacts.delete` raises."""
        deleted = self._editable().delete(organization, contact_id, edition=edition)
        self._log(organization, "delete_contact", contact_id, by)
        return _written(organization, deleted)

    def undo(self, organization: Organization, deleted: str, *, by: Actor = PROGRAM) -> Contact:
        """Bring a deleted contact back, under its id.

        Raises `BadInputError` for a text that `delete` did not give for this organization, and
        `DuplicateContactError` when another contact has taken its place.
        """
        contact = self._editable().restore(organization, _read(organization, deleted))
        self._log(organization, "restore_contact", contact.id, by)
        return contact

    def _editable(self) -> EditableContacts:
        if isinstance(self._store, EditableContacts):
            return self._store
        raise BadInputError("The contacts of this store are edited where they live.")

    def _log(self, organization: Organization, action: str, contact_id: str, by: Actor) -> None:
        detail = {"action": action, **by.detail()}
        self._emit(Event(organization.id, EventType.SETUP, contact_id=contact_id, raw_data=detail))


def read_form(texts: Mapping[str, str], phones: Iterable[PhoneEntry], region: str) -> NewContact:
    """A contact from the fields of a form: ``firstName lastName company email externalId``, and any
    number of phones, of which blank ones count for nothing.

    Raises `BadInputError` that names every field at fault: ``phones.1.number`` is in the second of
    the phones as they are given.
    """
    cleaned = {field: clean(texts.get(field, "")) for field in _TEXTS}
    with collecting("The contact cannot be kept.") as errors:
        for field, text in cleaned.items():
            if len(text) > MAX_SHORT:
                errors.append(FieldError(field, f"is longer than {MAX_SHORT} characters"))
        if not any(cleaned[field] for field in ("firstName", "lastName", "company")):
            errors.append(FieldError("firstName", "is required, or a last name, or a company"))
        read = _phones(list(phones), region, errors)
    return NewContact(
        **{name: cleaned[field] for field, name in _TEXTS.items()}, phones=read, source="console"
    )


def _phones(
    entries: Sequence[PhoneEntry], region: str, errors: list[FieldError]
) -> tuple[Phone, ...]:
    phones: list[Phone] = []
    seen: set[str] = set()
    if len(entries) > MAX_PHONES:
        errors.append(FieldError("phones", f"are more than {MAX_PHONES}"))
        return ()
    for place, entry in enumerate(entries):
        number, extension = clean(entry.number), clean(entry.extension)
        if not number and not extension:
            continue
        fault = _fault(entry, number, extension, region, seen)
        if fault is None:
            phones.append(Phone(number, PhoneType(entry.type), extension))
        else:
            errors.append(FieldError(f"phones.{place}.{fault[0]}", fault[1]))
    return tuple(phones)


def _fault(
    entry: PhoneEntry, number: str, extension: str, region: str, seen: set[str]
) -> tuple[str, str] | None:
    """The part of a phone that cannot be kept, and why."""
    parsed = phone.parse(number, region)
    if len(number) > MAX_NUMBER:
        return "number", f"is longer than {MAX_NUMBER} characters"
    if parsed is None:
        return "number", "has no digit" if number else "is missing"
    if parsed.digits in seen:
        return "number", "stands further up already"
    seen.add(parsed.digits)
    if entry.type not in {kind.value for kind in PhoneType}:
        return "type", "is no type of a phone"
    if len(extension) > MAX_EXTENSION or not all(char in "0123456789*#" for char in extension):
        return "extension", f"is not an extension of at most {MAX_EXTENSION} digits"
    return None


def _written(organization: Organization, deleted: DeletedContact) -> str:
    content = {"organization": organization.id, **asdict(deleted)}
    return json.dumps(content, ensure_ascii=False, default=datetime.isoformat)


def _read(organization: Organization, text: str) -> DeletedContact:
    try:
        content: dict[str, Any] = json.loads(text)
        is_ours = content["organization"] == organization.id
        deleted = _deleted(content)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BadInputError(_NOT_DELETED) from None
    if not is_ours:
        raise BadInputError(_NOT_DELETED)
    return deleted


def _deleted(content: dict[str, Any]) -> DeletedContact:
    fields = content["contact"]
    phones = tuple(
        Phone(str(item["number"]), PhoneType(item["type"]), str(item["extension"]))
        for item in fields.pop("phones")
    )
    active = _instant(fields.pop("last_active_at"))
    texts = {name: str(value) for name, value in fields.items()}
    contact = Contact(**texts, phones=phones, last_active_at=active)
    typed = tuple(str(each) for each in content["typed"])
    if typed and len(typed) != len(phones):
        raise ValueError("texts of other numbers")
    return DeletedContact(contact, typed, str(content["source"]), _instant(content["created_at"]))


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return at
