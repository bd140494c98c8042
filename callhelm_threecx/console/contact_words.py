"""How contacts are told to people: their names, their phones, and why a search found them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from callhelm_threecx import phone
from callhelm_threecx.console import regions
from callhelm_threecx.services.contact_book import Found
from callhelm_threecx.services.match_reasons import MatchKind, Reason
from callhelm_threecx.stores.base import Contact, NewContact, Phone, PhoneType

PHONE_TYPES: Final = (
    (PhoneType.BUSINESS.value, "Business"),
    (PhoneType.BUSINESS2.value, "Business 2"),
    (PhoneType.MOBILE.value, "Mobile"),
    (PhoneType.MOBILE2.value, "Mobile 2"),
    (PhoneType.HOME.value, "Home"),
    (PhoneType.OTHER.value, "Other"),
    (PhoneType.FAX.value, "Fax"),
)
TEXT_LABELS: Final[Mapping[str, str]] = {
    "firstName": "First name",
    "lastName": "Last name",
    "company": "Company",
    "email": "E-mail",
    "externalId": "Id in another system",
}
MAX_REASONS: Final = 3
MAX_SHOWN: Final = 48
"""Most characters of a field that are shown as a reason."""

MAX_AHEAD: Final = 16
"""Most of them that stand before the first match."""

_KINDS: Final[Mapping[MatchKind, tuple[str, str]]] = {
    MatchKind.PART: ("", ""),
    MatchKind.WHOLE: ("good", "exact"),
    MatchKind.LAST_DIGITS: ("warn", "by its last digits"),
}
_TYPE_LABELS: Final = dict(PHONE_TYPES)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that matched, or that did not."""

    text: str
    matched: bool


@dataclass(frozen=True, slots=True)
class Why:
    """A reason for a match: the field, its text in pieces, and how it matched as (level, words)."""

    label: str
    pieces: Sequence[Piece]
    badge: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Hit:
    """A contact that was found; ``more`` counts the reasons that are not told."""

    contact: Contact
    name: str
    why: Sequence[Why]
    more: int


@dataclass(frozen=True, slots=True)
class ShownPhone:
    """A phone of a contact: ``shown`` for people, ``kept`` as the store has it, and its country."""

    label: str
    shown: str
    kept: str
    extension: str
    country: str

    @property
    def is_e164(self) -> bool:
        """Whether it is a full number, which every notation of it finds."""
        return self.kept.startswith("+")


def name_of(contact: Contact | NewContact) -> str:
    """The person's name, else the company; empty for a contact without either."""
    return f"{contact.first_name} {contact.last_name}".strip() or contact.company


def company_of(contact: Contact) -> str:
    """The company, where it is not the contact's name already."""
    return contact.company if contact.first_name or contact.last_name else ""


def texts_of(contact: Contact | NewContact) -> dict[str, str]:
    """The texts of a contact by the names that they have in forms and answers."""
    return {
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "company": contact.company,
        "email": contact.email,
        "externalId": contact.external_id,
    }


def number_of(item: Phone) -> str:
    """A phone's number for people."""
    return phone.display(item.number)


def shown_phone(item: Phone) -> ShownPhone:
    """A phone with all that is known of it."""
    return ShownPhone(
        label=_TYPE_LABELS[item.type.value],
        shown=phone.display(item.number),
        kept=item.number,
        extension=item.extension,
        country=regions.of_number(item.number),
    )


def hit(found: Found) -> Hit:
    """A contact that was found, with why."""
    told = [why(reason, found.contact) for reason in found.reasons[:MAX_REASONS]]
    return Hit(found.contact, name_of(found.contact), told, len(found.reasons) - len(told))


def why(reason: Reason, contact: Contact) -> Why:
    """A reason in words; of a long text the part around the first match is shown."""
    pieces = list(_pieces(reason.text, reason.spans))
    return Why(_label(reason.field, contact), pieces, _KINDS[reason.kind])


def _label(field: str, contact: Contact) -> str:
    if not field.startswith("phones."):
        return TEXT_LABELS[field]
    return _TYPE_LABELS[contact.phones[int(field.removeprefix("phones."))].type.value]


def _pieces(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    begin = 0
    if len(text) > MAX_SHOWN and spans:
        begin = min(max(0, spans[0][0] - MAX_AHEAD), len(text) - MAX_SHOWN)
    limit = min(len(text), begin + MAX_SHOWN)
    if begin:
        yield Piece("…", matched=False)
    at = begin
    for first, last in spans:
        start, end = min(max(first, at), limit), min(last, limit)
        if start > at:
            yield Piece(text[at:start], matched=False)
        if end > start:
            yield Piece(text[start:end], matched=True)
        at = max(at, start, end)
    if at < limit:
        yield Piece(text[at:limit], matched=False)
    if limit < len(text):
        yield Piece("…", matched=False)
