"""What the product needs from a place where contacts live.

`ContactStore` is the whole contract of a backend: five questions, and whether it is healthy. What a
backend can do beyond that is a separate protocol, asked for with ``isinstance``: `BulkContacts`,
`TransactionalContacts`, `TransactionalCalls`, `Members`, `CheckedAtStart`, and those in the modules
``editing`` and ``importing``. `callhelm_threecx.testing` holds the tests that every backend passes.

A store may raise `StoreUnavailableError` when its backend does not answer (the caller gets a 503)
and `InvalidContactError` for a contact that it cannot keep (400). It never sees a request: the
organization comes from the key that opened the door.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final, Protocol, runtime_checkable

from sqlalchemy.orm import Session

from callhelm_threecx.errors import BadInputError, StorageUnavailableError


class StoreUnavailableError(StorageUnavailableError):
    """The store's backend does not answer."""


class InvalidContactError(BadInputError):
    """The contact cannot be kept as it is."""


class PhoneType(str, Enum):
    """The seven phone outputs of a 3CX template; the value is the field of an answer."""

    BUSINESS = "phoneBusiness"
    BUSINESS2 = "phoneBusiness2"
    MOBILE = "phoneMobile"
    MOBILE2 = "phoneMobile2"
    HOME = "phoneHome"
    OTHER = "phoneOther"
    FAX = "faxBusiness"


@dataclass(frozen=True, slots=True)
class Organization:
    """For whom a store is asked: its id, and the region in which it writes national numbers."""

    id: str
    region: str


@dataclass(frozen=True, slots=True)
class Phone:
    """A number of a contact: E.164 where it parses, else its digits."""

    number: str
    type: PhoneType = PhoneType.BUSINESS
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as a store gives it. Text fields are empty rather than missing."""

    id: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phones: tuple[Phone, ...] = ()
    external_id: str = ""
    last_active_at: datetime | None = None
    entity_type: str = "Contact"


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to be kept; numbers as people typed them."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phones: tuple[Phone, ...] = ()
    external_id: str = ""
    source: str = ""

    @property
    def is_named(self) -> bool:
        """Whether a PBX could show it: it has a first name, a last name or a company."""
        return bool(self.first_name or self.last_name or self.company)


@dataclass(frozen=True, slots=True)
class Match:
    """A contact that owns a searched number."""

    contact: Contact
    exact: bool


@runtime_checkable
class ContactStore(Protocol):
    """A place where contacts live. One instance serves all threads."""

    def find_by_number(
        self, organization: Organization, text: str, *, limit: int = 10
    ) -> Sequence[Match]:
        """Contacts that own the number, in whatever form it arrives.

        Exact matches come before matches by the last digits; among equals the most recently active
        contact is first. `callhelm_threecx.phone.candidates` says which stored numbers a text may
        mean. Text without a digit matches nothing.
        """
        ...

    def find_by_email(
        self, organization: Organization, email: str, *, limit: int = 10
    ) -> Sequence[Contact]:
        """Contacts with this address, whatever its case, the most recently active first."""
        ...

    def search(
        self, organization: Organization, query: str, *, limit: int = 20
    ) -> Sequence[Contact]:
        """Contacts in which every word of the query occurs: in a name, the company, the e-mail
        address or the digits of a number. Every character of the query means itself."""
        ...

    def get(self, organization: Organization, contact_id: str) -> Contact | None:
        """The contact with this id, or None: also for another organization's."""
        ...

    def create(self, organization: Organization, contact: NewContact) -> tuple[Contact, bool]:
        """Keep a contact. The same number and name again gives the existing one and False.

        Raises `InvalidContactError` for a contact without a name and a company.
        """
        ...

    def health(self) -> None:
        """Return when the backend answers; raise `StoreUnavailableError` when not."""
        ...


@runtime_checkable
class TransactionalContacts(Protocol):
    """A store whose contacts live in the product's own database: what it does for a journaled call
    is part of the call's transaction."""

    def create_within(
        self, session: Session, organization: Organization, contact: NewContact
    ) -> tuple[Contact, bool]:
        """As `ContactStore.create`, in the caller's transaction."""
        ...

    def touch_within(self, session: Session, contact_id: str, at: datetime) -> None:
        """Note that the contact was active at this instant, if that is later than before."""
        ...


@dataclass(frozen=True, slots=True)
class JournaledCall:
    """One ended call, for a store that keeps calls: what the PBX reported, and what we made of it.

    ``call_type`` and ``direction`` are in 3CX's words (``Notanswered``, ``Outbound``); ``number``
    is the other party's, E.164 where it parses; ``member_id`` is the CRM's user whose call it was,
    found by ``attributed_by``; ``report`` is the body as it came, by field.
    """

    id: uuid.UUID
    call_type: str
    direction: str
    number: str
    name: str = ""
    contact_id: str | None = None
    agent_extension: str = ""
    agent_email: str = ""
    agent_name: str = ""
    member_id: str | None = None
    attributed_by: str | None = None
    queue_extension: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_seconds: int | None = None
    subject: str = ""
    recording_url: str = ""
    transcription: str = ""
    summary: str = ""
    sentiment: str = ""
    report: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class TransactionalCalls(Protocol):
    """A store that keeps calls in a table of its own, in the product's own database. That a call is
    kept once is decided before it is asked: `three_cx_calls` remembers which reports there were."""

    def add_call_within(
        self, session: Session, organization: Organization, call: JournaledCall
    ) -> None:
        """Keep a call, under its id, in the caller's transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """A user of the CRM who may answer calls; inactive ones are never given out.

    ``three_cx_extension`` is the extension that the CRM keeps for the PBX, ``extension`` one of its
    own, which may be the same.
    """

    id: str
    email: str = ""
    name: str = ""
    three_cx_extension: str = ""
    extension: str = ""


@runtime_checkable
class Members(Protocol):
    """A store that knows the users of the CRM: in the product's own database."""

    def members(self, organization: Organization) -> Sequence[Member]:
        """Every active member of an organization, by id."""
        ...

    def find_members_within(
        self,
        session: Session,
        *,
        ids: Sequence[str] = (),
        extension: str = "",
        emails: Sequence[str] = (),
    ) -> Sequence[Member]:
        """The active members of the session's organization with one of the ids, with the extension,
        or with one of the addresses (whatever its case); blank ones find nobody."""
        ...


@runtime_checkable
class CheckedAtStart(Protocol):
    """A store that must find tables of somebody else's."""

    def check(self) -> None:
        """Raise `callhelm_threecx.errors.SettingsError` that names the table or column that is
        missing, and `StoreUnavailableError` when the backend does not answer."""
        ...


@dataclass(slots=True)
class ImportReport:
    """What became of a batch of rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


@runtime_checkable
class BulkContacts(Protocol):
    """A store that takes and gives contacts in bulk (the command line's import and export)."""

    def import_batch(self, organization: Organization, batch: Sequence[NewContact]) -> ImportReport:
        """Keep a batch in one transaction; a known ``external_id``, else the same name and number,
        updates the contact that is there. Rows are counted from 0 in the report."""
        ...

    def export(self, organization: Organization) -> Iterator[Contact]:
        """Every contact, a page at a time."""
        ...


class StoreOptions(dict[str, Any]):
    """The options of a store: a mapping, and what the product can lend a store besides.

    ``database`` is the product's own `callhelm_threecx.db.Database`.
    """

    def __init__(self, options: Mapping[str, Any] = {}, *, database: Any = None) -> None:
        super().__init__(options)
        self.database = database


_EMPTY_FIELDS: Final = {kind.value: "" for kind in PhoneType}
_SECOND: Final = {
    PhoneType.BUSINESS: PhoneType.BUSINESS2.value,
    PhoneType.MOBILE: PhoneType.MOBILE2.value,
}
_OVERFLOW: Final = (
    PhoneType.OTHER.value,
    PhoneType.HOME.value,
    PhoneType.MOBILE2.value,
    PhoneType.BUSINESS2.value,
)


def slots(phones: Iterable[Phone]) -> dict[str, str]:
    """Lay any number of phones out on the seven fields of an answer.

    A second business or mobile number takes the field made for it, and what finds its own field
    taken takes the first free one; the rest is left out.
    """
    fields = _EMPTY_FIELDS.copy()
    homeless: list[str] = []
    for phone in phones:
        second = _SECOND.get(phone.type)
        if not fields[phone.type]:
            fields[phone.type] = phone.number
        elif second is not None and not fields[second]:
            fields[second] = phone.number
        else:
            homeless.append(phone.number)
    for number in homeless:
        free = next((name for name in _OVERFLOW if not fields[name]), None)
        if free is None:
            break
        fields[free] = number
    return fields
